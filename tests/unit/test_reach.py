"""Reach of linearity against whole images, in float64: forward passes of its own and whole-image autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import fusion
from fusion import Method, Pair
from fusion.errors import Cancelled, PixelOutsideImageError
from fusion.saliency import guidance as guidance_module
from fusion.saliency import products as products_module
from fusion.saliency.chain.changes import ChangedPixel
from fusion.saliency.chain.rules import graph_of
from fusion.saliency.probing import double_copy
from fusion.saliency.reach import STEPS
from tests.unit.reference import (
    notable_pixels,
    random_pair,
    relative_error,
    trained_method,
    whole_image_jacobian,
)
from tests.unit.small_networks import Attention, Kinks, OneInput, Strided, understood

SHAPE = (19, 21)


@torch.no_grad()
def fused_by_hand(method: Method, *images: NDArray[np.floating]) -> NDArray[np.float64]:
    """Fuse some pairs (2, H, W), whole; return (B, H, W)."""
    batch = torch.tensor(np.stack(images), dtype=torch.float64)
    return np.asarray(method.network_as(torch.float64)(batch[:, :1], batch[:, 1:])[:, 0].numpy())


def reach_by_hand(
    method: Method,
    pair: Pair,
    pixel: tuple[int, int],
    before: float,
    slope: float,
    index: int,
    where: tuple[int | slice, int | slice],
) -> int:
    """Add ±1, ±2, ±4 … gray levels to some pixels of one image until the derivative no longer tells what follows."""
    reached = 0
    for step in (1, 2, 4, 8, 16, 32, 64):
        images = np.stack([pair.images.astype(np.float64)] * 2)
        images[0][index][where] += step / 255
        images[1][index][where] -= step / 255
        brighter, darker = fused_by_hand(method, *images)[:, *pixel]
        for true, predicted in (
            (brighter - before, slope * step / 255),
            (darker - before, -slope * step / 255),
        ):
            if not abs(predicted - true) <= max(0.1 * abs(true), 0.1 / 255):
                return reached
        reached = step
    return reached


def all_by_hand(method: Method, pair: Pair, pixel: tuple[int, int]) -> list[tuple[int, ...]]:
    jacobian, before = (
        whole_image_jacobian(method, pair, pixel),
        fused_by_hand(method, pair.images)[0, *pixel],
    )
    return [
        tuple(
            reach_by_hand(method, pair, pixel, before, jacobian[index][where].sum(), index, where)
            for index in (0, 1)
        )
        for where in (pixel, (slice(None), slice(None)))
    ]


@pytest.mark.parametrize("id", fusion.method_ids())
def test_methods(id: str, rng: np.random.Generator) -> None:
    """At a corner, a border or inside, drawn afresh at every run."""
    row, column = ((0, side - 1, int(rng.integers(1, side - 1)))[rng.integers(3)] for side in SHAPE)
    pixel = (row, column)
    method, pair = trained_method(id), random_pair(rng, SHAPE)
    found = fusion.reach_of_linearity(method, pair, pixel, "float64")
    assert [found.own_pixel, found.whole_support] == all_by_hand(method, pair, pixel), pixel


@pytest.mark.parametrize("name", understood())
def test_a_changed_pixel_is_that_of_the_whole_image(name: str, rng: np.random.Generator) -> None:
    network, pair = double_copy(understood()[name].eval()), random_pair(rng, (13, 14))
    graph, added = graph_of(network), rng.normal(0, 0.3, 3)
    images = pair.images.astype(np.float64)
    for pixel in ((0, 13), (int(rng.integers(13)), int(rng.integers(14)))):
        changes = ChangedPixel(graph, torch.from_numpy(images), pixel)
        for index in (0, 1):
            for where in (pixel, (slice(None), slice(None))):
                batch = np.stack([images] * 4)
                for number in range(3):
                    batch[number + 1][index][where] += added[number]
                with torch.no_grad():
                    both = torch.from_numpy(batch)
                    expected = network(both[:, :1].clone(), both[:, 1:].clone())[:, 0, *pixel].numpy()
                found = changes.changed(index, torch.from_numpy(added), where == pixel).numpy()
                assert relative_error(changes.unchanged().numpy(), expected[:1]) <= 1e-12
                assert relative_error(found, expected[1:]) <= 1e-12, (pixel, index, where)


class Widths(TorchDispatchMode):
    """Notes how wide the images are that are convolved."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch would load its compiler, which takes seconds

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if "convolution" in str(function):
            self.seen.append(args[0].shape[-1])
        return function(*args, **(kwargs or {}))


def test_little_is_computed_anew_for_a_pixel_alone(rng: np.random.Generator) -> None:
    """A branch of the other image is not run again, nor a convolution where nothing changes that is seen."""
    graph = graph_of(trained_method("funfusean").network)
    changes = ChangedPixel(graph, torch.tensor(random_pair(rng, (23, 23)).images), (11, 11))
    with Widths() as widths:
        changes.changed(0, torch.tensor([0.1]), alone=True)
    assert len(widths.seen) == 4 + 3  # of the MRI's branches, and after them, but none of the PET's four
    assert max(widths.seen) <= 13


@pytest.mark.parametrize("network", [Attention(), Strided(), Kinks(), OneInput()])
def test_networks_of_every_path(network: nn.Module, rng: np.random.Generator) -> None:
    method, pair = Method.from_module(network, "own", "Own"), random_pair(rng, (24, 24))
    for pixel in ((0, 23), (int(rng.integers(24)), int(rng.integers(24)))):
        found = fusion.reach_of_linearity(method, pair, pixel, "float64")
        assert [found.own_pixel, found.whole_support] == all_by_hand(method, pair, pixel)


def test_numbers_by_hand() -> None:
    """Of y = x1 + x2², at x2 = 0.5: the error of a step d is d², at most 10 % of |d + d²| up to some 28 levels."""
    method = Method.from_module(lambda x1, x2: x1 + x2 * x2, "square", "Square")
    pair = Pair(np.full((2, 6, 6), 0.5, dtype=np.float32))
    assert fusion.reach_of_linearity(method, pair, (2, 3)) == fusion.Reach((64, 16), (64, 16))
    dark = Pair(np.zeros((2, 6, 6), dtype=np.float32))
    # d² beside a derivative of 0 passes as long as it is below a tenth of a gray level: 0.0198² = 0.1/255.
    assert fusion.reach_of_linearity(method, dark, (2, 3)) == fusion.Reach((64, 4), (64, 4))


def test_weights_held_constant_reach_nowhere_in_the_dark() -> None:
    """The derivative is ½ by convention where both inputs are 0, and the fused image is what is brighter."""
    pair = Pair(np.zeros((2, 5, 5), dtype=np.float32))
    found = fusion.reach_of_linearity(fusion.load_method("weighted_averaging", "cpu"), pair, (2, 2))
    assert found == fusion.Reach((0, 0), (0, 0))


def test_a_pixel_outside_is_refused(small: Method, rng: np.random.Generator) -> None:
    with pytest.raises(PixelOutsideImageError):
        fusion.reach_of_linearity(small, random_pair(rng, (9, 9)), (9, 0))


@pytest.mark.parametrize("id", ["weighted_averaging", "funfusean", "deepfuse"])
def test_the_map_has_the_reach_of_every_pixel(id: str, rng: np.random.Generator) -> None:
    method, pair = trained_method(id), random_pair(rng, SHAPE)
    found = fusion.reach_map(method, pair, dtype="float64")
    assert found.shape == (2, *SHAPE) and set(np.unique(found)) <= {0, *STEPS}
    for pixel in notable_pixels(rng, pair.shape, 2)[::3]:
        assert (
            tuple(found[:, *pixel]) == fusion.reach_of_linearity(method, pair, pixel, "float64").whole_support
        )


def test_a_map_in_tiles_is_the_same(
    small: Method, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = random_pair(rng, (60, 71))
    whole, answers = (
        fusion.reach_map(small, pair, dtype="float64"),
        fusion.response_map(small, pair, dtype="float64"),
    )
    monkeypatch.setattr(products_module, "UNMEASURED", 100)
    monkeypatch.setattr(guidance_module, "GRAPH_BYTES", 100_000)
    told: list[tuple[int, int]] = []
    again = fusion.reach_map(small, pair, lambda done, total: told.append((done, total)), "float64")
    assert np.array_equal(whole, again)
    assert relative_error(fusion.response_map(small, pair, dtype="float64"), answers) <= 1e-12
    total = told[0][1]
    assert told == [(done, total) for done in range(1, total + 1)] and total > 15


def test_a_map_stops_when_it_is_told_to(small: Method, rng: np.random.Generator) -> None:
    def stop(done: int, total: int) -> None:
        raise Cancelled("enough")

    for compute in (fusion.reach_map, fusion.response_map):
        with pytest.raises(Cancelled):
            compute(small, random_pair(rng, (9, 9)), stop)

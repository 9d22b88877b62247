"""Chains of networks that stride, pool, resize or shuffle, against plain autograd on the whole image in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

import fusion
from fusion.saliency import guidance as guidance_module
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.graph import NotUnderstoodError
from fusion.saliency.chain.rules import graph_of
from fusion.saliency.chain.steps import PixelLattice
from fusion.saliency.chain.windows import chain_of
from fusion.saliency.window import Box
from tests.unit.reference import (
    largest_error,
    notable_pixels,
    random_pair,
    relative_error,
    whole_image_jacobians,
)
from tests.unit.small_networks import Strided

TOLERANCE = 1e-12


class Between(nn.Module):
    """A layer, something that changes the size and back, and another layer, with the first handed past it.

    Parameters
    ----------
    change : callable
        Of 4 channels, which gives 4 channels of the same size again.
    layers : sequence of torch.nn.Module
        What `change` uses besides.
    """

    def __init__(self, change: Callable[[Tensor], Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(8, 1, 3, padding=1)
        self.change, self.layers = change, nn.ModuleList(layers)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        near = F.leaky_relu(self.first(torch.cat((x1, x2), 1)), 0.2)
        result: Tensor = self.last(torch.cat((near, torch.tanh(self.change(near))), 1))
        return result


def layered(*layers: nn.Module) -> Between:
    return Between(nn.Sequential(*layers), *layers)


def resized(mode: str, down: float = 2, up: float = 2) -> Between:
    return Between(
        lambda x: F.interpolate(F.avg_pool2d(x, int(down)).square(), scale_factor=float(up), mode=mode)
    )


def padded_to_multiples(x1: Tensor, x2: Tensor, network: nn.Module, step: int) -> Tensor:
    height, width = x1.shape[2:]
    sides = (0, -width % step, 0, -height % step)
    whole: Tensor = network(*(F.pad(image, sides, mode="reflect") for image in (x1, x2)))
    return whole[:, :, :height, :width]


NETWORKS: dict[str, Callable[[], Between]] = {
    "strided": lambda: layered(
        nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.ReLU(), nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1)
    ),
    "strided in groups, dilated": lambda: layered(
        nn.Conv2d(4, 8, 3, stride=2, padding=2, dilation=2, groups=2),
        nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1, groups=4),
    ),
    "reflecting": lambda: layered(
        nn.Conv2d(4, 6, 3, stride=2, padding=1, padding_mode="reflect"),
        nn.ELU(),
        nn.ConvTranspose2d(6, 4, 2, stride=2),
    ),
    "maxima, nearest": lambda: layered(nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1), nn.Upsample(scale_factor=2)),
    "overlapping maxima": lambda: layered(nn.MaxPool2d(3, 2, 1), nn.Upsample(scale_factor=2)),
    "averages of threes, bilinear": lambda: resized("bilinear", 3, 3),
    "bicubic": lambda: resized("bicubic"),
    "overlapping averages": lambda: layered(nn.AvgPool2d(3, 2, 1), nn.Upsample(scale_factor=2, mode="bilinear")),
    "smaller by the nearest": lambda: Between(
        lambda x: F.interpolate(F.interpolate(x, scale_factor=0.5).exp(), size=x.shape[2:])
    ),
    "smaller, bilinear": lambda: Between(
        lambda x: F.interpolate(F.interpolate(x, scale_factor=0.5, mode="bilinear"), scale_factor=2.0)
    ),
    "shuffled": lambda: layered(nn.PixelUnshuffle(2), nn.Conv2d(16, 16, 3, padding=1), nn.PixelShuffle(2)),
    "larger first": lambda: layered(nn.Upsample(scale_factor=2), nn.ReLU(), nn.Conv2d(4, 4, 2, stride=2)),
    "twice": lambda: layered(
        nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, stride=2, padding=1), nn.Upsample(scale_factor=4)
    ),
}  # fmt: skip


def chain_for(method: fusion.Method) -> Chain:
    found = chain_of(method, torch.float64)
    assert found is not None
    return found


def drawn(name: str, rng: np.random.Generator) -> fusion.Method:
    torch.manual_seed(int(rng.integers(2**31)))
    return fusion.Method.from_module(NETWORKS[name](), "own", "Own")


@pytest.mark.parametrize("name", NETWORKS)
def test_windows_of_networks_of_all_kinds(name: str, rng: np.random.Generator) -> None:
    method = drawn(name, rng)
    step = method.locality.alignment
    least = -(-method.locality.least // step)
    shape = (step * (least + int(rng.integers(4))), step * (least + int(rng.integers(1, 6))))
    pair = random_pair(rng, shape)
    # Borders, corners, and pixels in all places of a stride.
    pixels = notable_pixels(rng, shape)
    assert chain_for(method).graph.regridded
    assert largest_error(method, pair, pixels, "chain") <= TOLERANCE
    for pixel in pixels[:3]:
        assert largest_error(method, pair, [pixel], "chain") <= TOLERANCE


@pytest.mark.parametrize("name", ["strided", "reflecting", "maxima, nearest", "averages of threes, bilinear"])
def test_diagonals_from_every_place_of_a_stride(name: str, rng: np.random.Generator) -> None:
    method = drawn(name, rng)
    chain, step = chain_for(method), method.locality.alignment
    side = step * -(-method.locality.least // step)
    pair = random_pair(rng, (side, side + step))
    derivatives = chain.derivatives(pair.images, Box(0, 0, *pair.shape), diagonal=True)
    derivatives.ensure_all()
    for _ in range(3):
        row, column = int(rng.integers(step)), int(rng.integers(step))
        shape = (side // step, side // step + 1)
        lattice = PixelLattice(derivatives.tensors, row, column, step, step, shape, step)
        found = chain.diagonals(lattice)
        place = (int(rng.integers(shape[0])), int(rng.integers(shape[1])))
        pixel = (row + place[0] * step, column + place[1] * step)
        (expected,) = whole_image_jacobians(method, pair, [pixel])
        assert np.abs(found[:, *place] - expected[:, *pixel]).max() <= TOLERANCE * np.abs(expected).max()


def test_guidance_by_chain_equals_colouring(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = drawn("maxima, nearest", rng)
    pair = random_pair(rng, (18, 24))
    found = []
    for cheaper in (True, False):
        monkeypatch.setattr(guidance_module, "_chain_is_cheaper", lambda *arguments, cheaper=cheaper: cheaper)
        found.append(fusion.guidance(method, pair, dtype="float64"))
    assert relative_error(*found) <= TOLERANCE


@pytest.mark.parametrize("padded", [False, True])
def test_sizes_that_are_no_multiple_of_the_stride(padded: bool, rng: np.random.Generator) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    network = NETWORKS["maxima, nearest"]()
    padding = lambda x1, x2: padded_to_multiples(x1, x2, network, 2)  # noqa: E731 - what a user writes
    method = fusion.Method.from_module(padding if padded else Strided(), "own", "Own")
    step = method.locality.alignment
    pair = random_pair(rng, (8 * step + 1, 9 * step + step - 1))
    inside, (height, width) = (3 * step, 3 * step + 1), pair.shape
    assert chain_for(method).known(pair.shape) == (8 * step, 9 * step)
    assert largest_error(method, pair, [inside, (0, 0), (1, inside[1])], "chain") <= TOLERANCE
    # What sees the rows and columns that are left over is differentiated window by window.
    assert (
        largest_error(method, pair, [(height - 1, 0), (5, width - 1), (height - 2, width - 1)], "window")
        <= TOLERANCE
    )
    assert np.isfinite(fusion.guidance(method, pair)).all()


def test_a_network_that_pads_to_more_than_its_stride_takes_the_chain_where_it_holds(
    rng: np.random.Generator,
) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    network = NETWORKS["maxima, nearest"]()
    method = fusion.Method.from_module(lambda x1, x2: padded_to_multiples(x1, x2, network, 16), "own", "Own")
    for shape in ((32, 48), (34, 48), (41, 36)):
        pair = random_pair(rng, shape)
        pixels = notable_pixels(rng, shape)
        windows = fusion.jacobians(method, pair, pixels, "float64")
        expected = whole_image_jacobians(method, pair, pixels)
        for window, values in zip(windows, expected, strict=True):
            assert relative_error(window.dense(), values) <= TOLERANCE


def test_ties_have_the_derivative_of_autograd(rng: np.random.Generator) -> None:
    for name in ("maxima, nearest", "overlapping maxima"):
        method = drawn(name, rng)
        pair = fusion.Pair(np.full((2, 24, 24), rng.random(), dtype=np.float32))
        assert largest_error(method, pair, [(0, 0), (11, 12), (23, 23)], "chain") <= TOLERANCE


@pytest.mark.parametrize(
    "change",
    [
        lambda x: F.interpolate(F.avg_pool2d(x, 2), size=x.shape[2:], mode="bilinear", align_corners=True),
        lambda x: F.interpolate(F.avg_pool2d(x, (2, 1)), size=x.shape[2:]),
        lambda x: F.interpolate(F.max_pool2d(x, 2).roll(1, 3), size=x.shape[2:]),
    ],
    ids=["stretched", "down only", "moved round"],
)
def test_what_is_not_understood_is_refused(change: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(NotUnderstoodError):
        graph_of(Between(change).eval(), shape=(12, 20))

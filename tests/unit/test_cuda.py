"""A GPU gives what plain autograd gives in float64 on the CPU, on every path and to 1e-4 in float32.

TF32, whose numbers have 10 bits, would be a thousand times further away. It is on when these tests begin, as it is in
torch unless told otherwise: what computes must turn it off. Everything runs on the CPU too, so that where there is no
GPU at least the tests themselves are known to work; for that a method without a network and two networks are enough,
one of which reaches further in one image than in the other. The other tests hold all of them on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import fusion
from fusion import Method, Pair
from fusion.saliency import guidance as guidance_module
from fusion.saliency import jacobian as jacobian_module
from fusion.saliency.atlas import Atlas
from fusion.saliency.chain.windows import chain_of
from fusion.saliency.guidance import coarse_guidance
from tests.unit.reference import random_pair, relative_error, whole_image_jacobian
from tests.unit.small_networks import Attention, Strided

TOLERANCE = 1e-4
ROUNDED = 2.0**-11
"""How far an atlas, whose values have half precision, may be away on top of that."""
SHAPE = (19, 38)
"""Higher than some supports and lower than others, so that windows end at borders and inside."""
NUDGE = 3e-6
"""Where so small a relative change of both images changes the derivative, a rectifier stands at its kink, and rounding
alone may switch it: there is no one right answer in float32."""

WITH_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


@dataclass(frozen=True)
class Expected:
    """What autograd gives for some pixels of a pair, away from kinks."""

    pair: Pair
    pixels: list[tuple[int, int]]
    jacobians: list[NDArray[np.float64]]

    @property
    def diagonal(self) -> NDArray[np.float64]:
        """The guidance images at the pixels, (pixels, 2)."""
        return np.stack(
            [values[:, *pixel] for values, pixel in zip(self.jacobians, self.pixels, strict=True)]
        )


def made(id: str, device: str) -> Method:
    """Load a method, or wrap one of the small networks that the other paths are for."""
    if id in ("strided", "attention"):
        torch.manual_seed(3)
        return Method.from_module(Strided() if id == "strided" else Attention(), id, id.capitalize(), device)
    return fusion.load_method(id, device)


built = cache(made)
"""Makes a method once for all tests whose results do not depend on what is remembered of it."""


@cache
def expected(id: str) -> Expected:
    """Differentiate at corners, borders and inside; always the same images and pixels."""
    generator = np.random.default_rng(11)
    pair = random_pair(generator, SHAPE)
    nudges = 1 + NUDGE * generator.uniform(-1, 0, (3, 2, *SHAPE))
    nudged = [Pair((pair.images * nudge).astype(np.float32)) for nudge in nudges]
    height, width = SHAPE
    candidates = [
        (0, 0),
        (height - 1, width - 1),
        (0, 17),
        (12, width - 1),
        (9, 19),
        (7, 5),
        (15, 24),
        (3, 30),
    ]
    method = built(id, "cpu")
    found: dict[tuple[int, int], NDArray[np.float64]] = {}
    for pixel in candidates:
        values = whole_image_jacobian(method, pair, pixel)
        near = [relative_error(whole_image_jacobian(method, other, pixel), values) for other in nudged]
        if max(near) <= TOLERANCE / 3:
            found[pixel] = values
    assert len(found) >= 5, f"{id}: too many pixels are at kinks; take another seed"
    return Expected(pair, list(found), list(found.values()))


ON_CPU = ("weighted_averaging", "funfusean", "deepfuse", "strided", "attention")


def on_devices(*ids: str) -> pytest.MarkDecorator:
    """Run a test with each of these methods, on a GPU with all of them."""
    return pytest.mark.parametrize(
        ("device", "id"),
        [
            *(("cpu", id) for id in ids if id in ON_CPU),
            *(pytest.param("cuda", id, marks=WITH_CUDA) for id in ids),
        ],
        indirect=["device"],
    )


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a device, with TF32 allowed for convolutions."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=True):
        yield request.param


def no_chain(*arguments: object) -> None:
    return None


def check_windows(windows: list[fusion.JacobianWindow], right: Expected, path: str) -> None:
    assert [(window.row, window.col) for window in windows] == right.pixels
    assert {window.path for window in windows} == {path}
    for window, values in zip(windows, right.jacobians, strict=True):
        assert window.values.dtype == np.float32
        assert relative_error(window.dense(), values) <= TOLERANCE


def check_diagonal(images: NDArray[np.floating], right: Expected) -> None:
    assert images.dtype == np.float32 and np.isfinite(images).all()
    found = np.stack([images[:, *pixel] for pixel in right.pixels])
    assert relative_error(found, right.diagonal) <= TOLERANCE


@on_devices(*fusion.method_ids())
def test_the_fused_image(device: str, id: str) -> None:
    pair = expected(id).pair
    right = fusion.fuse(built(id, "cpu"), pair, "float64")
    assert relative_error(fusion.fuse(built(id, device), pair), right) <= TOLERANCE


@on_devices(*fusion.method_ids())
@pytest.mark.parametrize("prepared", [True, False])
def test_one_jacobian_by_the_chain(device: str, id: str, prepared: bool) -> None:
    method, right = made(id, device), expected(id)
    if prepared:
        fusion.prepare(method, right.pair)
    windows = [fusion.jacobian(method, right.pair, pixel, ahead=prepared) for pixel in right.pixels]
    check_windows(windows, right, "chain")


@WITH_CUDA
@pytest.mark.parametrize("id", fusion.method_ids())
def test_one_jacobian_is_a_captured_graph(id: str, caplog: pytest.LogCaptureFixture) -> None:
    method, right = made(id, "cuda"), expected(id)
    fusion.prepare(method, right.pair)
    chain = chain_of(method, torch.float32)
    assert chain is not None and chain.capturing is not None
    assert len(chain.capturing._graphs) == 1 and not caplog.records
    # Each twice, in turn: a result must not change when the next one is computed where it was.
    windows = [fusion.jacobian(method, right.pair, pixel) for _ in range(2) for pixel in right.pixels]
    check_windows(windows[: len(right.pixels)], right, "chain")
    check_windows(windows[len(right.pixels) :], right, "chain")


@on_devices(*fusion.method_ids())
def test_jacobians_by_the_chain_in_batches(device: str, id: str) -> None:
    method, right = built(id, device), expected(id)
    check_windows(fusion.jacobians(method, right.pair, right.pixels), right, "chain")
    check_windows(fusion.jacobians(method, right.pair, right.pixels, batch_size=2), right, "chain")


@on_devices(*fusion.method_ids(), "strided")
def test_jacobians_by_windows(device: str, id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jacobian_module, "chain_of", no_chain)
    method, right = built(id, device), expected(id)
    check_windows(fusion.jacobians(method, right.pair, right.pixels), right, "window")


@on_devices("attention")
def test_jacobians_of_the_whole_image(device: str, id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    method, right = built(id, device), expected(id)
    check_windows(fusion.jacobians(method, right.pair, right.pixels), right, "numbers")
    monkeypatch.setattr(jacobian_module, "held_pair", lambda *arguments: None)
    check_windows(fusion.jacobians(method, right.pair, right.pixels), right, "whole image")


@on_devices(*fusion.method_ids())
def test_an_atlas(device: str, id: str, tmp_path: Path) -> None:
    method, right = built(id, device), expected(id)
    atlas = Atlas(tmp_path / "atlas", method, right.pair)
    atlas.fill(method, right.pair)
    for pixel, values in zip(right.pixels, right.jacobians, strict=True):
        assert relative_error(atlas.window(*pixel).dense(), values) <= TOLERANCE + ROUNDED


GuidanceWay = Callable[[Method, Pair], NDArray[np.floating]]


@on_devices(*fusion.method_ids())
@pytest.mark.parametrize("way", [fusion.guidance, lambda method, pair: coarse_guidance(method, pair, 1)])
def test_guidance_images(device: str, id: str, way: GuidanceWay) -> None:
    check_diagonal(way(built(id, device), expected(id).pair), expected(id))


@on_devices(*fusion.method_ids())
@pytest.mark.parametrize("cheaper", [True, False])
def test_guidance_images_by_the_chain_and_by_lattices(
    device: str, id: str, cheaper: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guidance_module, "_chain_is_cheaper", lambda *arguments: cheaper)
    check_diagonal(fusion.guidance(built(id, device), expected(id).pair), expected(id))


@on_devices("strided", "attention")
def test_guidance_images_without_a_chain(device: str, id: str) -> None:
    check_diagonal(fusion.guidance(built(id, device), expected(id).pair), expected(id))


def test_numbers_as_short_as_tf32_would_be_noticed() -> None:
    """Negative control: weights with the ten bits of TF32 are further away than these tests allow."""
    right = expected("deepfuse")
    method = made("deepfuse", "cpu")
    with torch.no_grad():
        for weight in method.network.parameters():
            weight.copy_((weight.view(torch.int32) & ~0x1FFF).view(torch.float32))
    windows = fusion.jacobians(method, right.pair, right.pixels)
    errors = [
        relative_error(window.dense(), values)
        for window, values in zip(windows, right.jacobians, strict=True)
    ]
    assert max(errors) > TOLERANCE

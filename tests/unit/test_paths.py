"""Every path to a derivative by itself: it agrees with plain autograd, and would not if a layer were another."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import fusion
from fusion.saliency import guidance as guidance_module
from fusion.saliency import jacobian as jacobian_module
from fusion.saliency.atlas import Atlas
from fusion.saliency.crops import GLOBAL
from tests.unit.reference import (
    drawn_method,
    largest_error,
    notable_pixels,
    random_pair,
    relative_error,
    trained_method,
    whole_image_jacobians,
)

TOLERANCE = 1e-10
ROUGH = 2e-3
"""Of atlases, which are kept in half precision and computed in single."""
NETWORKS = ("funfusean", "masknet", "deepfuse", "deep_pedestrian")
SOME = ("funfusean", "deepfuse")
"""For paths that ask nothing of a network but its support: of two sizes, one for each image, and of one."""

Pixels = list[tuple[int, int]]
Found = NDArray[np.floating]


class Summed(nn.Module):
    """Sums what two convolutions give along rows and columns: too many sums for the path by numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Tanh(), nn.Conv2d(3, 1, 3, padding=1))

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.layers(torch.cat((x1, x2), 1))
        return mixed + mixed.cumsum(2).cumsum(3) / 9


@pytest.fixture
def no_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no method have a chain."""
    for module in (jacobian_module, guidance_module):
        monkeypatch.setattr(module, "chain_of", lambda *arguments: None)


@pytest.fixture
def always_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let guidance images take the chain whatever they cost."""
    monkeypatch.setattr(guidance_module, "_chain_is_cheaper", lambda *arguments: True)


def one_by_one(method: fusion.Method, pair: fusion.Pair, pixels: Pixels, path: str) -> Found:
    windows = [fusion.jacobian(method, pair, pixel, "float64") for pixel in pixels]
    assert {window.path for window in windows} == {path}
    return np.stack([window.dense() for window in windows])


def together(method: fusion.Method, pair: fusion.Pair, pixels: Pixels, path: str) -> Found:
    windows = fusion.jacobians(method, pair, pixels, "float64")
    assert {window.path for window in windows} == {path}
    return np.stack([window.dense() for window in windows])


def diagonal(method: fusion.Method, pair: fusion.Pair, pixels: Pixels) -> Found:
    images = fusion.guidance(method, pair, dtype="float64")
    return np.stack([images[:, *pixel] for pixel in pixels])


def expected(method: fusion.Method, pair: fusion.Pair, pixels: Pixels) -> Found:
    return whole_image_jacobians(method, pair, pixels)


def on_diagonal(images: Found, pixels: Pixels) -> Found:
    return np.stack([image[:, *pixel] for image, pixel in zip(images, pixels, strict=True)])


def changed(method: fusion.Method, rng: np.random.Generator) -> fusion.Method:
    """Return a method of which one convolution, any, has larger weights."""
    network = copy.deepcopy(method.network)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    number = int(rng.integers(len(layers)))
    with torch.no_grad():
        layers[number].weight.mul_(1.25)
    title = f"{method.title}, convolution {number} changed"
    return fusion.Method(method.id, title, network, method.locality, "changed", method.device)


@cache
def _changed(id: str) -> fusion.Method:
    return changed(drawn_method(id), np.random.default_rng())


def drawn_and_changed(id: str, everywhere: bool = False) -> tuple[fusion.Method, fusion.Method]:
    """Return a method, drawn once a process, and one that differs in a layer; ``everywhere`` without a support."""
    both = drawn_method(id), _changed(id)
    print(both[1].title)
    return both if not everywhere else (without_support(both[0]), without_support(both[1]))


@cache
def without_support(method: fusion.Method) -> fusion.Method:
    """Return a method as if nobody knew how far its derivative reaches."""
    return fusion.Method(method.id, method.title, method.network, GLOBAL, method.weights_id, method.device)


def holds_and_notices(
    path: Callable[[fusion.Method], Found],
    method: fusion.Method,
    other: fusion.Method,
    autograd: Found,
    tolerance: float = TOLERANCE,
) -> None:
    """Assert that a path gives what autograd does, and that of another network it gives something else."""
    assert relative_error(path(method), autograd) <= tolerance
    assert relative_error(path(other), autograd) > tolerance


@pytest.mark.usefixtures("no_chain")
@pytest.mark.parametrize("id", NETWORKS)
@pytest.mark.parametrize("shape", [(1, 9), (6, 2), (41, 38)])
def test_shipped_networks_by_windows(id: str, shape: tuple[int, int], rng: np.random.Generator) -> None:
    method, pair = drawn_method(id), random_pair(rng, shape)
    pixels = notable_pixels(rng, shape, 1)
    assert largest_error(method, pair, pixels, "window") <= TOLERANCE
    one = one_by_one(method, pair, pixels[:3], "window")
    assert relative_error(one, expected(method, pair, pixels[:3])) <= TOLERANCE


@pytest.mark.usefixtures("no_chain")
@pytest.mark.parametrize("id", fusion.method_ids())
def test_trained_networks_by_windows_and_colouring(id: str, rng: np.random.Generator) -> None:
    method, pair = trained_method(id), random_pair(rng, (7, 12))
    pixels = notable_pixels(rng, pair.shape, 2)
    assert largest_error(method, pair, pixels, "window") <= TOLERANCE
    autograd = on_diagonal(expected(method, pair, pixels), pixels)
    assert relative_error(diagonal(method, pair, pixels), autograd) <= TOLERANCE


@pytest.mark.parametrize(
    ("path", "id"),
    [*(("chain", id) for id in NETWORKS), *product(("window", "whole image"), SOME)],
)
def test_jacobian_images_notice_a_changed_layer(
    id: str, path: str, rng: np.random.Generator, request: pytest.FixtureRequest
) -> None:
    method, other = drawn_and_changed(id, path == "whole image")
    pair = random_pair(rng, (12, 15))
    pixels = notable_pixels(rng, pair.shape, 1)
    if path == "window":
        request.getfixturevalue("no_chain")
    autograd = expected(method, pair, pixels)
    for way in (one_by_one, together):
        assert relative_error(way(method, pair, pixels, path), autograd) <= TOLERANCE, way
        assert relative_error(way(other, pair, pixels, path), autograd) > TOLERANCE, way


@pytest.mark.parametrize(
    ("path", "id"),
    [*(("chain", id) for id in NETWORKS), *product(("colouring", "whole image"), SOME)],
)
def test_guidance_images_notice_a_changed_layer(
    id: str, path: str, rng: np.random.Generator, request: pytest.FixtureRequest
) -> None:
    method, other = drawn_and_changed(id, path == "whole image")
    pair = random_pair(rng, (6, 7))
    pixels = notable_pixels(rng, pair.shape, 2)
    if path != "whole image":
        request.getfixturevalue("always_chain" if path == "chain" else "no_chain")
    autograd = on_diagonal(expected(method, pair, pixels), pixels)
    holds_and_notices(lambda one: diagonal(one, pair, pixels), method, other, autograd)


def test_a_network_that_sees_everything_notices_a_changed_layer(rng: np.random.Generator) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    method = fusion.Method.from_module(Summed(), "own", "Own")
    assert method.support_radius is None
    pair = random_pair(rng, (7, 8))
    pixels = notable_pixels(rng, pair.shape)
    autograd, other = expected(method, pair, pixels), changed(method, rng)
    holds_and_notices(lambda one: together(one, pair, pixels, "whole image"), method, other, autograd)
    on_it = on_diagonal(autograd, pixels)
    holds_and_notices(lambda one: diagonal(one, pair, pixels), method, other, on_it)


@pytest.mark.parametrize("id", SOME)
def test_an_atlas_notices_a_changed_layer(id: str, rng: np.random.Generator, tmp_path: Path) -> None:
    method, other = drawn_and_changed(id)
    pair = random_pair(rng, (5, 8))
    pixels = notable_pixels(rng, pair.shape)

    def from_atlas(one: fusion.Method) -> Found:
        atlas = Atlas(tmp_path / one.weights_id, one, pair)
        atlas.fill(one, pair)
        return np.stack([atlas.window(*pixel).dense() for pixel in pixels])

    holds_and_notices(from_atlas, method, other, expected(method, pair, pixels), ROUGH)

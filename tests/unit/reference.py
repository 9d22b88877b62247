"""What everything is held against: plain autograd on the whole image, one fused pixel at a time."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fusion import Method, Pair, jacobians, load_method
from fusion.methods.registry import method_specification
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.steps import PixelLattice
from fusion.saliency.window import Box


@cache
def trained_method(id: str) -> Method:
    """Load a method on the CPU once for all tests of a process; its weights, and so its chain, are never changed."""
    return load_method(id, "cpu")


def whole_image_jacobian(method: Method, pair: Pair, pixel: tuple[int, int]) -> NDArray[np.float64]:
    """Differentiate one fused pixel by autograd through the whole image, (2, H, W) float64."""
    return whole_image_jacobians(method, pair, [pixel])[0]


def whole_image_jacobians(
    method: Method, pair: Pair, pixels: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """Differentiate fused pixels by autograd, one by one, through the whole image that was fused once.

    Returns (pixels, 2, H, W) float64.
    """
    inputs = [torch.tensor(image, dtype=torch.float64)[None, None].requires_grad_() for image in pair.images]
    # Copies, for networks that write to their images.
    fused = method.network_as(torch.float64)(*(image.clone() for image in inputs))
    found = np.zeros((len(pixels), 2, *pair.shape))
    if fused.requires_grad:
        for jacobian, pixel in zip(found, pixels, strict=True):
            gradients = torch.autograd.grad(fused[0, 0][pixel], inputs, allow_unused=True, retain_graph=True)
            for image, gradient in zip(jacobian, gradients, strict=True):
                if gradient is not None:
                    image[:] = gradient[0, 0].numpy()
    return found


def relative_error(ours: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Return max |a − b| / max |b|; NaN anywhere counts as infinite."""
    if not (np.isfinite(ours).all() and np.isfinite(expected).all()):
        return float("inf")
    scale = float(np.abs(expected).max())
    difference = float(np.abs(ours - expected).max())
    return difference / scale if scale else difference


def largest_error(method: Method, pair: Pair, pixels: list[tuple[int, int]], path: str) -> float:
    """Return the largest relative error of some windows in float64, all of which must have come this way."""
    windows = jacobians(method, pair, pixels, "float64")
    assert {window.path for window in windows} == {path}
    expected = whole_image_jacobians(method, pair, [(window.row, window.col) for window in windows])
    return max(
        relative_error(window.dense(), values) for window, values in zip(windows, expected, strict=True)
    )


def chain_diagonal(chain: Chain, pair: Pair) -> NDArray[np.floating]:
    """Return the diagonal of all pixels by a chain, (2, H, W)."""
    derivatives = chain.derivatives(pair.images, Box(0, 0, *pair.shape), diagonal=True)
    derivatives.ensure_all()
    return chain.diagonals(PixelLattice(derivatives.tensors, 0, 0, 1, 1, pair.shape))


def chain_diagonal_error(method: Method, pair: Pair, chain: Chain, pixels: list[tuple[int, int]]) -> float:
    """Return the largest error of a float64 chain's diagonal at some pixels, relative to the largest value."""
    found = chain_diagonal(chain, pair)
    whole = whole_image_jacobians(method, pair, pixels)
    expected = np.stack([values[:, *pixel] for values, pixel in zip(whole, pixels, strict=True)])
    return relative_error(np.stack([found[:, *pixel] for pixel in pixels]), expected)


def random_pair(rng: np.random.Generator, shape: tuple[int, int]) -> Pair:
    """Draw a pair of noise images, a fifth of it black in both as in a slice's background."""
    images = rng.random((2, *shape))
    images[:, rng.random(shape) < 0.2] = 0
    return Pair.from_arrays(*images)


def random_method(id: str, rng: np.random.Generator) -> Method:
    """Build a registered method with weights and batch norm statistics drawn afresh."""
    torch.manual_seed(int(rng.integers(2**31)))
    specification = method_specification(id)
    network = specification.build()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            statistics = dict(module.named_buffers())
            statistics["running_mean"].normal_(0, 0.1)
            statistics["running_var"].uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
    return Method.from_specification(specification, network, None, torch.device("cpu"))


@cache
def _drawn(id: str) -> tuple[int, Method]:
    seed = secrets.randbits(32)
    return seed, random_method(id, np.random.default_rng(seed))


def drawn_method(id: str) -> Method:
    """Return a registered method with weights that are drawn once a process, for tests that change nothing of it.

    So its chain is made once, which takes up to a second.
    """
    seed, method = _drawn(id)
    print(f"weights of {id}: random_method with seed {seed}")
    return method


def notable_pixels(rng: np.random.Generator, shape: tuple[int, int], count: int = 4) -> list[tuple[int, int]]:
    """Return corners, border pixels and random ones."""
    height, width = shape
    pixels = {(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)}
    pixels |= {(0, int(rng.integers(width))), (int(rng.integers(height)), width - 1)}
    pixels |= {(int(rng.integers(height)), int(rng.integers(width))) for _ in range(count)}
    return sorted(pixels)

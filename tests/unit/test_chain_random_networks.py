"""Chains of networks drawn afresh at every run, against plain autograd on the whole image, in float64.

A network that fails is made again by its seed, which is printed: ``RandomNetwork(seed)``.
"""

from __future__ import annotations

import copy
import logging

import numpy as np
import pytest
import torch

import fusion
from fusion.errors import NoDerivativeError
from fusion.saliency.chain.windows import chain_of
from tests.unit.random_networks import RandomNetwork
from tests.unit.reference import (
    chain_diagonal,
    notable_pixels,
    random_pair,
    relative_error,
    whole_image_jacobians,
)

TOLERANCE = 1e-10
NETWORKS = 40
SHAPES = ((1, 1), (1, 13), (5, 7), (16, 23))
SMALLEST = 1e-9
"""Largest derivative that a network must have: where all cancels, as in x − x, only rounding is left to compare."""


def drawn(rng: np.random.Generator) -> fusion.Method:
    """Draw networks until one has a derivative."""
    while True:
        seed = int(rng.integers(2**31))
        print(f"network {seed}")
        try:
            method = fusion.Method.from_module(RandomNetwork(seed), "own", "Own")
        except NoDerivativeError:
            continue
        pair = random_pair(rng, (17, 18))
        if np.abs(autograd(method, pair, notable_pixels(rng, pair.shape))).max() > SMALLEST:
            return method


def autograd(method: fusion.Method, pair: fusion.Pair, pixels: list[tuple[int, int]]) -> np.ndarray:
    return whole_image_jacobians(method, pair, pixels)


def by_chain(method: fusion.Method, pair: fusion.Pair, pixels: list[tuple[int, int]]) -> np.ndarray:
    windows = fusion.jacobians(method, pair, pixels, "float64")
    assert {window.path for window in windows} == {"chain"}
    return np.stack([window.dense() for window in windows])


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("number", range(NETWORKS))
def test_a_random_network(number: int, rng: np.random.Generator, caplog: pytest.LogCaptureFixture) -> None:
    method = drawn(rng)
    pair = random_pair(rng, SHAPES[number % len(SHAPES)])
    pixels = notable_pixels(rng, pair.shape, 1)
    with caplog.at_level(logging.INFO):
        found = by_chain(method, pair, pixels)
    assert caplog.records == []
    # Of all pixels together: at a single one everything may cancel.
    expected = autograd(method, pair, pixels)
    scale = max(float(np.abs(expected).max()), SMALLEST)
    assert np.abs(found - expected).max() <= TOLERANCE * scale
    chain = chain_of(method, torch.float64)
    assert chain is not None
    diagonal = chain_diagonal(chain, pair)
    for pixel, images in zip(pixels, expected, strict=True):
        assert np.abs(diagonal[:, *pixel] - images[:, *pixel]).max() <= TOLERANCE * scale


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_another_last_layer_is_noticed(rng: np.random.Generator) -> None:
    """Negative control: the comparison would see a chain of another network."""
    method = drawn(rng)
    pair = random_pair(rng, (17, 18))
    pixels = notable_pixels(rng, pair.shape)
    expected = autograd(method, pair, pixels)
    network = copy.deepcopy(method.network)
    assert isinstance(network, RandomNetwork)
    with torch.no_grad():
        network.last.weight.mul_(1 + 1e-4)
    found = by_chain(fusion.Method.from_module(network, "other", "Other"), pair, pixels)
    assert relative_error(found, expected) > 1e-7

"""Chains of networks drawn afresh at every run, against plain autograd on the whole image, in float64.

A network that fails is made again by its seed, which is printed: ``RandomNetwork(seed)``.
"""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

import fusion
from fusion.saliency.chain.windows import chain_of
from tests.unit.random_networks import RandomNetwork
from tests.unit.reference import (
    chain_diagonal_error,
    largest_error,
    notable_pixels,
    random_pair,
    relative_error,
    whole_image_jacobian,
)

TOLERANCE = 1e-9
"""Networks may lose some digits: a saturated function has a derivative much smaller than its value."""
NETWORKS = 40
SHAPES = ((1, 1), (1, 13), (5, 7), (16, 23))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("number", range(NETWORKS))
def test_a_random_network(number: int, rng: np.random.Generator, caplog: pytest.LogCaptureFixture) -> None:
    seed = int(rng.integers(2**31))
    print(f"network {seed}")
    with caplog.at_level(logging.INFO):
        method = fusion.Method.from_module(RandomNetwork(seed), "own", "Own")
        pair = random_pair(rng, SHAPES[number % len(SHAPES)])
        pixels = notable_pixels(rng, pair.shape, 1)
        assert largest_error(method, pair, pixels, "chain") <= TOLERANCE
    assert caplog.records == []
    chain = chain_of(method, torch.float64)
    assert chain is not None
    assert chain_diagonal_error(method, pair, chain, pixels) <= TOLERANCE


def test_another_last_layer_is_noticed(rng: np.random.Generator) -> None:
    """Negative control: the comparison would see a chain of another network."""
    seed = int(rng.integers(2**31))
    print(f"network {seed}")
    pair = random_pair(rng, (11, 12))
    network = RandomNetwork(seed)
    method = fusion.Method.from_module(network, "own", "Own")
    with torch.no_grad():
        network.last.weight.mul_(1 + 1e-4)
    other = fusion.Method.from_module(network, "other", "Other")
    pixels = notable_pixels(rng, pair.shape)
    found = np.stack([window.dense() for window in fusion.jacobians(other, pair, pixels, "float64")])
    expected = np.stack([whole_image_jacobian(method, pair, pixel) for pixel in pixels])
    assert not expected.any() or relative_error(found, expected) > 1e-6

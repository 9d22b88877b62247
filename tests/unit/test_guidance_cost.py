"""Which way guidance images take: the one that costs less."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import fusion
from fusion.saliency import guidance as guidance_module
from fusion.saliency.chain import diagonals
from fusion.saliency.chain.windows import chain_of
from fusion.saliency.guidance import lattice_spacing
from tests.unit.reference import random_pair
from tests.unit.small_networks import OfTwo, conv

SIDES = (48, 96, 256, 1024)


def deep(groups: int) -> nn.Module:
    """Return a network of four layers of 32 channels, in this many groups."""
    layers = [nn.Sequential(conv(32, 32, groups=groups), nn.ReLU()) for _ in range(4)]
    return OfTwo(conv(2, 32), *layers, conv(32, 1))


def costs(method: fusion.Method, side: int) -> tuple[int, int]:
    """Return what the chain and the colouring are said to cost, multiplications."""
    chain = chain_of(method, torch.float32)
    assert chain is not None
    lattices = lattice_spacing(method.locality, (side, side)) ** 2
    return diagonals.cost(chain, (side, side)), diagonals.lattice_cost(chain, (side, side), lattices)


@pytest.mark.parametrize("id", ["funfusean", "masknet", "deepfuse", "deep_pedestrian"])
def test_the_four_networks_take_the_chain(id: str) -> None:
    method = fusion.load_method(id, "cpu")
    for side in SIDES:
        by_chain, by_colouring = costs(method, side)
        assert by_chain < by_colouring / 2


def test_a_network_without_neighbours_is_coloured() -> None:
    method = fusion.load_method("weighted_averaging", "cpu")
    for side in SIDES:
        by_chain, by_colouring = costs(method, side)
        assert by_colouring < by_chain / 2


def test_groups_cost_what_they_multiply() -> None:
    """Channel by channel a forward pass is cheap, and a chain computes all channels with each other."""
    alone = fusion.Method.from_module(deep(groups=32), "alone", "Alone")
    mixed = fusion.Method.from_module(deep(groups=1), "mixed", "Mixed")
    for side in SIDES:
        by_chain, by_colouring = costs(alone, side)
        assert by_colouring < by_chain / 2
        by_chain, by_colouring = costs(mixed, side)
        assert by_chain < by_colouring / 2


@pytest.mark.parametrize(
    ("id", "side", "by_chain"), [("deepfuse", 48, True), ("weighted_averaging", 96, False)]
)
def test_what_is_taken_is_quicker(
    id: str, side: int, by_chain: bool, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By far, so that the time of this thread alone can tell, however busy the machine is."""
    method, pair = fusion.load_method(id, "cpu"), random_pair(rng, (side, side))
    taken: list[bool] = []

    def noting(way: bool, right: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object) -> object:
            taken.append(way)
            return right(*arguments)

        return noted

    for way, name in ((True, "_by_chain"), (False, "_by_colouring")):
        monkeypatch.setattr(guidance_module, name, noting(way, getattr(guidance_module, name)))
    first = fusion.guidance(method, pair)
    assert taken == [by_chain]
    seconds = {}
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for way in (True, False):
            monkeypatch.setattr(guidance_module, "_chain_is_cheaper", lambda *arguments, way=way: way)
            start = time.thread_time()
            again = fusion.guidance(method, pair)
            seconds[way] = time.thread_time() - start
            np.testing.assert_allclose(again, first, atol=1e-3 * float(np.abs(first).max()))
    finally:
        torch.set_num_threads(before)
    assert (seconds[True] < seconds[False]) == by_chain

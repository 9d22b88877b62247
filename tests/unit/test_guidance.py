"""Guidance images against the diagonal of plain autograd, in float64."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import fusion
from fusion.errors import Cancelled
from fusion.network import images_tensor
from fusion.saliency import guidance as guidance_module
from fusion.saliency.chain import diagonals
from fusion.saliency.chain.windows import chain_of
from fusion.saliency.crops import Locality
from fusion.saliency.guidance import coarse_guidance, colour_order, filled, lattice_spacing, tile_passes
from fusion.saliency.tiles import Tile
from fusion.saliency.window import Box
from tests.unit.reference import (
    drawn_method,
    notable_pixels,
    random_pair,
    relative_error,
    trained_method,
    whole_image_jacobians,
)
from tests.unit.small_networks import OfTwo, conv

TOLERANCE = 1e-10


def diagonal_error(
    method: fusion.Method, pair: fusion.Pair, ours: np.ndarray, rng: np.random.Generator
) -> float:
    """Largest error at notable pixels, relative to the largest diagonal value among them."""
    pixels = notable_pixels(rng, pair.shape)
    whole = whole_image_jacobians(method, pair, pixels)
    expected = np.stack([values[:, *pixel] for values, pixel in zip(whole, pixels, strict=True)])
    found = np.stack([ours[:, *pixel] for pixel in pixels])
    return relative_error(found, expected)


@pytest.mark.parametrize("id", fusion.method_ids())
def test_equals_the_diagonal(id: str, rng: np.random.Generator) -> None:
    method = drawn_method(id)
    # Of lattice points, two fit into the height of the last one and three into its width, whatever the method.
    for shape in ((1, 1), (3, 20), (19, 33)):
        pair = random_pair(rng, shape)
        ours = fusion.guidance(method, pair, dtype="float64")
        assert ours.shape == (2, *shape) and ours.dtype == np.float64
        assert diagonal_error(method, pair, ours, rng) <= TOLERANCE, shape


@pytest.mark.parametrize("id", ["funfusean", "masknet", "deepfuse", "deep_pedestrian"])
def test_a_lattice_of_spacing_r_is_wrong(id: str, rng: np.random.Generator) -> None:
    """Negative control: lattice points at the support radius disturb each other, one pixel further they do not."""
    method = drawn_method(id)
    radius = method.locality.radius
    assert radius is not None
    pair = random_pair(rng, (3, 2 * radius + 3))
    images = images_tensor(pair, torch.float64, method.device)
    whole = Box(0, 0, *pair.shape)
    errors = {}
    for spacing in (radius, radius + 1):
        rows, columns, values = tile_passes(method, images, Tile(whole, whole), spacing)(0, 0)
        points = [
            (row, column) for row in range(pair.shape[0])[rows] for column in range(pair.shape[1])[columns]
        ]
        jacobians = whole_image_jacobians(method, pair, points)
        expected = np.stack([one[:, *point] for one, point in zip(jacobians, points, strict=True)], axis=-1)
        errors[spacing] = relative_error(values.reshape(2, -1), expected)
    assert errors[radius + 1] <= TOLERANCE
    assert errors[radius] > 1e-9


class TwoLayers(torch.nn.Module):
    """A small network of support radius 3, so that many tiles are cheap."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(2, 3, 5, padding=2)
        self.second = torch.nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.second(torch.tanh(self.first(torch.cat((x1, x2), 1)))))


def test_tiles_equal_the_whole(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    method, pair = fusion.Method.from_module(TwoLayers(), "own", "Own"), random_pair(rng, (61, 83))
    assert method.support_radius == (3, 3)
    whole = fusion.guidance(method, pair, dtype="float64")
    assert diagonal_error(method, pair, whole, rng) <= TOLERANCE
    monkeypatch.setattr(guidance_module, "GRAPH_BYTES", 100_000)
    monkeypatch.setattr(guidance_module, "_chain_is_cheaper", lambda *arguments: False)
    totals: list[int] = []
    tiled = fusion.guidance(method, pair, lambda done, total, partial: totals.append(total), "float64")
    assert totals[-1] > 16, "one pass a colour would be a single tile"
    assert relative_error(tiled, whole) <= TOLERANCE


@pytest.mark.parametrize(("by_chain", "passes"), [(True, 9), (False, 81)])
def test_progress_grows_and_partial_results_are_right(
    by_chain: bool, passes: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guidance_module, "_chain_is_cheaper", lambda *arguments: by_chain)
    method, pair = drawn_method("masknet"), random_pair(rng, (19, 20))
    seen: list[tuple[int, int, int]] = []
    snapshots: list[np.ndarray] = []

    def progress(done: int, total: int, partial: np.ndarray) -> None:
        seen.append((done, total, int(np.isfinite(partial[0]).sum())))
        if done == 4:
            snapshots.append(partial.copy())

    result = fusion.guidance(method, pair, progress, "float64")
    assert [(done, total) for done, total, _ in seen] == [(done, passes) for done in range(1, passes + 1)]
    known = [count for _, _, count in seen]
    assert known == sorted(set(known)) and known[-1] == result[0].size
    early = snapshots[0]
    assert np.array_equal(early[np.isfinite(early)], result[np.isfinite(early)])


def test_parts_of_a_large_image_equal_the_whole(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, pair = fusion.Method.from_module(TwoLayers(), "own", "Own"), random_pair(rng, (61, 83))
    whole = fusion.guidance(method, pair, dtype="float64")
    monkeypatch.setattr(guidance_module, "_chain_is_cheaper", lambda *arguments: True)
    monkeypatch.setattr(diagonals, "LARGEST_SIDE", 40)
    totals: list[int] = []
    parts = fusion.guidance(method, pair, lambda done, total, partial: totals.append(total), "float64")
    assert totals == [len(totals)] * len(totals)
    assert relative_error(parts, whole) <= TOLERANCE


def test_cancelling(rng: np.random.Generator) -> None:
    calls = []

    def progress(done: int, total: int, partial: np.ndarray) -> None:
        calls.append(done)
        if done == 3:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fusion.guidance(drawn_method("deepfuse"), random_pair(rng, (30, 30)), progress)
    assert calls == [1, 2, 3]


def test_a_global_method_takes_one_pass_a_pixel(rng: np.random.Generator) -> None:
    class Summed(torch.nn.Module):
        def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
            mixed = x1 * x2 + x1
            return mixed / (1 + mixed.cumsum(2).cumsum(3))

    method = fusion.Method.from_module(Summed(), "summed", "Summed")
    pair = random_pair(rng, (6, 5))
    assert method.support_radius is None and method.locality == Locality(None)
    totals = []
    ours = fusion.guidance(method, pair, lambda done, total, partial: totals.append(total), "float64")
    assert set(totals) == {30}
    assert diagonal_error(method, pair, ours, rng) <= TOLERANCE


def test_coarse_grid_is_exact_where_known(rng: np.random.Generator) -> None:
    method, pair = fusion.Method.from_module(TwoLayers(), "own", "Own"), random_pair(rng, (33, 40))
    coarse = coarse_guidance(method, pair, 8, "float64")
    known = np.isfinite(coarse[0])
    assert known.sum() == 4 * 5 and np.array_equal(known, np.isfinite(coarse[1]))
    full = fusion.guidance(method, pair, dtype="float64")
    assert relative_error(coarse[:, known], full[:, known]) <= TOLERANCE


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 7), (9, 9), (10, 10), (12, 12), (18, 18), (5, 8)])
def test_colours_come_once_each(rows: int, columns: int) -> None:
    order = list(colour_order(rows, columns))
    assert sorted(order) == [(row, column) for row in range(rows) for column in range(columns)]


def test_weighted_averaging_gives_its_weights(rng: np.random.Generator) -> None:
    pair = random_pair(rng, (16, 16))
    x1, x2 = pair.images.astype(np.float64)
    total = x1 + x2
    safe = np.where(total == 0, 1, total)
    weights = np.where(total == 0, 0.5, np.stack([x1, x2]) / safe)
    constant = fusion.guidance(fusion.load_method("weighted_averaging", "cpu"), pair, dtype="float64")
    assert relative_error(constant, weights) <= 1e-15
    true = np.where(total == 0, 0.5, 1 - 2 * weights[::-1] ** 2)
    found = fusion.guidance(fusion.load_method("weighted_averaging_true", "cpu"), pair, dtype="float64")
    assert relative_error(found, true) <= 1e-14


def test_preview_keeps_what_is_known_and_fills_the_rest(rng: np.random.Generator) -> None:
    values = np.full((2, 21, 34), np.nan)
    values[:, 4, 5], values[:, 17, 30] = [1, 2], [3, 4]
    picture = filled(values)
    assert np.isfinite(picture).all()
    assert picture[:, 4, 5].tolist() == [1, 2] and picture[:, 17, 30].tolist() == [3, 4]
    assert picture[:, 5, 5].tolist() == [1, 2] and picture[:, 19, 31].tolist() == [3, 4]
    assert np.isnan(filled(np.full((2, 3, 3), np.nan))).all()


class Pole(nn.Module):
    """Without derivatives, or with infinite ones, where both images are equal."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.layer(x1 / (x1 - x2))
        return mixed


def test_where_a_derivative_is_not_finite_autograd_has_the_word(rng: np.random.Generator) -> None:
    x1, x2 = rng.random((2, 9, 11))
    x1[4, 5], x1[0, 0], x1[0, 1] = x2[4, 5], 0, 1
    x2[0, 0], x2[0, 1] = 0, 1
    pair = fusion.Pair.from_arrays(x1, x2)
    method = fusion.Method.from_module(Pole(), "pole", "Pole")
    found = fusion.guidance(method, pair, dtype="float64")
    assert not np.isfinite(found).all()
    pixels = list(np.ndindex(pair.shape))
    for pixel, values in zip(pixels, whole_image_jacobians(method, pair, pixels), strict=True):
        np.testing.assert_allclose(found[:, *pixel], values[:, *pixel], rtol=1e-9)


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
    method = trained_method(id)
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
    method, pair = trained_method(id), random_pair(rng, (side, side))
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

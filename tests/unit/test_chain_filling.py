"""How much is computed ahead when pixels all over an image are looked at."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import fusion
from fusion.saliency.chain import cache, maps
from fusion.saliency.chain import windows as chain_windows
from fusion.saliency.window import Box
from tests.unit.reference import random_pair, relative_error, whole_image_jacobian
from tests.unit.small_networks import understood

SHAPE = (300, 150)
SIDE = 64


@pytest.fixture
def method() -> fusion.Method:
    made = fusion.Method.from_module(understood()["dense"], "own", "Own")
    for precision in (torch.float32, torch.float64):
        # Their check is done here, before forward passes are counted.
        assert chain_windows.chain_of(made, precision) is not None
    return made


@pytest.fixture
def filled(method: fusion.Method, monkeypatch: pytest.MonkeyPatch) -> list[Box]:
    """Give every part of an image that a forward pass is done for."""
    parts: list[Box] = []
    fill = maps.DerivativeMaps._fill

    def noting(self: maps.DerivativeMaps, box: Box) -> None:
        parts.append(box)
        fill(self, box)

    monkeypatch.setattr(maps.DerivativeMaps, "_fill", noting)
    return parts


@pytest.fixture
def small_parts(method: fusion.Method, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let parts be 64 pixels wide and all of a pair be kept."""
    chain = chain_windows.chain_of(method, torch.float64)
    assert chain is not None
    kept = cache.MapCache(5 * chain.map_bytes(SIDE, SIDE), cache.WHOLE_BYTES)
    assert kept.side(chain) == SIDE
    monkeypatch.setattr(chain_windows, "_MAPS", kept)


def pixels_of(parts: list[Box]) -> int:
    return sum(part.shape[0] * part.shape[1] for part in parts)


def test_the_first_pixel_alone_costs_one_tile(
    method: fusion.Method, filled: list[Box], rng: np.random.Generator
) -> None:
    fusion.jacobian(method, random_pair(rng, SHAPE), (200, 100))
    assert [(part.top, part.left, part.bottom, part.right) for part in filled] == [(192, 96, 224, 128)]


@pytest.mark.usefixtures("small_parts")
def test_whoever_looks_everywhere_soon_finds_everything_there(
    method: fusion.Method, filled: list[Box], rng: np.random.Generator
) -> None:
    pair = random_pair(rng, SHAPE)
    calls = []
    pixels = [(int(row), int(column)) for row, column in rng.integers((0, 0), SHAPE, (60, 2))]
    for number, pixel in enumerate(pixels):
        before = len(filled)
        window = fusion.jacobian(method, pair, pixel, "float64")
        calls.append(filled[before:])
        # Those that fill something, and some of the others.
        if calls[-1] or number % 8 == 0:
            assert relative_error(window.dense(), whole_image_jacobian(method, pair, pixel)) <= 1e-10
    slow = [call for call in calls if call]
    assert pixels_of(slow[0]) <= maps.TILE_SIDE**2
    assert pixels_of(slow[1]) <= (2 * maps.TILE_SIDE) ** 2
    assert len(slow) <= cache.DOUBLINGS + cache.PARTS_ONE_BY_ONE + 1
    corners = [(part.top, part.left) for part in filled]
    assert len(corners) == len(set(corners)), "nothing is done twice"
    count = len(filled)
    fusion.prepare(method, pair, "float64")
    assert len(filled) == count


def test_a_server_waits_for_what_a_pixel_needs_only(
    method: fusion.Method, filled: list[Box], rng: np.random.Generator
) -> None:
    pair = random_pair(rng, SHAPE)
    for number, pixel in enumerate(
        ((10, 10), (50, 10), (200, 100), (299, 149), (150, 75), (250, 20)), start=1
    ):
        fusion.jacobian(method, pair, pixel, ahead=False)
        assert len(filled) == number and pixels_of(filled[-1:]) <= maps.TILE_SIDE**2


def test_nothing_is_done_ahead_in_an_image_of_which_not_all_can_be_kept(
    method: fusion.Method, filled: list[Box], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = chain_windows.chain_of(method, torch.float32)
    assert chain is not None
    kept = cache.MapCache(5 * chain.map_bytes(SIDE, SIDE), whole=0)
    monkeypatch.setattr(chain_windows, "_MAPS", kept)
    pair = random_pair(rng, SHAPE)
    fusion.prepare(method, pair)
    assert filled == []
    for number, row in enumerate(range(0, 300, 40), start=1):
        fusion.jacobian(method, pair, (row, 149))
        assert len(filled) == number
    small = random_pair(rng, (60, 60))
    assert not kept.fits(chain, pair) and kept.fits(chain, small)


def test_what_fits_depends_on_the_images_size(method: fusion.Method) -> None:
    """Large images may take the smaller limit only, whatever could be kept of smaller ones."""
    chain = chain_windows.chain_of(method, torch.float32)
    assert chain is not None
    kept = cache.MapCache(10 * chain.map_bytes(256, 256), cache.WHOLE_BYTES)
    assert kept.side(chain) == 256
    images = np.zeros((2, 1024, 2048), dtype=np.float32)
    images[:, 0, 0] = 1
    large, whole = (fusion.Pair.from_arrays(*images[:, :, :width]) for width in (2048, 1024))
    assert kept.fits(chain, whole) and not kept.fits(chain, large)


def test_a_narrow_image_fits_by_what_its_own_parts_take(
    method: fusion.Method, rng: np.random.Generator
) -> None:
    """Parts at the border are smaller than a whole one; counted as whole, this image would not fit."""
    chain = chain_windows.chain_of(method, torch.float32)
    assert chain is not None
    narrow = random_pair(rng, (SIDE * 5, SIDE // 4))
    pieces = 5 * chain.map_bytes(SIDE, SIDE // 4)
    assert pieces < 5 * chain.map_bytes(SIDE, SIDE)
    roomy = cache.MapCache(pieces, whole=0)
    roomy._sides[chain.number] = SIDE
    assert roomy.fits(chain, narrow)
    tight = cache.MapCache(pieces - 1, whole=0)
    tight._sides[chain.number] = SIDE
    assert not tight.fits(chain, narrow)


def test_pairs_that_are_visited_in_turn_are_filled_by_tiles(
    method: fusion.Method, filled: list[Box], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is filled ahead for pairs that push each other out would be dropped before it is of use."""
    chain = chain_windows.chain_of(method, torch.float32)
    assert chain is not None
    # One pair fits, two do not.
    shape = (2 * SIDE, 2 * SIDE)
    kept = cache.MapCache(5 * chain.map_bytes(SIDE, SIDE), whole=0)
    assert kept.side(chain) == SIDE
    monkeypatch.setattr(chain_windows, "_MAPS", kept)
    pairs = [random_pair(rng, shape) for _ in range(3)]
    assert all(kept.fits(chain, pair) for pair in pairs)
    for pair in pairs:
        fusion.prepare(method, pair)
    for _ in range(3):
        for pair in pairs[:2]:
            row, column = (int(place) for place in rng.integers(0, shape))
            before = len(filled)
            fusion.jacobian(method, pair, (row, column))
            assert pixels_of(filled[before:]) <= maps.TILE_SIDE**2


def test_preparing_says_how_far_it_is_and_can_be_ended(
    method: fusion.Method, filled: list[Box], small_parts: None, rng: np.random.Generator
) -> None:
    shares: list[float] = []
    pair = random_pair(rng, SHAPE)
    fusion.prepare(method, pair, "float64", shares.append)
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) == 15

    def ended(share: float) -> None:
        raise InterruptedError

    del filled[:]
    with pytest.raises(InterruptedError):
        fusion.prepare(method, random_pair(rng, SHAPE), "float64", ended)
    assert pixels_of(filled) == SIDE**2


def test_scenes_together_keep_to_the_limit_though_one_may_have_more(
    method: fusion.Method, rng: np.random.Generator
) -> None:
    chain = chain_windows.chain_of(method, torch.float32)
    assert chain is not None
    part = chain.map_bytes(SIDE, SIDE)
    kept = cache.MapCache(5 * part, cache.WHOLE_BYTES)
    high, low = (random_pair(rng, (SIDE * parts, SIDE)) for parts in (10, 3))

    def look(pair: fusion.Pair) -> int:
        for row in range(0, pair.shape[0], SIDE):
            kept.derivatives(chain, pair, row, 0)
        return kept.nbytes

    assert kept.fits(chain, high)
    assert look(high) == 10 * part
    assert look(low) <= 5 * part
    assert look(high) == 10 * part, "those of the other make room"

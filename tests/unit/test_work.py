"""Long work in units: kept one by one, equal to the whole, and computed again where they are missing or damaged."""

from __future__ import annotations

import logging
import os
import uuid
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusion
from fusion.errors import Cancelled, FuseVisError
from fusion.saliency.atlas import TILE, Atlas, atlas_folder
from fusion.saliency.window import Box
from fusion.statistics import influence
from fusion.statistics.influence import DEFAULT_LIMIT
from fusion.statistics.region_code import encode_mask
from fusion.statistics.regions import Region, box_region
from fusion.work import guidance_units, region_units
from fusion.work.addresses import Kind, Work
from fusion.work.atlas_units import AtlasUnits
from fusion.work.guidance_units import GoOn, GuidanceUnits, unit_bounds
from fusion.work.region_units import RegionUnits
from fusion.work.store import ChunkStore, StoreError
from fusion.work.tasks import Job, Task, WorkError, missing_units, run_task, units_of

SHAPE = (19, 26)


@pytest.fixture(scope="module")
def method() -> fusion.Method:
    return fusion.load_method("deepfuse", "cpu")


@pytest.fixture
def pair(rng: np.random.Generator) -> fusion.Pair:
    return fusion.Pair.from_arrays(*rng.random((2, *SHAPE)))


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ChunkStore:
    """A store in a folder, and one behind an address of fsspec."""
    return ChunkStore(tmp_path / "store" if request.param == "folder" else f"memory://{uuid.uuid4()}/store")


def assembled(units: GuidanceUnits) -> np.ndarray:
    image = np.full((2, *SHAPE), np.nan, dtype=np.float32)
    for number in range(len(units)):
        values = units.kept(number)
        assert values is not None
        units.put(number, values, image)
    return image


def test_units_in_any_order_are_the_whole(
    method: fusion.Method, pair: fusion.Pair, store: ChunkStore, rng: np.random.Generator
) -> None:
    units = GuidanceUnits(method, pair, store)
    assert len(units) > 4 and units.missing() == list(range(len(units)))
    for number in rng.permutation(len(units)):
        units.keep(int(number), units.compute(int(number)))
    np.testing.assert_array_equal(assembled(units), fusion.guidance(method, pair))
    assert units.missing() == []


def test_several_passes_make_a_unit_and_parts_of_large_images_have_their_own(
    method: fusion.Method, pair: fusion.Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fusion.guidance(method, pair)
    monkeypatch.setattr("fusion.saliency.chain.diagonals.LARGEST_SIDE", 16)
    monkeypatch.setattr(guidance_units, "UNITS_A_PART", 3)
    units = GuidanceUnits(method, pair, ChunkStore(tmp_path))
    assert len(units) == 3 + 3 + 1 + 1, "64 pixels a pass: 4 and 3 passes, and two parts of a single one"
    assert [number for number, _ in units.all()] == list(range(len(units)))
    np.testing.assert_allclose(assembled(units), whole, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("passes", [1, 2, 63, 64, 65, 100, 1000])
def test_units_have_each_pass_once(passes: int) -> None:
    bounds = unit_bounds(passes)
    assert len(bounds) == min(passes, 64)
    assert [number for first, stop in bounds for number in range(first, stop)] == list(range(passes))


def test_what_was_computed_stays_for_the_next_process(
    method: fusion.Method, pair: fusion.Pair, store: ChunkStore
) -> None:
    first = GuidanceUnits(method, pair, store)

    def stop() -> None:
        raise Cancelled("enough")

    for number in (2, 0):
        first.keep(number, first.compute(number))
    with pytest.raises(Cancelled):
        first.compute(1, stop)
    again = GuidanceUnits(method, pair, ChunkStore(store.url))
    assert set(range(len(again))) - set(again.missing()) == {0, 2}


@pytest.mark.parametrize("damage", ["a byte", "cut off", "emptied"])
def test_a_damaged_unit_is_never_read(
    method: fusion.Method,
    pair: fusion.Pair,
    tmp_path: Path,
    damage: str,
    rng: np.random.Generator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    units = GuidanceUnits(method, pair, ChunkStore(tmp_path))
    right = units.compute(1)
    units.keep(1, right)
    (chunk,) = tmp_path.rglob("c.1.*")
    content = bytearray(chunk.read_bytes())
    if damage == "a byte":
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    chunk.write_bytes(content[: {"a byte": len(content), "cut off": len(content) // 2, "emptied": 0}[damage]])
    with caplog.at_level(logging.WARNING):
        assert units.kept(1) is None
    assert "chunk 1 is damaged" in caplog.text
    assert not units.has(1) and 1 not in units.done()
    assert 1 in GuidanceUnits(method, pair, ChunkStore(tmp_path)).missing()
    again = dict(units.all())[1]
    np.testing.assert_array_equal(again, right)
    np.testing.assert_array_equal(units.kept(1), right)


def test_two_that_fill_the_same_share_the_units(
    method: fusion.Method, pair: fusion.Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As two processes would: locks are an open file's."""
    computed: list[int] = []
    real = GuidanceUnits.compute

    def noted(self: GuidanceUnits, number: int, go_on: GoOn) -> np.ndarray:
        computed.append(number)
        return real(self, number, go_on)

    monkeypatch.setattr(GuidanceUnits, "compute", noted)
    first, second = (GuidanceUnits(method, pair, ChunkStore(tmp_path)) for _ in range(2))
    ours, theirs = first.all(), second.all()
    found: tuple[dict[int, np.ndarray], ...] = ({}, {})
    for _ in range(len(first)):
        for one, units in zip(found, (ours, theirs), strict=True):
            number, values = next(units)
            one[number] = values
    assert sorted(computed) == list(range(len(first))), "each once"
    for number, values in found[0].items():
        np.testing.assert_array_equal(values, found[1][number])


def test_old_remains_go(method: fusion.Method, pair: fusion.Pair, tmp_path: Path) -> None:
    store = ChunkStore(tmp_path)
    units = GuidanceUnits(method, pair, store)
    units.keep(0, units.compute(0))
    store.prune(3600)
    assert units.done() == {0}
    (described,) = tmp_path.rglob("zarr.json")
    os.utime(described.parent, (0, 0))
    store.prune(3600)
    assert units.done() == frozenset()
    ChunkStore("memory://somewhere").prune(0)


def test_a_missing_unit_is_none_and_not_a_number(
    method: fusion.Method, pair: fusion.Pair, store: ChunkStore
) -> None:
    units = GuidanceUnits(method, pair, store)
    units.keep(0, units.compute(0))
    assert units.kept(1) is None


@pytest.mark.parametrize("text", ["", "{", '{"zarr_format": 3, "node_type": "group"}'])
def test_an_array_that_is_described_otherwise_is_made_anew(
    method: fusion.Method, pair: fusion.Pair, tmp_path: Path, text: str
) -> None:
    first = GuidanceUnits(method, pair, ChunkStore(tmp_path))
    first.keep(0, first.compute(0))
    (described,) = tmp_path.rglob("zarr.json")
    described.write_text(text)
    units = GuidanceUnits(method, pair, ChunkStore(tmp_path))
    assert units.kept(0) is None
    units.keep(0, units.compute(0))
    assert units.kept(0) is not None


def test_a_store_that_is_no_folder_is_told(method: fusion.Method, pair: fusion.Pair, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    units = GuidanceUnits(method, pair, ChunkStore(tmp_path / "store"))
    values = units.compute(0)
    with pytest.raises(StoreError, match="cannot be used"):
        units.keep(0, values)
    np.testing.assert_array_equal(dict(units.all())[0], values)
    with pytest.raises(StoreError, match="no way to a store"):
        ChunkStore("nonsense://bucket")


def test_pairs_lie_in_the_store(pair: fusion.Pair, store: ChunkStore) -> None:
    with pytest.raises(StoreError, match="does not have the images"):
        store.pair(pair.id, pair.shape)
    store.put_pair(pair)
    store.put_pair(pair)
    assert ChunkStore(store.url).pair(pair.id, pair.shape) == pair


@pytest.mark.parametrize("kind", list(Kind))
def test_a_task_knows_all_by_addresses(
    method: fusion.Method, pair: fusion.Pair, tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fusion.saliency.atlas_store.TILE_SIDES", (TILE,))
    store = ChunkStore(tmp_path)
    region = "b2.3.9.20" if kind is Kind.REGION else ""
    job = Job(Work.of(kind, method, pair.id), pair.shape, store.url, region=region)
    with pytest.raises(FuseVisError, match="does not have the images"):
        missing_units(job)
    store.put_pair(pair)
    numbers = missing_units(job)
    for number in numbers:
        run_task(Task(job, number))
    assert missing_units(job) == []
    units = units_of(job, method, pair, store)
    assert len(numbers) == len(units) and units.missing() == []


def test_a_program_with_other_numbers_refuses(
    method: fusion.Method, pair: fusion.Pair, tmp_path: Path
) -> None:
    store = ChunkStore(tmp_path)
    store.put_pair(pair)
    work = Work.of(Kind.GUIDANCE, method, pair.id)
    for other in (replace(work, numerics="another"), replace(work, weights="f" * 64)):
        with pytest.raises(WorkError, match="another version"):
            run_task(Task(Job(other, pair.shape, store.url), 0))


def test_every_part_of_an_address_leads_elsewhere(method: fusion.Method) -> None:
    work = Work.of(Kind.GUIDANCE, method, "a" * 64)
    changes = {
        "pair": "b" * 64,
        "method": "other",
        "weights": "c" * 64,
        "device": "cuda",
        "numerics": "other",
    }
    paths = {Work(**asdict(work) | {name: value}).path for name, value in changes.items()}
    assert len(paths | {work.path}) == 6


def test_tiles_are_those_of_an_atlas(
    method: fusion.Method, pair: fusion.Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fusion.saliency.atlas_store.TILE_SIDES", (TILE,))
    whole = Atlas(atlas_folder(tmp_path / "whole", method, pair), method, pair)
    whole.fill(method, pair)
    units = AtlasUnits(method, pair, tmp_path / "units")
    assert len(units) == 3 * 4
    for number in reversed(units.missing()):
        units.compute(number)
    atlas = Atlas(atlas_folder(tmp_path / "units", method, pair), method, pair)
    assert atlas.complete
    for pixel in ((0, 0), (9, 17), (18, 25)):
        np.testing.assert_array_equal(atlas.window(*pixel).values, whole.window(*pixel).values)


@pytest.mark.parametrize("limit", [DEFAULT_LIMIT, 30])
def test_the_influence_on_a_region_in_units_is_that_of_the_command(
    method: fusion.Method,
    pair: fusion.Pair,
    store: ChunkStore,
    limit: int,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(influence, "PIXELS_AT_ONCE", 4)
    region = Region("drawn", rng.random(SHAPE) < 0.5)
    units = RegionUnits(method, pair, store, encode_mask(region.mask), limit)
    assert len(units) > 1
    units.keep(1, units.compute(1))
    again = RegionUnits(method, pair, ChunkStore(store.url), encode_mask(region.mask), limit)
    assert 1 not in again.missing(), "what was computed stays"
    table = np.full(again.shape, np.nan)
    for number, values in again.all():
        again.put(number, values, table)
    expected = influence.region_influence(method, pair, region, limit)
    assert replace(again.influence(table), region="drawn") == expected
    other = RegionUnits(method, pair, store, "b0.0.5.5", limit)
    assert len(other.missing()) == len(other), "of another region there is nothing"


def test_pixels_whose_gradients_are_not_finite_are_left_out_of_units_too(
    method: fusion.Method, pair: fusion.Pair, store: ChunkStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = region_units.jacobians

    def odd(*args: Any, **options: Any) -> list[fusion.JacobianWindow]:
        found = list(real(*args, **options))
        values = found[1].values.copy()
        values[0, 0, 0] = np.inf
        return [found[0], replace(found[1], values=values), *found[2:]]

    monkeypatch.setattr(region_units, "jacobians", odd)
    monkeypatch.setattr(influence, "jacobians", odd)
    units = RegionUnits(method, pair, store, "b2.3.6.8")
    table = np.full(units.shape, np.nan)
    for number, values in units.all():
        units.put(number, values, table)
    found = units.influence(table)
    assert (found.used, found.left_out) == (19, 1)
    expected = influence.region_influence(method, pair, box_region("region", Box(2, 3, 6, 8), SHAPE))
    assert found == expected


def test_an_empty_region_has_a_unit_and_no_numbers(
    method: fusion.Method, pair: fusion.Pair, store: ChunkStore
) -> None:
    units = RegionUnits(method, pair, store, "b")
    table = np.full(units.shape, np.nan)
    for number, values in units.all():
        units.put(number, values, table)
    found = units.influence(table)
    assert (found.pixels, found.used) == (0, 0) and np.isnan(found.x1.total)

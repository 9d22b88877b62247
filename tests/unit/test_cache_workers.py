"""Long work of the page on workers: those of a cluster without processes, which can be lost and given up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import flask
import flask_caching
import numpy as np
import pytest
from pydantic import ValidationError

import fusion
from cache.jobs.unit_work import UnitWork
from cache.jobs.workers import TRIES, Find, Workers, workers_of
from cache.services.atlases import AtlasWork
from cache.services.guidance import GuidanceWork
from cache.settings import ServiceSettings
from cache.store.addresses import GuidanceAddress
from cache.store.store import ArrayStore
from fusion.errors import Cancelled
from fusion.saliency.atlas import Atlas, atlas_folder
from fusion.saliency.maps import MapKind
from fusion.work.engines import OnDask, WorkersLost
from fusion.work.guidance_units import GuidanceUnits
from fusion.work.kept_units import KeptUnits
from fusion.work.map_units import MapUnits
from fusion.work.region_units import RegionUnits
from fusion.work.store import ChunkStore
from tests.unit.test_cache_guidance_work import Reports, in_turns, never
from tests.unit.threads_cluster import threads_cluster

SHAPE = (11, 14)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster without processes."""
    with threads_cluster() as address:
        yield address


@pytest.fixture(scope="module")
def method() -> fusion.Method:
    return fusion.load_method("deepfuse", "cpu")


@pytest.fixture
def pair(rng: np.random.Generator) -> fusion.Pair:
    return fusion.Pair.from_arrays(*rng.random((2, *SHAPE)))


def lost(times: int, then: str) -> tuple[Find, list[None]]:
    """Return what finds no workers so often, and then those of a scheduler, and each time that it was asked."""
    asked: list[None] = []

    def find(_: Any) -> OnDask:
        asked.append(None)
        if len(asked) <= times:
            raise WorkersLost("There are none.")
        return OnDask(then)

    return find, asked


def guidance(
    folder: Path, method: fusion.Method, pair: fusion.Pair, workers: Workers | None
) -> tuple[np.ndarray, GuidanceUnits]:
    config: dict[str, Any] = {"CACHE_TYPE": "SimpleCache"}
    store = ArrayStore(flask_caching.Cache(flask.Flask("test"), with_jinja2_ext=False, config=config), 60)
    chunks = ChunkStore(folder)
    address = GuidanceAddress.of(method, pair.id)
    work = GuidanceWork(method, pair, address, store, chunks, False, threads=1, workers=workers)
    return in_turns(work.lattices(Reports(), never)), GuidanceUnits(method, pair, chunks)


def computed_here(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of the units that are computed without a worker from now on."""
    found: list[int] = []
    real = GuidanceUnits.all

    def noted(self: GuidanceUnits, *args: Any) -> Any:
        found.extend(self.missing())
        return real(self, *args)

    monkeypatch.setattr(GuidanceUnits, "all", noted)
    return found


def test_guidance_images_by_workers_are_the_same_to_the_last_bit(
    tmp_path: Path,
    method: fusion.Method,
    pair: fusion.Pair,
    scheduler: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected, _ = guidance(tmp_path / "here", method, pair, None)
    here = computed_here(monkeypatch)
    find, asked = lost(0, scheduler)
    workers = Workers(find, local=False)
    found, units = guidance(tmp_path / "there", method, pair, workers)
    np.testing.assert_array_equal(found, expected)
    assert units.missing() == [] and here == [] and workers.problem is None
    again, _ = guidance(tmp_path / "there", method, pair, workers)
    np.testing.assert_array_equal(again, expected)
    assert len(asked) == 1, "one connection for all jobs"
    workers.close()
    with pytest.raises(Cancelled):
        guidance(tmp_path / "closed", method, pair, workers)


def test_an_atlas_by_workers_is_the_same(
    tmp_path: Path, method: fusion.Method, pair: fusion.Pair, scheduler: str
) -> None:
    windows = []
    for name, workers in (("here", None), ("there", Workers(lost(0, scheduler)[0], local=False))):
        root = tmp_path / name
        folder = atlas_folder(root, method, pair)
        reports = Reports()
        work = AtlasWork(method, pair, folder, 1, lambda: None, workers, ChunkStore(tmp_path / "chunks"))
        # In a thread of its own, which from then on has a lower priority.
        with ThreadPoolExecutor(1) as thread:
            total = thread.submit(work.fill, reports, never).result()  # type: ignore[arg-type]  # of images elsewhere
        assert reports.fractions[-1] == 1 and len(reports.fractions) > total
        atlas = Atlas(folder, method, pair)
        assert atlas.complete
        windows.append(atlas.window(5, 6))
        if workers is not None:
            workers.close()
    first, second = windows
    np.testing.assert_array_equal(first.values, second.values)


def test_workers_of_this_machine_that_cannot_be_had_are_given_up_and_it_is_told(
    tmp_path: Path, method: fusion.Method, pair: fusion.Pair, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = computed_here(monkeypatch)
    find, asked = lost(100, scheduler)
    workers = Workers(find, local=True, pause_s=0)
    found, units = guidance(tmp_path / "one", method, pair, workers)
    assert np.isfinite(found).all() and len(here) == len(units)
    assert len(asked) == TRIES
    assert workers.problem is not None and "There are none" in workers.problem
    assert (
        workers.note is not None
        and "There are none" not in workers.note
        and "its log says why" in workers.note
    )
    guidance(tmp_path / "two", method, pair, workers)
    assert len(asked) == TRIES, "for a while nobody looks again"
    workers.close()


def test_a_cluster_that_is_gone_is_told_and_waited_for(
    tmp_path: Path, method: fusion.Method, pair: fusion.Pair, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = computed_here(monkeypatch)
    find, _ = lost(2 * TRIES, scheduler)
    workers = Workers(find, local=False, pause_s=0)
    told: list[str | None] = []
    real = workers._find

    def noted(go_on: Any) -> OnDask:
        told.append(workers.problem)
        return real(go_on)

    workers._find = noted
    guidance(tmp_path / "one", method, pair, workers)
    assert here == [] and workers.problem is None
    assert all(words is not None and "cluster does not answer" in words for words in told[1:])
    workers.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dask_scheduler": "10.0.0.7:8786"}, "begins with tls"),
        ({"dask_scheduler": "tls://10.0.0.7:8786", "store": "s3://a"}, "FUSEVIS_DASK_TLS"),
        ({"dask_scheduler": "tcp://10.0.0.7:8786", "store": "s3://a"}, "TRUST_NETWORK"),
        ({"dask_scheduler": "tcp://10.0.0.7:8786", "dask_trust_network": True}, "FUSEVIS_STORE"),
        ({"dask_tls": "a.pem, b.pem"}, "three files"),
    ],
)
def test_clusters_that_could_not_be_used_are_refused_at_the_start(
    settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        ServiceSettings(**settings)


def test_where_workers_are_is_a_setting() -> None:
    assert workers_of(ServiceSettings(worker="none")) is None
    local = workers_of(ServiceSettings(worker="local", device="cpu"))
    cluster = workers_of(ServiceSettings(worker="none", dask_scheduler="tcp://127.0.0.1:8786"))
    assert local is not None and local.local
    assert cluster is not None and not cluster.local


@pytest.mark.parametrize("kind", ["region", "map"])
def test_regions_and_maps_by_workers_are_the_same(
    tmp_path: Path,
    method: fusion.Method,
    pair: fusion.Pair,
    scheduler: str,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = "b0.0.9.11" if kind == "region" else ""

    def made(name: str) -> tuple[ChunkStore, RegionUnits | MapUnits]:
        chunks = ChunkStore(tmp_path / name)
        if kind == "region":
            return chunks, RegionUnits(method, pair, chunks, code)
        return chunks, MapUnits(method, pair, chunks, MapKind.RESPONSE)

    def values(name: str, workers: Workers | None) -> dict[int, np.ndarray]:
        chunks, units = made(name)
        found = UnitWork(chunks, 1, workers).values(units, method, pair, lambda: None, region=code)
        return dict(found)

    expected = values("here", None)

    def never(*_: Any) -> Any:
        raise AssertionError("the workers compute")

    monkeypatch.setattr(KeptUnits, "all", never)
    workers = Workers(lost(0, scheduler)[0], local=False)
    found = values("there", workers)
    workers.close()
    assert sorted(found) == sorted(expected)
    for number, part in found.items():
        np.testing.assert_array_equal(part, expected[number])

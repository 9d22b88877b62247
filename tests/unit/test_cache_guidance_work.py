"""The guidance job: coarse exact windows first, lattices over them, the result in the store."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import flask
import flask_caching
import numpy as np
import pytest
import torch
from torch import Tensor, nn

import cache.services.guidance
import fusion
from cache.jobs.manager import Steps
from cache.services.guidance import LATTICE_LANE, PREVIEW_BUDGET_S, PREVIEW_LANE, TURN_S, GuidanceWork
from cache.store.addresses import GuidanceAddress
from cache.store.store import ArrayStore
from fusion import Method, Pair, load_method
from fusion.errors import Cancelled
from fusion.work.guidance_units import GoOn, GuidanceUnits
from fusion.work.store import ChunkStore
from tests.unit.moved_clock import MovedClock


class Small(nn.Module):
    """Two 3×3 convolutions: support radius 2."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.first = nn.Conv2d(2, 3, 3, padding=1)
        self.last = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.tanh(self.last(torch.tanh(self.first(torch.cat((x1, x2), dim=1)))))


class Reports:
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.fractions: list[float] = []
        self.partials: list[np.ndarray] = []

    def __call__(self, fraction: float, partial: np.ndarray | None = None) -> None:
        self.fractions.append(fraction)
        if partial is not None:
            self.partials.append(partial)


@pytest.fixture(scope="module")
def method() -> Method:
    return Method.from_module(Small(), "small", "Small")


@pytest.fixture
def pair() -> Pair:
    random = np.random.default_rng(3)
    return Pair.from_arrays(random.random((40, 33)), random.random((40, 33)))


@pytest.fixture
def store(tmp_path: Path) -> ArrayStore:
    config: dict[str, Any] = {
        "CACHE_TYPE": "cache.store.file_cache.BoundedFileCache",
        "CACHE_DIR": str(tmp_path),
        "CACHE_OPTIONS": {"limit_bytes": 2**20},
    }
    return ArrayStore(flask_caching.Cache(flask.Flask("test"), with_jinja2_ext=False, config=config), 60)


@pytest.fixture
def chunks(tmp_path: Path) -> ChunkStore:
    """What keeps units."""
    return ChunkStore(tmp_path / "units")


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(100.0)


def work_on(
    method: Method, pair: Pair, store: ArrayStore, chunks: ChunkStore, clock: MovedClock
) -> GuidanceWork:
    address = GuidanceAddress(pair.id, method.id, method.weights_id, device="cpu")
    return GuidanceWork(method, pair, address, store, chunks, True, threads=1, clock=clock)


def in_turns(steps: Steps[np.ndarray]) -> np.ndarray:
    """Return the result of work that may let others go first."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: np.ndarray = end.value
            return result


def never() -> bool:
    return False


def assert_exact_where_known(found: np.ndarray, exact: np.ndarray) -> int:
    """Compare what is known, and return at how many pixels it is."""
    known = ~np.isnan(found)
    assert (known[0] == known[1]).all()
    np.testing.assert_allclose(found[known], exact[known], rtol=1e-4, atol=1e-6)
    return int(known[0].sum())


def test_preview_grows_and_is_exact(
    method: Method, pair: Pair, store: ArrayStore, chunks: ChunkStore, clock: MovedClock
) -> None:
    reports = Reports()
    work_on(method, pair, store, chunks, clock).preview(reports, never)
    exact = fusion.guidance(method, pair)
    counts = [assert_exact_where_known(partial, exact) for partial in reports.partials]
    assert counts[0] == 4 * 3
    assert len(counts) == 4
    assert all(later > earlier for earlier, later in itertools.pairwise(counts))
    assert set(reports.fractions) == {0.0}
    for earlier, later in itertools.pairwise(reports.partials):
        assert not np.isnan(later[~np.isnan(earlier)]).any(), "what was known stays known"


@pytest.mark.parametrize(
    ("seconds_a_point", "grids"), [(0.0, 4), (0.002, 3), (0.006, 2), (0.03, 1), (1.0, 1)]
)
def test_preview_stops_in_time(
    method: Method,
    pair: Pair,
    store: ArrayStore,
    chunks: ChunkStore,
    clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
    seconds_a_point: float,
    grids: int,
) -> None:
    def slow(method: Method, pair: Pair, spacing: int, **_: object) -> np.ndarray:
        clock.now += seconds_a_point * np.ceil(40 / spacing) ** 2
        return np.full((2, *pair.shape), float(spacing), dtype=np.float32)

    monkeypatch.setattr(cache.services.guidance, "coarse_guidance", slow)
    reports = Reports()
    began = clock.now
    work_on(method, pair, store, chunks, clock).preview(reports, never)
    assert len(reports.partials) == grids
    if grids > 1:
        assert clock.now - began <= PREVIEW_BUDGET_S


def test_preview_of_a_tiny_image(
    method: Method, store: ArrayStore, chunks: ChunkStore, clock: MovedClock
) -> None:
    pair = Pair.from_arrays([[1.0, 2.0, 0.0]], [[0.0, 2.0, 5.0]])
    reports = Reports()
    work_on(method, pair, store, chunks, clock).preview(reports, never)
    assert len(reports.partials) == 1
    assert assert_exact_where_known(reports.partials[0], fusion.guidance(method, pair)) == 3


def passes_of_a_second(clock: MovedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each lattice take a second of the clock."""
    real = GuidanceUnits.compute

    def slow(self: GuidanceUnits, number: int, go_on: GoOn) -> np.ndarray:
        clock.now += 1
        return real(self, number, go_on)

    monkeypatch.setattr(GuidanceUnits, "compute", slow)


def test_lattices_grow_over_the_preview(
    method: Method,
    pair: Pair,
    store: ArrayStore,
    chunks: ChunkStore,
    clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = fusion.guidance(method, pair)
    work = work_on(method, pair, store, chunks, clock)
    preview = work.preview(Reports(), never)
    known_before = ~np.isnan(preview)

    passes_of_a_second(clock, monkeypatch)
    reports = Reports()
    result = in_turns(work.lattices(reports, never))
    assert reports.fractions == [done / 9 for done in range(1, 10)]
    counts = [assert_exact_where_known(partial, exact) for partial in reports.partials]
    assert len(counts) == 8, "the last pass is the result itself"
    # One lattice is just the preview's grid and adds nothing.
    assert all(later >= earlier for earlier, later in itertools.pairwise(counts))
    assert counts[-1] - counts[0] > 4 * 40 * 33 / 9
    assert all((~np.isnan(partial))[known_before].all() for partial in reports.partials)
    np.testing.assert_array_equal(result, exact)

    kept = store.get(work._address)
    assert kept is not None
    np.testing.assert_array_equal(kept["values"], exact)
    assert kept["seconds"] == 9


def test_quick_passes_are_not_all_copied(
    method: Method, pair: Pair, store: ArrayStore, chunks: ChunkStore, clock: MovedClock
) -> None:
    reports = Reports()
    in_turns(work_on(method, pair, store, chunks, clock).lattices(reports, never))
    assert len(reports.fractions) == 9
    assert len(reports.partials) == 1, "the clock stood still after the first"


def test_reports_that_take_long_are_few(
    method: Method,
    pair: Pair,
    store: ArrayStore,
    chunks: ChunkStore,
    clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class SlowReports(Reports):
        def __call__(self, fraction: float, partial: np.ndarray | None = None) -> None:
            super().__call__(fraction, partial)
            clock.now += 0 if partial is None else 0.5

    passes_of_a_second(clock, monkeypatch)
    reports = SlowReports()
    in_turns(work_on(method, pair, store, chunks, clock).lattices(reports, never))
    assert len(reports.fractions) == 9
    assert len(reports.partials) == 2, "at most a tenth of the time"


def test_cancelled_lattices_keep_nothing(
    method: Method, pair: Pair, store: ArrayStore, chunks: ChunkStore, clock: MovedClock
) -> None:
    work = work_on(method, pair, store, chunks, clock)
    reports = Reports()
    with pytest.raises(Cancelled):
        in_turns(work.lattices(reports, lambda: len(reports.fractions) >= 3))
    assert len(reports.fractions) == 3
    assert store.get(work._address) is None


def test_no_preview_where_the_whole_is_quick(
    pair: Pair, store: ArrayStore, chunks: ChunkStore, clock: MovedClock, method: Method
) -> None:
    average = load_method("weighted_averaging", "cpu")
    lanes = [stage.lane for stage in work_on(average, pair, store, chunks, clock).stages()]
    assert lanes == [LATTICE_LANE]
    lanes = [stage.lane for stage in work_on(method, pair, store, chunks, clock).stages()]
    assert lanes == [PREVIEW_LANE, LATTICE_LANE]


def test_what_was_computed_before_is_shown_first_and_not_computed_again(
    method: Method,
    pair: Pair,
    store: ArrayStore,
    chunks: ChunkStore,
    clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reports = Reports()
    with pytest.raises(Cancelled):
        in_turns(
            work_on(method, pair, store, chunks, clock).lattices(reports, lambda: len(reports.fractions) >= 4)
        )
    passes_of_a_second(clock, monkeypatch)
    work = work_on(method, pair, store, chunks, clock)
    began = clock.now
    again = Reports()
    known = work.preview(again, never)
    exact = fusion.guidance(method, pair)
    assert len(again.partials) == 1
    share = assert_exact_where_known(known, exact) / known[0].size
    assert 4 / 9 - 0.1 < share < 6 / 9
    np.testing.assert_array_equal(in_turns(work.lattices(again, never)), exact)
    assert clock.now - began in (4, 5), "the unit at which it was stopped may be kept too"
    assert GuidanceUnits(method, pair, chunks).done() == frozenset(), "the whole is kept"


def test_results_of_a_store_of_ones_own_stay(
    method: Method, pair: Pair, store: ArrayStore, chunks: ChunkStore, clock: MovedClock
) -> None:
    address = GuidanceAddress(pair.id, method.id, method.weights_id, device="cpu")
    work = GuidanceWork(method, pair, address, store, chunks, False, threads=1, clock=clock)
    in_turns(work.lattices(Reports(), never))
    assert GuidanceUnits(method, pair, chunks).missing() == []


def test_others_go_first_when_a_turn_is_over(
    method: Method,
    pair: Pair,
    store: ArrayStore,
    chunks: ChunkStore,
    clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passes_of_a_second(clock, monkeypatch)
    address = GuidanceAddress(pair.id, method.id, method.weights_id, device="cpu")
    waiting = True
    work = GuidanceWork(method, pair, address, store, chunks, True, 1, lambda: waiting, clock)
    steps = work.lattices(Reports(), never)
    began = clock.now
    next(steps)
    assert clock.now - began == TURN_S
    next(steps)
    assert clock.now - began == 2 * TURN_S
    waiting = False
    np.testing.assert_array_equal(in_turns(steps), fusion.guidance(method, pair))
    assert clock.now - began == 9

"""Maps of scenes: reach, response and influence of every fused pixel, computed in the background once somebody asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np

from cache.jobs.manager import JobProgress, Jobs, JobState, Report, Stage, Steps
from cache.jobs.threads import computing
from cache.jobs.unit_work import UnitWork, Values
from cache.jobs.workers import Workers
from cache.services.guidance import COMPLETE_REVISION
from cache.services.scenes import Scene, Scenes
from cache.store.addresses import MapAddress
from cache.store.store import ArrayStore
from fusion.errors import Cancelled
from fusion.saliency.maps import BANDS, MapKind
from fusion.work.kept_units import GoOn, KeptUnits
from fusion.work.map_units import MapUnits
from fusion.work.store import ChunkStore

MAP_LANE = "map"
LANES = {MAP_LANE: 1}
TURN_S = 2.0
"""How long a map is computed before others that wait go first."""
REPORT_GAP_S = 0.25
NOT_WANTED = "The map is not wanted any more."


@dataclass(frozen=True)
class MapState:
    """The state of a map.

    Attributes
    ----------
    values : ndarray of float32, shape (bands, H, W), or None
        See `fusion.saliency.maps.BANDS`; NaN where not computed yet. ``None`` before the first values.
    fraction : float
        Done, 0 to 1.
    complete, running, cancelled : bool
        At most one is true; none where nobody has asked for it. `cancelled` by this viewer, or as nobody looked.
    error : str or None
        For the user, if the computation failed.
    revision : int
        The larger the newer, of the values of one map.
    """

    values: np.ndarray | None
    fraction: float = 0.0
    complete: bool = False
    running: bool = False
    cancelled: bool = False
    error: str | None = None
    revision: int = 0


def followed(view: JobProgress[np.ndarray] | None) -> MapState:
    """Return the state of a map that a job computes, or once did; ``None``: there is no such job."""
    if view is None:
        return MapState(None)
    if view.state is JobState.DONE:
        return MapState(view.partial, 1.0, complete=True, revision=view.revision)
    cancelled = view.state is JobState.CANCELLED or view.withdrawn
    return MapState(
        values=view.partial,
        fraction=view.fraction,
        running=not view.state.ended and not cancelled,
        cancelled=cancelled,
        error=view.error,
        revision=view.revision,
    )


SUBJECTS = {
    MapKind.RESPONSE: "Map of the response",
    MapKind.REACH: "Map of the reach of linearity",
    MapKind.INFLUENCE: "Map of all influence",
}
"""What jobs are about."""


class MapWork:
    """A map of one pair and method, unit by unit, and then kept as a whole.

    Parameters
    ----------
    units : callable
        Makes its units.
    values : callable
        Yields these with their values; told what to call now and then.
    shape : tuple of int
        (bands, H, W).
    keep : callable
        Keeps the finished map and returns it.
    threads : int
        Threads of torch.
    transient : bool
        Whether the units' values go once the map is kept as a whole.
    others_wait : callable
        Returns whether the maps of others wait for this lane's worker.
    """

    def __init__(
        self,
        units: Callable[[], KeptUnits],
        values: Callable[[KeptUnits, GoOn], Values],
        shape: tuple[int, int, int],
        keep: Callable[[np.ndarray], np.ndarray],
        threads: int,
        transient: bool,
        others_wait: Callable[[], bool],
    ) -> None:
        self._units, self._values, self._shape, self._keep = units, values, shape, keep
        self._threads, self._transient, self._others_wait = threads, transient, others_wait

    def stages(self) -> tuple[Stage[np.ndarray], ...]:
        """Return the job's only stage."""
        return (Stage(self.fill, MAP_LANE),)

    def fill(self, report: Report[np.ndarray], cancelled: Callable[[], bool]) -> Steps[np.ndarray]:
        """Take the units that are kept and compute the others; where others wait, they go first now and then."""

        def go_on() -> None:
            if cancelled():
                raise Cancelled(NOT_WANTED)

        values = np.full(self._shape, np.nan, dtype=np.float32)
        with computing(self._threads):
            units = self._units()
            turn_ends, next_copy = time.monotonic() + TURN_S, 0.0
            with closing(self._values(units, go_on)) as found:
                for done, (number, part) in enumerate(found, start=1):
                    units.put(number, part, values)
                    now = time.monotonic()
                    due = now >= next_copy
                    report(done / len(units), values.copy() if due else None)
                    next_copy = now + REPORT_GAP_S if due else next_copy
                    if now >= turn_ends and self._others_wait():
                        yield
                        turn_ends = time.monotonic() + TURN_S
        kept = self._keep(values)
        if self._transient:
            units.remove()
        return kept


class Maps:
    """Everything that a page can ask of maps. Safe to use from several threads.

    Parameters
    ----------
    scenes : Scenes
        What has the pairs and methods.
    store : ArrayStore
        Where finished maps are kept.
    chunks : ChunkStore
        Where their parts are kept while they are computed, so that it goes on where it was.
    transient : bool
        Whether these parts go once a map is finished, or are there to stay.
    threads : int
        Threads of torch.
    workers : Workers or None
        Who compute; None where this process does.
    """

    def __init__(
        self,
        scenes: Scenes,
        store: ArrayStore,
        chunks: ChunkStore,
        transient: bool,
        threads: int,
        workers: Workers | None = None,
    ) -> None:
        self._scenes, self._store, self._chunks = scenes, store, chunks
        self._transient, self._threads = transient, threads
        self._work = UnitWork(chunks, threads, workers)
        self.jobs: Jobs[np.ndarray] = Jobs(LANES)
        # Of whole maps; a number each, for as many as somebody has looked at.
        self._seconds: dict[MapAddress, float] = {}

    def state(self, scene: Scene, kind: MapKind, viewer: str, start: bool = False) -> MapState:
        """Return how far a map is, and keep its computation alive for this viewer.

        Parameters
        ----------
        scene : Scene
            Of which pair and method.
        kind : MapKind
            Which map.
        viewer : str
            Who asks: one open page.
        start : bool
            Whether to start the computation, or to join that of others.

        Raises
        ------
        UserError
            If the images are not to be had any more, or the map is not to be had of this method.
        """
        method = self._scenes.method(scene)
        address = MapAddress.of(method, scene.pair_id, kind.value)
        kept = self._store.get(address)
        if kept is not None:
            return MapState(kept["values"], 1.0, complete=True, revision=COMPLETE_REVISION)
        if not start:
            return followed(self.jobs.follow(address, viewer))
        pair = self._scenes.pair(scene)
        units = partial(MapUnits, method, pair, self._chunks, kind)

        def keep(values: np.ndarray) -> np.ndarray:
            return self._store.put(address, {"values": values})["values"]

        shape = BANDS[kind], *pair.shape
        others_wait = partial(self.jobs.others_wait, address)

        def computed(made: KeptUnits, go_on: GoOn) -> Values:
            return self._work.values(made, method, pair, go_on)

        work = MapWork(units, computed, shape, keep, self._threads, self._transient, others_wait)
        return followed(self.jobs.submit(address, work.stages, viewer, scene.subject(SUBJECTS[kind])))

    def expected_seconds(self, scene: Scene, kind: MapKind) -> float:
        """Return about how many seconds it takes to compute what is not there of a map; tries it for a moment.

        Raises
        ------
        UserError
            See `state`.
        """
        method, pair = self._scenes.method(scene), self._scenes.pair(scene)
        address = MapAddress.of(method, pair.id, kind.value)
        with computing(self._threads):
            units = MapUnits(method, pair, self._chunks, kind)
            if address not in self._seconds:
                self._seconds[address] = units.seconds()
        return self._seconds[address] * len(units.missing()) / len(units)

    def cancel(self, scene: Scene, kind: MapKind, viewer: str) -> None:
        """Take this viewer's interest back; the computation stops unless others follow it, and what is there stays.

        Raises
        ------
        UserError
            If the method has other weights by now.
        """
        self.jobs.cancel(MapAddress.of(self._scenes.method(scene), scene.pair_id, kind.value), viewer)

    def close(self) -> None:
        """Stop all jobs."""
        self.jobs.close()

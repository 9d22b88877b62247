"""Guidance images: memoized, and computed in the background, first on a coarse grid, then lattice after lattice."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from cache import counts
from cache.jobs.manager import JobProgress, Jobs, JobState, Report, Stage, Steps
from cache.jobs.threads import computing
from cache.jobs.unit_work import UnitWork
from cache.jobs.workers import Workers
from cache.services.scenes import Scene, Scenes
from cache.store.addresses import GuidanceAddress
from cache.store.serializer import Arrays
from cache.store.store import ArrayStore
from fusion import Method, Pair
from fusion.durations import spoken
from fusion.errors import Cancelled
from fusion.saliency.guidance import coarse_guidance, guidance, guidance_seconds, lattice_spacing
from fusion.work.guidance_units import GuidanceUnits
from fusion.work.store import ChunkStore

PREVIEW_LANE = "preview"
LATTICE_LANE = "lattice"
LANES = {PREVIEW_LANE: 1, LATTICE_LANE: 1}
"""Previews have a worker of their own, so that nobody waits for another's guidance image to see something."""

PREVIEW_BUDGET_S = 1.8
GRID_POINTS = (4, 8, 16, 32)
"""Points along the longer side. The first grid is small: something shows even where windows are slow."""

FEW_LATTICES = 4
SHORTEST_REPORT_GAP_S = 0.1
TURN_S = 2.0
"""How long guidance images are computed before others that wait go first. What their passes have in common is computed
anew afterwards, which must stay a small part of the work."""

LONG_S = 300.0
"""Seconds that guidance images may take without being asked for: those of some global methods take days."""
NOT_WANTED = "The guidance images are not wanted any more."

COMPLETE_REVISION = 2**53 - 1
"""The revision of finished guidance images, larger than that of any part; exact in JavaScript too."""


@dataclass(frozen=True)
class GuidanceState:
    """The state of a scene's guidance images.

    Attributes
    ----------
    values : ndarray of float32, shape (2, H, W), or None
        dy(i)/dx1(i) and dy(i)/dx2(i), dimensionless, NaN where not known yet; read-only where complete.
        ``None`` before the first values.
    fraction : float
        Done, 0 to 1. Stays 0 during the coarse preview.
    complete : bool
        Whether all values are known and final.
    running : bool
        Whether the computation waits or goes on, for this viewer or another.
    cancelled : bool
        Whether it was stopped, by this viewer or because nobody watched.
    revision : int
        Another one for each new set of values of a scene, the larger the newer.
    error : str or None
        For the user, if the computation failed.
    compute_seconds : float
        How long the computation took, or has taken by now; waiting for the worker is not counted.
    note : str or None
        What else the user should know of a computation that runs, or of one that waits to be asked for.
    seconds_left : float or None
        As long as the rest will take by the pace until now; ``None`` where that is not known.
    """

    values: np.ndarray | None
    fraction: float
    complete: bool
    running: bool
    cancelled: bool
    revision: int
    error: str | None
    compute_seconds: float
    note: str | None = None
    seconds_left: float | None = None


def finished(values: np.ndarray, seconds: float) -> GuidanceState:
    """Return the state of guidance images that are kept."""
    return GuidanceState(
        values=values,
        fraction=1.0,
        complete=True,
        running=False,
        cancelled=False,
        revision=COMPLETE_REVISION,
        error=None,
        compute_seconds=seconds,
    )


def followed(view: JobProgress[np.ndarray] | None) -> GuidanceState:
    """Return the state of guidance images that a job computes, or once did; ``None``: there is no such job."""
    if view is None:
        return GuidanceState(None, 0.0, False, False, False, 0, None, 0.0)
    if view.state is JobState.DONE and view.partial is not None:
        return finished(view.partial, view.seconds)
    return GuidanceState(
        values=view.partial,
        fraction=view.fraction,
        complete=False,
        running=not view.state.ended,
        cancelled=view.state is JobState.CANCELLED or view.withdrawn,
        revision=view.revision,
        error=view.error,
        compute_seconds=view.seconds,
        seconds_left=view.seconds_left,
    )


class GuidanceWork:
    """Both guidance images of one pair and method; NaN where they are not known yet.

    Parameters
    ----------
    method, pair
        What to differentiate.
    address : GuidanceAddress
        Where the finished images are kept.
    store : ArrayStore
        What keeps them.
    chunks : ChunkStore
        What keeps their parts as soon as they are computed.
    transient : bool
        Whether the parts are to go once the images are kept as a whole.
    threads : int
        Threads of torch.
    others_wait : callable
        Returns whether the images of others wait for this lane's worker.
    clock : callable
        Seconds, from any moment on.
    workers : Workers or None
        Who compute the units; None where this process does.
    """

    def __init__(
        self,
        method: Method,
        pair: Pair,
        address: GuidanceAddress,
        store: ArrayStore,
        chunks: ChunkStore,
        transient: bool,
        threads: int,
        others_wait: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        workers: Workers | None = None,
    ) -> None:
        self._others_wait = others_wait
        self._work = UnitWork(chunks, threads, workers)
        self._method = method
        self._pair = pair
        self._address = address
        self._store = store
        self._chunks = chunks
        self._transient = transient
        self._threads = threads
        self._clock = clock
        self._started = clock()
        self._coarse = np.full((2, *pair.shape), np.nan, dtype=np.float32)

    def stages(self) -> tuple[Stage[np.ndarray], ...]:
        """Return the job's stages; without the preview where the whole thing is done at once."""
        lattice = Stage(self.lattices, LATTICE_LANE)
        locality = self._method.locality_at(self._pair.shape)
        if locality.radius is not None and lattice_spacing(locality, self._pair.shape) ** 2 <= FEW_LATTICES:
            return (lattice,)
        return Stage(self.preview, PREVIEW_LANE), lattice

    def preview(self, report: Report[np.ndarray], cancelled: Callable[[], bool]) -> np.ndarray:
        """Compute grids of exact values, each finer than the one before, as long as time allows.

        Where some of the images is kept already, that is shown instead.
        """

        def go_on() -> None:
            if cancelled():
                raise Cancelled(NOT_WANTED)

        self._started = began = self._clock()
        if self._method.elsewhere is None and (known := self._kept_so_far()) is not None:
            self._coarse = known
            report(0.0, known)
            return known
        done: set[int] = set()
        for points in GRID_POINTS:
            spacing = max(1, -(-max(self._pair.shape) // points))
            if spacing in done:
                continue
            done.add(spacing)
            grid_began = self._clock()
            with computing(self._threads):
                grid = coarse_guidance(self._method, self._pair, spacing, go_on=go_on)
            self._coarse = np.where(np.isnan(grid), self._coarse, grid)
            report(0.0, self._coarse)
            now = self._clock()
            # The next grid has four times as many points.
            if now - began + 4 * (now - grid_began) > PREVIEW_BUDGET_S:
                break
        return self._coarse

    def _kept_so_far(self) -> np.ndarray | None:
        """Return what an earlier computation has left of the images, NaN elsewhere; ``None`` where that is nothing."""
        images = np.full((2, *self._pair.shape), np.nan, dtype=np.float32)
        kept = 0
        with computing(self._threads):
            for number, values in self._units.known():
                self._units.put(number, values, images)
                kept += 1
        return images if kept else None

    @cached_property
    def _units(self) -> GuidanceUnits:
        return GuidanceUnits(self._method, self._pair, self._chunks)

    def lattices(self, report: Report[np.ndarray], cancelled: Callable[[], bool]) -> Steps[np.ndarray]:
        """Take the units that are kept and compute the others, report the images growing, and keep them.

        Where others wait, they may go first now and then.
        """
        by_units = self._method.elsewhere is None
        with computing(self._threads):
            values = (
                (yield from self._filled(report, cancelled)) if by_units else self._at_once(report, cancelled)
            )
        seconds = np.array(self._clock() - self._started)
        kept = self._store.put(self._address, guidance_arrays(values, seconds))["values"]
        if self._transient and by_units:
            self._units.remove()
        return kept

    def _at_once(self, report: Report[np.ndarray], cancelled: Callable[[], bool]) -> np.ndarray:
        """Let a network that has a process of its own compute all of it there; nothing is kept before the end."""
        next_report = self._clock()

        def follow(done: int, total: int, images: np.ndarray) -> None:
            nonlocal next_report
            if cancelled():
                raise Cancelled(NOT_WANTED)
            next_report = self._reported(report, images, done / total, next_report)

        return guidance(self._method, self._pair, follow)

    def _filled(self, report: Report[np.ndarray], cancelled: Callable[[], bool]) -> Steps[np.ndarray]:
        def go_on() -> None:
            if cancelled():
                raise Cancelled(NOT_WANTED)

        units = self._units
        images = np.full((2, *self._pair.shape), np.nan, dtype=np.float32)
        next_report = self._clock()
        turn_ends = next_report + TURN_S
        # Closed at once where it is left: what it has claimed is free for others then.
        with closing(self._work.values(units, self._method, self._pair, go_on)) as found:
            for done, (number, values) in enumerate(found, start=1):
                units.put(number, values, images)
                counts.UNITS.labels("guidance").inc()
                go_on()
                next_report = self._reported(report, images, done / len(units), next_report)
                if self._clock() >= turn_ends and self._others_wait():
                    # What is prepared for the next passes takes memory, and others need theirs.
                    units.let_go()
                    yield
                    turn_ends = self._clock() + TURN_S
        return images

    def _reported(
        self, report: Report[np.ndarray], images: np.ndarray, fraction: float, next_report: float
    ) -> float:
        """Report how far the images are, with a copy where that is due; return when it is due again."""
        began = self._clock()
        if began < next_report or fraction == 1:
            report(fraction, None)
            return next_report
        # A copy in any case: the images go on growing.
        report(fraction, np.where(np.isnan(images), self._coarse, images))
        # Copying a very large image after each of thousands of units must not become the main work.
        return began + max(SHORTEST_REPORT_GAP_S, 10 * (self._clock() - began))


def guidance_arrays(values: np.ndarray, seconds: np.ndarray) -> Arrays:
    """Return what is kept of guidance images: the images, and how many seconds they took."""
    return {"values": np.asarray(values, dtype=np.float32), "seconds": np.asarray(seconds, dtype=np.float64)}


class Guidance:
    """Guidance images of scenes. Safe to use from several threads.

    Parameters
    ----------
    scenes : Scenes
        What has the pairs and methods.
    store : ArrayStore
        Where finished images are kept.
    chunks : ChunkStore
        Where their parts are kept while they are computed, so that it goes on where it was.
    transient : bool
        Whether these parts go once the images are finished, or are there to stay.
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
        self._workers = workers
        self._scenes = scenes
        self._store = store
        self._chunks = chunks
        self._transient = transient
        self._threads = threads
        self.jobs: Jobs[np.ndarray] = Jobs(LANES)
        self._seconds: dict[tuple[str, tuple[int, int]], float | None] = {}

    def known(self, scene: Scene) -> np.ndarray | None:
        """Return finished guidance images; starts nothing.

        Returns
        -------
        ndarray of float32, shape (2, H, W), or None
            dy(i)/dx1(i) and dy(i)/dx2(i), dimensionless; read-only. ``None`` where they are not finished.

        Raises
        ------
        UserError
            If the method has other weights by now.
        """
        kept = self._store.get(GuidanceAddress.of(self._scenes.method(scene), scene.pair_id))
        return None if kept is None else kept["values"]

    def state(self, scene: Scene, viewer: str, start: bool = True, asked: bool = False) -> GuidanceState:
        """Return how far the guidance images are, and keep their computation alive for this viewer.

        Parameters
        ----------
        scene : Scene
            What to compute.
        viewer : str
            Who asks: one open page.
        start : bool
            Whether to start the computation, again if it was cancelled or failed, or to join that of others.
            A viewer that follows a computation, or has cancelled it, asks with ``False``; one whose calls came so late
            that the computation it follows was stopped has it go on.
        asked : bool
            Whether somebody has asked for these images, however long they take. Where they take longer than `LONG_S`
            they are not started otherwise, and the note says how long.

        Raises
        ------
        UserError
            If the images are not to be had any more.
        """
        method = self._scenes.method(scene)
        address = GuidanceAddress.of(method, scene.pair_id)
        kept = self._store.get(address)
        if kept is not None:
            return finished(kept["values"], float(kept["seconds"]))
        if not start:
            return self._noted(followed(self.jobs.follow(address, viewer)))
        pair = self._scenes.pair(scene)
        cost = None if asked else self._cost(method, pair)
        if cost is not None:
            state = self._noted(followed(self.jobs.follow(address, viewer)))
            return state if state.running else replace(state, note=cost)

        def stages() -> tuple[Stage[np.ndarray], ...]:
            others_wait = partial(self.jobs.others_wait, address)
            kept = self._store, self._chunks, self._transient
            return GuidanceWork(
                method, pair, address, *kept, self._threads, others_wait, workers=self._workers
            ).stages()

        return self._noted(
            followed(self.jobs.submit(address, stages, viewer, scene.subject("Guidance images")))
        )

    def _cost(self, method: Method, pair: Pair) -> str | None:
        """Say how long guidance images take that have to be asked for; ``None`` where they need not be."""
        key = (method.weights_id, pair.shape)
        if key not in self._seconds:
            with computing(self._threads):
                self._seconds[key] = guidance_seconds(method, pair)
        seconds = self._seconds[key]
        if seconds is None or seconds <= LONG_S:
            return None
        return (
            f"every pixel takes a pass through the whole image, about {spoken(seconds)} in all on this machine. "
            "Jacobian images need none of it; Compute starts it. The command line has estimates with errors "
            "(guidance --estimate)"
        )

    def _noted(self, state: GuidanceState) -> GuidanceState:
        """Add what the user should know of those who compute."""
        return replace(state, note=self._workers.note) if self._workers and state.running else state

    def cancel(self, scene: Scene, viewer: str) -> None:
        """Take this viewer's interest back; the computation stops unless others follow it.

        Raises
        ------
        UserError
            If the method has other weights by now.
        """
        address = GuidanceAddress.of(self._scenes.method(scene), scene.pair_id)
        self.jobs.cancel(address, viewer)

    def under_way(self) -> int:
        """Return how many guidance images are computed or wait."""
        return self.jobs.under_way()

    def busy(self) -> bool:
        """Return whether guidance images are being computed, for whomever."""
        return self.jobs.busy()

    def close(self) -> None:
        """Stop all jobs."""
        self.jobs.close()

"""Guidance images: memoized, and computed in the background, first on a coarse grid, then lattice after lattice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cache.jobs.manager import JobProgress, Jobs, JobState, Report, Stage
from cache.jobs.threads import computing
from cache.services.scenes import Scene, Scenes
from cache.store.addresses import GuidanceAddress
from cache.store.serializer import Arrays
from cache.store.store import ArrayStore
from fusion import Method, Pair, guidance
from fusion.errors import Cancelled
from fusion.saliency.guidance import coarse_guidance, lattice_spacing

PREVIEW_LANE = "preview"
LATTICE_LANE = "lattice"
LANES = {PREVIEW_LANE: 1, LATTICE_LANE: 1}
"""Previews have a worker of their own, so that nobody waits for another's guidance image to see something."""

PREVIEW_BUDGET_S = 1.8
GRID_POINTS = (4, 8, 16, 32)
"""Points along the longer side. The first grid is small: something shows even where windows are slow."""

FEW_LATTICES = 4
SHORTEST_REPORT_GAP_S = 0.1

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
    """

    values: np.ndarray | None
    fraction: float
    complete: bool
    running: bool
    cancelled: bool
    revision: int
    error: str | None
    compute_seconds: float


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
    threads : int
        Threads of torch.
    clock : callable
        Seconds, from any moment on.
    """

    def __init__(
        self,
        method: Method,
        pair: Pair,
        address: GuidanceAddress,
        store: ArrayStore,
        threads: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._method = method
        self._pair = pair
        self._address = address
        self._store = store
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
        """Compute grids of exact values, each finer than the one before, as long as time allows."""
        self._started = began = self._clock()
        done: set[int] = set()
        for points in GRID_POINTS:
            spacing = max(1, -(-max(self._pair.shape) // points))
            if spacing in done:
                continue
            done.add(spacing)
            grid_began = self._clock()
            with computing(self._threads):
                grid = coarse_guidance(self._method, self._pair, spacing)
            self._coarse = np.where(np.isnan(grid), self._coarse, grid)
            report(0.0, self._coarse)
            now = self._clock()
            # The next grid has four times as many points.
            if now - began + 4 * (now - grid_began) > PREVIEW_BUDGET_S:
                break
        return self._coarse

    def lattices(self, report: Report[np.ndarray], cancelled: Callable[[], bool]) -> np.ndarray:
        """Compute the images, report them growing over the coarse values, and keep them."""
        next_report = self._clock()

        def progress(done: int, total: int, partial: np.ndarray) -> None:
            nonlocal next_report
            if cancelled():
                raise Cancelled("The guidance images are not wanted any more.")
            began = self._clock()
            if began < next_report or done == total:
                report(done / total, None)
                return
            # A copy in any case: `guidance` goes on writing to its own array.
            report(done / total, np.where(np.isnan(partial), self._coarse, partial))
            # Copying a very large image after each of thousands of passes must not become the main work.
            cost = self._clock() - began
            next_report = began + max(SHORTEST_REPORT_GAP_S, 10 * cost)

        with computing(self._threads):
            values = guidance(self._method, self._pair, progress)
        seconds = np.array(self._clock() - self._started)
        return self._store.put(self._address, guidance_arrays(values, seconds))["values"]


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
    threads : int
        Threads of torch.
    """

    def __init__(self, scenes: Scenes, store: ArrayStore, threads: int) -> None:
        self._scenes = scenes
        self._store = store
        self._threads = threads
        self._jobs: Jobs[np.ndarray] = Jobs(LANES)

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

    def state(self, scene: Scene, viewer: str, start: bool = True) -> GuidanceState:
        """Return how far the guidance images are, and keep their computation alive for this viewer.

        Parameters
        ----------
        scene : Scene
            What to compute.
        viewer : str
            Who asks: one open page.
        start : bool
            Whether to start the computation, again if it was cancelled or failed, or to join that of others.
            A viewer that follows a computation, or has cancelled it, asks with ``False``.

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
            return followed(self._jobs.poll(address, viewer))
        pair = self._scenes.pair(scene)

        def stages() -> tuple[Stage[np.ndarray], ...]:
            return GuidanceWork(method, pair, address, self._store, self._threads).stages()

        return followed(self._jobs.submit(address, stages, viewer))

    def cancel(self, scene: Scene, viewer: str) -> None:
        """Take this viewer's interest back; the computation stops unless others follow it.

        Raises
        ------
        UserError
            If the method has other weights by now.
        """
        address = GuidanceAddress.of(self._scenes.method(scene), scene.pair_id)
        self._jobs.cancel(address, viewer)

    def busy(self) -> bool:
        """Return whether guidance images are being computed, for whomever."""
        return self._jobs.busy()

    def close(self) -> None:
        """Stop all jobs."""
        self._jobs.close()

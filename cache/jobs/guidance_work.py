"""The guidance images as a job: first a coarse grid of exact windows, then lattice after lattice."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from cache.jobs.threads import computing
from cache.jobs.types import Report, Stage
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
                report(done / total)
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

"""The atlas as a job: tile after tile, behind everything that somebody waits for."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from cache.jobs.threads import computing
from cache.jobs.types import Report, Stage
from fusion import Method, Pair
from fusion.errors import Cancelled
from fusion.saliency.atlas import Atlas

ATLAS_LANE = "atlas"
ATLAS_LANES = {ATLAS_LANE: 1}

LOW_PRIORITY = 10
"""Niceness of the threads that compute an atlas: a hover comes first."""


class AtlasWork:
    """Fills the atlas of a method and a pair; the job's result is how many tiles it has.

    Parameters
    ----------
    method, pair
        What to differentiate.
    folder : Path
        Of the atlas; what is there already stays.
    threads : int
        Threads of torch.
    ended : callable
        Called when no more will be written, before the job ends.
    """

    def __init__(
        self, method: Method, pair: Pair, folder: Path, threads: int, ended: Callable[[], None]
    ) -> None:
        self._method = method
        self._pair = pair
        self._folder = folder
        self._threads = threads
        self._ended = ended

    def stages(self) -> tuple[Stage[int], ...]:
        """Return the job's only stage."""
        return (Stage(self.fill, ATLAS_LANE),)

    def fill(self, report: Report[int], cancelled: Callable[[], bool]) -> int:
        """Compute what is missing, and report after each tile and now and then."""
        # Opened first: the thread that reads and writes for Zarr, hovers too, has the priority of whoever starts it.
        atlas = Atlas(self._folder, self._method, self._pair)
        yield_to_others()

        def progress(done: int, total: int) -> None:
            if cancelled():
                raise Cancelled("The atlas is not wanted any more.")
            report(done / total)

        try:
            with computing(self._threads):
                atlas.fill(self._method, self._pair, progress)
        finally:
            self._ended()
        return atlas.tiles_done[1]


def yield_to_others() -> None:
    """Let the calling thread, and those of torch that it starts, run only where others leave room (Linux)."""
    if sys.platform == "linux":
        own = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, own, max(LOW_PRIORITY, os.getpriority(os.PRIO_PROCESS, own)))

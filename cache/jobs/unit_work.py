"""Units of long work as a job gets them: what is kept, what the workers compute, and the rest in this process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from cache.jobs.workers import Workers
from fusion import Method, Pair
from fusion.work.engines import WorkersLost
from fusion.work.kept_units import GoOn, KeptUnits
from fusion.work.store import ChunkStore, StoreError
from fusion.work.tasks import Job

logger = logging.getLogger(__name__)

Values = Generator[tuple[int, np.ndarray], None, None]


@dataclass(frozen=True)
class UnitWork:
    """Gets the values of units.

    Attributes
    ----------
    chunks : ChunkStore
        What keeps them as soon as they are computed, and has the pairs for workers.
    threads : int
        Threads of torch.
    workers : Workers or None
        Who compute; None where this process does.
    """

    chunks: ChunkStore
    threads: int
    workers: Workers | None = None

    def values(
        self,
        units: KeptUnits,
        method: Method,
        pair: Pair,
        go_on: GoOn,
        here: Callable[[], None] | None = None,
        region: str = "",
    ) -> Values:
        """Yield all units with their values.

        A method with a process of its own is not sent to workers, which do not have it.

        Parameters
        ----------
        units : KeptUnits
            In `chunks`.
        method, pair
            Theirs.
        go_on : callable
            Called now and then; what it raises ends the work.
        here : callable, optional
            Called in its place while this process computes.
        region : str
            See `fusion.work.tasks.Job`.

        Raises
        ------
        WorkError
            If a worker cannot compute a unit.
        """
        left = dict.fromkeys(range(len(units)))
        if self.workers is not None and method.elsewhere is None:
            try:
                for number, values in self._by_workers(self.workers, units, pair, go_on, region):
                    del left[number]
                    yield number, values
            except (WorkersLost, StoreError) as error:
                logger.warning("%s The rest is computed in the server's process.", error)
        if left:
            yield from (found for found in units.all(here or go_on) if found[0] in left)

    def _by_workers(self, workers: Workers, units: KeptUnits, pair: Pair, go_on: GoOn, region: str) -> Values:
        self.chunks.put_pair(pair)
        missing = dict.fromkeys(units.missing())
        for number, values in units.known():
            missing.pop(number, None)
            yield number, values
        url, gently = self.chunks.url, workers.local
        job = Job(units.work, pair.shape, url, self.threads, gently, region=region)
        for number in workers.computed(job, missing, go_on):
            found = units.kept(number)
            if found is None:
                raise StoreError(f"Part {number} was computed, but is not in the store {url}.")
            yield number, found

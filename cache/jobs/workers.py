"""Workers for the page's long work: processes on this machine or a cluster, found when they are needed first."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from cache.settings import ServiceSettings, WorkerPlace
from fusion.device import resolve_device
from fusion.errors import Cancelled
from fusion.work.addresses import numerics_id
from fusion.work.engines import OnDask, Security, WorkersLost
from fusion.work.local import LocalWorkers
from fusion.work.tasks import Job, Task, WorkError

logger = logging.getLogger(__name__)

GoOn = Callable[[], None]
Find = Callable[[GoOn], OnDask]

FOLDER = "worker"
"""In the cache's folder: who has the workers of this machine, and their log."""
TRIES = 3
"""So often workers of this machine may be lost without having computed anything in between."""
PAUSE_S = 1.0
"""Before workers that were lost are looked for again."""
ALONE = "This server computes guidance by itself: no worker process could be started; its log says why"
REST_S = 60.0
"""For so long none are looked for after they could not be had."""
LOOK_S = 0.05


class Workers:
    """Computes units of jobs in other processes. Safe to use from several threads.

    Parameters
    ----------
    find : callable
        Returns what computes on the workers, not connected; called with what is to be called meanwhile.
    local : bool
        Whether they are of this machine. Those are given up when they cannot be had, and compute only when nobody else
        wants to; a cluster is waited for.
    let_go : callable
        Called at the end.
    pause_s : float
        See `PAUSE_S`.

    Attributes
    ----------
    problem : str or None
        What keeps them from computing, in full, for the log and `/readyz`; None where nothing does.
    """

    def __init__(
        self, find: Find, local: bool, let_go: Callable[[], None] = lambda: None, pause_s: float = PAUSE_S
    ) -> None:
        self._find, self.local, self._let_go, self._pause_s = find, local, let_go, pause_s
        self._lock = threading.Lock()
        self._open = ExitStack()
        self._engine: OnDask | None = None
        self._rests_until = 0.0
        self._closed = False
        self._alone = False
        self.problem: str | None = None

    @property
    def note(self) -> str | None:
        """The words of the page for `problem`: nothing of what stands in errors, which is the log's."""
        return ALONE if self.problem and self._alone else self.problem

    def computed(self, job: Job, numbers: Iterable[int], go_on: GoOn) -> Iterator[int]:
        """Compute units of a job, and yield the number of each when it is kept.

        Parameters
        ----------
        job : Job
            Its store has the pair.
        numbers : iterable of int
            The units, in their order.
        go_on : callable
            Called now and then; what it raises ends the work.

        Raises
        ------
        WorkersLost
            If workers of this machine cannot be had; what was yielded before is kept.
        WorkError
            If a unit cannot be computed.
        """
        missing = dict.fromkeys(numbers)
        tries = 0
        while missing:
            try:
                for outcome in self._connected(go_on).run((Task(job, one) for one in tuple(missing)), go_on):
                    if outcome.problem is not None:
                        raise WorkError(f"One of its parts could not be computed: {outcome.problem}")
                    tries, self.problem = 0, None
                    del missing[outcome.task.number]
                    yield outcome.task.number
            except WorkersLost as error:
                tries += 1
                self._lost(error, given_up=self.local and tries >= TRIES)
                wait(self._pause_s, go_on)

    def start(self, go_on: GoOn) -> None:
        """Look for them before they are needed; what is wrong is told when they are."""
        with suppress(WorkersLost, Cancelled):
            self._connected(go_on)

    def close(self) -> None:
        """Let go of them."""
        self._closed = True
        atexit.unregister(self.close)
        with self._lock:
            self._disconnect()
            self._let_go()

    def _connected(self, go_on: GoOn) -> OnDask:
        def still() -> None:
            if self._closed:
                raise Cancelled("The server is stopping.")
            go_on()

        still()
        while not self._lock.acquire(timeout=LOOK_S):
            still()
        try:
            if self.local and time.monotonic() < self._rests_until:
                raise WorkersLost(self.problem or "")
            if self._engine is None:
                self._engine = self._open.enter_context(self._find(still))
                atexit.register(self.close)
            return self._engine
        finally:
            self._lock.release()

    def _lost(self, error: WorkersLost, given_up: bool) -> None:
        """Forget them, so that they are looked for again.

        Raises
        ------
        WorkersLost
            If that is not to be tried any more.
        """
        resting = self.local and time.monotonic() < self._rests_until
        if not resting:
            logger.warning("%s", error)
            self._alone = False
            self.problem = (
                "The worker does not answer and is started anew."
                if self.local
                else "The cluster does not answer. What is computed is kept, and this goes on when it is back."
            )
        with self._lock:
            self._disconnect()
        if given_up and not resting:
            self.problem = f"No worker could be started ({error}), so that this server computes by itself."
            self._alone = True
            self._rests_until = time.monotonic() + REST_S
            logger.warning("%s", self.problem)
        if given_up or resting:
            raise error

    def _disconnect(self) -> None:
        self._engine = None
        with suppress(OSError, RuntimeError):
            self._open.close()


def wait(seconds: float, go_on: GoOn) -> None:
    """Wait; what `go_on` raises ends it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        go_on()
        time.sleep(LOOK_S)


def workers_of(settings: ServiceSettings) -> Workers | None:
    """Return the workers that settings ask for; nothing is started yet. ``None``: this process is to compute."""
    if settings.dask_scheduler is not None:
        security = None if settings.dask_tls is None else Security(*map(str, settings.dask_tls))
        address, trusted = settings.dask_scheduler, settings.dask_trust_network
        return Workers(lambda go_on: OnDask(address, security, trusted), local=False)
    if settings.worker is WorkerPlace.NONE:
        return None
    device = resolve_device(settings.device)
    local = LocalWorkers(
        worker_folder(settings.cache_dir, str(device)), device.type == "cuda", settings.worker_memory_mb
    )
    return Workers(local.find, local=True, let_go=local.close)


def worker_folder(cache_dir: Path, device: str) -> Path:
    """Return the folder of the workers that compute what this program would on a device."""
    return cache_dir / FOLDER / f"{device.replace(':', '-')}-{numerics_id()}"

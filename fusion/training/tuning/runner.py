"""Runs instances on dask.distributed: on a cluster of processes that is started here, or on any scheduler's."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fusion.device import resolve_device
from fusion.errors import FuseVisError
from fusion.training.tuning.instance import (
    Instance,
    InstanceTask,
    InstanceTraining,
    Trained,
    TuningError,
    train_instance,
)

CONNECT_SECONDS = 10

LOOPBACK = "127.0.0.1"

MOST_WORKERS = 8
"""Most processes that are started without being asked for: each holds torch and its own images."""


@dataclass(frozen=True)
class ClusterOptions:
    """On what a search runs.

    Attributes
    ----------
    scheduler : str or None
        Address of a dask scheduler, as ``tcp://host:8786``; None starts processes on this machine.
    workers : int or None
        Processes to start; None takes one a CPU core, 8 at most, or one where a GPU trains.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``, on the worker's machine.
    """

    scheduler: str | None = None
    workers: int | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.workers is not None and self.scheduler is not None:
            raise TuningError("--workers starts processes here; with --scheduler the cluster has its own.")
        if self.workers is not None and self.workers < 1:
            raise TuningError(f"The number of workers must be 1 or more, not {self.workers}.")
        if self.scheduler is None:
            resolve_device(self.device)


class Runner:
    """Trains instances, several at once; starts or joins the cluster when there is something to train.

    Parameters
    ----------
    training : InstanceTraining
        How each instance is trained.
    where : ClusterOptions
        On what.
    keep_weights : bool
        True where trained weights are brought back.
    notify : callable
        Told in words what the user should know of the cluster.
    function : callable
        What a worker runs; importable there.
    """

    def __init__(
        self,
        training: InstanceTraining,
        where: ClusterOptions,
        keep_weights: bool = False,
        notify: Callable[[str], None] = lambda words: None,
        function: Callable[[InstanceTask], Trained] = train_instance,
    ) -> None:
        self.training = training
        self.where = where
        self.keep_weights = keep_weights
        self.notify = notify
        self.function = function
        self._stack = ExitStack()
        self._client: Client | None = None
        self._threads: int | None = None

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self._client = None
        self._stack.close()

    def __call__(self, instances: Sequence[Instance]) -> Iterator[tuple[Instance, Trained | str]]:
        """Yield each instance when it is finished, with what was trained or, where it failed, why.

        Raises
        ------
        TuningError
            If the cluster cannot be reached or is lost. What was yielded before is sound.
        """
        if not instances:
            return
        from distributed import as_completed

        client = self._connected()
        tasks = [
            InstanceTask(one, self.training, self.where.device, self._threads, self.keep_weights)
            for one in instances
        ]
        futures = {client.submit(self.function, task, pure=False): task.instance for task in tasks}
        try:
            for future in as_completed(list(futures), loop=client.loop, raise_errors=False):
                yield futures.pop(future), _outcome(future)
        finally:
            # Those that nobody waits for any more: after Ctrl-C, or an error of the one who asked.
            if futures and client.status == "running":
                client.cancel(list(futures))

    def _connected(self) -> Client:
        if self._client is None:
            if self.where.scheduler is None:
                self._client = self._start(self.where.workers or usual_workers(self.where.device))
            else:
                self._client = self._join(self.where.scheduler)
        return self._client

    def _start(self, workers: int) -> Client:
        from dask.system import CPU_COUNT
        from distributed import Client

        self._threads = max(1, CPU_COUNT // workers)
        with interrupts_ignored():
            cluster = self._stack.enter_context(local_cluster(workers))
            return self._stack.enter_context(Client(cluster, set_as_default=False))

    def _join(self, address: str) -> Client:
        from distributed import Client

        self._stack.enter_context(quiet_client())
        try:
            client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise TuningError(
                f"There is no dask scheduler at {address} ({error or 'no answer'}). Start one with "
                "`dask scheduler` and workers with `dask worker ADDRESS --nthreads 1`, and give its address as "
                "tcp://HOST:8786; or leave --scheduler out to train on this machine."
            ) from error
        self._stack.enter_context(client)
        if not client.scheduler_info()["workers"]:
            self.notify(f"The scheduler at {address} has no workers yet; waiting for one.")
        return client


def _outcome(future: Future[Trained]) -> Trained | str:
    from distributed.scheduler import KilledWorker

    if future.status in ("cancelled", "lost"):
        raise _lost()
    try:
        outcome: Trained = future.result()
    except CancelledError as error:
        raise _lost() from error
    except KilledWorker:
        return "its worker's process died several times; it may have been short of memory"
    except FuseVisError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever a worker meets ends this instance, not the search
        return f"{type(error).__name__}: {error}"
    return outcome


def _lost() -> TuningError:
    return TuningError(
        "The connection to the cluster was lost. What is finished is kept: the same command goes on from there."
    )


@contextmanager
def local_cluster(workers: int, processes: bool = True) -> Iterator[Any]:
    """Start a cluster on this machine that nobody else can reach.

    Parameters
    ----------
    workers : int
        Workers of one task each.
    processes : bool
        True where each is a process: instances must not share torch's random numbers, and a process can be
        stopped in the midst of a training. False is for tests.

    Yields
    ------
    distributed.LocalCluster
    """
    import dask
    from distributed import LocalCluster

    # Without an address the scheduler's web server would listen on port 8787 of all interfaces even with the
    # dashboard off. It cannot be left out, so it is confined to this machine and given nothing to serve.
    settings: dict[str, object] = {
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        # So that a training beside a GPU may have processes that simulate slices; daemons may have none.
        "distributed.worker.daemon": False,
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=processes,
            protocol="tcp://",
            host=LOOPBACK,
            dashboard_address=f"{LOOPBACK}:0",
            scheduler_kwargs={"dashboard": False},
            # What a training needs is not dask's to spill, pause or restart.
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C in the processes that are started meanwhile.

    A terminal sends it to all processes; the workers are ended by the one that started them, in order. Only the
    main thread may say so, and only it is told of Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def quiet_client() -> Iterator[None]:
    """Keep dask's tracebacks about a lost scheduler off the screen: the error that is raised says it in words."""
    logger = logging.getLogger("distributed.client")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def usual_workers(device: str) -> int:
    """Return how many processes are started unless told: one a core, 8 at most, or one where a GPU trains."""
    from dask.system import CPU_COUNT

    return 1 if resolve_device(device).type == "cuda" else min(CPU_COUNT, MOST_WORKERS)


if TYPE_CHECKING:
    from distributed import Client, Future

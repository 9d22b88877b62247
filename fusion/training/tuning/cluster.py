"""The cluster that is started on this machine, and what keeps it in order."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fusion.device import resolve_device

LOOPBACK = "127.0.0.1"
MOST_WORKERS = 8
"""Most processes that are started without being asked for: each holds torch and its own images."""


@contextmanager
def local_cluster(workers: int, processes: bool = True) -> Iterator[Any]:
    """Start a cluster on this machine that nobody else can reach.

    Parameters
    ----------
    workers : int
        Workers of one task each.
    processes : bool
        Whether each is a process: instances must not share torch's random numbers, and a process can be
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

"""A cluster of dask without processes: its scheduler and its worker are threads of the tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import LocalCluster

from fusion.work.host import LOOPBACK, SETTINGS


@contextmanager
def threads_cluster() -> Iterator[str]:
    """Start a cluster with one worker of one thread.

    Yields
    ------
    str
        Address of its scheduler.
    """
    with (
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            protocol="tcp://",
            host=LOOPBACK,
            dashboard_address=f"{LOOPBACK}:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster.scheduler_address

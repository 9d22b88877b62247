"""Units as they travel: addresses alone. Images come from the store, networks from the package of whoever computes."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import sys
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from fusion.errors import FuseVisError
from fusion.methods.base import Method
from fusion.methods.registry import load_method
from fusion.pair import Pair
from fusion.saliency.maps import MapKind
from fusion.work.addresses import Kind, Work
from fusion.work.atlas_units import AtlasUnits
from fusion.work.guidance_units import GuidanceUnits
from fusion.work.kept_units import KeptUnits
from fusion.work.map_units import MapUnits
from fusion.work.region_units import RegionUnits
from fusion.work.store import ChunkStore

GPU_LABEL = "GPU"
"""Workers with a GPU are started with `--resources GPU=1`."""
LOWEST_PRIORITY = 19
"""Niceness (Linux) of threads that compute what nobody waits for at this moment."""
IO_PRIORITY_CALL = {"x86_64": 251, "aarch64": 30}
"""Number of Linux's ``ioprio_set`` by machine."""
IDLE_IO = 3
JOBS_IN_MEMORY = 2
METHODS_IN_MEMORY = 16


class WorkError(FuseVisError):
    """A unit cannot be computed where it was sent."""


@dataclass(frozen=True)
class Job:
    """A long computation with all that a worker has to be told.

    Attributes
    ----------
    work : Work
        What to compute.
    shape : tuple of int
        (H, W) of the pair, pixels.
    store : str
        Address of the store that has the pair and takes the results, as the worker reaches it.
    threads : int or None
        Threads of torch; None leaves what the worker has.
    gently : bool
        Whether to compute only when nobody else on the worker's machine wants to (Linux).
    atlases : str or None
        Folder of atlases, as the worker reaches it; None is the store (`fusion.work.stored_atlas`).
    region : str
        Code of the region whose influence it is; empty for all other kinds.
    """

    work: Work
    shape: tuple[int, int]
    store: str
    threads: int | None = None
    gently: bool = False
    atlases: str | None = None
    region: str = ""

    @property
    def resources(self) -> dict[str, float] | None:
        """Labels that a worker must have been started with: a GPU is asked for by its own."""
        return {GPU_LABEL: 1} if self.work.device == "cuda" else None


@dataclass(frozen=True)
class Task:
    """A unit of a job, counted from 0."""

    job: Job
    number: int

    @property
    def name(self) -> str:
        """A text that no other unit has, in this store."""
        rest = f"{self.job.store}\n{self.job.atlases}\n{self.job.region}"
        store = hashlib.sha256(rest.encode()).hexdigest()[:16]
        return f"{self.job.work.kind}/{self.job.work.path}/{store}/{self.number}"

    @property
    def resources(self) -> dict[str, float] | None:
        """See `Job.resources`."""
        return self.job.resources

    def run(self) -> int:
        """Compute it, see `run_task`."""
        return run_task(self)


def units_of(job: Job, method: Method, pair: Pair, store: ChunkStore) -> KeptUnits | AtlasUnits:
    """Return the units of a job.

    Raises
    ------
    AtlasError, NetworkError, RegionError
        If the store, the method, the images or the region do not allow it.
    """
    kind = job.work.kind
    if kind is Kind.GUIDANCE:
        return GuidanceUnits(method, pair, store)
    if kind is Kind.REGION:
        return RegionUnits(method, pair, store, job.region)
    if kind is not Kind.ATLAS:
        return MapUnits(method, pair, store, MapKind(kind.value))
    return AtlasUnits(method, pair, store if job.atlases is None else Path(job.atlases))


def missing_units(job: Job) -> list[int]:
    """Return the units of a job that are not kept by now, in the order in which they are to be computed.

    Raises
    ------
    WorkError
        If this program would compute other numbers than those that are asked for, or the store does not have the pair.
    AtlasError, NetworkError
        If the method or the images do not allow it.
    """
    return _units(job).missing()


def run_task(task: Task) -> int:
    """Compute a unit where this is called, and keep it in its store, unless it is there.

    Returns
    -------
    int
        The process that did it.

    Raises
    ------
    FuseVisError
        See `missing_units`.
    """
    job = task.job
    if job.gently and sys.platform == "linux":
        step_back()
    if job.threads is not None and torch.get_num_threads() != job.threads:
        torch.set_num_threads(job.threads)
    units = _units(job)
    if isinstance(units, AtlasUnits):
        units.compute(task.number)
    elif not units.has(task.number):
        units.keep(task.number, units.compute(task.number))
    return os.getpid()


def step_back() -> None:
    """Let the calling thread have only what no other wants of processors and disks (Linux).

    Threads of torch that it starts later inherit it.
    """
    own = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, own, LOWEST_PRIORITY)
    if (call := IO_PRIORITY_CALL.get(platform.machine())) is not None:
        # Python has no name for it. Where it is refused, the low priority of the processor counts for disks too.
        ctypes.CDLL(None).syscall(call, 1, own, IDLE_IO << 13)


@lru_cache(JOBS_IN_MEMORY)
def _units(job: Job) -> KeptUnits | AtlasUnits:
    work = job.work
    method = _method(work.method, work.device)
    store = ChunkStore(job.store)
    units = units_of(job, method, store.pair(work.pair, job.shape), store)
    if units.work != work:
        raise WorkError(
            f"{platform.node()} has another version of FuseVis or of the weights of {method.title}: it would compute "
            "other numbers. Install the same one there."
        )
    return units


@lru_cache(METHODS_IN_MEMORY)
def _method(id: str, device: str) -> Method:
    return load_method(id, device)

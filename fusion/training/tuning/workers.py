"""Who trains the instances of a search: processes of this machine, or the workers of any dask scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fusion.device import resolve_device
from fusion.training.tuning.instance import Instance, InstanceTask, InstanceTraining, Trained, TuningError
from fusion.work.engines import OnDask, Security, require_allowed
from fusion.work.local import LocalWorkers

FOLDER = "worker"
"""In the folder of a search: the locks and the log of its processes."""
MOST_WORKERS = 8
"""Most processes that are started without being asked for: each holds torch and its own images."""
PATIENCE_S = 120.0
PLAIN = 0
"""Niceness of the processes: somebody waits for a search at the command line."""

Run = Callable[[Sequence[Instance]], Iterator[tuple[Instance, Trained | str]]]


@dataclass(frozen=True)
class TuningWorkers:
    """On what a search runs.

    Attributes
    ----------
    scheduler : str or None
        Address of a dask scheduler, as ``tls://host:8786``; None starts processes on this machine.
    workers : int or None
        Processes to start; None takes one a CPU core, 8 at most, or one where a GPU trains.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``, on the worker's machine.
    security, trusted
        Of the scheduler, as `OnDask` has them.

    Raises
    ------
    TuningError, WorkError, DeviceError
        If there can be no such workers.
    """

    scheduler: str | None = None
    workers: int | None = None
    device: str = "auto"
    security: Security | None = None
    trusted: bool = False

    def __post_init__(self) -> None:
        if self.workers is not None and self.scheduler is not None:
            raise TuningError("--workers starts processes here; with --scheduler the cluster has its own.")
        if self.workers is not None and self.workers < 1:
            raise TuningError(f"The number of workers must be 1 or more, not {self.workers}.")
        if self.scheduler is None:
            resolve_device(self.device)
        else:
            require_allowed(self.scheduler, self.security, self.trusted)

    @property
    def processes(self) -> int:
        """Processes that this machine has for it."""
        from dask.system import CPU_COUNT

        usual = 1 if resolve_device(self.device).type == "cuda" else min(CPU_COUNT, MOST_WORKERS)
        return self.workers or usual


@contextmanager
def trainer(
    folder: Path,
    training: InstanceTraining,
    where: TuningWorkers,
    keep_weights: bool = False,
    notify: Callable[[str], None] = lambda words: None,
) -> Iterator[Run]:
    """Get instances trained, several at once, as units of `fusion.work`; starts nobody before there is something to do.

    Parameters
    ----------
    folder : Path
        Of the search.
    training : InstanceTraining
        How each instance is trained.
    where : TuningWorkers
        Who does it.
    keep_weights : bool
        True where trained weights are brought back.
    notify : callable
        Told in words what the user should know of the cluster.

    Yields
    ------
    callable
        Takes instances, and yields each when it is finished, with what was trained or, where it failed, why. It raises
        `WorkersLost` if the workers cannot be had or are lost; what was yielded before is sound.
    """
    local, threads = None, None
    if where.scheduler is None:
        from dask.system import CPU_COUNT

        processes = where.processes
        threads = max(1, CPU_COUNT // processes)
        # What a training needs is not dask's to limit.
        local = LocalWorkers(folder / FOLDER, False, 0, PLAIN, processes, InstanceTask.__module__)

    def run(instances: Sequence[Instance]) -> Iterator[tuple[Instance, Trained | str]]:
        if not instances:
            return
        tasks = [InstanceTask(one, training, where.device, threads, keep_weights) for one in instances]
        if local is None:
            workers = OnDask(where.scheduler or "", where.security, where.trusted, notify)
        else:
            # They are there: a machine that is busy with trainings is slow to answer.
            workers = replace(local.find(), notify=notify, patience_s=PATIENCE_S)
        with workers as engine:
            for outcome in engine.run(tasks):
                yield outcome.task.instance, outcome.problem or outcome.value

    try:
        yield run
    finally:
        if local is not None:
            local.close()

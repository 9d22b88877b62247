"""Training one instance of the search: what a worker is given, does and gives back."""

from __future__ import annotations

import math
import multiprocessing
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from fusion.training.loss import LOSS_NAMES, LossBalance
from fusion.training.options import TrainingOptions
from fusion.training.trainer import train
from fusion.training.tuning.plan import Instance, TuningError

# A worker with several threads would train several instances at once in one process, whose random numbers and
# number of threads they share: an instance would depend on its neighbours. So they wait for each other.
_one_at_a_time = threading.Lock()


JUDGED_SLICES = 16
"""Validation slices of an instance. It is compared with others that see the same ones; judging it on all 64 of a full
training would take longer than a short training itself."""
CHECKS = 4
"""How often an instance is judged while it trains, for the same reason."""


@dataclass(frozen=True)
class InstanceTraining:
    """How every instance of a search is trained, alike but for its weights in equation 4.

    Attributes
    ----------
    method_id : str
        The method.
    steps, seed, patch, batch, learning_rate, recipe
        As in `TrainingOptions`.
    pairs : tuple of str or None
        Two folders of images to train on, as every worker finds them; None trains on simulated slices.
    """

    method_id: str
    steps: int
    seed: int = 0
    patch: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    recipe: str = "cpu"
    pairs: tuple[str, str] | None = None

    def values(self) -> dict[str, Any]:
        """Return all as what JSON knows."""
        return {**asdict(self), "pairs": None if self.pairs is None else list(self.pairs)}

    def options(self, balance: LossBalance, output: Path, device: str = "auto") -> TrainingOptions:
        """Return what the trainer is told.

        Raises
        ------
        TrainingError
            If these options cannot be trained with.
        """
        values = asdict(self) | {"pairs": None if self.pairs is None else tuple(map(Path, self.pairs))}
        # A cluster's processes are daemons by dask's default, and daemons may not have processes of their own.
        workers = 0 if multiprocessing.current_process().daemon else None
        return TrainingOptions(
            **values,
            balance=balance,
            output=output,
            device=device,
            workers=workers,
            validation_slices=JUDGED_SLICES,
            checks=CHECKS,
        )


@dataclass(frozen=True)
class InstanceTask:
    """What a worker is given.

    Attributes
    ----------
    instance : Instance
        The weights in equation 4.
    training : InstanceTraining
        All else.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``, on the worker's machine.
    threads : int or None
        Threads that torch may use; None leaves it to the worker's settings.
    keep_weights : bool
        Whether the trained weights come back with the numbers.
    """

    instance: Instance
    training: InstanceTraining
    device: str = "auto"
    threads: int | None = None
    keep_weights: bool = False


@dataclass(frozen=True)
class Trained:
    """What a worker gives back.

    Attributes
    ----------
    losses : mapping
        The five parts of equation 4 on the validation slices.
    brightness : mapping
        Background, shift and frame (`fusion.training.brightness`); None where one is not defined.
    seconds : float
        How long the training took.
    files : mapping
        Contents by file extension, empty unless the weights are kept. They travel with the answer, for the
        worker may be another machine.
    """

    losses: Mapping[str, float]
    brightness: Mapping[str, float | None]
    seconds: float
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def train_instance(task: InstanceTask) -> Trained:
    """Train one instance in a temporary folder.

    Parameters
    ----------
    task : InstanceTask
        What to train.

    Returns
    -------
    Trained

    Raises
    ------
    TrainingError
        If the loss became not a number, or these options cannot be trained with.
    TuningError
        If the trained network's losses are not numbers, or somebody stopped the training.
    """
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="fusevis-tune-") as folder:
        if task.threads is not None:
            torch.set_num_threads(task.threads)
        options = task.training.options(task.instance.balance, Path(folder), task.device)
        result = train(options)
        if result.interrupted:
            raise TuningError("The training was stopped on its worker.")
        losses = {name: float(result.losses[name]) for name in LOSS_NAMES}
        if not all(math.isfinite(value) for value in losses.values()):
            raise TuningError("The trained network's losses are not numbers.")
        paths = (result.weights_path, result.card_path) if task.keep_weights else ()
        return Trained(
            losses, result.brightness, result.seconds, {path.suffix: path.read_bytes() for path in paths}
        )

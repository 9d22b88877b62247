"""What a training is told, what it reports and what it leaves behind."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from fusion.errors import FuseVisError
from fusion.training.loss import LossBalance
from fusion.weights import FOLDER

SLICE = 256
"""Pixels a side of a simulated slice."""


class TrainingError(FuseVisError):
    """Training cannot start with these options, or went wrong."""


@dataclass(frozen=True)
class TrainingOptions:
    """What to train and how.

    Attributes
    ----------
    method_id : str
        A method whose network is trained.
    steps, minutes : int, float or None
        When to stop; exactly one is given. A number of steps makes the run reproducible.
    seed : int
        Of the network's first parameters and of the slices.
    patch, batch : int
        Pixels a side of a training patch, and patches a step.
    learning_rate : float or None
        Adam's largest step size; it rises for the first 2 % of the run, then falls to 0 along a cosine.
        None takes 2e-3, or 5e-4 for deep_pedestrian, which has no batch norm; a quarter of it with `start`.
    balance : LossBalance or None
        λ and both γ of equation 4; None takes the paper's for this method.
    output : Path
        Folder for ``<method id>.safetensors`` and ``<method id>.json``.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    start : Path or None
        Weights to continue from, with whole slices alone and batch norm as it is; None starts anew.
    validation_slices : int
        Whole simulated 256×256 slices for the losses on the card.
    """

    method_id: str
    steps: int | None = None
    minutes: float | None = None
    seed: int = 0
    patch: int = 128
    batch: int = 2
    learning_rate: float | None = None
    balance: LossBalance | None = None
    output: Path = FOLDER
    device: str = "auto"
    start: Path | None = None
    validation_slices: int = 64

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise TrainingError(
                "Say how long to train: give either a number of steps or a number of minutes."
            )
        length = self.steps if self.steps is not None else self.minutes
        if length is None or not (math.isfinite(length) and length > 0):
            raise TrainingError(f"The number of steps or minutes must be greater than 0, not {length}.")
        if self.batch < 1 or self.validation_slices < 1:
            raise TrainingError("Batch size and number of validation slices must be at least 1.")
        if not 32 <= self.patch <= SLICE:
            raise TrainingError(f"Patches are 32 to 256 pixels a side, not {self.patch}.")
        if self.learning_rate is not None and not (
            math.isfinite(self.learning_rate) and self.learning_rate > 0
        ):
            raise TrainingError(f"The learning rate must be greater than 0, not {self.learning_rate}.")
        if self.seed < 0:
            raise TrainingError(f"The seed must be 0 or greater, not {self.seed}.")


@dataclass(frozen=True)
class TrainingProgress:
    """Where a training stands.

    Attributes
    ----------
    step : int
        Finished steps.
    fraction : float
        Finished share of the run, 0 to 1.
    seconds : float
        Since the first step.
    losses : dict
        The five parts of equation 4 on training patches, averaged over about the last 50 steps.
    validation : dict or None
        The same on whole validation slices where this step was followed by a check.
    """

    step: int
    fraction: float
    seconds: float
    losses: dict[str, float]
    validation: dict[str, float] | None = None


@dataclass(frozen=True)
class TrainingResult:
    """What a training left behind; `interrupted` where somebody stopped it early."""

    weights_path: Path
    card_path: Path
    weights_id: str
    steps: int
    seconds: float
    losses: dict[str, float]
    interrupted: bool
    history: tuple[TrainingProgress, ...] = field(repr=False, default=())

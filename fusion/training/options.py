"""What a training is told, what it reports and what it leaves behind."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from fusion.training.loss import PAPER_BALANCE, LossBalance
from fusion.training.recipes import Recipe, TrainingError, recipe_named
from fusion.training.schedule import largest_learning_rate
from fusion.weights import FOLDER

__all__ = ["SLICE", "TrainingError", "TrainingOptions", "TrainingProgress", "TrainingResult"]

SLICE = 256
"""Pixels a side of a simulated slice."""


@dataclass(frozen=True)
class TrainingOptions:
    """What to train and how.

    Attributes
    ----------
    method_id : str
        A method whose network is trained.
    steps, minutes : int, float or None
        When to stop, where it is not the recipe that says so; at most one is given. A number of steps makes
        the run reproducible.
    seed : int
        Of the network's first parameters and of all that is shown to it.
    patch, batch : int or None
        Pixels a side of a training patch, and patches a step; None takes the recipe's.
    learning_rate : float or None
        Adam's largest step size; it rises for the first 2 % of the run, then falls to 0 along a cosine.
        None takes 2e-3, or 5e-4 for deep_pedestrian, which has no batch norm; a quarter of it with `start`.
    balance : LossBalance or None
        λ and both γ of equation 4; None takes the paper's for this method.
    output : Path
        Folder for ``<method id>.safetensors``, ``.json`` (the card) and ``.curve.csv`` (the losses).
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    start : Path or None
        Weights to continue from, with whole images alone and batch norm as it is; None starts anew.
    validation_slices : int
        Whole simulated 256×256 slices for the losses on the card.
    recipe : str
        ``cpu`` or ``paper``: see `fusion.training.recipes`.
    pairs : tuple of Path or None
        Two folders of registered images, MRI and PET or any others, to train on instead of simulated slices.
    resume : bool
        Whether to go on with the unfinished training in `output`, where there is one.
    mixed_precision : bool or None
        Whether convolutions run in bfloat16; None does so on a GPU.
    workers : int or None
        Processes that simulate slices; 0 does it between the steps. None takes 0 on a CPU, which is busy
        with training, and up to 8 beside a GPU.
    balanced : bool
        Whether γ_ssim follows the losses, from the one given, so that neither modality falls behind: see
        `fusion.training.balancing`.
    checks : int
        How often, over the whole run, the network is judged on some of the validation images.
    """

    method_id: str
    steps: int | None = None
    minutes: float | None = None
    seed: int = 0
    patch: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    balance: LossBalance | None = None
    output: Path = FOLDER
    device: str = "auto"
    start: Path | None = None
    validation_slices: int = 64
    recipe: str = "cpu"
    pairs: tuple[Path, Path] | None = None
    resume: bool = False
    mixed_precision: bool | None = None
    workers: int | None = None
    balanced: bool = False
    checks: int = 16

    def __post_init__(self) -> None:
        recipe_named(self.recipe)
        if self.steps is not None and self.minutes is not None:
            raise TrainingError(
                "Say how long to train: give either a number of steps or a number of minutes."
            )
        length = self.steps if self.steps is not None else self.minutes
        if length is not None and not (math.isfinite(length) and length > 0):
            raise TrainingError(f"The number of steps or minutes must be greater than 0, not {length}.")
        if min(self.batch_size, self.validation_slices, self.checks) < 1:
            raise TrainingError("Batch size, validation slices and checks must be at least 1.")
        if self.patch is not None and not 32 <= self.patch <= SLICE:
            raise TrainingError(f"Patches are 32 to 256 pixels a side, not {self.patch}.")
        if self.learning_rate is not None and not (
            math.isfinite(self.learning_rate) and self.learning_rate > 0
        ):
            raise TrainingError(f"The learning rate must be greater than 0, not {self.learning_rate}.")
        if self.seed < 0:
            raise TrainingError(f"The seed must be 0 or greater, not {self.seed}.")
        if self.workers is not None and self.workers < 0:
            raise TrainingError(f"The number of worker processes must be 0 or greater, not {self.workers}.")

    @property
    def chosen_recipe(self) -> Recipe:
        """The recipe by its name."""
        return recipe_named(self.recipe)

    @property
    def batch_size(self) -> int:
        """Patches, or whole images, a step."""
        return self.batch if self.batch is not None else self.chosen_recipe.batch

    @property
    def patch_side(self) -> int | None:
        """Pixels a side of a patch; None where whole images are shown from the first step on."""
        if self.start is not None:
            return None
        return self.patch if self.patch is not None else self.chosen_recipe.patch

    @property
    def peak_learning_rate(self) -> float:
        """Adam's largest step size."""
        return self.learning_rate or largest_learning_rate(self.method_id, self.start is not None)

    @property
    def loss_balance(self) -> LossBalance:
        """λ and both γ of equation 4."""
        return self.balance or PAPER_BALANCE.get(self.method_id, LossBalance())


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
        Since the first step, those of earlier sessions included.
    losses : dict
        The five parts of equation 4 on training patches, averaged over about the last 50 steps.
    validation : dict or None
        The same on whole validation images where this step was followed by a check.
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
    brightness: dict[str, float] = field(default_factory=dict)
    curve_path: Path | None = None

"""Options, recipes and learning rate of a training, its progress, and its result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from fusion.errors import FuseVisError
from fusion.training.loss import PAPER_BALANCE, LossBalance
from fusion.weights import FOLDER

SLICE = 256
"""Pixels a side of a simulated slice."""

PAIRS_AN_EPOCH = 500
"""Simulated pairs that count as one epoch: the paper trains on several slices of each of 50 patients."""

LEARNING_RATES = {"deep_pedestrian": 5e-4}

DEFAULT_LEARNING_RATE = 2e-3

WARM_UP = 0.02
"""Share of a run in which the steps grow."""


class TrainingError(FuseVisError):
    """Training cannot start with these options, or went wrong."""


@dataclass(frozen=True)
class Recipe:
    """A documented way to train a network: what is shown to it, in which order, for how long.

    Attributes
    ----------
    name, about : str
        What it is called, and what it is for.
    patch : int or None
        Pixels a side of the patches that the run begins with; None shows whole images from the first step on.
    batch : int
        Patches, or whole images, in a step.
    whole_images_from : float
        Share of the run from which on whole images are shown, one a step where patches came before.
    batches_a_slice : int
        Number of batches that a simulated slice stays the newest of the pool that patches are cut from; 0 draws
        new slices for every batch.
    steps : mapping
        Steps by method id, with ``""`` for all others; empty where `epochs` says how long.
    epochs : int or None
        Number of times that all pairs are shown; a simulated epoch has `PAIRS_AN_EPOCH` pairs.
    """

    name: str
    about: str
    patch: int | None
    batch: int
    whole_images_from: float
    batches_a_slice: int
    steps: Mapping[str, int] = field(default_factory=dict)
    epochs: int | None = None

    def length(self, method_id: str, pairs: int | None, batch: int) -> int:
        """Return the steps of a run on so many pairs (None: simulated ones, without end)."""
        if self.epochs is not None:
            return self.epochs * -(-(pairs or PAIRS_AN_EPOCH) // batch)
        return self.steps.get(method_id, self.steps[""])


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "cpu": Recipe(
            name="cpu",
            about="patches of 96×96 pixels, whole images in the last fifth; at most about 45 minutes on two cores",
            patch=96,
            batch=2,
            whole_images_from=0.8,
            batches_a_slice=4,
            steps=MappingProxyType(
                {
                    "funfusean": 2200,
                    "funfusean_sum": 2000,
                    "masknet": 2200,
                    "deepfuse": 4000,
                    "deep_pedestrian": 2500,
                    "": 2000,
                }
            ),
        ),
        "paper": Recipe(
            name="paper",
            about="200 epochs of whole images, two a step, as section 4.5 of the paper; for a GPU",
            patch=None,
            batch=2,
            whole_images_from=0.0,
            batches_a_slice=0,
            epochs=200,
        ),
    }
)
"""All recipes by name."""


@dataclass(frozen=True)
class TrainingOptions:
    """Choices of whoever trains a network.

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
        ``cpu`` or ``paper``: see `fusion.training.options`.
    pairs : tuple of Path or None
        Two folders of registered images, MRI and PET or any others, to train on instead of simulated slices.
    resume : bool
        True to go on with the unfinished training in `output`, where there is one.
    mixed_precision : bool or None
        True where convolutions run in bfloat16; None does so on a GPU.
    workers : int or None
        Processes that simulate slices; 0 does it between the steps. None takes 0 on a CPU, which is busy
        with training, and up to 8 beside a GPU.
    balanced : bool
        True where γ_ssim follows the losses, from the one given, so that neither modality falls behind: see
        `fusion.training.loss`. With simulated slices among a user's pairs, it follows the simulated ones, and the
        pairs have half of what it moved.
    patches : bool
        True to show patches to weights that are continued (`start`) too, before whole images.
    simulated : float
        Share of the steps that show simulated slices, with `pairs`; 0 shows none.
    gates : float
        Weight of `fusion.training.penalties.gate_penalty`. Above 0, checkpoints are chosen by what they lack too.
    reversal : float
        Weight of `fusion.training.penalties.reversal_penalty`.
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
    patches: bool = False
    simulated: float = 0.0
    gates: float = 0.0
    reversal: float = 0.0
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
        if not 0 <= self.simulated < 1 or (self.simulated and self.pairs is None):
            raise TrainingError(
                "The share of simulated slices is from 0 to below 1, and goes with pairs of your own."
            )
        if not (math.isfinite(self.gates + self.reversal) and min(self.gates, self.reversal) >= 0):
            raise TrainingError("Weights of penalties are 0 or greater.")
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
        if self.start is not None and not self.patches:
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
    """Point that a training has reached.

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
    """Outcome of a training; `interrupted` where somebody stopped it early."""

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


def recipe_named(name: str) -> Recipe:
    """Return a recipe.

    Raises
    ------
    TrainingError
        If there is none of this name.
    """
    try:
        return RECIPES[name]
    except KeyError:
        raise TrainingError(f"There is no recipe {name!r}. Choose one of: {', '.join(RECIPES)}.") from None


def largest_learning_rate(method_id: str, continued: bool) -> float:
    """Return Adam's usual step size for a network; trained ones are continued with a quarter of it."""
    usual = LEARNING_RATES.get(method_id, DEFAULT_LEARNING_RATE)
    return usual / 4 if continued else usual


def learning_rate_at(fraction: float, peak: float) -> float:
    """Return the step size at a share of the run: a short linear rise, then a cosine that falls to 0."""
    if fraction < WARM_UP:
        return peak * (0.05 + 0.95 * fraction / WARM_UP)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, (fraction - WARM_UP) / (1 - WARM_UP))))


__all__ = ["SLICE", "TrainingError", "TrainingOptions", "TrainingProgress", "TrainingResult"]

"""Instances of the search (paper, section 4.6): how a worker trains one, and the numbers that the search chooses by.

The paper asks for three things and looks for them by eye: the losses of both modalities are balanced, the fused
image has no brightness artefact, and it keeps the features of both inputs. Here these are

- the **imbalance** |L_SSIM^MRI − L_SSIM^PET| + w·|L_l2^MRI − L_l2^PET| with w = `L2_WEIGHT`,
- the **artefact** max(|background| / `BACKGROUND_LIMIT`, |shift| / `SHIFT_LIMIT`),
- the **dissimilarity** (L_SSIM^MRI + L_SSIM^PET) / 2.

The loss itself is no measure: λ and both γ, which differ between the instances, are part of it.
"""

from __future__ import annotations

import hashlib
import math
import multiprocessing
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from fusion.errors import FuseVisError
from fusion.training.loss import LOSS_NAMES, LossBalance
from fusion.training.options import TrainingOptions
from fusion.training.trainer import train

DIGITS = 10
"""Values are rounded to so many decimals, so that 0.1 + 0.2 and 0.3 are one instance."""
JUDGED_SLICES = 16
"""Validation slices of an instance. It is compared with others that see the same ones; judging it on all 64 of a full
training would take longer than a short training itself."""
CHECKS = 4
"""How often an instance is judged while it trains, for the same reason."""
L2_WEIGHT = 10.0
"""What a difference of squared errors counts beside one of dissimilarities. Squared errors are about a tenth as
large: in the paper's Table 1 the means over the networks are 0.239 and 0.019. Without a weight they would hardly
count; dividing by each instance's own losses instead would make a worse network look more balanced."""
BALANCED = 0.1
"""Largest imbalance that counts as balanced. In Table 1 FunFuseAn has 0.092, the other networks at most 0.048."""
BACKGROUND_LIMIT = 0.02
"""Largest |mean fused value| where both inputs are 0, of intensities 0 to 1."""
SHIFT_LIMIT = 0.1
"""Largest |mean of y − (x1 + x2) / 2| inside the head. On the validation slices the mean of both inputs has 0,
networks of Table 1's λ 0.04 to 0.07, weighted averaging 0.08 and the maximum of both inputs 0.13."""


class TuningError(FuseVisError):
    """A search cannot start, go on or end with a choice."""


@dataclass(frozen=True, order=True)
class Instance:
    """One network of the search, by its weights in equation 4: λ, γ_ssim and γ_l2, each 0 to 1."""

    lambda_: float
    gamma_ssim: float
    gamma_l2: float

    def __post_init__(self) -> None:
        for one in fields(self):
            object.__setattr__(self, one.name, round(float(getattr(self, one.name)), DIGITS))

    def __str__(self) -> str:
        return f"λ {shown(self.lambda_)}, γ_ssim {shown(self.gamma_ssim)}, γ_l2 {shown(self.gamma_l2)}"

    @property
    def key(self) -> str:
        """A name for files and tasks."""
        return f"lambda-{shown(self.lambda_)}_ssim-{shown(self.gamma_ssim)}_l2-{shown(self.gamma_l2)}"

    @property
    def options(self) -> str:
        """The same as options of the command that trains."""
        return (
            f"--lambda {shown(self.lambda_)} --gamma-ssim {shown(self.gamma_ssim)} "
            f"--gamma-l2 {shown(self.gamma_l2)}"
        )

    @property
    def balance(self) -> LossBalance:
        """The weights as the loss takes them."""
        return LossBalance(self.lambda_, self.gamma_ssim, self.gamma_l2)


def shown(value: float) -> str:
    """Return a λ or γ as a person writes it: 0.99, 0.999999, 1."""
    return f"{value:.{DIGITS}g}"


# A worker with several threads would train several instances at once in one process, whose random numbers and
# number of threads they share: an instance would depend on its neighbours. So they wait for each other.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class InstanceTraining:
    """Training of every instance of a search, alike but for its weights in equation 4.

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
    """Order that a worker is given: a unit of the search, as `fusion.work.engines` takes them.

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
        True where the trained weights come back with the numbers.
    """

    instance: Instance
    training: InstanceTraining
    device: str = "auto"
    threads: int | None = None
    keep_weights: bool = False

    @property
    def name(self) -> str:
        """A text that no other order has: who asks for the same on a cluster at once gets the same network."""
        rest = hashlib.sha256(repr(self).encode()).hexdigest()[:16]
        return f"tune/{self.training.method_id}/{self.instance.key}/{rest}"

    @property
    def resources(self) -> None:
        """Labels of a worker: none, as a worker trains on what it has."""
        return None

    def run(self) -> Trained:
        """Train it, see `train_instance`."""
        return train_instance(self)


@dataclass(frozen=True)
class Trained:
    """Answer of a worker.

    Attributes
    ----------
    losses : mapping
        The five parts of equation 4 on the validation slices.
    brightness : mapping
        Background, shift and frame (`fusion.training.evaluation`); None where one is not defined.
    seconds : float
        Length of the training.
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


@dataclass(frozen=True)
class InstanceResult:
    """A row of the table: an instance and what came of it.

    Attributes
    ----------
    instance : Instance
        λ and both γ.
    stage : str
        In which stage of the search it was trained.
    losses : mapping
        The parts of equation 4 on the validation slices; empty where training failed.
    brightness : mapping
        Background, shift and frame; None where one is not defined, empty where training failed.
    seconds : float
        Length of the training; 0 where it failed.
    error : str or None
        Why it failed, None where it did not.
    """

    instance: Instance
    stage: str
    losses: Mapping[str, float]
    brightness: Mapping[str, float | None]
    seconds: float = 0.0
    error: str | None = None

    @property
    def failed(self) -> bool:
        """True if there is nothing to choose: an error, or losses that are not numbers."""
        return self.error is not None or not math.isfinite(self.dissimilarity + self.imbalance)

    @property
    def dissimilarity(self) -> float:
        """Mean over both modalities of 1 − SSIM, 0 to 2; NaN without losses."""
        return (self._loss("ssim_mri") + self._loss("ssim_pet")) / 2

    @property
    def imbalance(self) -> float:
        """Difference with which both modalities are kept, 0 is the same; NaN without losses."""
        return abs(self._loss("ssim_mri") - self._loss("ssim_pet")) + L2_WEIGHT * abs(
            self._loss("l2_mri") - self._loss("l2_pet")
        )

    @property
    def artefact(self) -> float:
        """The brightness artefact in units of its limits: up to 1 is clean.

        What is not defined (None: no pixel where both inputs are 0) is not counted; what is not a number is
        infinitely bad.
        """
        limits = {"background": BACKGROUND_LIMIT, "shift": SHIFT_LIMIT}
        found = ((self.brightness.get(name), limit) for name, limit in limits.items())
        return max(
            (
                abs(value) / limit if math.isfinite(value) else math.inf
                for value, limit in found
                if value is not None
            ),
            default=0.0,
        )

    @property
    def balanced(self) -> bool:
        """True if both modalities are kept about equally."""
        return self.imbalance <= BALANCED

    @property
    def clean(self) -> bool:
        """True if there is no brightness artefact."""
        return self.artefact <= 1

    def values(self) -> dict[str, Any]:
        """Return what was measured, without what follows from it, as what JSON knows."""
        return {
            "lambda": self.instance.lambda_,
            "gamma_ssim": self.instance.gamma_ssim,
            "gamma_l2": self.instance.gamma_l2,
            "stage": self.stage,
            "losses": dict(self.losses),
            "brightness": dict(self.brightness),
            "seconds": self.seconds,
            "error": self.error,
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> InstanceResult:
        """Return the result that `values` was called on.

        Raises
        ------
        KeyError, TypeError, ValueError
            If these are other values.
        """
        return cls(
            Instance(values["lambda"], values["gamma_ssim"], values["gamma_l2"]),
            str(values["stage"]),
            {name: float(value) for name, value in values["losses"].items()},
            {name: None if value is None else float(value) for name, value in values["brightness"].items()},
            float(values["seconds"]),
            values["error"],
        )

    def _loss(self, name: str) -> float:
        return self.losses.get(name, math.nan)

"""What the command that trains is told, and what it checks before hours of work."""

from __future__ import annotations

from dataclasses import replace as changed
from enum import StrEnum
from typing import Annotated

import typer

from fusion.errors import OutputError
from fusion.methods.registry import method_ids, method_specification
from fusion.training.checkpoint import checkpoint_path
from fusion.training.loss import PAPER_BALANCE, LossBalance
from fusion.training.options import TrainingError, TrainingOptions


class RecipeName(StrEnum):
    """The recipes of `fusion.training.recipes`."""

    CPU = "cpu"
    PAPER = "paper"


LambdaOption = Annotated[
    float | None,
    typer.Option(
        "--lambda",
        min=0.0,
        max=1.0,
        help="λ of equation 4, the share of similarity; by default the paper's.",
        show_default=False,
    ),
]
GammaSsimOption = Annotated[
    float | None,
    typer.Option(
        "--gamma-ssim",
        min=0.0,
        max=1.0,
        help="The first image's share of the similarity; by default the paper's.",
        show_default=False,
    ),
]
GammaL2Option = Annotated[
    float | None,
    typer.Option(
        "--gamma-l2",
        min=0.0,
        max=1.0,
        help="The first image's share of the squared error; by default the paper's.",
        show_default=False,
    ),
]


def chosen_balance(
    method_id: str, lambda_: float | None, gamma_ssim: float | None, gamma_l2: float | None
) -> LossBalance | None:
    """Return the paper's balance of a method with what the user gave instead; None where nothing was given."""
    given = {"lambda_": lambda_, "gamma_ssim": gamma_ssim, "gamma_l2": gamma_l2}
    wanted = {name: value for name, value in given.items() if value is not None}
    return changed(PAPER_BALANCE.get(method_id, LossBalance()), **wanted) if wanted else None


def trainable_ids() -> list[str]:
    """Return the ids of all methods that have something to train."""
    return [id for id in method_ids() if method_specification(id).trained]


def check_training(options: TrainingOptions, replace: bool) -> None:
    """Find out before hours of training what would stop it, or the next one; drop what is to be replaced.

    Raises
    ------
    TrainingError
        If the method has no parameters.
    OutputError
        If something exists that nobody said to replace, or nothing can be written.
    """
    if options.method_id not in trainable_ids():
        raise TrainingError(
            f"{options.method_id} has no parameters, so there is nothing to train. "
            f"Choose from: {', '.join(trainable_ids())}."
        )
    weights = options.output / f"{options.method_id}.safetensors"
    unfinished = checkpoint_path(options.output, options.method_id)
    if not options.resume and not replace:
        if unfinished.exists():
            raise OutputError(
                f"{unfinished} is a training that was stopped. Add --resume to go on with it, --replace to begin "
                "anew, or choose another --output FOLDER."
            )
        if weights.exists():
            raise OutputError(
                f"{weights} exists. Add --replace to train it anew, or choose another --output FOLDER."
            )
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        if replace:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {options.output} cannot be made ({error.strerror}). Choose another --output."
        ) from error

"""What the command that trains is told, and what it checks before hours of work."""

from __future__ import annotations

from dataclasses import replace as changed
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fusion.errors import OutputError
from fusion.methods.registry import method_ids, method_specification
from fusion.training.checkpoint import checkpoint_path
from fusion.training.loss import PAPER_BALANCE, LossBalance
from fusion.training.options import TrainingError, TrainingOptions
from fusion.training.recipes import RECIPES


class RecipeName(StrEnum):
    """The recipes of `fusion.training.recipes`."""

    CPU = "cpu"
    PAPER = "paper"


RecipeOption = Annotated[
    RecipeName,
    typer.Option(help="; ".join(f"{recipe.name}: {recipe.about}" for recipe in RECIPES.values()) + "."),
]
PairsOption = Annotated[
    tuple[Path, Path] | None,
    typer.Option(
        metavar="FOLDER_A FOLDER_B",
        help="Train on registered pairs of your own: files of the same name in two folders. Files of one "
        "sub-folder, as one patient's, stay together when some are held out for validation.",
        show_default=False,
    ),
]
PatchOption = Annotated[
    int | None,
    typer.Option(help="Side of the training patches, pixels; by default the recipe's.", show_default=False),
]
BatchOption = Annotated[
    int | None, typer.Option(help="Patches in a step; by default the recipe's.", show_default=False)
]
LearningRateOption = Annotated[
    float | None,
    typer.Option(help="Adam's largest step size; by default the method's own.", show_default=False),
]
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


def require_parameters(method_id: str, verb: str) -> None:
    """Refuse a method that has no parameters, with words of what was wanted, such as ``train``.

    Raises
    ------
    TrainingError
    """
    if not method_specification(method_id).trained:
        raise TrainingError(
            f"{method_id} has no parameters, so there is nothing to {verb}. "
            f"Choose from: {', '.join(trainable_ids())}."
        )


def check_training(options: TrainingOptions, replace: bool) -> None:
    """Find out before hours of training what would stop it, or the next one; drop what is to be replaced.

    Raises
    ------
    TrainingError
        If the method has no parameters.
    OutputError
        If something exists that nobody said to replace, or nothing can be written.
    """
    require_parameters(options.method_id, "train")
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

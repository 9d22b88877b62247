"""The command that trains networks, its options, and what is checked before hours of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as changed
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from fusion.cli.options import DeviceOption, console, say
from fusion.errors import OutputError
from fusion.methods.registry import method_ids, method_specification
from fusion.training.checkpoint import checkpoint_path
from fusion.training.loss import PAPER_BALANCE, LossBalance
from fusion.training.options import RECIPES, TrainingError, TrainingOptions, TrainingProgress, TrainingResult
from fusion.training.trainer import train as train_one
from fusion.weights import FOLDER


class RecipeName(StrEnum):
    """The recipes of `fusion.training.options`."""

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
MethodsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[METHOD]...",
        help="Ids of the methods to train; all networks unless named.",
        show_default=False,
    ),
]
MinutesOption = Annotated[
    float | None,
    typer.Option(help="How long to train each method, instead of the recipe's steps.", show_default=False),
]
StepsOption = Annotated[
    int | None,
    typer.Option(help="How many steps to train each method, instead of the recipe's.", show_default=False),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the first parameters and the training images.")]
BalancedOption = Annotated[
    bool,
    typer.Option(
        "--balanced",
        help="Let the first image's share of the similarity follow the losses, so that neither image is lost.",
    ),
]
PatchesOption = Annotated[
    bool,
    typer.Option(
        "--patches", help="With --start: show patches, and whole images in the recipe's last part alone."
    ),
]
SimulatedOption = Annotated[
    float,
    typer.Option(
        min=0.0,
        help="With --pairs: share of the steps that show simulated slices instead, so that these stay good.",
    ),
]
GatesOption = Annotated[
    float,
    typer.Option(
        min=0.0,
        help="Weight of a penalty where either image vanishes because the other is dark; 0.2 is enough. Weights are "
        "then chosen by that, and by the balance of both images, too.",
    ),
]
ReversalOption = Annotated[
    float,
    typer.Option(min=0.0, help="Weight of a penalty where a brighter image makes a darker fused one."),
]
StartOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Weights to continue from, with whole images alone unless --patches is given; one method is named.",
        show_default=False,
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="Where weights, model cards and loss curves go; by default where methods are loaded from.",
        show_default=False,
    ),
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Replace weights, and drop unfinished trainings, that exist.")
]
ResumeOption = Annotated[
    bool,
    typer.Option("--resume", help="Go on with trainings that were stopped; methods that are done are left."),
]
MixedPrecisionOption = Annotated[
    bool | None,
    typer.Option(
        "--mixed-precision/--full-precision",
        help="Whether convolutions run in bfloat16; by default on a GPU.",
        show_default=False,
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Processes that simulate slices ahead; by default some beside a GPU.",
        show_default=False,
    ),
]

INTERRUPTED = 130
"""Exit code of a command that was stopped by Ctrl-C."""


def train_command(
    methods: MethodsArgument = None,
    recipe: RecipeOption = RecipeName.CPU,
    minutes: MinutesOption = None,
    steps: StepsOption = None,
    pairs: PairsOption = None,
    seed: SeedOption = 0,
    patch: PatchOption = None,
    batch: BatchOption = None,
    learning_rate: LearningRateOption = None,
    lambda_: LambdaOption = None,
    gamma_ssim: GammaSsimOption = None,
    gamma_l2: GammaL2Option = None,
    balanced: BalancedOption = False,
    start: StartOption = None,
    patches: PatchesOption = False,
    simulated: SimulatedOption = 0.0,
    gates: GatesOption = 0.0,
    reversal: ReversalOption = 0.0,
    output: FolderOption = None,
    replace: ReplaceOption = False,
    resume: ResumeOption = False,
    mixed_precision: MixedPrecisionOption = None,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Train networks without ground truth, on simulated slices or your own pairs.

    Writes for each method its weights, a model card that says how they were made, and its loss curve. Ctrl-C ends
    the training after the step at work and keeps the best weights so far; --resume goes on from there.
    """
    options = [
        TrainingOptions(
            method_id=id,
            recipe=recipe.value,
            steps=steps,
            minutes=minutes,
            pairs=pairs,
            seed=seed,
            patch=patch,
            batch=batch,
            learning_rate=learning_rate,
            balance=chosen_balance(id, lambda_, gamma_ssim, gamma_l2),
            balanced=balanced,
            start=start,
            patches=patches,
            simulated=simulated,
            gates=gates,
            reversal=reversal,
            output=output or FOLDER,
            resume=resume,
            mixed_precision=mixed_precision,
            workers=workers,
            device=device,
        )
        for id in _chosen_ids(methods, start, resume and replace)
    ]
    _train_all([one for one in options if not _is_done(one)], replace)


def _chosen_ids(methods: Sequence[str] | None, start: Path | None, contradictory: bool) -> list[str]:
    """Return the ids of the methods to train, each once, after a look at options that exclude each other."""
    ids = list(dict.fromkeys(methods or trainable_ids()))
    if start is not None and len(ids) != 1:
        raise TrainingError("--start continues one network: name exactly one method.")
    if contradictory:
        raise TrainingError("--resume goes on with a training, --replace begins anew: give one of them.")
    return [method_specification(id).id for id in ids]


def _train_all(several: Sequence[TrainingOptions], replace: bool) -> None:
    """Train one network after another, all of them looked at before the first."""
    for options in several:
        check_training(options, replace)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        for options in several:
            task = progress.add_task(options.method_id, total=1.0)
            result = train_one(options, _Reporter(progress, task, options.method_id))
            _announce(options.method_id, result)
            if result.interrupted:
                raise typer.Exit(INTERRUPTED)


class _Reporter:
    """Shows how a training goes: a bar at every step, a line at every check."""

    def __init__(self, progress: Progress, task: TaskID, method_id: str) -> None:
        self.progress = progress
        self.task = task
        self.method_id = method_id

    def __call__(self, now: TrainingProgress) -> None:
        doing = _shown(now.losses) if now.fraction < 1 else "judging on validation images"
        self.progress.update(self.task, completed=now.fraction, description=f"{self.method_id}: {doing}")
        if now.validation is not None:
            say(f"{self.method_id}, step {now.step}: {_shown(now.validation)} on validation images")


def _is_done(options: TrainingOptions) -> bool:
    """Return True, and say so, if nothing is left to do where trainings are gone on with."""
    weights = options.output / f"{options.method_id}.safetensors"
    done = (
        options.resume
        and weights.exists()
        and not checkpoint_path(options.output, options.method_id).exists()
    )
    if done:
        say(f"{options.method_id}: {weights} is finished; left as it is.")
    return done


def _shown(losses: dict[str, float]) -> str:
    """Return the parts of equation 4 in one line, those of the first image before those of the second."""
    return (
        f"loss {losses['total']:.4f} (1 − SSIM {losses['ssim_mri']:.3f} and {losses['ssim_pet']:.3f}, "
        f"ℓ² {losses['l2_mri']:.4f} and {losses['l2_pet']:.4f})"
    )


def _announce(method_id: str, result: TrainingResult) -> None:
    say(
        f"{method_id}: {result.steps} steps in {result.seconds:.0f} s, "
        f"{_shown(result.losses)} on validation images"
    )
    typer.echo(result.weights_path)
    typer.echo(result.card_path)
    if result.curve_path is not None:
        typer.echo(result.curve_path)
    if result.interrupted:
        say(f"{method_id}: stopped early. The same command with --resume goes on.")


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

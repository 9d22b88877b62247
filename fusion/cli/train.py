"""The command that trains networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from fusion.cli.options import DeviceOption, console, say
from fusion.cli.train_options import (
    BatchOption,
    GammaL2Option,
    GammaSsimOption,
    LambdaOption,
    LearningRateOption,
    PairsOption,
    PatchOption,
    RecipeName,
    RecipeOption,
    check_training,
    chosen_balance,
    trainable_ids,
)
from fusion.methods.registry import method_specification
from fusion.training.checkpoint import checkpoint_path
from fusion.training.trainer import TrainingError, TrainingOptions, TrainingProgress, TrainingResult
from fusion.training.trainer import train as train_one
from fusion.weights import FOLDER

INTERRUPTED = 130


def train_command(
    methods: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[METHOD]...",
            help="Ids of the methods to train; all networks unless named.",
            show_default=False,
        ),
    ] = None,
    recipe: RecipeOption = RecipeName.CPU,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="How long to train each method, instead of the recipe's steps.", show_default=False
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="How many steps to train each method, instead of the recipe's.", show_default=False
        ),
    ] = None,
    pairs: PairsOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the first parameters and the training images.")] = 0,
    patch: PatchOption = None,
    batch: BatchOption = None,
    learning_rate: LearningRateOption = None,
    lambda_: LambdaOption = None,
    gamma_ssim: GammaSsimOption = None,
    gamma_l2: GammaL2Option = None,
    balanced: Annotated[
        bool,
        typer.Option(
            "--balanced",
            help="Let the first image's share of the similarity follow the losses, so that neither image is lost.",
        ),
    ] = False,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Weights to continue from, with whole images alone; one method is named then.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Where weights, model cards and loss curves go; by default where methods are loaded from.",
            show_default=False,
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace weights, and drop unfinished trainings, that exist.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with trainings that were stopped; methods that are done are left."
        ),
    ] = False,
    mixed_precision: Annotated[
        bool | None,
        typer.Option(
            "--mixed-precision/--full-precision",
            help="Whether convolutions run in bfloat16; by default on a GPU.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Processes that simulate slices ahead; by default some beside a GPU.",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Train networks without ground truth, on simulated slices or your own pairs.

    Writes for each method its weights, a model card that says how they were made, and its loss curve. Ctrl-C ends
    the training after the step at work and keeps the best weights so far; --resume goes on from there.
    """
    ids = list(dict.fromkeys(methods or trainable_ids()))
    if start is not None and len(ids) != 1:
        raise TrainingError("--start continues one network: name exactly one method.")
    if resume and replace:
        raise TrainingError("--resume goes on with a training, --replace begins anew: give one of them.")
    jobs = [
        TrainingOptions(
            method_id=method_specification(id).id,
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
            output=output or FOLDER,
            resume=resume,
            mixed_precision=mixed_precision,
            workers=workers,
            device=device,
        )
        for id in ids
    ]
    jobs = [options for options in jobs if not _is_done(options)]
    for options in jobs:
        check_training(options, replace)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        for options in jobs:
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
    """Return whether nothing is left to do where trainings are gone on with; say so."""
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

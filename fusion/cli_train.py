"""The command that trains networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from fusion.cli_options import DeviceOption, console
from fusion.errors import OutputError
from fusion.methods.registry import method_ids, method_specification
from fusion.training.trainer import TrainingError, TrainingOptions, TrainingProgress, TrainingResult
from fusion.training.trainer import train as train_one
from fusion.weights import FOLDER

DEFAULT_MINUTES = 30.0
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
    minutes: Annotated[
        float | None,
        typer.Option(
            help=f"How long to train each method; {DEFAULT_MINUTES:g} unless told.", show_default=False
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="How many steps to train each method, instead of minutes: reproducible.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the first parameters and the training slices.")] = 0,
    patch: Annotated[int, typer.Option(help="Side of the training patches, pixels.")] = 128,
    batch: Annotated[int, typer.Option(help="Patches in a step.")] = 2,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Adam's largest step size; by default the method's own.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Where weights and model cards go; by default where methods are loaded from.",
            show_default=False,
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace weights that exist.")] = False,
    device: DeviceOption = "auto",
) -> None:
    """Train networks on simulated slices, without ground truth.

    Writes for each method its weights and a model card that says how they were made. Ctrl-C ends the
    training early and keeps what was learned.
    """
    if minutes is None and steps is None:
        minutes = DEFAULT_MINUTES
    folder = output or FOLDER
    jobs = [
        TrainingOptions(
            method_id=method_specification(id).id,
            steps=steps,
            minutes=minutes,
            seed=seed,
            patch=patch,
            batch=batch,
            learning_rate=learning_rate,
            output=folder,
            device=device,
        )
        for id in dict.fromkeys(methods or _trainable())
    ]
    for options in jobs:
        _check(options, replace)
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
        doing = f"loss {now.losses['total']:.4f}" if now.fraction < 1 else "judging on validation slices"
        self.progress.update(self.task, completed=now.fraction, description=f"{self.method_id}: {doing}")
        if now.validation is not None:
            console.print(
                f"{self.method_id}, step {now.step}: loss {now.validation['total']:.4f} on validation slices",
                highlight=False,
            )


def _trainable() -> list[str]:
    return [id for id in method_ids() if method_specification(id).trained]


def _check(options: TrainingOptions, replace: bool) -> None:
    """Find out before hours of training what would stop it, or the next one."""
    if options.method_id not in _trainable():
        raise TrainingError(
            f"{options.method_id} has no parameters, so there is nothing to train. "
            f"Choose from: {', '.join(_trainable())}."
        )
    path = options.output / f"{options.method_id}.safetensors"
    if path.exists() and not replace:
        raise OutputError(
            f"{path} exists. Add --replace to train it anew, or choose another --output FOLDER."
        )
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {options.output} cannot be made ({error.strerror}). Choose another --output."
        ) from error


def _announce(method_id: str, result: TrainingResult) -> None:
    console.print(
        f"{method_id}: {result.steps} steps in {result.seconds:.0f} s, "
        f"loss {result.losses['total']:.4f} on validation slices",
        highlight=False,
    )
    typer.echo(result.weights_path)
    typer.echo(result.card_path)

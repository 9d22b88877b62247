"""The command that searches λ and both γ of equation 4."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fusion.cli.options import DeviceOption, console, say
from fusion.cli.train_options import (
    BatchOption,
    LearningRateOption,
    PairsOption,
    PatchOption,
    RecipeName,
    RecipeOption,
    require_parameters,
)
from fusion.cli.tune_table import results_table
from fusion.training.tuning.choice import Choice, choose
from fusion.training.tuning.instance import InstanceTraining
from fusion.training.tuning.picture import write_picture
from fusion.training.tuning.plan import GAMMAS, LAMBDAS, LAST_LAMBDAS, SearchPlan
from fusion.training.tuning.report import training_command, write_report
from fusion.training.tuning.result import InstanceResult
from fusion.training.tuning.runner import Runner, Where
from fusion.training.tuning.search import Search, SearchProgress
from fusion.training.tuning.store import open_store

DEFAULT_METHOD = "funfusean"
DEFAULT_STEPS = 400
INTERRUPTED = 130
SHOWN_ROWS = 30


def tune_command(
    method: Annotated[
        str, typer.Argument(metavar="METHOD", help="Id of the method to tune; `methods` lists them.")
    ] = DEFAULT_METHOD,
    lambdas: Annotated[
        list[float],
        typer.Option("--lambda", metavar="SHARE", help="λ of the grid; repeat it for several."),
    ] = list(LAMBDAS),  # noqa: B006 - typer reads it, nobody writes to it
    gammas_ssim: Annotated[
        list[float],
        typer.Option("--gamma-ssim", metavar="SHARE", help="γ_ssim of the grid; repeat it for several."),
    ] = list(GAMMAS),  # noqa: B006
    gammas_l2: Annotated[
        list[float],
        typer.Option("--gamma-l2", metavar="SHARE", help="γ_l2 of the grid; repeat it for several."),
    ] = list(GAMMAS),  # noqa: B006
    refinements: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Rounds of neighbours around each λ's best γ, half as far apart each time; 0 for none.",
        ),
    ] = 1,
    last_lambdas: Annotated[
        list[float],
        typer.Option(
            "--last-lambda", metavar="SHARE", help="λ tried at the end with both γ fixed; repeatable."
        ),
    ] = list(LAST_LAMBDAS),  # noqa: B006
    last_stage: Annotated[
        bool, typer.Option("--last-stage/--no-last-stage", help="Whether to try these last λ.")
    ] = True,
    steps: Annotated[int, typer.Option(min=1, help="Training steps of each instance.")] = DEFAULT_STEPS,
    patch: PatchOption = None,
    batch: BatchOption = None,
    seed: Annotated[int, typer.Option(min=0, help="The same for all instances.")] = 0,
    learning_rate: LearningRateOption = None,
    recipe: RecipeOption = RecipeName.CPU,
    pairs: PairsOption = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Instances at once, each in a process with its share of the cores; by default one a core, "
            "8 at most, and one where a GPU trains.",
            show_default=False,
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Train on the cluster of a dask scheduler, tcp://HOST:8786, instead of on this machine.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Where results are kept, and a search that was stopped goes on; by default tune_METHOD.",
            show_default=False,
        ),
    ] = None,
    keep_weights: Annotated[
        bool, typer.Option("--keep-weights", help="Keep each instance's weights in FOLDER/weights.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Train again what failed in an earlier session.")
    ] = False,
    device: DeviceOption = "auto",
) -> None:
    """Search the weights of the loss that suit a method best.

    Trains many instances, as section 4.6 of the paper: a grid of λ, γ_ssim and γ_l2, neighbours of the best,
    then further λ. Writes a table, a picture, and the choice with the command that trains with it. Ctrl-C stops;
    the same command goes on.
    """
    plan = SearchPlan(
        tuple(lambdas),
        tuple(gammas_ssim),
        tuple(gammas_l2),
        refinements,
        tuple(last_lambdas) if last_stage else (),
    )
    folders = None if pairs is None else (str(pairs[0].resolve()), str(pairs[1].resolve()))
    require_parameters(method, "tune")
    training = InstanceTraining(method, steps, seed, patch, batch, learning_rate, recipe.value, folders)
    folder = output or Path(f"tune_{method}")
    # Options that no instance can be trained with are found here, before any is.
    training.options(plan.grid()[0].balance, folder, device)
    where = Where(scheduler, workers, device)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        open_store(folder, plan, training) as store,
        Progress(*columns, console=console, disable=not console.is_terminal) as bar,
        Runner(training, where, keep_weights, notify=_notice) as runner,
    ):
        for words in store.notices:
            _notice(words)
        if store.results:
            say(f"{folder} has {len(store.results)} instances; going on.")
        reporter = _Reporter(bar)
        try:
            results = Search(plan, store, runner, reporter, retry_failed).go()
        except KeyboardInterrupt:
            say(f"Stopped. {len(store.results)} instances are kept in {folder}: the same command goes on.")
            raise typer.Exit(INTERRUPTED) from None
    choice = choose(results)
    assert choice is not None, "a search in which all failed ends with an error"
    written = [
        *write_report(folder, results, choice, training),
        *write_picture(folder, results, choice, plan),
    ]
    _announce(results, choice, method)
    for path in written:
        typer.echo(path)


class _Reporter:
    """Shows how a search goes: a bar with the best so far, a line for each instance."""

    def __init__(self, bar: Progress) -> None:
        self.bar = bar
        self.task = bar.add_task("Starting", total=None)

    def __call__(self, now: SearchProgress) -> None:
        best = "" if now.best is None else f", best {now.best.instance}"
        self.bar.update(
            self.task, completed=now.finished, total=now.total, description=f"Stage {now.stage}{best}"
        )
        if (one := now.result) is None:
            return
        if one.failed:
            say(f"{one.instance} failed: {one.error}", warning=True)
        else:
            say(
                f"{one.instance}: dissimilarity {one.dissimilarity:.4f}, imbalance {one.imbalance:.4f}, "
                f"{one.seconds:.0f} s"
            )


def _notice(words: str) -> None:
    say(f"Note: {words}", warning=True)


def _announce(results: list[InstanceResult], choice: Choice, method: str) -> None:
    console.print(results_table(results, choice, SHOWN_ROWS))
    if len(results) > SHOWN_ROWS:
        say(f"{len(results) - SHOWN_ROWS} more are in results.csv.")
    failed = sum(one.failed for one in results)
    if failed:
        _notice(f"{failed} of {len(results)} instances failed; --retry-failed trains them again.")
    say(f"Chosen: {choice.result.instance}, by the {choice.rule}.")
    say(f"Train with it: {training_command(method, choice)}")

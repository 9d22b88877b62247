"""The command that searches λ and both γ of equation 4."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from fusion.cli.options import DeviceOption, console, name_files, say
from fusion.cli.precompute import SchedulerOption, TlsOption, TrustOption, security_of
from fusion.cli.train import (
    INTERRUPTED,
    BatchOption,
    LearningRateOption,
    PairsOption,
    PatchOption,
    RecipeName,
    RecipeOption,
    require_parameters,
)
from fusion.training.tuning.instance import InstanceResult, InstanceTraining, shown
from fusion.training.tuning.outcome import training_command, write_outcome, write_picture
from fusion.training.tuning.plan import GAMMAS, LAMBDAS, LAST_LAMBDAS, Choice, SearchPlan, choose, ranking
from fusion.training.tuning.search import Search, SearchProgress
from fusion.training.tuning.store import open_store
from fusion.training.tuning.workers import TuningWorkers, trainer

DEFAULT_METHOD = "funfusean"
DEFAULT_STEPS = 400
SHOWN_ROWS = 30


MethodArgument = Annotated[
    str, typer.Argument(metavar="METHOD", help="Id of the method to tune; `methods` lists them.")
]
LambdasOption = Annotated[
    list[float], typer.Option("--lambda", metavar="SHARE", help="λ of the grid; repeat it for several.")
]
GammasSsimOption = Annotated[
    list[float],
    typer.Option("--gamma-ssim", metavar="SHARE", help="γ_ssim of the grid; repeat it for several."),
]
GammasL2Option = Annotated[
    list[float],
    typer.Option("--gamma-l2", metavar="SHARE", help="γ_l2 of the grid; repeat it for several."),
]
RefinementsOption = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Rounds of neighbours around each λ's best γ, half as far apart each time; 0 for none.",
    ),
]
LastLambdasOption = Annotated[
    list[float],
    typer.Option("--last-lambda", metavar="SHARE", help="λ tried at the end with both γ fixed; repeatable."),
]
LastStageOption = Annotated[
    bool, typer.Option("--last-stage/--no-last-stage", help="Whether to try these last λ.")
]
StepsOption = Annotated[int, typer.Option(min=1, help="Training steps of each instance.")]
SeedOption = Annotated[int, typer.Option(min=0, help="The same for all instances.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Instances at once, each in a process with its share of the cores; by default one a core, "
        "8 at most, and one where a GPU trains.",
        show_default=False,
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="Where results are kept, and a search that was stopped goes on; by default tune_METHOD.",
        show_default=False,
    ),
]
KeepWeightsOption = Annotated[
    bool, typer.Option("--keep-weights", help="Keep each instance's weights in FOLDER/weights.")
]
RetryFailedOption = Annotated[
    bool, typer.Option("--retry-failed", help="Train again what failed in an earlier session.")
]


def tune_command(
    method: MethodArgument = DEFAULT_METHOD,
    lambdas: LambdasOption = list(LAMBDAS),  # noqa: B006 - typer reads it, nobody writes to it
    gammas_ssim: GammasSsimOption = list(GAMMAS),  # noqa: B006
    gammas_l2: GammasL2Option = list(GAMMAS),  # noqa: B006
    refinements: RefinementsOption = 1,
    last_lambdas: LastLambdasOption = list(LAST_LAMBDAS),  # noqa: B006
    last_stage: LastStageOption = True,
    steps: StepsOption = DEFAULT_STEPS,
    patch: PatchOption = None,
    batch: BatchOption = None,
    seed: SeedOption = 0,
    learning_rate: LearningRateOption = None,
    recipe: RecipeOption = RecipeName.CPU,
    pairs: PairsOption = None,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    tls: TlsOption = None,
    trust_network: TrustOption = False,
    output: FolderOption = None,
    keep_weights: KeepWeightsOption = False,
    retry_failed: RetryFailedOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Search the weights of the loss that suit a method best.

    Trains many instances, as section 4.6 of the paper: a grid of λ, γ_ssim and γ_l2, neighbours of the best,
    then further λ. Writes a table, a picture, and the choice with the command that trains with it. Ctrl-C stops;
    the same command goes on.
    """
    last = tuple(last_lambdas) if last_stage else ()
    plan = SearchPlan(tuple(lambdas), tuple(gammas_ssim), tuple(gammas_l2), refinements, last)
    folders = None if pairs is None else (str(pairs[0].resolve()), str(pairs[1].resolve()))
    require_parameters(method, "tune")
    training = InstanceTraining(method, steps, seed, patch, batch, learning_rate, recipe.value, folders)
    folder = output or Path(f"tune_{method}")
    # Options that no instance can be trained with are found here, before any is.
    training.options(plan.grid()[0].balance, folder, device)
    where = TuningWorkers(scheduler, workers, device, security_of(tls), trust_network)
    results = _search(folder, plan, training, where, keep_weights, retry_failed)
    choice = choose(results)
    assert choice is not None, "a search in which all failed ends with an error"
    written = [
        *write_outcome(folder, results, choice, training),
        *write_picture(folder, results, choice, plan),
    ]
    _announce(results, choice, method)
    name_files(written)


def _search(
    folder: Path,
    plan: SearchPlan,
    training: InstanceTraining,
    where: TuningWorkers,
    keep_weights: bool,
    retry_failed: bool,
) -> list[InstanceResult]:
    """Go through the search, or on with it, under a bar; return the results of all instances."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        open_store(folder, plan, training) as store,
        Progress(*columns, console=console, disable=not console.is_terminal) as bar,
        trainer(folder, training, where, keep_weights, notify=_notice) as run,
    ):
        for words in store.notices:
            _notice(words)
        if store.results:
            say(f"{folder} has {len(store.results)} instances; going on.")
        try:
            return Search(plan, store, run, _Reporter(bar), retry_failed).go()
        except KeyboardInterrupt:
            say(f"Stopped. {len(store.results)} instances are kept in {folder}: the same command goes on.")
            raise typer.Exit(INTERRUPTED) from None


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


def results_table(results: Iterable[InstanceResult], choice: Choice, rows: int) -> Table:
    """Return the first rows of the results, the chosen one first; dim are those with a brightness artefact."""
    # Two lines a head, so that the table fits into 80 columns.
    names = (
        "λ",
        "γ\nssim",
        "γ\nl2",
        "SSIM\nMRI",
        "\nPET",
        "l2\nMRI",
        "\nPET",
        "imbal-\nance",
        "back-\nground",
        "shift",
        "s",
    )
    columns = [Column(name, justify="right", no_wrap=True) for name in names]
    table = Table(*columns, Column("", no_wrap=True), box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.title = "1 − SSIM and l2 of MRI and PET, imbalance, brightness, seconds"
    for one in ranking(results)[:rows]:
        table.add_row(*_cells(one), _remark(one, choice), style=None if one.clean else "dim")
    return table


def _cells(one: InstanceResult) -> list[str]:
    instance = [
        shown(value) for value in (one.instance.lambda_, one.instance.gamma_ssim, one.instance.gamma_l2)
    ]
    if one.failed:
        return [*instance, *[""] * 8]
    losses = [f"{one.losses[name]:.3f}" for name in ("ssim_mri", "ssim_pet")]
    losses += [f"{one.losses[name]:.4f}" for name in ("l2_mri", "l2_pet")]
    found = (one.brightness.get(name) for name in ("background", "shift"))
    brightness = ["" if value is None else f"{value:+.3f}" for value in found]
    return [*instance, *losses, f"{one.imbalance:.3f}", *brightness, f"{one.seconds:.0f}"]


def _remark(one: InstanceResult, choice: Choice) -> str:
    if one.failed:
        return "failed"
    if one.instance == choice.result.instance:
        return "chosen"
    return "balanced" if one.clean and one.balanced else "" if one.clean else "artefact"

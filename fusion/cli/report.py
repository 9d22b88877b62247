"""The commands that report on trainings, and score methods on pairs of the user's."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table

from fusion.cli.options import DeviceOption, name_files, progress_bar, say
from fusion.cli.users_methods import with_users_methods
from fusion.device import resolve_device
from fusion.errors import OutputError, UnsupportedImageError
from fusion.methods.registry import method_specification
from fusion.output_files import prepare_files
from fusion.pair import Pair, load_pair
from fusion.report.document import prepare_folder, write_report
from fusion.report.fused import NAMES, MethodScores, Scores, fused_gallery, score_methods
from fusion.report.table import COLUMNS, OWN, lines, shown
from fusion.report.training import TrainingReport, checked_folder, fused_ids, training_report
from fusion.training.folders import FilePair, match_files
from fusion.training.loss import WINDOW
from fusion.weights import FOLDER

DEFAULT_FOLDER = Path("training_report")

WIDTH = 150

FolderOption = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="FOLDER", help="Where the report goes; files that exist are replaced."
    ),
]

TrainingsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="FOLDER",
        help="Weights, cards and loss curves that `train -o FOLDER` has written; by default those in use.",
        show_default=False,
    ),
]

FirstArgument = Annotated[
    Path, typer.Argument(metavar="FOLDER_A", help="First images, as MRI.", show_default=False)
]

SecondArgument = Annotated[
    Path,
    typer.Argument(metavar="FOLDER_B", help="Second images, files of the same names.", show_default=False),
]

MethodsOption = Annotated[
    list[str] | None,
    typer.Option("--method", "-m", metavar="ID", help="Repeatable; all unless named.", show_default=False),
]

WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="FOLDER",
        help="Weights that `train -o FOLDER` has written; by default those in use.",
        show_default=False,
    ),
]

TableOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE.csv", help="Also write every number of every pair."),
]

report_app = typer.Typer(
    help="Report on trainings, and score methods on pairs.", no_args_is_help=True, rich_markup_mode="markdown"
)


@report_app.callback()
def report_group() -> None:
    """Report on trainings, and score methods on pairs."""


@report_app.command("pairs")
@with_users_methods
def pairs_command(
    first: FirstArgument,
    second: SecondArgument,
    method: MethodsOption = None,
    weights: WeightsOption = None,
    output: TableOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Score methods on registered pairs of your own.

    Prints for each method, averaged over the pairs: 1 − SSIM and squared error with both inputs, and brightness
    artefacts. Lower is better; a method may favour one input, which the gap says.
    """
    ids = [method_specification(id).id for id in method] if method else list(fused_ids())
    folder = FOLDER if weights is None else checked_folder(weights)
    files = match_files(first, second)
    pairs = [_loaded(one) for one in files]
    if output is not None:
        prepare_files([output], [path for one in files for path in (one.first, one.second)])
    with progress_bar("Fused images") as show:
        scores = score_methods(ids, pairs, folder, device, show)
    try:
        if output is not None:
            _write(output, scores, files)
    finally:
        # Wide enough for every number, even where nobody told the width: cut-off numbers are of no use.
        Console(width=max(WIDTH, Console().width)).print(_table(scores, len(pairs)))
    for one in scores:
        if one.problem:
            say(f"{one.method_id}: {one.problem}", warning=True)
    if output is not None:
        typer.echo(output)


def _loaded(files: FilePair) -> Pair:
    pair = load_pair(files.first, files.second)
    if min(pair.shape) < WINDOW:
        raise UnsupportedImageError(
            files.first, f"the similarity needs images of at least {WINDOW}×{WINDOW} pixels."
        )
    return pair


def _table(scores: tuple[MethodScores, ...], pairs: int) -> Table:
    headings = (
        "1 − SSIM\nmean",
        "first",
        "second",
        "gap",
        "ℓ²\nmean",
        "first",
        "second",
        "air",
        "shift",
        "frame",
    )
    columns = [Column(heading, justify="right", no_wrap=True) for heading in headings]
    table = Table(
        Column("method", no_wrap=True), *columns, box=box.SIMPLE_HEAD,
        caption=f"Mean over {pairs} pairs, dimensionless. Air and frame: fused values where both inputs are 0.",
    )  # fmt: skip
    for one in scores:
        table.add_row(one.title, *(_row(one.mean) if one.pairs else ("–",) * len(headings)))
    return table


def _row(mean: Scores) -> tuple[str, ...]:
    structure = (mean.ssim_mean, mean.ssim_first, mean.ssim_second, mean.ssim_gap)
    rest = (mean.l2_mean, mean.l2_first, mean.l2_second, mean.background, mean.shift, mean.frame)
    return tuple(f"{value:.3f}" for value in structure) + tuple(f"{value:.4f}" for value in rest)


def _write(path: Path, scores: tuple[MethodScores, ...], files: list[FilePair]) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(("method", "first", "second", *NAMES))
            for one in scores:
                for pair, found in zip(files, one.pairs, strict=False):
                    writer.writerow(
                        (one.method_id, pair.first, pair.second, *(getattr(found, name) for name in NAMES))
                    )
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}). Choose another --output.") from error


@report_app.command("training")
def training_command(
    output: FolderOption = DEFAULT_FOLDER,
    weights: TrainingsOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Report how the networks were trained and how good they are.

    Prints Table 1 of the paper for these weights beside the authors' own values, and writes `training.html`,
    one page with loss curves, tables, fused images of every sample and model cards, and `training.csv`,
    the table's numbers.
    """
    folder = FOLDER if weights is None else checked_folder(weights)
    resolve_device(device)
    prepare_folder(output)
    report = training_report(folder)
    table = comparison(report)
    console = Console()
    # Wide enough for every number, even where nobody told the width: cut-off numbers are of no use.
    needed = Measurement.get(console, console.options.update(max_width=1000), table).maximum
    console.width = max(console.width, needed)
    console.print(table)
    with progress_bar("Fused images") as show:
        gallery = fused_gallery(folder, device, show)
    name_files(write_report(report, gallery, output))


def comparison(report: TrainingReport) -> Table:
    """Make Table 1: for each network its own numbers, the paper's, and their difference."""
    columns = [Column(column.title.replace(", ", "\n"), justify="right", no_wrap=True) for column in COLUMNS]
    table = Table(
        Column("network", no_wrap=True), Column("", no_wrap=True), *columns, box=box.SIMPLE_HEAD,
        caption="Losses, dimensionless; the paper's on the authors' data, these on the validation images of the cards.",
    )  # fmt: skip
    for network in report.networks:
        found = lines(network.row, network.paper)
        for index, (kind, numbers) in enumerate(found):
            table.add_row(
                network.title if index == 0 else "",
                kind,
                *shown(kind, numbers),
                style="" if kind == OWN else "dim",
                end_section=index == len(found) - 1,
            )
    return table

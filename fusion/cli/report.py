"""The commands that report on what has been computed before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table

from fusion.cli.options import DeviceOption, progress_bar
from fusion.cli.options import report as name_files
from fusion.cli.report_pairs import pairs_command
from fusion.device import resolve_device
from fusion.report.document import prepare_folder, write_report
from fusion.report.gallery import fused_gallery
from fusion.report.report import TrainingReport, checked_folder, training_report
from fusion.report.table import COLUMNS, OWN, lines, shown
from fusion.weights import FOLDER

DEFAULT_FOLDER = Path("training_report")

report_app = typer.Typer(
    help="Report on trainings, and score methods on pairs.", no_args_is_help=True, rich_markup_mode="markdown"
)


report_app.command("pairs")(pairs_command)


@report_app.callback()
def report_group() -> None:
    """Report on trainings, and score methods on pairs."""


@report_app.command("training")
def training_command(
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Where the report goes; files that exist are replaced."
        ),
    ] = DEFAULT_FOLDER,
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights",
            metavar="FOLDER",
            help="Weights, cards and loss curves that `train -o FOLDER` has written; by default those in use.",
            show_default=False,
        ),
    ] = None,
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

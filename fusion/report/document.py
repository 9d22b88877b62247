"""The report as files: one HTML page that needs nothing else, and Table 1 as CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from fusion.errors import OutputError
from fusion.report.cards import BRIGHTNESS_CAPTION, BRIGHTNESS_COLUMNS
from fusion.report.curves import CURVES_CAPTION, curves_svg
from fusion.report.gallery import Gallery, picture_address
from fusion.report.report import TrainingReport, without_curve
from fusion.report.table import CAPTION, COLUMNS, lines, shown

PAGE, TABLE = "training.html", "training.csv"
TEMPLATE = "training.html.jinja"


def table_csv(report: TrainingReport) -> str:
    """Return Table 1 as CSV, a line a network and source; unrounded numbers, nothing where none is known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("method", "title", "source", *(column.name.rstrip("_") for column in COLUMNS)))
    for network in report.networks:
        for kind, numbers in lines(network.row, network.paper):
            cells = ("" if number is None else f"{number:.6g}" for number in numbers)
            writer.writerow((network.method_id, network.title, kind, *cells))
    return text.getvalue()


def report_page(report: TrainingReport, gallery: Gallery) -> str:
    """Return the report as one HTML page: pictures are part of it, and nothing is loaded from elsewhere."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    svg = curves_svg(report.networks)
    return environment.get_template(TEMPLATE).render(
        caption=CAPTION,
        columns=[column.title for column in COLUMNS],
        networks=report.networks,
        groups=[
            (network, [(kind, shown(kind, numbers)) for kind, numbers in lines(network.row, network.paper)])
            for network in report.networks
        ],
        brightness_columns=BRIGHTNESS_COLUMNS,
        brightness_caption=BRIGHTNESS_CAPTION,
        without_curve=without_curve(report),
        curves_caption=CURVES_CAPTION,
        curves=None if svg is None else Markup(svg),  # matplotlib has escaped what it was given
        **_pictures(gallery),
    )


def write_report(report: TrainingReport, gallery: Gallery, folder: Path) -> list[Path]:
    """Write ``training.html`` and ``training.csv``, and return the files.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    written = []
    for name, text in ((PAGE, report_page(report, gallery)), (TABLE, table_csv(report))):
        path = folder / name
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written ({error.strerror}). Choose another --output."
            ) from error
        written.append(path)
    return written


def prepare_folder(folder: Path) -> None:
    """Make the folder, before anything is computed for it.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made ({error.strerror}). Choose another --output."
        ) from error


def _pictures(gallery: Gallery) -> dict[str, Any]:
    inputs = [[picture_address(image) for image in pair.images] for pair in gallery.pairs]
    return {
        "entries": gallery.entries,
        "inputs": list(zip(*inputs, strict=True)),
        "rows": [(row, [picture_address(image) for image in row.images]) for row in gallery.rows],
    }

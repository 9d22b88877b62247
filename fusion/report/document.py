"""The report as files: one HTML page that needs nothing else, with the curves of Figure 3, and Table 1 as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fusion.errors import OutputError
from fusion.report.fused import Gallery, picture_address
from fusion.report.table import CAPTION, COLUMNS, lines, shown
from fusion.report.templates import templates
from fusion.report.training import (
    BRIGHTNESS_CAPTION,
    BRIGHTNESS_COLUMNS,
    NetworkReport,
    TrainingReport,
    without_curve,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE, TABLE = "training.html", "training.csv"

TEMPLATE = "training.html.jinja"

PANELS = (
    ("ssim_mri", "L SSIM, MRI"),
    ("ssim_pet", "L SSIM, PET"),
    ("l2_mri", "L ℓ2, MRI"),
    ("l2_pet", "L ℓ2, PET"),
)
"""The losses that are drawn, from upper left to lower right."""

PALETTE = ("#2b7bba", "#d9600a", "#1a9070", "#b8579b", "#9a7b00", "#7a6fd0", "#6d7680", "#d8453a")
"""Colours that can be told apart, with deficient colour vision too, on white and on near-black."""

CURVES_CAPTION = (
    "Thin lines: training, averaged over about 50 steps. Points: whole validation images. The losses of the "
    "first steps may lie above the panels."
)

SETTLED = 0.1
"""Share of a run after which no loss may lie outside a panel."""

TRAINING, VALIDATION = "training", "validation"


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


def report_page(report: TrainingReport, gallery: Gallery) -> str:
    """Return the report as one HTML page: pictures are part of it, and nothing is loaded from elsewhere."""
    environment = templates(Path(__file__).parent)
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


def _pictures(gallery: Gallery) -> dict[str, Any]:
    inputs = [[picture_address(image) for image in pair.images] for pair in gallery.pairs]
    return {
        "entries": gallery.entries,
        "inputs": list(zip(*inputs, strict=True)),
        "rows": [(row, [picture_address(image) for image in row.images]) for row in gallery.rows],
    }


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


def curves_svg(networks: Sequence[NetworkReport]) -> str | None:
    """Draw the loss curves: thin lines for training patches, marked points for whole validation images.

    Parameters
    ----------
    networks : sequence of NetworkReport
        All networks; those without a curve keep their colour and are left out.

    Returns
    -------
    str or None
        An ``<svg>`` element, None where no network has a curve.
    """
    drawn = [network for network in networks if network.curve]
    if not drawn:
        return None
    # Here and not above: matplotlib is slow to import, and only this picture needs it.
    import matplotlib

    colours = network_colours([network.method_id for network in networks])
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "fusevis", "font.size": 9}):
        stream = io.StringIO()
        metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
        _curves_figure(drawn, colours).savefig(stream, format="svg", metadata=metadata)
    text = stream.getvalue()
    return text[text.index("<svg") :]


def _curves_figure(networks: Sequence[NetworkReport], colours: Mapping[str, str]) -> Figure:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(8.6, 5.6), layout="constrained")
    FigureCanvasSVG(figure)
    grid, ends = figure.subplots(2, 2, sharex=True, sharey="row"), upper_ends(networks)
    for axes, (loss, title) in zip(grid.flat, PANELS, strict=True):
        for network in networks:
            for kind, look in _looks(colours[network.method_id]).items():
                points = [point for point in network.curve if point.set == kind]
                shares = [100 * point.fraction for point in points]
                axes.plot(shares, [point.losses[loss] for point in points], **look)
        axes.set_title(title)
        axes.set_ylim(0, ends[loss.partition("_")[0]])
        axes.grid(color="#dddddd", linewidth=0.5)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel("finished share of the run (%)")
    for axes in grid[:, 0]:
        axes.set_ylabel("loss (dimensionless)")
    handles = [
        Line2D([], [], color=colours[one.method_id], marker="o", markersize=4, label=_plain(one.title))
        for one in networks
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(networks), 5), frameon=False)
    return figure


def _looks(colour: str) -> dict[str, dict[str, object]]:
    return {
        TRAINING: {"color": colour, "linewidth": 0.8, "alpha": 0.65},
        VALIDATION: {"color": colour, "linewidth": 0, "marker": "o", "markersize": 3.5},
    }


def _plain(title: str) -> str:
    """Return a title in which matplotlib sees no formula."""
    return title.replace("$", r"\$")


def network_colours(method_ids: Sequence[str]) -> dict[str, str]:
    """Return a colour for each network, by its place among all of them."""
    return {id: PALETTE[index % len(PALETTE)] for index, id in enumerate(method_ids)}


def upper_ends(networks: Sequence[NetworkReport]) -> dict[str, float]:
    """Return where the axes of the ``ssim`` and the ``l2`` panels end: above all but the first losses.

    From 0 to the loss of an untrained network, the differences between trained ones could not be seen.
    """
    ends = {}
    for row in ("ssim", "l2"):
        names = [name for name, _ in PANELS if name.startswith(row)]
        losses = [
            point.losses[name]
            for network in networks
            for point in network.curve
            for name in names
            if point.fraction >= SETTLED
        ]
        ends[row] = 1.05 * max(losses, default=1.0)
    return ends

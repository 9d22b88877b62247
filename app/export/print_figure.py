"""A comparison as a figure for print: text stays text, a pixel stays a square."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

from app.export.cells import ExportArrays
from app.export.difference import DIFFERENCE
from app.export.print_legend import draw_legend
from app.export.print_plan import GAP, LABEL, Line, Plan, fitting_side, inputs_line, lines_of
from app.export.print_rows import (
    Row,
    difference_row,
    heading,
    inputs_row,
    method_row,
    pair_label,
    panels,
)
from app.export.print_scatter import scatter_place
from app.export.print_sheet import Column, Sheet
from app.ids import CompareColumn
from app.link.compare_state import CompareState
from app.link.view_state import Area

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 300
LARGEST_SIDE_DOTS = 16_000
ALONE = 2.8
"""Side of a picture that stands alone, inches."""
INPUTS = "inputs"
"""What stands for the row where others have a method's id."""


_DRAWING = threading.Lock()
"""The settings of matplotlib are those of the whole process: two figures at once would take each other's away."""


def print_figure(
    view: ExportArrays, state: CompareState, form: str, link: str, area: Area | None = None
) -> bytes:
    """Draw the whole table: inputs, methods, and the difference where the link has one.

    Parameters
    ----------
    view : ExportArrays
        The arrays.
    state : CompareState
        Columns, colours, zoom, regions and difference. Rows are those of `view`.
    form : str
        ``png`` (300 dots per inch) or ``svg``.
    link : str
        The link that reopens the view; written into the file's metadata.
    area : tuple of float or None
        The part that whole pictures show, (top, left, bottom, right) in pixels; ``None``: all of it.

    Raises
    ------
    ValueError
        If the figure has no column.
    """
    if not state.columns:
        raise ValueError("A figure has at least one column")
    sheet = Sheet.of(view, state, area).of_table()
    lines = lines_of(sheet, rows_of(sheet))
    across = max(2, *(len(line.panels) for line in lines))
    # Zooms of the inputs are there where they make the figure no wider.
    return drawn(
        Plan(sheet, (inputs_line(sheet, across), *lines), fitting_side(across)),
        form,
        link,
    )


def print_panel(
    view: ExportArrays,
    state: CompareState,
    row: str,
    column: Column,
    form: str,
    link: str,
    area: Area | None = None,
) -> bytes:
    """Draw one picture with the scales of the whole table; with a second principal pixel it may be two.

    Parameters
    ----------
    view, state, form, link, area
        As for `print_figure`.
    row : str
        A method's id, ``difference`` or ``inputs``.
    column : CompareColumn, InputColumn or ZoomColumn
        One that this row has.
    """
    sheet = Sheet.of(view, state, area)
    ids = [one.scene.method_id for one in view.methods]
    if row == INPUTS:
        shown = inputs_row(sheet)
    elif row == DIFFERENCE and sheet.difference is not None:
        shown = difference_row(sheet, sheet.difference)
    else:
        shown = method_row(sheet, ids.index(row))
    label = shown.label if row == INPUTS else f"{shown.label}\n\n{pair_label(view)}"
    return drawn(Plan(sheet, (Line(shown, label, panels(view, (column,)), True),), ALONE), form, link)


def rows_of(sheet: Sheet) -> list[Row]:
    """Return the rows below the inputs: the methods, and the difference where there is one."""
    rows = [method_row(sheet, index) for index in range(len(sheet.view.methods))]
    return rows if sheet.difference is None else [*rows, difference_row(sheet, sheet.difference)]


def drawn(plan: Plan, form: str, link: str) -> bytes:
    """Draw a figure as a file, ``png`` or ``svg``, with the link in its metadata."""
    # Here and not above: matplotlib is slow to import, and few visitors export.
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    size = plan.width, plan.height
    text: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "fusevis",
        "font.size": 8,
        "text.parse_math": False,
    }
    with _DRAWING, matplotlib.rc_context(text):
        figure = Figure(figsize=size)
        (FigureCanvasSVG if form == "svg" else FigureCanvasAgg)(figure)
        for line, top in zip(plan.lines, plan.tops[0], strict=True):
            _draw(figure, plan, line, top)
        draw_legend(figure, plan.sheet, plan.legend, size)
        stream = io.BytesIO()
        dots = min(DOTS_PER_INCH, LARGEST_SIDE_DOTS / max(size))
        # No date: equal views give equal files.
        note = {"Description": link, "Date": None} if form == "svg" else {"Description": link}
        figure.savefig(stream, format=form, dpi=dots, metadata=note, facecolor="white")
    return stream.getvalue()


def _draw(figure: Figure, plan: Plan, line: Line, top: float) -> None:
    tall, width, height = plan.tall(line), plan.width, plan.height
    middle = 1 - (top + plan.room(line) / 2) / height
    figure.text(0.1 / width, middle, line.label, va="center", ha="left", linespacing=1.4)
    for number, panel in enumerate(line.panels):
        left = LABEL + number * (plan.side + GAP)
        place = left, top, plan.side, tall
        if panel[0] is CompareColumn.SCATTER:
            place = scatter_place(plan.sheet.ends, place)
        x, y, across, down = place
        axes: Axes = figure.add_axes((x / width, 1 - (y + down) / height, across / width, down / height))
        # Images of another shape than their place hang from its upper edge, so that headings are level.
        axes.set_anchor("N")
        line.row.draw(axes, panel)
        if line.headed:
            middle_of_place = (left + plan.side / 2) / width
            figure.text(
                middle_of_place,
                1 - (top - 0.04) / height,
                heading(plan.sheet.view, panel),
                va="bottom",
                ha="center",
            )

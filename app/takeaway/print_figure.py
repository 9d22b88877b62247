"""A comparison as a figure for print: text stays text, a pixel stays a square."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.compare_state import CompareState
from app.ids import InputColumn
from app.takeaway.cells import ExportView
from app.takeaway.difference import DIFFERENCE
from app.takeaway.print_legend import draw_legend, legend_for
from app.takeaway.print_rows import (
    Column,
    Panel,
    Row,
    Sheet,
    difference_row,
    heading,
    inputs_row,
    method_row,
    pair_label,
    panels,
)
from app.view_state import Area

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 300
LARGEST_SIDE_DOTS = 16_000
PAGE = 10.7
"""What is printable across A4, inches; figures are so wide, where their pictures do not become too small."""
SMALLEST, LARGEST, ALONE = 1.3, 1.7, 2.8
"""Side of a picture in a table, and of one that stands alone, inches."""
MOST_IN_A_LINE = 5
"""Pictures of a method that stands alone, which goes on in another line."""
GAP, LABEL = 0.12, 1.75
HEAD = 0.15, 0.135
"""Above a line: at least, and for each line of a heading."""
INPUTS = "inputs"
"""What stands for the row where others have a method's id."""


_DRAWING = threading.Lock()
"""The settings of matplotlib are those of the whole process: two figures at once would take each other's away."""


@dataclass(frozen=True)
class Line:
    """A line of pictures: those of a row, or a part of them."""

    row: Row
    label: str
    panels: tuple[Panel, ...]
    headed: bool


def print_figure(
    view: ExportView, state: CompareState, form: str, link: str, area: Area | None = None
) -> bytes:
    """Draw the whole table: inputs, methods, and the difference where the link has one.

    Parameters
    ----------
    view : ExportView
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
    sheet = Sheet.of(view, state, area)
    rows = [method_row(sheet, index) for index in range(len(view.methods))]
    if sheet.difference is not None:
        rows.append(difference_row(sheet, sheet.difference))
    lines = (
        _lines_of_one(rows[0])
        if len(rows) == 1
        else [Line(row, row.label, row.panels, number == 0) for number, row in enumerate(rows)]
    )
    across = max(2, *(len(line.panels) for line in lines))
    inputs = inputs_row(sheet)
    # Zooms of the inputs are there where they make the figure no wider.
    whole = panels(view, [InputColumn.MRI, InputColumn.PET])
    lines.insert(
        0, Line(inputs, inputs.label, inputs.panels if len(inputs.panels) <= across else whole, True)
    )
    side = min(max((PAGE - LABEL) / across - GAP, SMALLEST), LARGEST)
    legend_of = range(len(view.methods)), sheet.difference is not None
    return _file(sheet, lines, (across, side), state.columns, legend_of, form, link)


def print_panel(
    view: ExportView,
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
        drawn, rows = inputs_row(sheet), range(0)
    elif row == DIFFERENCE and sheet.difference is not None:
        drawn, rows = difference_row(sheet, sheet.difference), range(0)
    else:
        drawn, rows = method_row(sheet, ids.index(row)), range(ids.index(row), ids.index(row) + 1)
    shown = panels(view, (column,))
    label = drawn.label if row == INPUTS else f"{drawn.label}\n\n{pair_label(view)}"
    lines = [Line(drawn, label, shown, True)]
    return _file(sheet, lines, (len(shown), ALONE), (column,), (rows, row == DIFFERENCE), form, link)


def _lines_of_one(row: Row) -> list[Line]:
    """Break the only row into lines of much the same length."""
    count = -(-len(row.panels) // MOST_IN_A_LINE)
    length = -(-len(row.panels) // count)
    parts = [row.panels[at : at + length] for at in range(0, len(row.panels), length)]
    return [Line(row, "" if number else row.label, part, True) for number, part in enumerate(parts)]


def _file(
    sheet: Sheet,
    lines: Sequence[Line],
    grid: tuple[int, float],
    columns: Sequence[Column],
    legend_of: tuple[Sequence[int], bool],
    form: str,
    link: str,
) -> bytes:
    """Draw lines of at most `grid` pictures, of that side in inches, as a file."""
    # Here and not above: matplotlib is slow to import, and few visitors export.
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    across, side = grid
    first, left, last, right = sheet.area
    tall = side * min(max((last - first) / (right - left), 0.25), 4)
    width = LABEL + across * (side + GAP) + GAP
    legend = legend_for(sheet, columns, *legend_of, width)
    tops, down = _tops(sheet.view, lines, tall)
    size = width, down + legend.height
    text: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "fusevis",
        "font.size": 8,
        "text.parse_math": False,
    }
    with _DRAWING, matplotlib.rc_context(text):
        figure = Figure(figsize=size)
        (FigureCanvasSVG if form == "svg" else FigureCanvasAgg)(figure)
        for line, top in zip(lines, tops, strict=True):
            _draw(figure, sheet, line, (top, side, tall), size)
        draw_legend(figure, sheet, legend, size)
        stream = io.BytesIO()
        dots = min(DOTS_PER_INCH, LARGEST_SIDE_DOTS / max(size))
        # No date: equal views give equal files.
        note = {"Description": link, "Date": None} if form == "svg" else {"Description": link}
        figure.savefig(stream, format=form, dpi=dots, metadata=note, facecolor="white")
    return stream.getvalue()


def _tops(view: ExportView, lines: Sequence[Line], tall: float) -> tuple[list[float], float]:
    """Return where the pictures of each line begin, and where all end, inches from above."""
    tops, at = [], 0.0
    for line in lines:
        if line.headed:
            most = max(heading(view, panel).count("\n") + 1 for panel in line.panels)
            at += HEAD[0] + most * HEAD[1]
        tops.append(at)
        at += tall + GAP
    return tops, at


def _draw(
    figure: Figure, sheet: Sheet, line: Line, place: tuple[float, float, float], size: tuple[float, float]
) -> None:
    (top, side, tall), (width, height) = place, size
    middle = 1 - (top + tall / 2) / height
    figure.text(0.1 / width, middle, line.label, va="center", ha="left", linespacing=1.4)
    for number, panel in enumerate(line.panels):
        left = LABEL + number * (side + GAP)
        axes: Axes = figure.add_axes((left / width, 1 - (top + tall) / height, side / width, tall / height))
        line.row.draw(axes, panel)
        if line.headed:
            axes.set_title(heading(sheet.view, panel), fontsize=8, pad=3)

"""A comparison as a figure for print: text stays text, a pixel stays a square."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.export.content import DIFFERENCE, Column, FigureContent
from app.export.drawing import scatter_place
from app.export.figure_layout import (
    GAP,
    LABEL,
    FigureLayout,
    Line,
    fitting_side,
    inputs_line,
    layouts_of,
    lines_of,
)
from app.export.legend import draw_legend
from app.export.rows import (
    difference_row,
    heading,
    inputs_row,
    method_row,
    pair_label,
    panels,
    rows_of,
)
from app.ids import CompareColumn, InputColumn
from app.link.view_state import Area, CompareState
from cache.services.exports import ExportArrays

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


def figure_file(
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
    content = FigureContent.of(view, state, area).of_table()
    lines = lines_of(content, rows_of(content))
    across = max(2, *(len(line.panels) for line in lines))
    # Zooms of the inputs are there where they make the figure no wider.
    return figure_bytes(
        FigureLayout(content, (inputs_line(content, across), *lines), fitting_side(across)),
        form,
        link,
    )


def panel_file(
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
        As for `figure_file`.
    row : str
        A method's id, ``difference`` or ``inputs``.
    column : CompareColumn, InputColumn or ZoomColumn
        One that this row has.
    """
    content = FigureContent.of(view, state, area)
    ids = [one.scene.method_id for one in view.methods]
    if row == INPUTS:
        shown = inputs_row(content)
    elif row == DIFFERENCE and content.difference is not None:
        shown = difference_row(content, content.difference)
    else:
        shown = method_row(content, ids.index(row))
    label = shown.label if row == INPUTS else f"{shown.label}\n\n{pair_label(view)}"
    return figure_bytes(
        FigureLayout(content, (Line(shown, label, panels(view, (column,)), True),), ALONE), form, link
    )


def figure_bytes(layout: FigureLayout, form: str, link: str) -> bytes:
    """Draw a figure as a file, ``png`` or ``svg``, with the link in its metadata."""
    # Here and not above: matplotlib is slow to import, and few visitors export.
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    size = layout.width, layout.height
    text: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "fusevis",
        "font.size": 8,
        "text.parse_math": False,
    }
    with _DRAWING, matplotlib.rc_context(text):
        figure = Figure(figsize=size)
        (FigureCanvasSVG if form == "svg" else FigureCanvasAgg)(figure)
        for line, top in zip(layout.lines, layout.tops[0], strict=True):
            _draw(figure, layout, line, top)
        draw_legend(figure, layout.content, layout.legend, size)
        stream = io.BytesIO()
        dots = min(DOTS_PER_INCH, LARGEST_SIDE_DOTS / max(size))
        # No date: equal views give equal files.
        note = {"Description": link, "Date": None} if form == "svg" else {"Description": link}
        figure.savefig(stream, format=form, dpi=dots, metadata=note, facecolor="white")
    return stream.getvalue()


def _draw(figure: Figure, layout: FigureLayout, line: Line, top: float) -> None:
    tall, width, height = layout.tall(line), layout.width, layout.height
    middle = 1 - (top + layout.room(line) / 2) / height
    figure.text(0.1 / width, middle, line.label, va="center", ha="left", linespacing=1.4)
    for number, panel in enumerate(line.panels):
        left = LABEL + number * (layout.side + GAP)
        place = left, top, layout.side, tall
        if panel[0] is CompareColumn.SCATTER:
            place = scatter_place(layout.content.ends, place)
        x, y, across, down = place
        axes: Axes = figure.add_axes((x / width, 1 - (y + down) / height, across / width, down / height))
        # Images of another shape than their place hang from its upper edge, so that headings are level.
        axes.set_anchor("N")
        line.row.draw(axes, panel)
        if line.headed:
            middle_of_place = (left + layout.side / 2) / width
            figure.text(
                middle_of_place,
                1 - (top - 0.04) / height,
                heading(layout.content.view, panel),
                va="bottom",
                ha="center",
            )


@dataclass(frozen=True)
class PageFigure:
    """A figure that a page has room for.

    Attributes
    ----------
    png : bytes
        The file.
    width, height : float
        At which its text has its true size, inches.
    words : str
        What it shows, for those who do not see it.
    """

    png: bytes
    width: float
    height: float
    words: str


def page_figures(
    view: ExportArrays, state: CompareState, link: str, area: Area | None = None, above: float = 0.0
) -> list[PageFigure]:
    """Draw the table as figures that each fit a page: A4, landscape.

    Parameters
    ----------
    view, state, link, area
        As for `figure_file`.
    above : float
        What the first page has above its figure, inches.
    """
    return [
        PageFigure(figure_bytes(layout, "png", link), layout.width, layout.height, _words(layout))
        for layout in layouts_of(FigureContent.of(view, state, area).of_table(), above)
    ]


def _words(layout: FigureLayout) -> str:
    titles = dict.fromkeys(line.row.title for line in layout.lines)
    # Those of the inputs' own are in their row's name.
    headings = dict.fromkeys(
        heading(layout.content.view, panel).replace("\n", " ")
        for line in layout.lines
        for panel in line.panels
        if not isinstance(panel[0], InputColumn)
    )
    return f"{', '.join(titles)}: {', '.join(headings)}"

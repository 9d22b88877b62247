"""The places of everything in figures for print, before anything is drawn; all lengths in inches.

Tables are shared out among pages: their columns where one is too wide, their rows where one is too tall.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from app.export.content import ZOOMS, FigureContent, Panel
from app.export.legend import Legend, legend_for
from app.export.rows import Row, heading, inputs_row, panels, rows_of
from app.ids import CompareColumn
from app.link.view_state import CompareState
from cache.services.exports import ExportArrays

PAGE = 10.7, 7.25
"""Across and down what is printable of A4 in landscape, with margins of 12 mm."""
SMALLEST, LARGEST = 1.2, 1.7
"""Side of a picture in a table. On a smaller one a heading of 8 points would meet the next one's."""
MOST_IN_A_LINE = 5
"""Pictures of a method that stands alone, which goes on in another line."""
GAP, LABEL = 0.12, 1.75
HEAD = 0.15, 0.135
"""Above a line: at least, and for each line of a heading."""
LABEL_LINE = 0.16
LOWEST, TALLEST = 0.25, 2.0
"""Height of a picture by its width; longer images are shown smaller within that."""
LEAST = 0.4
"""Height of a picture, where a page has hardly any place for it."""


MOST_ACROSS = 6
"""Pictures of a row that a page is wide enough for."""
STEP = 0.02
"""Between the sides of pictures that are tried, inches."""


@dataclass(frozen=True)
class Line:
    """A line of pictures: those of a row, or a part of them."""

    row: Row
    label: str
    panels: tuple[Panel, ...]
    headed: bool


@dataclass(frozen=True, eq=False)
class FigureLayout:
    """A figure: its lines from above, and below them the legend of what they show.

    Attributes
    ----------
    content : FigureContent
        What all rows have in common.
    lines : tuple of Line
        Of pictures.
    side : float
        Width of a picture.
    most : float or None
        Height that no picture may exceed; ``None``: its own.
    """

    content: FigureContent
    lines: tuple[Line, ...]
    side: float
    most: float | None = None

    @property
    def across(self) -> int:
        """The most pictures of a line."""
        return max(len(line.panels) for line in self.lines)

    @property
    def width(self) -> float:
        """Of the whole figure."""
        return LABEL + max(2, self.across) * (self.side + GAP) + GAP

    @cached_property
    def legend(self) -> Legend:
        """All that stands below the pictures."""
        rows = [line.row for line in self.lines]
        columns = {column: None for line in self.lines for column, _ in line.panels}
        methods = list(dict.fromkeys(row.method for row in rows if row.method is not None))
        return legend_for(self.content, columns, methods, any(row.is_difference for row in rows), self.width)

    @property
    def height(self) -> float:
        """Of the whole figure."""
        return self.tops[1] + self.legend.height

    @cached_property
    def tops(self) -> tuple[list[float], float]:
        """Places where the pictures of each line begin, and where all end, from above."""
        tops, at = [], 0.0
        for line in self.lines:
            if line.headed:
                most = max(heading(self.content.view, panel).count("\n") + 1 for panel in line.panels)
                at += HEAD[0] + most * HEAD[1]
            tops.append(at)
            at += self.room(line) + GAP
        return tops, at

    def room(self, line: Line) -> float:
        """Return the height of a line without its headings."""
        return max(self.tall(line), (line.label.count("\n") + 1) * LABEL_LINE)

    def tall(self, line: Line) -> float:
        """Return the height of a line's pictures: zooms have as many rows as columns, scatterplots are square."""
        first, left, last, right = self.content.area
        aspect = self.content.aspect
        shapes = {(last - first) * aspect / (right - left)}
        shapes |= {1.0 for column, _ in line.panels if column is CompareColumn.SCATTER}
        shapes |= {aspect for column, _ in line.panels if column in ZOOMS}
        own = self.side * max(min(max(shape, LOWEST), TALLEST) for shape in shapes)
        return own if self.most is None else min(own, self.most)

    def within(self, height: float) -> FigureLayout:
        """Return the figure with its pictures as low as this height needs; where they are square they are smaller."""
        over = self.height - height
        if over <= 0:
            return self
        pictures = sum(self.tall(line) for line in self.lines)
        return replace(self, most=max((pictures - over) / len(self.lines), LEAST))


def inputs_line(content: FigureContent, across: int) -> Line:
    """Return the line of the inputs; their zooms are there where the line is then no longer than `across` pictures."""
    row = inputs_row(content)
    whole = tuple(panel for panel in row.panels if panel[0] not in ZOOMS)
    return Line(row, row.label, row.panels if len(row.panels) <= across else whole, True)


def lines_of(content: FigureContent, rows: list[Row]) -> list[Line]:
    """Return the lines of rows below each other; a row that stands alone is broken into several, about equally long."""
    if len(rows) > 1:
        return [Line(row, row.label, row.panels, number == 0) for number, row in enumerate(rows)]
    (row,) = rows
    fewest = _parts(row.panels, MOST_IN_A_LINE)
    for most in range(MOST_IN_A_LINE - 1, 1, -1):
        parts = _parts(row.panels, most)
        if len(parts) > len(fewest):
            break
        fewest = parts
    return [Line(row, "" if number else row.label, part, True) for number, part in enumerate(fewest)]


def _parts(shown: Sequence[Panel], most: int) -> list[tuple[Panel, ...]]:
    """Break pictures into lines of at most so many, those of both principal pixels beside each other."""
    parts: list[tuple[Panel, ...]] = []
    for _, group in groupby(shown, lambda panel: panel[0]):
        column = tuple(group)
        if parts and len(parts[-1]) + len(column) <= most:
            parts[-1] += column
        else:
            parts.append(column)
    return parts


def fitting_side(across: int) -> float:
    """Return the side of pictures with which so many fit a page's width, where they do not become too small."""
    return min(max((PAGE[0] - LABEL - GAP) / across - GAP, SMALLEST), LARGEST)


def layouts_of(content: FigureContent, above: float = 0.0) -> list[FigureLayout]:
    """Lay the figures out: as few as can be, and their pictures of one size, as large as it can be.

    The inputs stand on the first one; on the others too, where a group of columns needs no further page for them.
    """
    layouts: list[FigureLayout] = []
    for columns in columns_by_page(content.view, content.state):
        part = replace(content, state=content.state.model_copy(update={"columns": columns}))
        start = len(layouts)
        everywhere = _fewest(part, start, above, lambda number: True)
        at_first = _fewest(part, start, above, lambda number: number == 0)
        layouts += everywhere if len(everywhere) <= len(at_first) else at_first
    heights = [_height(number, above) for number in range(len(layouts))]
    side = _largest_side(layouts, heights)
    return [
        replace(layout, side=side).within(height) for layout, height in zip(layouts, heights, strict=True)
    ]


def _height(number: int, above: float) -> float:
    return PAGE[1] - (0 if number else above)


def _fewest(
    content: FigureContent, start: int, above: float, has_inputs: Callable[[int], bool]
) -> list[FigureLayout]:
    """Share rows out among as few pages as can be, evenly; the first of them is number `start` of the file."""
    lines = lines_of(content, rows_of(content))
    inputs = inputs_line(content, max(2, *(len(line.panels) for line in lines)))

    def page(number: int, at: int, count: int) -> FigureLayout:
        first = replace(lines[at], label=lines[at].row.label, headed=True)
        shown = (first, *lines[at + 1 : at + count])
        return FigureLayout(content, (inputs, *shown) if has_inputs(number) else shown, SMALLEST)

    def pages_with(most: int) -> list[FigureLayout]:
        found: list[FigureLayout] = []
        at = 0
        while at < len(lines):
            number = start + len(found)
            fitting = (
                page(number, at, count)
                for count in range(min(most, len(lines) - at), 1, -1)
                if page(number, at, count).height <= _height(number, above)
            )
            # One that is alone is made to fit.
            found.append(next(fitting, page(number, at, 1)))
            at += len(found[-1].lines) - has_inputs(number)
        return found

    fewest = pages_with(len(lines))
    for most in range(len(lines) - 1, 0, -1):
        found = pages_with(most)
        if len(found) > len(fewest):
            break
        fewest = found
    return fewest


def _largest_side(layouts: Sequence[FigureLayout], heights: Sequence[float]) -> float:
    """Return the largest side of pictures with which each figure fits its page."""
    side = LARGEST
    while side > SMALLEST:
        sized = [replace(layout, side=side) for layout in layouts]
        if all(
            layout.width <= PAGE[0] and layout.height <= height
            for layout, height in zip(sized, heights, strict=True)
        ):
            return side
        side -= STEP
    return SMALLEST


def columns_by_page(view: ExportArrays, state: CompareState) -> list[tuple[CompareColumn, ...]]:
    """Share the columns out among figures that each fit a page's width, as few and as even as can be.

    Parameters
    ----------
    view, state
        As for `app.export.figure.figure_file`.

    Returns
    -------
    list of tuple of CompareColumn
        The columns of each figure. A method that stands alone has one figure, with several lines.
    """
    if len(view.methods) == 1:
        return [state.columns]
    fewest: list[tuple[CompareColumn, ...]] = []
    for most in range(MOST_ACROSS, 1, -1):
        pages = _columns_with(view, state.columns, most)
        if fewest and len(pages) > len(fewest):
            break
        fewest = pages
    return fewest


def _columns_with(
    view: ExportArrays, columns: Sequence[CompareColumn], most: int
) -> list[tuple[CompareColumn, ...]]:
    """Break columns where there would be more than `most` pictures in a row."""
    pages: list[tuple[CompareColumn, ...]] = []
    for column in columns:
        longer = (*pages[-1], column) if pages else (column,)
        if pages and len(panels(view, longer)) <= most:
            pages[-1] = longer
        else:
            pages.append((column,))
    return pages

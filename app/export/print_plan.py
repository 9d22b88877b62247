"""Where everything stands in a figure for print, before anything is drawn; all lengths in inches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from app.export.print_legend import Legend, legend_for
from app.export.print_rows import Row, heading, inputs_row
from app.export.print_sheet import ZOOMS, Panel, Sheet
from app.ids import CompareColumn

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


@dataclass(frozen=True)
class Line:
    """A line of pictures: those of a row, or a part of them."""

    row: Row
    label: str
    panels: tuple[Panel, ...]
    headed: bool


@dataclass(frozen=True, eq=False)
class Plan:
    """A figure: its lines from above, and below them the legend of what they show.

    Attributes
    ----------
    sheet : Sheet
        What all rows have in common.
    lines : tuple of Line
        Of pictures.
    side : float
        Width of a picture.
    most : float or None
        Height that no picture may exceed; ``None``: its own.
    """

    sheet: Sheet
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
        """What stands below the pictures."""
        rows = [line.row for line in self.lines]
        columns = {column: None for line in self.lines for column, _ in line.panels}
        methods = list(dict.fromkeys(row.method for row in rows if row.method is not None))
        return legend_for(self.sheet, columns, methods, any(row.is_difference for row in rows), self.width)

    @property
    def height(self) -> float:
        """Of the whole figure."""
        return self.tops[1] + self.legend.height

    @cached_property
    def tops(self) -> tuple[list[float], float]:
        """Where the pictures of each line begin, and where all end, from above."""
        tops, at = [], 0.0
        for line in self.lines:
            if line.headed:
                most = max(heading(self.sheet.view, panel).count("\n") + 1 for panel in line.panels)
                at += HEAD[0] + most * HEAD[1]
            tops.append(at)
            at += self.room(line) + GAP
        return tops, at

    def room(self, line: Line) -> float:
        """Return the height of a line without its headings."""
        return max(self.tall(line), (line.label.count("\n") + 1) * LABEL_LINE)

    def tall(self, line: Line) -> float:
        """Return the height of a line's pictures: zooms and scatterplots are square whatever the image is."""
        first, left, last, right = self.sheet.area
        image = min(max((last - first) / (right - left), LOWEST), TALLEST)
        square = any(column in ZOOMS or column is CompareColumn.SCATTER for column, _ in line.panels)
        own = self.side * (max(image, 1.0) if square else image)
        return own if self.most is None else min(own, self.most)

    def within(self, height: float) -> Plan:
        """Return the figure with its pictures as low as this height needs; where they are square they are smaller."""
        over = self.height - height
        if over <= 0:
            return self
        pictures = sum(self.tall(line) for line in self.lines)
        return replace(self, most=max((pictures - over) / len(self.lines), LEAST))


def inputs_line(sheet: Sheet, across: int) -> Line:
    """Return the line of the inputs; their zooms are there where the line is then no longer than `across` pictures."""
    row = inputs_row(sheet)
    whole = tuple(panel for panel in row.panels if panel[0] not in ZOOMS)
    return Line(row, row.label, row.panels if len(row.panels) <= across else whole, True)


def lines_of(sheet: Sheet, rows: list[Row]) -> list[Line]:
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

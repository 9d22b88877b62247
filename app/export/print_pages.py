"""How a table is shared out among pages: its columns where it is too wide for one, its rows where it is too tall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.export.cells import ExportArrays
from app.export.print_figure import drawn, rows_of
from app.export.print_plan import LARGEST, PAGE, SMALLEST, Plan, inputs_line, lines_of
from app.export.print_rows import heading, panels
from app.export.print_sheet import Sheet
from app.ids import CompareColumn, InputColumn
from app.link.compare_state import CompareState
from app.link.view_state import Area

MOST_ACROSS = 6
"""Pictures of a row that a page is wide enough for."""
STEP = 0.02
"""Between the sides of pictures that are tried, inches."""


@dataclass(frozen=True)
class PrintedPage:
    """A figure that a page has room for.

    Attributes
    ----------
    content : bytes
        A PNG file.
    width, height : float
        At which its text has its true size, inches.
    words : str
        What it shows, for those who do not see it.
    """

    content: bytes
    width: float
    height: float
    words: str


def print_pages(
    view: ExportArrays, state: CompareState, link: str, area: Area | None = None, above: float = 0.0
) -> list[PrintedPage]:
    """Draw the table as figures that each fit a page: A4, landscape.

    Parameters
    ----------
    view, state, link, area
        As for `app.export.print_figure.print_figure`.
    above : float
        What the first page has above its figure, inches.
    """
    return [
        PrintedPage(drawn(plan, "png", link), plan.width, plan.height, _words(plan))
        for plan in plans_of(Sheet.of(view, state, area).of_table(), above)
    ]


def plans_of(sheet: Sheet, above: float = 0.0) -> list[Plan]:
    """Lay the figures out: as few as can be, and their pictures of one size, as large as it can be.

    The inputs stand on the first one; on the others too, where a group of columns needs no further page for them.
    """
    plans: list[Plan] = []
    for columns in columns_by_page(sheet.view, sheet.state):
        part = replace(sheet, state=sheet.state.model_copy(update={"columns": columns}))
        start = len(plans)
        everywhere = _fewest(part, start, above, lambda number: True)
        at_first = _fewest(part, start, above, lambda number: number == 0)
        plans += everywhere if len(everywhere) <= len(at_first) else at_first
    heights = [_height(number, above) for number in range(len(plans))]
    side = _largest_side(plans, heights)
    return [replace(plan, side=side).within(height) for plan, height in zip(plans, heights, strict=True)]


def _height(number: int, above: float) -> float:
    return PAGE[1] - (0 if number else above)


def _fewest(sheet: Sheet, start: int, above: float, has_inputs: Callable[[int], bool]) -> list[Plan]:
    """Share rows out among as few pages as can be, evenly; the first of them is number `start` of the file."""
    lines = lines_of(sheet, rows_of(sheet))
    inputs = inputs_line(sheet, max(2, *(len(line.panels) for line in lines)))

    def page(number: int, at: int, count: int) -> Plan:
        first = replace(lines[at], label=lines[at].row.label, headed=True)
        shown = (first, *lines[at + 1 : at + count])
        return Plan(sheet, (inputs, *shown) if has_inputs(number) else shown, SMALLEST)

    def pages_with(most: int) -> list[Plan]:
        found: list[Plan] = []
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


def _largest_side(plans: Sequence[Plan], heights: Sequence[float]) -> float:
    """Return the largest side of pictures with which each figure fits its page."""
    side = LARGEST
    while side > SMALLEST:
        sized = [replace(plan, side=side) for plan in plans]
        if all(
            plan.width <= PAGE[0] and plan.height <= height
            for plan, height in zip(sized, heights, strict=True)
        ):
            return side
        side -= STEP
    return SMALLEST


def _words(plan: Plan) -> str:
    titles = dict.fromkeys(line.row.title for line in plan.lines)
    # Those of the inputs' own are in their row's name.
    headings = dict.fromkeys(
        heading(plan.sheet.view, panel).replace("\n", " ")
        for line in plan.lines
        for panel in line.panels
        if not isinstance(panel[0], InputColumn)
    )
    return f"{', '.join(titles)}: {', '.join(headings)}"


def columns_by_page(view: ExportArrays, state: CompareState) -> list[tuple[CompareColumn, ...]]:
    """Share the columns out among figures that each fit a page's width, as few and as even as can be.

    Parameters
    ----------
    view, state
        As for `app.export.print_figure.print_figure`.

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

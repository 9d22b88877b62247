"""How a table that is too wide for a page is shared out among several."""

from __future__ import annotations

from collections.abc import Sequence

from app.compare_state import CompareState
from app.ids import CompareColumn
from app.takeaway.cells import ExportView
from app.takeaway.print_rows import panels

MOST_ACROSS = 6
"""Pictures of a row that a page is wide enough for."""


def columns_by_page(view: ExportView, state: CompareState) -> list[tuple[CompareColumn, ...]]:
    """Share the columns out among figures that each fit a page's width, as few and as even as can be.

    Parameters
    ----------
    view, state
        As for `app.takeaway.print_figure.print_figure`.

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
    view: ExportView, columns: Sequence[CompareColumn], most: int
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

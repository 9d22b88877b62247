"""Tables on a terminal of which nothing is cut off, however narrow it is."""

from __future__ import annotations

import os
import sys

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

WIDTH_WITHOUT_TERMINAL = 120
UNLIMITED = 10_000


def table_console() -> Console:
    """Return what prints tables to standard output: as wide as the terminal, or as COLUMNS says, else 120 columns."""
    terminal = sys.stdout is not None and sys.stdout.isatty()
    fixed = not terminal and "COLUMNS" not in os.environ
    # Names of files and regions are no markup.
    return Console(
        width=WIDTH_WITHOUT_TERMINAL if fixed else None, markup=False, emoji=False, highlight=False
    )


def new_table(title: str, caption: str, *columns: Column) -> Table:
    """Return a table without rows, with a title above and a caption below."""
    return Table(
        *columns,
        title=Text(title, style="bold"),
        caption=Text(caption, style="dim"),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def words(name: str, least: int) -> Column:
    """Return a column of words that are broken into lines of ``least`` signs at least."""
    return Column(name, overflow="fold", min_width=least)


def whole_words(name: str) -> Column:
    """Return a column of words that stand in one line each."""
    return Column(name, no_wrap=True)


def numbers(name: str) -> Column:
    """Return a column of numbers, of which each stands in one piece."""
    return Column(name, justify="right", no_wrap=True)


def print_whole(console: Console, table: Table) -> None:
    """Print a table, wider than the console where it would lose a number or a name: a terminal breaks its lines."""
    for column in table.columns:
        if column.no_wrap:
            lines = [line for cell in (column.header, *column.cells) for line in str(cell).splitlines()]
            column.min_width = max(map(cell_len, lines))
    needed = Measurement.get(console, console.options.update(max_width=UNLIMITED), table).minimum
    before = console.width
    console.width = max(before, needed)
    console.print(table)
    console.width = before

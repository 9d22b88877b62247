"""Figures with what they must reach beside them."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

# Wide enough for the tables where the output is no terminal, as in a log.
console = Console(width=max(110, Console().width), highlight=False)


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes
    ----------
    name : str
        What was measured.
    value : float
    unit : str
    bound : float or None
        What must be reached; ``None`` where the figure is only told.
    at_most : bool
        Whether the bound is the most, else the least.
    """

    name: str
    value: float
    unit: str
    bound: float | None = None
    at_most: bool = True

    @property
    def reached(self) -> bool:
        """Whether the value keeps to its bound; what is no number does not."""
        if self.bound is None:
            return True
        return self.value <= self.bound if self.at_most else self.value >= self.bound


def figures_table(title: str, figures: list[Figure]) -> Table:
    """Return a table with a line a figure; what is missed is said."""
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(("figure", "value", "must reach", "")):
        table.add_column(heading, justify="right" if number in (1, 2) else "left")
    for one in figures:
        sign = "≤" if one.at_most else "≥"
        wanted = "–" if one.bound is None else f"{sign} {one.bound:,g} {one.unit}"
        table.add_row(one.name, f"{one.value:,.3g} {one.unit}", wanted, "" if one.reached else "MISSED")
    return table

"""Figures with what they must reach beside them, and the summary at the end of a measurement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fusion.benchmark.limits import Limit

MISSED_EXIT = 3
"""Exit code where a figure was missed and that was asked to be a failure; wrong results have 1."""

StrictOption = Annotated[
    bool, typer.Option("--strict", help="End with exit code 3 if a figure misses what it must reach.")
]
RecordOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Append the figures to this file as well, a JSON object a line.",
        show_default=False,
    ),
]

# Wide enough for the tables where the output is no terminal, as in a log.
console = Console(width=max(120, Console().width), highlight=False)


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes
    ----------
    name : str
        Words on the quantity.
    value : float
    unit : str
    bound : float or None
        What must be reached; ``None`` where the figure is only told.
    at_most : bool
        True where the bound is the most, else the least.
    aim : float or None
        What is hoped for beyond the bound.
    """

    name: str
    value: float
    unit: str
    bound: float | None = None
    at_most: bool = True
    aim: float | None = None

    @classmethod
    def beside(cls, name: str, value: float, unit: str, limit: Limit | None) -> Figure:
        """Make a figure with its limit, in the same unit; ``None`` where it has none."""
        if limit is None:
            return cls(name, value, unit)
        return cls(name, value, unit, limit.bound, limit.most, limit.aim)

    @property
    def reached(self) -> bool:
        """True if the value keeps to its bound; what is no number does not."""
        if self.bound is None:
            return True
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    @property
    def wanted(self) -> str:
        """Bound and aim in words."""
        if self.bound is None:
            return "–"
        aim = "" if self.aim is None else f" (aim {_written(self.aim)})"
        return f"{'≤' if self.at_most else '≥'} {_written(self.bound)} {self.unit}".rstrip() + aim

    @property
    def measured(self) -> str:
        """The value with its unit."""
        return f"{_written(self.value)} {self.unit}".rstrip()


def _written(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def figures_table(title: str, figures: Iterable[Figure]) -> Table:
    """Return a table with a line a figure; what is missed is said."""
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(("figure", "value", "must reach", "")):
        table.add_column(heading, justify="right" if number in (1, 2) else "left")
    for one in figures:
        table.add_row(one.name, one.measured, one.wanted, "" if one.reached else "MISSED")
    return table


def summary(figures: Sequence[Figure]) -> str:
    """Say how many of the figures that have a limit keep to it, and name those that miss it, a line each."""
    limited = [one for one in figures if one.bound is not None]
    missed = [one for one in limited if not one.reached]
    if not limited:
        return "None of these figures has a limit."
    kept = f"Limits: {len(limited) - len(missed)} of {len(limited)} figures keep to theirs."
    return "\n".join(
        [kept] + [f"  MISSED {one.name}: {one.measured}, must be {one.wanted}" for one in missed]
    )


def finish(part: str, figures: Sequence[Figure], strict: bool = False, record: Path | None = None) -> None:
    """Print the summary of a measurement, and write its figures down.

    Parameters
    ----------
    part : str
        What was measured, a word.
    figures : sequence of Figure
        All of it.
    strict : bool
        True where a missed figure is a failure.
    record : Path, optional
        Gets a JSON object for each figure, a line each, after what it has.

    Raises
    ------
    typer.Exit
        With `MISSED_EXIT`, if `strict` and a figure was missed.
    """
    if record is not None:
        with record.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps({"part": part, **asdict(one)}) + "\n" for one in figures)
    missed = not all(one.reached for one in figures)
    console.print(summary(figures), style="bold red" if missed else None)
    if strict and missed:
        raise typer.Exit(MISSED_EXIT)


def recorded(record: Path) -> list[tuple[str, Figure]]:
    """Read what `finish` has written: parts and their figures."""
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    found = [json.loads(line) for line in lines]
    return [(str(one.pop("part")), Figure(**one)) for one in found]

"""The tables that the command `compare` prints: each fits a terminal of 80 columns, and nothing of them is cut off."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from fusion.statistics.comparison import MethodComparison
from fusion.statistics.guidance import DOMINANCE_RATIO, SMALLEST_LINE_SHARE
from fusion.statistics.influence import (
    Influence,
    RegionInfluence,
    influence_dominant,
    influence_ratio,
    response_dominant,
    response_ratio,
)
from fusion.statistics.requirements import Verdict, measured
from fusion.statistics.wording import (
    dominant_name,
    line_share_shown,
    percent,
    reading_shown,
    shown,
    slope_shown,
)

Lines = Iterable[tuple[str, ...]]

Value = TypeVar("Value")

SENTENCE_WIDTH = 24
"""Sentences are broken into lines of so many signs at least."""

WIDTH_WITHOUT_TERMINAL = 120

UNLIMITED = 10_000

_COLOURS = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.NOT_CLEAR: "yellow",
    Verdict.UNDECIDABLE: "yellow",
}


def show_tables(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> None:
    """Print all tables to standard output."""
    console = table_console()
    for table in (
        _guidance_table(comparisons, modalities),
        _dominance_table(comparisons, modalities),
        _relation_table(comparisons, modalities),
        _influence_table(comparisons, modalities),
        *checklist_tables(comparisons),
    ):
        print_whole(console, table)
    console.print(
        "The paper judges by eye; the limits are this project's (docs/statistics.md). For research only: no "
        "verdict is about a patient."
    )


def _guidance_table(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> Table:
    table = new_table(
        "Guidance images by region",
        "Dimensionless: change of the fused intensity by change of the input at the same pixel; std: standard "
        "deviation; shares of pixels above, at and below 0.",
        words("region, method", longest_name(comparisons)),
        whole_words("input"),
        numbers("mean"),
        numbers("median"),
        numbers("std"),
        numbers("> 0"),
        numbers("= 0"),
        numbers("< 0"),
    )

    def lines(comparison: MethodComparison, number: int) -> Lines:
        found = comparison.guidance[number]
        for method, modality, values in _by_input(comparison, modalities, (found.x1, found.x2)):
            yield (
                method,
                modality,
                shown(values.mean),
                shown(values.median),
                shown(values.standard_deviation),
                percent(values.positive, 0),
                percent(values.zero, 0),
                percent(values.negative, 0),
            )

    return _filled(table, _regions(comparisons), comparisons, lines)


def _dominance_table(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> Table:
    first, second = modalities
    table = new_table(
        "Which modality dominates, by region",
        f"Three readings, each with what it names: {first} divided by {second} of mean |guidance| (ratio), of all "
        "influence, near and far (Σ|J|), and of the response to a whole input that becomes brighter, without sign "
        f"(ΣJ). Dominant is what has at least {DOMINANCE_RATIO:g} times the other's by all three; where they disagree "
        "it is not clear.",
        words("region, method", longest_name(comparisons)),
        whole_words("dominant"),
        numbers("ratio"),
        numbers("Σ|J|"),
        numbers("ΣJ"),
    )

    def lines(comparison: MethodComparison, number: int) -> Lines:
        found, influence = comparison.guidance[number], comparison.region_influence[number]
        yield (
            comparison.method_id,
            dominant_name(found.dominance, modalities, influence),
            reading_shown(found.dominance.ratio, found.dominance.dominant, modalities),
            reading_shown(influence_ratio(influence), influence_dominant(influence), modalities),
            reading_shown(response_ratio(influence), response_dominant(influence), modalities),
        )

    return _filled(table, _regions(comparisons), comparisons, lines)


def _relation_table(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> Table:
    first, second = modalities
    table = new_table(
        f"Guidance {first} against guidance {second} by region",
        f"n: pixels with finite guidance; difference: mean |guidance {first}| minus that of {second}; pixels: share "
        f"with larger |guidance {first}|; slope: {second} over {first} by total least squares; line: share of all "
        f"variance along that line, 0.5 for a round cloud. Below {SMALLEST_LINE_SHARE:g} the slope would mean nothing "
        "and is not shown. Neighbouring pixels are not independent: no p-values.",
        words("region, method", longest_name(comparisons)),
        numbers("n"),
        numbers("difference"),
        numbers("pixels"),
        numbers("Pearson"),
        numbers("Spearman"),
        numbers("slope"),
        numbers("line"),
    )

    def lines(comparison: MethodComparison, number: int) -> Lines:
        found = comparison.guidance[number]
        yield (
            comparison.method_id,
            str(found.n),
            shown(found.dominance.difference),
            percent(found.dominance.pixels, 0),
            shown(found.pearson),
            shown(found.spearman),
            slope_shown(found.line),
            line_share_shown(found.line),
        )

    return _filled(table, _regions(comparisons), comparisons, lines)


def _influence_table(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> Table:
    table = new_table(
        "Influence on fused pixels, by region and principal pixel",
        "From Jacobian images J. used: principal pixels that stand for the region; r50, r90: radius in pixels "
        "(larger of row and column distance) that holds 50 % and 90 % of |J|; outside: share of |J| outside the "
        "region, at last that of both inputs together.",
        words("region or pixel", longest_name(comparisons)),
        whole_words("input"),
        numbers("used"),
        numbers("Σ |J|"),
        numbers("Σ J"),
        numbers("r50"),
        numbers("r90"),
        numbers("outside"),
        numbers("Gini"),
    )

    def of_region(comparison: MethodComparison, number: int) -> Lines:
        found = comparison.region_influence[number]
        return _influence(comparison, f"{found.used}/{found.pixels}", found, modalities, True)

    def of_pixel(comparison: MethodComparison, number: int) -> Lines:
        found = comparison.pixel_influence[number]
        # For another region around the same pixel only the share outside is another.
        first = number == 0 or comparison.pixel_influence[number - 1].pixel != found.pixel
        return _influence(comparison, "1", found, modalities, first)

    _filled(table, _regions(comparisons), comparisons, of_region)
    return _filled(table, [_place(found) for found in comparisons[0].pixel_influence], comparisons, of_pixel)


def _place(found: Influence) -> str:
    return "pixel {},{}".format(*found.pixel) + (f" in {found.region}" if found.region else "")


def _influence(
    comparison: MethodComparison,
    used: str,
    found: Influence | RegionInfluence,
    modalities: tuple[str, str],
    everything: bool,
) -> Lines:
    for method, modality, values in _by_input(comparison, modalities, (found.x1, found.x2)):
        yield (
            method,
            modality,
            used if method else "",
            shown(values.total) if everything else "",
            shown(values.signed) if everything else "",
            shown(values.radius_50, 0) if everything else "",
            shown(values.radius_90, 0) if everything else "",
            percent(values.outside),
            shown(values.gini) if everything else "",
        )
    if found.region is not None:
        yield ("", "both", "", "", "", "", "", percent(found.outside), "")


def _filled(
    table: Table,
    titles: Sequence[str],
    comparisons: Sequence[MethodComparison],
    lines: Callable[[MethodComparison, int], Lines],
) -> Table:
    """Add a section for each title, with the lines of each method for its number."""
    for number, title in enumerate(titles):
        table.add_row(Text(title, style="bold"))
        for comparison in comparisons:
            for line in lines(comparison, number):
                table.add_row(*line)
        table.add_section()
    return table


def _by_input(
    comparison: MethodComparison, modalities: tuple[str, str], values: tuple[Value, Value]
) -> Iterator[tuple[str, str, Value]]:
    """Yield the value of each input, after the method (at the first) and the input's name."""
    return zip((comparison.method_id, ""), modalities, values, strict=True)


def _regions(comparisons: Sequence[MethodComparison]) -> list[str]:
    return [found.region for found in comparisons[0].guidance]


def checklist_tables(comparisons: Sequence[MethodComparison]) -> Iterator[Table]:
    """Make a table for each requirement, with a line for each method."""
    for number, requirement in enumerate(comparisons[0].requirements):
        table = new_table(
            f"The paper's requirement {requirement.number}: {requirement.title}",
            f"Rule: {requirement.rule}.",
            words("method", longest_name(comparisons)),
            numbers("number"),
            whole_words("verdict"),
            words("in words", SENTENCE_WIDTH),
        )
        for comparison in comparisons:
            judged = comparison.requirements[number]
            table.add_row(
                comparison.method_id,
                "\n".join(measured(part) for part in judged.measures),
                Text(judged.verdict.value, style=_COLOURS[judged.verdict]),
                judged.sentence,
            )
        yield table


def longest_name(comparisons: Sequence[MethodComparison]) -> int:
    """Return the length of the longest name of a method, which no table breaks."""
    return max(len(comparison.method_id) for comparison in comparisons)


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

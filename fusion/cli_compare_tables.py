"""The tables that the command `compare` prints: each fits a terminal of 80 columns."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from fusion.statistics.comparison import MethodComparison
from fusion.statistics.influence import Influence, RegionInfluence
from fusion.statistics.verdicts import Verdict
from fusion.statistics.wording import dominant_name, measured, percent, shown

WIDTH_WITHOUT_TERMINAL = 120

Lines = Iterable[tuple[str, ...]]
Value = TypeVar("Value", covariant=True)


class HasInputs(Protocol[Value]):
    """Something there is of each input."""

    @property
    def x1(self) -> Value: ...  # noqa: D102
    @property
    def x2(self) -> Value: ...  # noqa: D102


_COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.UNDECIDABLE: "yellow"}


def show_tables(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> None:
    """Print all tables to standard output."""
    terminal = sys.stdout is not None and sys.stdout.isatty()
    fixed = not terminal and "COLUMNS" not in os.environ
    # Names of files and regions are no markup.
    output = Console(
        width=WIDTH_WITHOUT_TERMINAL if fixed else None, markup=False, emoji=False, highlight=False
    )
    output.print(_guidance_table(comparisons, modalities))
    output.print(_relation_table(comparisons, modalities))
    output.print(_influence_table(comparisons, modalities))
    for table in _checklist_tables(comparisons):
        output.print(table)
    output.print(
        "The paper judges by eye; the limits are this project's (docs/statistics.md). For research only: no "
        "verdict is about a patient."
    )


def _table(title: str, caption: str, *columns: Column | str) -> Table:
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


def _name(name: str) -> Column:
    return Column(name, overflow="fold")


def _number(name: str) -> Column:
    return Column(name, justify="right", no_wrap=True)


def _guidance_table(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> Table:
    table = _table(
        "Guidance images by region",
        "Dimensionless: change of the fused intensity by change of the input at the same pixel; std: standard "
        "deviation; shares of pixels above, at and below 0.",
        _name("region, method"),
        _name("input"),
        _number("mean"),
        _number("median"),
        _number("std"),
        _number("> 0"),
        _number("= 0"),
        _number("< 0"),
    )

    def lines(comparison: MethodComparison, number: int) -> Lines:
        found = comparison.guidance[number]
        for method, modality, values in _by_input(comparison, modalities, found):
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


def _relation_table(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> Table:
    first, second = modalities
    table = _table(
        f"Guidance {first} against guidance {second} by region",
        f"dominant and ratio: by mean |guidance|, {first} / {second}; pixels: share with larger |guidance "
        f"{first}|; slope: {second} over {first} by total least squares. Neighbouring pixels are not "
        "independent: no p-values.",
        _name("region, method"),
        _number("n"),
        _name("dominant"),
        _number("ratio"),
        _number("pixels"),
        _number("Pearson"),
        _number("Spearman"),
        _number("slope"),
    )

    def lines(comparison: MethodComparison, number: int) -> Lines:
        found = comparison.guidance[number]
        yield (
            comparison.method_id,
            str(found.n),
            dominant_name(found.dominance, modalities),
            shown(found.dominance.ratio),
            percent(found.dominance.pixels, 0),
            shown(found.pearson),
            shown(found.spearman),
            shown(found.line.slope),
        )

    return _filled(table, _regions(comparisons), comparisons, lines)


def _influence_table(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> Table:
    table = _table(
        "Influence on fused pixels, by region and principal pixel",
        "From Jacobian images J. used: principal pixels that stand for the region; r50, r90: radius in pixels "
        "(larger of row and column distance) that holds 50 % and 90 % of |J|; outside: share of |J| outside the "
        "region.",
        _name("region or pixel"),
        _name("input"),
        _number("used"),
        _number("Σ |J|"),
        _number("Σ J"),
        _number("r50"),
        _number("r90"),
        _number("outside"),
        _number("Gini"),
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
    for method, modality, values in _by_input(comparison, modalities, found):
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


def _checklist_tables(comparisons: Sequence[MethodComparison]) -> Iterator[Table]:
    for number, requirement in enumerate(comparisons[0].requirements):
        table = _table(
            f"The paper's requirement {requirement.number}: {requirement.title}",
            f"Rule: {requirement.rule}.",
            _name("method"),
            _number("number"),
            _name("verdict"),
            _name("in words"),
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
    comparison: MethodComparison, modalities: tuple[str, str], found: HasInputs[Value]
) -> Iterator[tuple[str, str, Value]]:
    """Yield what there is of each input, after the method (at the first) and the input's name."""
    return zip((comparison.method_id, ""), modalities, (found.x1, found.x2), strict=True)


def _regions(comparisons: Sequence[MethodComparison]) -> list[str]:
    return [found.region for found in comparisons[0].guidance]

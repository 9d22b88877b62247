"""The tables that the command `compare` prints: each fits a terminal of 80 columns."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from fusion.statistics.comparison import MethodComparison
from fusion.statistics.guidance import Dominance, Dominant
from fusion.statistics.influence import Influence, RegionInfluence
from fusion.statistics.verdicts import Verdict

WIDTH_WITHOUT_TERMINAL = 120

_LABELS = {
    "requirement.contrast_kept": "contrast",
    "requirement.core_brightness": "brighter",
    "requirement.healthy_brightness": "brighter",
    "requirement.core_sensitivity": "guidance",
    "requirement.core_sensitivity_ratio": "ratio",
    "requirement.core_outside": "outside",
}

_COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.UNDECIDABLE: "yellow"}


def show_tables(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> None:
    """Print all tables to standard output."""
    fixed = not sys.stdout.isatty() and "COLUMNS" not in os.environ
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
    for number, name in _regions(comparisons):
        table.add_row(Text(name, style="bold"))
        for comparison in comparisons:
            found = comparison.guidance[number]
            inputs = zip((comparison.method_id, ""), modalities, (found.x1, found.x2), strict=True)
            for method, modality, values in inputs:
                table.add_row(
                    method,
                    modality,
                    _shown(values.mean),
                    _shown(values.median),
                    _shown(values.standard_deviation),
                    _percent(values.positive, 0),
                    _percent(values.zero, 0),
                    _percent(values.negative, 0),
                )
        table.add_section()
    return table


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
    for number, name in _regions(comparisons):
        table.add_row(Text(name, style="bold"))
        for comparison in comparisons:
            found = comparison.guidance[number]
            table.add_row(
                comparison.method_id,
                str(found.n),
                _dominant(found.dominance, modalities),
                _shown(found.dominance.ratio),
                _percent(found.dominance.pixels, 0),
                _shown(found.pearson),
                _shown(found.spearman),
                _shown(found.line.slope),
            )
        table.add_section()
    return table


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
    for number, name in _regions(comparisons):
        table.add_row(Text(name, style="bold"))
        for comparison in comparisons:
            of_region = comparison.region_influence[number]
            used = f"{of_region.used}/{of_region.pixels}"
            _add_influence(table, comparison.method_id, used, of_region, modalities, True)
        table.add_section()
    before = None
    for number, found in enumerate(comparisons[0].pixel_influence):
        place = "pixel {},{}".format(*found.pixel) + (f" in {found.region}" if found.region else "")
        # For another region around the same pixel only the share outside is another.
        everything, before = found.pixel != before, found.pixel
        table.add_row(Text(place, style="bold"))
        for comparison in comparisons:
            of_pixel = comparison.pixel_influence[number]
            _add_influence(table, comparison.method_id, "1", of_pixel, modalities, everything)
        table.add_section()
    return table


def _add_influence(
    table: Table,
    method: str,
    used: str,
    found: Influence | RegionInfluence,
    modalities: tuple[str, str],
    everything: bool,
) -> None:
    inputs = zip((method, ""), modalities, (used, ""), (found.x1, found.x2), strict=True)
    for name, modality, pixels, values in inputs:
        table.add_row(
            name,
            modality,
            pixels,
            _shown(values.total) if everything else "",
            _shown(values.signed) if everything else "",
            _shown(values.radius_50, 0) if everything else "",
            _shown(values.radius_90, 0) if everything else "",
            _percent(values.outside),
            _shown(values.gini) if everything else "",
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
            measures = [f"{_LABELS[part.definition]} {_shown(part.value)}" for part in judged.measures]
            table.add_row(
                comparison.method_id,
                "\n".join(measures),
                Text(judged.verdict.value, style=_COLOURS[judged.verdict]),
                judged.sentence,
            )
        yield table


def _regions(comparisons: Sequence[MethodComparison]) -> list[tuple[int, str]]:
    return [(number, found.region) for number, found in enumerate(comparisons[0].guidance)]


def _dominant(dominance: Dominance, modalities: tuple[str, str]) -> str:
    names = {Dominant.X1: modalities[0], Dominant.X2: modalities[1]}
    return names.get(dominance.dominant, dominance.dominant.value)


def _shown(value: float, digits: int = 3) -> str:
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= 1e5:
        return f"{value:.2e}"
    return f"{value:.{digits}f}".replace("-", "−")


def _percent(share: float, digits: int = 1) -> str:
    return "–" if math.isnan(share) else f"{share * 100:.{digits}f} %"

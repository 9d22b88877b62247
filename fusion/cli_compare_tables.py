"""The tables that the command `compare` prints."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence

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
    output.print(_checklist_table(comparisons))


def _table(title: str, caption: str, *columns: Column | str) -> Table:
    return Table(*columns, title=title, caption=caption, title_justify="left", caption_justify="left")


def _number(name: str) -> Column:
    return Column(name, justify="right", no_wrap=True)


def _guidance_table(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> Table:
    table = _table(
        "Guidance images by region",
        "Dimensionless: change of the fused intensity by change of the input at the same pixel.",
        "region",
        "method",
        "input",
        _number("mean"),
        _number("median"),
        _number("std. dev."),
        _number("> 0"),
        _number("= 0"),
        _number("< 0"),
    )
    for number, name in _regions(comparisons):
        for comparison in comparisons:
            found = comparison.guidance[number]
            for modality, values, first in zip(modalities, (found.x1, found.x2), (True, False), strict=True):
                table.add_row(
                    name if first and comparison is comparisons[0] else "",
                    comparison.method_id if first else "",
                    modality,
                    _shown(values.mean),
                    _shown(values.median),
                    _shown(values.standard_deviation),
                    _percent(values.positive),
                    _percent(values.zero),
                    _percent(values.negative),
                )
        table.add_section()
    return table


def _relation_table(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> Table:
    first, second = modalities
    table = _table(
        f"Guidance {first} against guidance {second} by region",
        f"Ratio of mean |guidance|, {first} by {second}; pixels where |guidance {first}| is larger; slope of "
        f"{second} over {first} by total least squares. Neighbouring pixels are not independent: no p-values.",
        "region",
        "method",
        _number("n"),
        "dominant",
        _number("ratio"),
        _number("pixels"),
        _number("Pearson"),
        _number("Spearman"),
        _number("slope"),
    )
    for number, name in _regions(comparisons):
        for comparison in comparisons:
            found = comparison.guidance[number]
            table.add_row(
                name if comparison is comparisons[0] else "",
                comparison.method_id,
                str(found.n),
                _dominant(found.dominance, modalities),
                _shown(found.dominance.ratio),
                _percent(found.dominance.pixels),
                _shown(found.pearson),
                _shown(found.spearman),
                _shown(found.line.slope),
            )
        table.add_section()
    return table


def _influence_table(comparisons: Sequence[MethodComparison], modalities: tuple[str, str]) -> Table:
    table = _table(
        "Influence on fused pixels, by region and principal pixel",
        "From Jacobian images J; used: principal pixels that stand for the region; radii in pixels (larger of row "
        "and column distance) that hold 50 % and 90 % of |J|; outside: share of |J| outside the region.",
        "region or pixel",
        "method",
        "input",
        _number("used"),
        _number("Σ |J|"),
        _number("Σ J"),
        _number("r 50 %"),
        _number("r 90 %"),
        _number("outside"),
        _number("Gini"),
    )
    for number, name in _regions(comparisons):
        for comparison in comparisons:
            of_region = comparison.region_influence[number]
            used = f"{of_region.used}/{of_region.pixels}"
            shown = name if comparison is comparisons[0] else ""
            _add_influence(table, shown, comparison.method_id, used, of_region, modalities, True)
        table.add_section()
    before = None
    for number, found in enumerate(comparisons[0].pixel_influence):
        place = "{},{}".format(*found.pixel) + (f" in {found.region}" if found.region else "")
        # For another region around the same pixel only the share outside is another.
        everything, before = found.pixel != before, found.pixel
        for comparison in comparisons:
            shown = place if comparison is comparisons[0] else ""
            of_pixel = comparison.pixel_influence[number]
            _add_influence(table, shown, comparison.method_id, "1", of_pixel, modalities, everything)
        table.add_section()
    return table


def _add_influence(
    table: Table,
    place: str,
    method: str,
    used: str,
    found: Influence | RegionInfluence,
    modalities: tuple[str, str],
    everything: bool,
) -> None:
    for modality, values, first in zip(modalities, (found.x1, found.x2), (True, False), strict=True):
        table.add_row(
            place if first else "",
            method if first else "",
            modality,
            used if first else "",
            _shown(values.total) if everything else "",
            _shown(values.signed) if everything else "",
            _shown(values.radius_50, 0) if everything else "",
            _shown(values.radius_90, 0) if everything else "",
            _percent(values.outside),
            _shown(values.gini) if everything else "",
        )


def _checklist_table(comparisons: Sequence[MethodComparison]) -> Table:
    table = _table(
        "The paper's four requirements",
        "The paper judges by eye; the limits are this project's (docs/statistics.md). For research only: no "
        "verdict is about a patient.",
        "requirement",
        "method",
        _number("number"),
        "verdict",
        "in words",
    )
    for number, requirement in enumerate(comparisons[0].requirements):
        title = Text.assemble(
            (f"{requirement.number}. {requirement.title}", "bold"), f"\nRule: {requirement.rule}."
        )
        for comparison in comparisons:
            judged = comparison.requirements[number]
            table.add_row(
                title if comparison is comparisons[0] else "",
                comparison.method_id,
                "\n".join(
                    f"{_LABELS[measure.definition]} {_shown(measure.value)}" for measure in judged.measures
                ),
                Text(judged.verdict.value, style=_COLOURS[judged.verdict]),
                judged.sentence,
            )
        table.add_section()
    return table


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


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{share * 100:.1f} %"

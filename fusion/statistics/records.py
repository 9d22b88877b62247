"""The numbers as one tidy table: a row for each number, with all that is needed to sort, pivot and cite it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields

from fusion.saliency.window import Pixel
from fusion.statistics.comparison import MethodComparison
from fusion.statistics.guidance import Dominant, GuidanceStatistics, ModalityStatistics, readings_disagree
from fusion.statistics.influence import (
    Influence,
    ModalityInfluence,
    RegionInfluence,
    influence_dominant,
    influence_ratio,
    response_dominant,
    response_ratio,
)
from fusion.statistics.requirements import CORE, HEALTHY, Requirement, Verdict

X1, X2, BOTH = "x1", "x2", "both"

FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""With these, the last four in East Asian width, begins a text that a spreadsheet takes for a formula."""

REQUIREMENT_REGIONS = {1: CORE, 2: HEALTHY, 3: CORE, 4: CORE}
"""The region whose fused pixels a requirement speaks of."""

_VERDICT_VALUES = {
    Verdict.PASS: 1.0,
    Verdict.FAIL: 0.0,
    Verdict.NOT_CLEAR: math.nan,
    Verdict.UNDECIDABLE: math.nan,
}


@dataclass(frozen=True)
class Record:
    """One number.

    Attributes
    ----------
    pair, pair_id : str
        The pair's address and its content id.
    method, weights : str
        The method's id and the sha256 of its weights.
    region : str
        The region, or nothing.
    row, col : int or None
        The principal pixel where the number is of one alone.
    quantity : str
        What was measured, such as ``mean``; ``requirement_1`` … ``requirement_4`` for verdicts.
    modality : str
        ``x1``, ``x2`` or ``both``.
    value : float
        The number; for verdicts 1 (pass), 0 (fail) or NaN (undecidable, not clear). NaN is written as nothing,
        infinity as ``inf``.
    n : int or None
        Of how many pixels, where that has a meaning.
    definition : str
        The entry of docs/statistics.md that has the equation.
    text : str
        What a number cannot say: the dominant modality, or the sentence of a verdict and its rule.
    """

    pair: str
    pair_id: str
    method: str
    weights: str
    region: str
    row: int | None
    col: int | None
    quantity: str
    modality: str
    value: float
    n: int | None
    definition: str
    text: str = ""


def records(pair: str, pair_id: str, comparisons: Iterable[MethodComparison]) -> Iterator[Record]:
    """Yield all numbers of several methods on one pair, given by its address and content id."""
    for comparison in comparisons:
        for number in _numbers(comparison):
            row, col = number.pixel if number.pixel is not None else (None, None)
            yield Record(
                pair=pair,
                pair_id=pair_id,
                method=comparison.method_id,
                weights=comparison.weights_id,
                region=number.region,
                row=row,
                col=col,
                quantity=number.quantity or number.definition.partition(".")[2],
                modality=number.modality,
                value=number.value,
                n=number.n,
                definition=number.definition,
                text=number.text,
            )


def csv_text(rows: Iterable[Record]) -> str:
    """Return records as CSV with a header; numbers with all their digits, lines ended by a single LF.

    Names are what people choose and pass on in links. One that begins like a formula has an apostrophe before it, so
    that a spreadsheet shows it and computes nothing.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(field.name for field in fields(Record))
    for row in rows:
        writer.writerow(_cell(value) for value in astuple(row))
    return stream.getvalue()


@dataclass(frozen=True)
class _Number:
    definition: str
    value: float
    region: str
    modality: str = BOTH
    n: int | None = None
    pixel: Pixel | None = None
    text: str = ""
    quantity: str = ""


def _numbers(comparison: MethodComparison) -> Iterator[_Number]:
    sizes = {found.region: found.pixels for found in comparison.guidance}
    sizes |= {of_region.region: of_region.pixels for of_region in comparison.region_influence}
    for region, pixels in sizes.items():
        yield _Number("region.pixels", float(pixels), region)
    if comparison.guidance:
        yield _Number("guidance.suspicious", float(comparison.suspicious), "")
    for guidance in comparison.guidance:
        yield from _guidance(guidance)
    by_own_pixel = {found.region: found.dominance.dominant for found in comparison.guidance}
    for of_region in comparison.region_influence:
        yield from _influence(of_region, of_region.used, None, True)
        own = by_own_pixel.get(of_region.region)
        yield _influence_ratio(of_region, own)
        yield _response_ratio(of_region, own)
    for number, of_pixel in enumerate(comparison.pixel_influence):
        # The same pixel again is there for another region, to which only the share outside refers.
        first = of_pixel.pixel not in [before.pixel for before in comparison.pixel_influence[:number]]
        yield from _influence(of_pixel, 1, of_pixel.pixel, first)
    for requirement in comparison.requirements:
        yield from _requirement(requirement)


def _guidance(found: GuidanceStatistics) -> Iterator[_Number]:
    for modality, statistics in ((X1, found.x1), (X2, found.x2)):
        for field in fields(ModalityStatistics):
            value = getattr(statistics, field.name)
            yield _Number(f"guidance.{field.name}", value, found.region, modality, found.n)
    dominance, line = found.dominance, found.line
    for name, value, text in (
        ("not_finite", float(found.pixels - found.n), ""),
        ("dominance_ratio", dominance.ratio, dominance.dominant.value),
        ("dominance_difference", dominance.difference, ""),
        ("dominance_pixels", dominance.pixels, ""),
        ("pearson", found.pearson, ""),
        ("spearman", found.spearman, ""),
        ("slope", line.slope, ""),
        ("line_share", line.share, ""),
    ):
        yield _Number(f"guidance.{name}", value, found.region, BOTH, found.n, text=text)


def _influence(
    found: Influence | RegionInfluence, n: int, pixel: Pixel | None, everything: bool
) -> Iterator[_Number]:
    region = found.region or ""
    for modality, numbers in ((X1, found.x1), (X2, found.x2)):
        for field in fields(ModalityInfluence):
            refers = pixel is None or field.name == "outside"
            if field.name == "outside" and not region:
                continue
            if everything or refers:
                value = getattr(numbers, field.name)
                yield _Number(f"influence.{field.name}", value, region if refers else "", modality, n, pixel)
    if region:
        yield _Number("influence.outside", found.outside, region, BOTH, n, pixel)
    if isinstance(found, RegionInfluence):
        for name, count in (("spacing", found.spacing), ("left_out", found.left_out)):
            yield _Number(f"influence.{name}", float(count), region, BOTH, n)


def _influence_ratio(found: RegionInfluence, by_own_pixel: Dominant | None) -> _Number:
    ratio, dominant = influence_ratio(found), influence_dominant(found)
    disagree = by_own_pixel is not None and readings_disagree(by_own_pixel, dominant)
    text = (
        f"not clear: {by_own_pixel} by the own pixel, {dominant} by all influence" if disagree else dominant
    )
    return _Number("influence.total_ratio", ratio, found.region, BOTH, found.used, text=text)


def _response_ratio(found: RegionInfluence, by_own_pixel: Dominant | None) -> _Number:
    ratio, dominant, total = response_ratio(found), response_dominant(found), influence_dominant(found)
    known = by_own_pixel or Dominant.UNDEFINED
    text = (
        f"not clear: {known} by the own pixel, {total} by all influence, {dominant} by the response"
        if readings_disagree(known, total, dominant)
        else dominant
    )
    return _Number("influence.response_ratio", ratio, found.region, BOTH, found.used, text=text)


def _requirement(requirement: Requirement) -> Iterator[_Number]:
    region = REQUIREMENT_REGIONS[requirement.number]
    for measure in requirement.measures:
        yield _Number(measure.definition, measure.value, region, measure.modality)
    yield _Number(
        "requirement.verdict",
        _VERDICT_VALUES[requirement.verdict],
        region,
        text=f"{requirement.verdict.value}: {requirement.sentence} Rule: {requirement.rule}.",
        quantity=f"requirement_{requirement.number}",
    )


def _cell(value: str | int | float | None) -> str | int:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value

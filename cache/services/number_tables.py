"""The columns of the tables of numbers: what stands above them, and what they mean."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from cache.services.statistics import MethodNumbers
from fusion.statistics.comparison import cautions
from fusion.statistics.guidance import (
    DOMINANCE_RATIO,
    SMALLEST_LINE_SHARE,
    Dominance,
    GuidanceStatistics,
    Line,
)
from fusion.statistics.influence import (
    Influence,
    RegionInfluence,
    influence_dominant,
    influence_ratio,
    response_dominant,
    response_ratio,
)
from fusion.statistics.records import csv_text, records
from fusion.statistics.requirements import measured
from fusion.statistics.wording import (
    UNDEFINED,
    dominant_name,
    line_share_shown,
    percent,
    reading_shown,
    shown,
    slope_shown,
)

Column = dict[str, Any]
"""``group`` and ``label`` stand above it, ``title`` says what its numbers are, ``meaning`` what those of its group are;
``numeric`` says whether they are numbers."""

CAPTIONS = {
    "guidance": "Guidance images by region, dimensionless",
    "influence": "Influence on pinned pixels and on regions; radii in pixels, the rest dimensionless",
    "checklist": "The paper's four requirements, by method",
}
ABOUT = {
    "guidance": (
        "Guidance says by how much a fused pixel changes when the input pixel at the same place changes a little: 1, "
        "by as much; 0, not at all; below 0, the other way round. The table describes its values in each region."
    ),
    "influence": (
        "Influence says how much fused pixels change when input pixels change, those near and those far: the Jacobian "
        "images J, of a pinned pixel or of all pixels of a region together."
    ),
    "checklist": (
        "What a fused picture should offer to somebody who looks at a glioma. Each method is judged by the rule above "
        "its column, on this pair and in these regions."
    ),
}
"""What the tables are about, for readers who do not know the paper."""

VERDICTS = (
    ("pass ✓", "the rule is met"),
    ("fail ✗", "the rule is not met"),
    ("not clear ≈", "two readings of the same thing disagree; the sentence has both"),
    (
        "undecidable ?",
        "the rule cannot be applied: a region is missing, or the pair does not show what it asks for",
    ),
    ("waiting …", "guidance images or influence are not computed yet"),
)

DOMINATES = "Dominates"
RADIUS = "Radius in pixels, by the larger of row and column distance,"
OUTSIDE = "From outside"


def guidance_columns(modalities: tuple[str, str]) -> list[Column]:
    """Return those of the guidance images by region."""
    first, second = modalities
    both = f"guidance {first} and guidance {second}"
    return [
        _column("Region", "Region of interest", numeric=False),
        _column("Method", "Fusion method", numeric=False),
        _column("n", "Pixels of the region with finite guidance"),
        *_each("Mean", "Mean of the guidance image", modalities),
        *_each("Median", "Median of the guidance image", modalities),
        *_each("Std", "Standard deviation of the guidance image", modalities),
        *_each("> 0", "Share of pixels where a brighter input makes the fused pixel brighter", modalities),
        *_each("= 0", "Share of pixels where the input changes nothing", modalities),
        *_each("< 0", "Share of pixels where a brighter input makes the fused pixel darker", modalities),
        _column(
            "Who",
            f"By the own pixel, all influence and the response, each at least {DOMINANCE_RATIO:g} times the other's; "
            "not clear where the three, which stand beside it, disagree. By the own pixel alone while the influence on "
            "the region is not computed",
            DOMINATES,
            numeric=False,
        ),
        _column(
            "Ratio",
            f"Own pixel: mean |guidance {first}| divided by mean |guidance {second}|, and whom this names",
            DOMINATES,
        ),
        _column(
            "Σ |J|",
            f"All influence of {first}, from near and far, divided by that of {second}, and whom this names; – while "
            "it is not computed",
            DOMINATES,
        ),
        _column(
            "Σ J",
            f"Response, the change of a fused pixel where all of {first} becomes brighter, divided by that of "
            f"{second}, both without sign, and whom this names; – while it is not computed",
            DOMINATES,
        ),
        _column("Diff.", f"Mean |guidance {first}| minus mean |guidance {second}|", DOMINATES),
        _column(
            "Pixels", f"Share of pixels with |guidance {first}| larger than |guidance {second}|", DOMINATES
        ),
        _column("Pearson", f"Pearson correlation of {both} over n pixels"),
        _column("Spearman", f"Spearman rank correlation of {both} over n pixels"),
        _column(
            "Slope",
            f"Guidance {second} over guidance {first}, total least squares; – where the share along the line is "
            f"below {SMALLEST_LINE_SHARE:g}: it would mean nothing there",
        ),
        _column("Line", "Share of all variance along that line: 1, all on it; 0.5, a round cloud"),
    ]


def influence_columns(modalities: tuple[str, str]) -> list[Column]:
    """Return those of the influence on principal pixels and regions."""
    return [
        _column(
            "Region or pixel", "Principal pixels: those of the fused image that are influenced", numeric=False
        ),
        _column("Method", "Fusion method", numeric=False),
        _column("Used", "Principal pixels that stand for the region, of all its pixels"),
        *_each("Total Σ |J|", "Total influence; of regions the mean over the pixels used", modalities),
        *_each(
            "Signed Σ J", "Answer to a brighter input; of regions the mean over the pixels used", modalities
        ),
        *_each("Radius 50 %", f"{RADIUS} with 50 % of |J|", modalities),
        *_each("Radius 90 %", f"{RADIUS} with 90 % of |J|", modalities),
        *_each(OUTSIDE, "Share of |J| outside the region", modalities),
        _column("both", "Share of |J| of both inputs outside the region", OUTSIDE),
        *_each(
            "Gini",
            "Gini index of |J| over the window of the support: 0, even; near 1, all in few pixels",
            modalities,
        ),
    ]


def _column(label: str, title: str, group: str = "", numeric: bool = True, meaning: str = "") -> Column:
    return {
        "group": group, "label": label, "title": title, "numeric": numeric, "meaning": meaning or title,
    }  # fmt: skip


def _each(group: str, meaning: str, modalities: Sequence[str]) -> list[Column]:
    return [_column(modality, f"{meaning}, {modality}", group, meaning=meaning) for modality in modalities]


Cell = tuple[str, float | str | None]
"""What is shown, and what it sorts by: ``None`` where the number is undefined."""
Pins = Sequence[tuple[str, tuple[int, int]]]
"""Letters of the pinned pixels, empty where they have none, with their (row, col)."""

WAITING = "waiting"
HINT = "Pin a pixel to see its influence too: by a click on a picture, or with Pin A."


def number_tables(numbers: Sequence[MethodNumbers], pins: Pins = ()) -> dict[str, Any]:
    """Return the tables ``guidance``, ``influence`` and ``checklist`` of several methods on one pair, as plain values.

    The first two are ``{columns, rows}``: a column has ``group``, ``label``, ``title``, ``meaning`` and whether it is
    ``numeric``; a row has a `Cell` for each column. The third has ``requirements`` and for each method a cell for each
    of them. Each has a ``caption`` and what it is ``about``, the second a ``hint``. Besides there are ``cautions``,
    sentences to read before the numbers are relied on.
    """
    if not numbers:
        nothing = {name: _table(name, [], []) for name in ("guidance", "influence")}
        return {**nothing, "checklist": {}, "cautions": []}
    modalities = numbers[0].scene.modalities
    return {
        "guidance": _table(
            "guidance", guidance_columns(modalities), [row for one in numbers for row in _guidance_rows(one)]
        ),
        "influence": {
            **_table(
                "influence",
                influence_columns(modalities),
                [row for one in numbers for row in _influence_rows(one, pins)],
            ),
            "hint": "" if pins else HINT,
        },
        "checklist": _checklist(numbers),
        "cautions": list(dict.fromkeys(sentence for one in numbers for sentence in cautions(one.comparison))),
    }


def numbers_csv(numbers: Sequence[MethodNumbers]) -> str:
    """Return the CSV file of what is known, with the same rows as that of the command ``compare``."""
    if not numbers:
        return csv_text(())
    scene = numbers[0].scene
    return csv_text(records(scene.pair_address, scene.pair_id, [one.comparison for one in numbers]))


def _table(name: str, columns: list[Column], rows: list[list[Cell]]) -> dict[str, Any]:
    # By region, as the command has it: the methods of a region beside each other.
    order = {place: number for number, place in enumerate(dict.fromkeys(row[0][0] for row in rows))}
    return {
        "caption": CAPTIONS[name],
        "about": ABOUT[name],
        "columns": columns,
        "rows": sorted(rows, key=lambda row: order[row[0][0]]),
    }


def _guidance_rows(numbers: MethodNumbers) -> Iterator[list[Cell]]:
    influences = {found.region: found for found in numbers.comparison.region_influence}
    for found in numbers.comparison.guidance:
        influence = influences.get(found.region)
        yield [
            _text(found.region),
            _text(numbers.scene.method_title),
            _number(found.n, 0),
            *_guidance_cells(found),
            _text(dominant_name(found.dominance, numbers.scene.modalities, influence)),
            *_readings(found.dominance, numbers.scene.modalities, influence),
            _number(found.dominance.difference),
            _share(found.dominance.pixels),
            _number(found.pearson),
            _number(found.spearman),
            _slope(found.line),
            (line_share_shown(found.line), _sortable(found.line.share)),
        ]


def _readings(
    own: Dominance, modalities: tuple[str, str], influence: RegionInfluence | None
) -> Iterator[Cell]:
    """Yield what each of the three readings says of who dominates: the ratio, by which it sorts, and the name."""
    yield reading_shown(own.ratio, own.dominant, modalities), _sortable(own.ratio)
    if influence is None:
        yield from ((UNDEFINED, None),) * 2
        return
    for ratio, dominant in (
        (influence_ratio(influence), influence_dominant(influence)),
        (response_ratio(influence), response_dominant(influence)),
    ):
        yield reading_shown(ratio, dominant, modalities), _sortable(ratio)


def _guidance_cells(found: GuidanceStatistics) -> Iterator[Cell]:
    both = found.x1, found.x2
    for name in ("mean", "median", "standard_deviation"):
        yield from (_number(getattr(one, name)) for one in both)
    for name in ("positive", "zero", "negative"):
        yield from (_share(getattr(one, name)) for one in both)


def _influence_rows(numbers: MethodNumbers, pins: Pins) -> Iterator[list[Cell]]:
    method = _text(numbers.scene.method_title)
    for of_pixel in numbers.comparison.pixel_influence:
        letters = " and ".join(letter for letter, pixel in pins if pixel == of_pixel.pixel)
        place = f"{letters or 'pixel'} {of_pixel.pixel[0]},{of_pixel.pixel[1]}"
        inside = f" in {of_pixel.region}" if of_pixel.region else ""
        yield [_text(place + inside), method, ("1", 1), *_influence_cells(of_pixel)]
    for found in numbers.comparison.region_influence:
        used: Cell = (f"{found.used} of {found.pixels}", found.used)
        yield [_text(found.region), method, used, *_influence_cells(found)]


def _influence_cells(found: Influence | RegionInfluence) -> Iterator[Cell]:
    both = found.x1, found.x2
    for name in ("total", "signed"):
        yield from (_number(getattr(one, name)) for one in both)
    for name in ("radius_50", "radius_90"):
        yield from (_number(getattr(one, name), 0) for one in both)
    yield from (_share(one.outside, 1) for one in both)
    yield _share(found.outside, 1)
    yield from (_number(one.gini) for one in both)


def _checklist(numbers: Sequence[MethodNumbers]) -> dict[str, Any]:
    return {
        "caption": CAPTIONS["checklist"],
        "about": ABOUT["checklist"],
        "verdicts": [list(verdict) for verdict in VERDICTS],
        "requirements": [
            {"number": one.number, "title": one.title, "rule": one.rule} for one in numbers[0].checklist
        ],
        "rows": [
            {
                "method": one.scene.method_title,
                "cells": [
                    {"verdict": WAITING, "numbers": [], "sentence": ""}
                    if judged.number in one.waiting
                    else {
                        "verdict": judged.verdict.value,
                        "numbers": [measured(part) for part in judged.measures],
                        "sentence": judged.sentence,
                    }
                    for judged in one.checklist
                ],
            }
            for one in numbers
        ],
    }


def _text(text: str) -> Cell:
    return text, text


def _number(value: float, digits: int = 3) -> Cell:
    return shown(value, digits), _sortable(value)


def _share(value: float, digits: int = 0) -> Cell:
    return percent(value, digits), _sortable(value)


def _slope(line: Line) -> Cell:
    words = slope_shown(line)
    return words, None if words == UNDEFINED else _sortable(line.slope)


def _sortable(value: float) -> float | None:
    """Return a number that JSON can write, in the same order."""
    if math.isnan(value):
        return None
    return max(-sys.float_info.max, min(sys.float_info.max, value))

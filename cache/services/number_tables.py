"""The numbers as tables that a page draws: for each cell its text, and the number by which it sorts."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from cache.services.number_columns import (
    ABOUT,
    CAPTIONS,
    VERDICTS,
    Column,
    guidance_columns,
    influence_columns,
)
from cache.services.statistics import MethodNumbers
from fusion.statistics.comparison import cautions
from fusion.statistics.guidance import GuidanceStatistics, Line
from fusion.statistics.influence import Influence, RegionInfluence
from fusion.statistics.records import csv_text, records
from fusion.statistics.requirements import measured
from fusion.statistics.wording import (
    UNDEFINED,
    dominant_name,
    line_share_shown,
    percent,
    ratio_shown,
    shown,
    slope_shown,
)

Cell = tuple[str, float | str | None]
"""What is shown, and what it sorts by: ``None`` where the number is undefined."""
Pins = Sequence[tuple[str, tuple[int, int]]]
"""Letters of the pinned pixels with their (row, col)."""

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
        "cautions": [sentence for one in numbers for sentence in cautions(one.comparison)],
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
    for found in numbers.comparison.guidance:
        yield [
            _text(found.region),
            _text(numbers.scene.method_title),
            _number(found.n, 0),
            *_guidance_cells(found),
            _text(dominant_name(found.dominance, numbers.scene.modalities)),
            (ratio_shown(found.dominance), _sortable(found.dominance.ratio)),
            _number(found.dominance.difference),
            _share(found.dominance.pixels),
            _number(found.pearson),
            _number(found.spearman),
            _slope(found.line),
            (line_share_shown(found.line), _sortable(found.line.share)),
        ]


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

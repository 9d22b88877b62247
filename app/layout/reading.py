"""Beside the menu of pairs: how files are read, with axis and slice of volumes, windows, resampling and shift.

The browser makes the form (``assets/reading/form.mjs``) from what is said here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from app.ids import ReadingId
from app.layout.parts import SMALL, attributes
from cache.services.scenes import PairReading
from fusion.data.entries import plain_address
from fusion.decoders import AXES


def reading_menu(pair_menu: str, home: str) -> list[Component]:
    """Make the button that opens the form, and the stores of what it shows.

    Parameters
    ----------
    pair_menu : str
        Id of the menu of pairs.
    home : str
        Address of the first page.
    """
    words = "How these images are read: slice, intensities, registration"
    sign = html.Summary("▤", title=words, className=SMALL, **attributes(aria_label=words))
    form = html.Div(
        id=ReadingId.FORM, className="reading-form", **attributes(data_pair_menu=pair_menu, data_home=home)
    )
    return [
        dcc.Store(id=ReadingId.ASKED),
        dcc.Store(id=ReadingId.FACTS),
        dcc.Store(id=ReadingId.TAKEN),
        html.Details([sign, form], id=ReadingId.MENU, className="reading-menu"),
    ]


def reading_facts(
    found: PairReading, unequal: bool = False, colours: tuple[str, str] = ("", ""), not_finite: bool = False
) -> dict[str, Any]:
    """Return what the form shows.

    Parameters
    ----------
    found : PairReading
        The pair, how it is read, and what else could be chosen.
    unequal : bool
        Whether its images have different sizes as they are read.
    colours : tuple of str
        What became of the colours of each, see `fusion.Pair`.
    not_finite : bool
        Whether an image cannot be read because of NaN or infinite values.

    Returns
    -------
    dict
        The pair's ``address``, the ``base`` of it without a code, its ``modalities``, what is ``chosen`` (see
        `fusion.choices.Reading.described`), the `sliders`, whether there is a volume (``cut``), whether x2
        can be brought onto x1 by positions (``placed``), whether it is brought onto it (``resample``),
        ``unequal``, ``colours`` and ``not_finite``.
    """
    first, second = found.extents
    return {
        "address": found.entry.address,
        "base": plain_address(found.entry),
        "modalities": list(found.entry.modalities),
        "chosen": found.entry.reading.described(),
        "sliders": sliders(found),
        "cut": any(extent.sides is not None for extent in found.extents),
        "placed": first.placed and second.sides is not None,
        "resample": found.settled.resample,
        "unequal": unequal,
        "colours": list(colours),
        "not_finite": not_finite,
    }


def sliders(found: PairReading) -> list[dict[str, Any]]:
    """Return what can be paged through: each a ``kind``, ``of`` which inputs, a ``label``, ``count`` and ``value``."""
    first, second = found.extents
    across = AXES.index(found.settled.axis)
    slices = [0 if extent.sides is None else extent.sides[across] for extent in found.extents]
    if found.settled.resample and first.placed and second.sides is not None:
        slices[1] = 0  # it is cut where the first is
    frames = [extent.frames for extent in found.extents]
    names = found.entry.modalities
    return [
        *_of_kind("slices", "Slice", slices, found.settled.slices, names),
        *_of_kind("frames", "Frame", frames, found.settled.frames, names),
    ]


def _of_kind(
    kind: str, label: str, counts: Sequence[int], values: Sequence[int | None], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return one slider for both inputs where they go together, else one for each that has a choice."""
    own = [number for number in (0, 1) if counts[number] > 1]
    if not own:
        return []
    if len(own) == 1 or (counts[0] == counts[1] and values[0] == values[1]):
        place = own[0]
        return [
            {"kind": kind, "of": [0, 1], "label": label, "count": counts[place], "value": values[place] or 0}
        ]
    return [
        {
            "kind": kind,
            "of": [place],
            "label": f"{label} of {names[place]}",
            "count": counts[place],
            "value": values[place] or 0,
        }
        for place in own
    ]

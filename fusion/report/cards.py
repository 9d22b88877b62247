"""Model cards read with care: whatever a card lacks or has too much, a report can still be made of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fusion.report.table import ABSENT, TableRow

SEPARATOR = " → "
BRIGHTNESS_COLUMNS = ("background", "shift", "frame")
"""The numbers of `fusion.training.brightness.Brightness`."""
BRIGHTNESS_CAPTION = (
    "What a network adds to the brightness of its inputs (section 4.6 of the paper), on the validation images. "
    "Background: mean fused value where both inputs are 0. Shift: mean of y less mean of (x1 + x2) / 2 inside "
    "the head. Frame: mean |y| of the image's outermost pixels where both inputs are 0. Intensities, "
    "dimensionless; 0 is right."
)


@dataclass(frozen=True)
class BrightnessNumbers:
    """The brightness artefacts on a card (`fusion.training.brightness`); None where it has none, or none is defined."""

    background: float | None = None
    shift: float | None = None
    frame: float | None = None

    def shown(self) -> tuple[str, ...]:
        """Return the numbers for people, in the order of `BRIGHTNESS_COLUMNS`."""
        found = (getattr(self, name) for name in BRIGHTNESS_COLUMNS)
        return tuple(ABSENT if number is None else f"{number:.4f}".replace("-", "−") for number in found)

    def known(self) -> bool:
        """Whether there is any number."""
        return any(getattr(self, name) is not None for name in BRIGHTNESS_COLUMNS)


def part(card: Mapping[str, Any], *names: str) -> Any:
    """Return what lies under names within names, None where there is nothing."""
    found: Any = card
    for name in names:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def number(value: Any) -> float | None:
    """Return a finite number as it is, and None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def card_row(card: Mapping[str, Any]) -> TableRow:
    """Return a card's row of Table 1."""
    balance = (number(part(card, "recipe", name)) for name in ("lambda", "gamma_ssim", "gamma_l2"))
    names = ("ssim_mri", "ssim_pet", "l2_mri", "l2_pet")
    return TableRow(*balance, *(number(part(card, "validation", "losses", name)) for name in names))


def card_brightness(card: Mapping[str, Any]) -> BrightnessNumbers:
    """Return a card's brightness artefacts."""
    found = (number(part(card, "validation", "brightness", name)) for name in BRIGHTNESS_COLUMNS)
    return BrightnessNumbers(*found)


def card_facts(card: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return all that a card says as (name, value) in its own order; names within names are joined by an arrow."""
    return tuple(_facts(card, ""))


def card_summary(card: Mapping[str, Any]) -> str:
    """Return a card in one line: how, how long, where and when; empty where it says none of these."""
    recipe, steps, seconds = (
        part(card, "recipe", "name"),
        number(part(card, "steps")),
        number(card.get("seconds")),
    )
    found = [
        f"recipe {recipe}" if isinstance(recipe, str) else "",
        f"{steps:,.0f} steps" if steps is not None else "",
        _duration(seconds) if seconds is not None else "",
        *(str(card[name]) for name in ("device", "trained_at") if isinstance(card.get(name), str)),
        "continued from earlier weights" if card.get("started_from") else "",
        "interrupted" if card.get("interrupted") is True else "",
    ]
    return " · ".join(piece for piece in found if piece)


def known_problems(card: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a card says is known of its weights and should be read beside their results."""
    known = card.get("known")
    if isinstance(known, str):
        return (known,)
    return tuple(_text(one) for one in known) if isinstance(known, list) else ()


def _facts(card: Mapping[str, Any], before: str) -> Iterator[tuple[str, str]]:
    for key, value in card.items():
        name = before + ("λ" if key == "lambda" else str(key).replace("_", " "))
        if isinstance(value, Mapping):
            yield from _facts(value, name + SEPARATOR)
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value) or ABSENT
    return str(value)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"

"""Reports of trainings: card, curve, row of Table 1 and brightness of each network.

Cards are read with care: whatever a card lacks or has too much, a report can still be made of it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusion.errors import WeightsError
from fusion.methods.base import FIRST_VARIANT
from fusion.methods.registry import method_ids, method_specification
from fusion.report.table import ABSENT, PAPER_TABLE, TableRow
from fusion.training.curve import CurvePoint, curve_file, read_curve
from fusion.weights import FOLDER

NO_CURVE = "No loss curve was kept for these weights."

SEPARATOR = " → "

BRIGHTNESS_COLUMNS = ("background", "shift", "frame")
"""The numbers of `fusion.training.evaluation.Brightness`."""

BRIGHTNESS_CAPTION = (
    "What a network adds to the brightness of its inputs (section 4.6 of the paper), on the validation images. "
    "Background: mean fused value where both inputs are 0. Shift: mean of y less mean of (x1 + x2) / 2 inside "
    "the head. Frame: mean |y| of the image's outermost pixels where both inputs are 0. Intensities, "
    "dimensionless; 0 is right."
)


@dataclass(frozen=True)
class BrightnessNumbers:
    """The brightness artefacts on a card (`fusion.training.evaluation`); None where it has none, or none is defined."""

    background: float | None = None
    shift: float | None = None
    frame: float | None = None

    def shown(self) -> tuple[str, ...]:
        """Return the numbers for people, in the order of `BRIGHTNESS_COLUMNS`."""
        found = (getattr(self, name) for name in BRIGHTNESS_COLUMNS)
        return tuple(ABSENT if number is None else f"{number:.4f}".replace("-", "−") for number in found)

    def known(self) -> bool:
        """Return True if there is any number."""
        return any(getattr(self, name) is not None for name in BRIGHTNESS_COLUMNS)


@dataclass(frozen=True)
class NetworkReport:
    """All that is known of a network's training.

    Attributes
    ----------
    method_id, title, note : str
        See `fusion.methods.base.MethodSpecification`.
    has_weights : bool
        True where there is a file of weights.
    card : dict
        The model card as it stands; empty where there is none.
    summary : str
        The card in one line, perhaps empty.
    facts : tuple of (str, str)
        All that the card says.
    row : TableRow
        The network's row of Table 1; without numbers where there are no weights.
    paper : TableRow or None
        The paper's row, for the four networks of the paper.
    brightness : BrightnessNumbers
        Brightness artefacts on the validation images.
    curve : tuple of CurvePoint
        Loss curves (paper, Figure 3), empty where none was kept.
    remarks : tuple of str
        Sentences on what is missing, does not fit together, or is known of these weights.
    """

    method_id: str
    title: str
    note: str
    has_weights: bool
    card: dict[str, Any]
    summary: str
    facts: tuple[tuple[str, str], ...]
    row: TableRow
    paper: TableRow | None
    brightness: BrightnessNumbers
    curve: tuple[CurvePoint, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class TrainingReport:
    """The networks of a folder of weights, in the order of the registry."""

    folder: Path
    networks: tuple[NetworkReport, ...]


def training_report(folder: Path = FOLDER) -> TrainingReport:
    """Read what trainings left in a folder: ``<id>.safetensors``, ``<id>.json`` and ``<id>.curve.csv``.

    Nothing that these files lack or hold breaks the report: it says so in `NetworkReport.remarks`.

    Parameters
    ----------
    folder : Path
        Where `fusion.weights.save_weights` wrote to.
    """
    return TrainingReport(folder, tuple(network_report(id, folder) for id in trained_ids()))


def network_report(method_id: str, folder: Path) -> NetworkReport:
    """Read what one training left behind."""
    specification = method_specification(method_id)
    weights = folder / f"{method_id}.safetensors"
    card, card_remarks = _card(folder / f"{method_id}.json")
    curve, curve_remarks = _curve(curve_file(folder, method_id))
    has_weights = weights.is_file()
    if has_weights:
        remarks = [*card_remarks, *_mismatch(weights, card), *curve_remarks, *known_problems(card)]
        if card and not card_brightness(card).known():
            remarks.append("The card has no brightness artefacts.")
    else:
        remarks = [
            f"There are no weights of this network. Make them with: python -m fusion train {method_id}"
        ]
    return NetworkReport(
        method_id=method_id,
        title=specification.title,
        note=specification.note,
        has_weights=has_weights,
        card=card,
        summary=card_summary(card),
        facts=card_facts(card),
        row=card_row(card) if has_weights else TableRow(),
        paper=PAPER_TABLE.get(method_id),
        brightness=card_brightness(card) if has_weights else BrightnessNumbers(),
        curve=curve,
        remarks=tuple(remarks),
    )


def _card(path: Path) -> tuple[dict[str, Any], list[str]]:
    if not path.is_file():
        return {}, ["There is no model card beside these weights."]
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        card = None
    if not isinstance(card, dict):
        return {}, [f"The model card {path.name} cannot be read."]
    return card, []


def _curve(path: Path) -> tuple[tuple[CurvePoint, ...], list[str]]:
    try:
        points = read_curve(path)
    except (OSError, ValueError):
        return (), [f"The loss curve {path.name} cannot be read."]
    return tuple(points), [] if points else [NO_CURVE]


def _mismatch(weights: Path, card: dict[str, Any]) -> list[str]:
    """Say so if a card was written for other weights than those beside it."""
    if "sha256" not in card or card["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest():
        return []
    return ["The model card was written for other weights than those beside it: its numbers are not theirs."]


def trained_ids() -> tuple[str, ...]:
    """Return the ids of all methods that have weights, or should have."""
    return tuple(id for id in method_ids() if method_specification(id).trained)


def fused_ids() -> tuple[str, ...]:
    """Return the ids of the methods whose fused images are shown.

    All networks, and what they are compared with; not the variants of the latter, which fuse alike and differ
    in their derivatives alone.
    """
    return tuple(
        id
        for id in method_ids()
        if method_specification(id).trained or method_specification(id).order < FIRST_VARIANT
    )


def without_curve(report: TrainingReport) -> str:
    """Return a sentence that names the networks whose loss curve was not kept; empty where all have one."""
    titles = [network.title for network in report.networks if not network.curve]
    return f"{', '.join(titles)}: {NO_CURVE[:1].lower()}{NO_CURVE[1:]}" if titles else ""


def checked_folder(folder: Path) -> Path:
    """Return a folder that has weights of at least one network.

    Raises
    ------
    WeightsError
        If it has none, or is none.
    """
    if not folder.is_dir():
        raise WeightsError(
            f"{folder} is not a folder. Give one that `python -m fusion train -o` has written."
        )
    if not any((folder / f"{id}.safetensors").is_file() for id in trained_ids()):
        raise WeightsError(
            f"{folder} has no weights of any network; looked for {', '.join(trained_ids())} (.safetensors). "
            f"Make them with: python -m fusion train -o {folder}"
        )
    return folder


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

"""Rules that a network must keep, from a TOML file."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fusion.errors import RulesError
from fusion.saliency.window import Box
from fusion.statistics.guidance import Dominant

SIGNS = ("positive", "negative")
GRAY_LEVELS = 64
"""The farthest that the reach of linearity is looked for."""


@dataclass(frozen=True)
class RegionRule:
    """A rule of one region.

    Attributes
    ----------
    name : str
        The region's.
    box : Box, optional
        Where it is; the head unless given.
    pair : str
        The only pair that it is of, or nothing.
    sign : tuple of str
        The sign of the mean guidance of x1 and of x2: ``positive``, ``negative`` or nothing.
    dominant : str
        The input that dominates there: ``x1``, ``x2``, ``neither`` or nothing.
    """

    name: str
    box: Box | None = None
    pair: str = ""
    sign: tuple[str, str] = ("", "")
    dominant: str = ""


@dataclass(frozen=True)
class Rules:
    """Rules of a network. What is ``None`` is not asked.

    Attributes
    ----------
    support : tuple of int, optional
        The farthest that x1 and x2 may reach, in pixels.
    air : float, optional
        The most of mean |y| outside of the head.
    first_kept, second_kept, reversal : float, optional
        The least of both of the AND gate's shares, and the most of reversals (`fusion.statistics.behaviour`).
    reach : int, optional
        The least median reach of linearity, in gray levels of 255.
    difference : float, optional
        The most that two runs may differ, in fused values and guidance.
    golden : float, optional
        The most that guidance may differ from the stored one, of its largest value.
    regions : tuple of RegionRule
        Rules of regions.
    """

    support: tuple[int, int] | None = None
    air: float | None = None
    first_kept: float | None = None
    second_kept: float | None = None
    reversal: float | None = None
    reach: int | None = None
    difference: float | None = None
    golden: float | None = None
    regions: tuple[RegionRule, ...] = field(default=())


_KEYS: dict[str, tuple[str, ...]] = {
    "support": ("most",),
    "air": ("most",),
    "behaviour": ("first_kept", "second_kept", "reversal"),
    "linearity": ("gray_levels",),
    "determinism": ("most",),
    "golden": ("tolerance",),
    "region": ("name", "box", "pair", "sign", "dominant"),
}


def read_rules(path: Path) -> Rules:
    """Read rules.

    Raises
    ------
    RulesError
        If the file cannot be read, or something in it is no rule; it says which.
    """
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RulesError(f"{path}: this is not a TOML file that can be read ({error}).") from error
    try:
        return _rules(read)
    except _NoRule as error:
        raise RulesError(f"{path}: {error}.") from error


class _NoRule(Exception):
    pass


def _rules(read: Mapping[str, Any]) -> Rules:
    _check_keys("", read, tuple(_KEYS))
    regions = read.get("region", [])
    if not isinstance(regions, list):
        raise _NoRule("regions are written as [[region]]")
    for table in _KEYS:
        if table != "region" and table in read:
            if not isinstance(read[table], dict):
                raise _NoRule(f"[{table}] is a table")
            _check_keys(f"{table}.", read[table], _KEYS[table])
    most = read.get("support", {}).get("most")
    if type(most) is int:
        most = [most, most]
    if most is not None and not (
        isinstance(most, list) and len(most) == 2 and all(type(one) is int and one >= 0 for one in most)
    ):
        raise _NoRule("support.most is a number of pixels, or two: of x1 and x2")
    levels = _number(read, "linearity", "gray_levels", GRAY_LEVELS)
    return Rules(
        support=None if most is None else (most[0], most[1]),
        air=_number(read, "air", "most"),
        first_kept=_number(read, "behaviour", "first_kept"),
        second_kept=_number(read, "behaviour", "second_kept"),
        reversal=_number(read, "behaviour", "reversal", 1),
        reach=None if levels is None else int(levels),
        difference=_number(read, "determinism", "most"),
        golden=_number(read, "golden", "tolerance"),
        regions=tuple(_region(entry) for entry in regions),
    )


def _check_keys(before: str, found: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise _NoRule(f"there is no rule {before}{key}; {hint}")


def _number(read: Mapping[str, Any], table: str, key: str, most: float = 1e6) -> float | None:
    value = read.get(table, {}).get(key)
    if value is not None and not (type(value) in (int, float) and 0 <= value <= most):
        raise _NoRule(f"{table}.{key} is a number from 0 to {most:g}, not {str(value)[:40]!r}")
    return value


def _region(entry: Any) -> RegionRule:
    if not isinstance(entry, dict):
        raise _NoRule("regions are written as [[region]]")
    _check_keys("region.", entry, _KEYS["region"])
    name, pair, dominant = (str(entry.get(key, "")) for key in ("name", "pair", "dominant"))
    box, sign = entry.get("box"), entry.get("sign", ["", ""])
    if not name:
        raise _NoRule("each region has a name")
    if box is not None and not (
        isinstance(box, list) and len(box) == 4 and all(type(one) is int for one in box)
    ):
        raise _NoRule(f"the box of {name} is [top, left, bottom, right], without its last row and column")
    if not isinstance(sign, list) or len(sign) != 2 or any(one not in ("", *SIGNS) for one in sign):
        raise _NoRule(f'the sign of {name} has two of {", ".join(SIGNS)} and "": of x1 and of x2')
    if dominant and dominant not in (Dominant.X1, Dominant.X2, Dominant.NEITHER):
        raise _NoRule(f"what dominates in {name} is x1, x2 or neither")
    return RegionRule(name, None if box is None else Box(*box), pair, (sign[0], sign[1]), dominant)

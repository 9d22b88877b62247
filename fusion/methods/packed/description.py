"""Descriptions of methods in folders: what stands in the TOML file beside a network."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusion.errors import PackedMethodError
from fusion.methods.adapting import Adaptation, Output, Sizes

MOST_BYTES = 65_536
MOST_LETTERS = 400
LARGEST = 65_536
"""Pixels, channels."""


@dataclass(frozen=True)
class Description:
    """A network's description.

    Attributes
    ----------
    title, note : str
        See `fusion.methods.base.MethodSpecification`.
    adaptation : Adaptation
        What the network takes and returns. Only this changes values.
    modalities : tuple of str
        What its two images are, x1 first; may be empty.
    measured : dict
        What packing has found: radius, path, cost, digest.
    """

    title: str
    note: str = ""
    adaptation: Adaptation = dataclasses.field(default_factory=Adaptation)
    modalities: tuple[str, ...] = ()
    measured: dict[str, Any] = dataclasses.field(default_factory=dict)

    def canonical(self) -> str:
        """Return what changes values as JSON, the same however it is written."""
        chosen = dataclasses.asdict(self.adaptation)
        if chosen["output_range"] is None:
            chosen["output_range"] = chosen["value_range"]
        return json.dumps(chosen, sort_keys=True, separators=(",", ":"))

    def weights_id(self, model: bytes) -> str:
        """Return the sha256 of a model file and of what changes values."""
        return hashlib.sha256(hashlib.sha256(model).digest() + self.canonical().encode()).hexdigest()


def read_description(path: Path) -> Description:
    """Read a description.

    Raises
    ------
    PackedMethodError
        With the key that is wrong, and what it may be.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PackedMethodError(f"{path}: a description has up to {MOST_BYTES:,} bytes.")
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise PackedMethodError(f"{path}: this is not a TOML file that can be read ({error}).") from error
    try:
        return description_of(read, path.stem)
    except PackedMethodError as error:
        raise PackedMethodError(f"{path}: {error}") from error


def description_of(tables: dict[str, Any], name: str) -> Description:
    """Return the description that tables say, as a TOML file has them.

    Parameters
    ----------
    tables : dict
        May have anything in it.
    name : str
        The title where they have none.

    Raises
    ------
    PackedMethodError
        With the key that is wrong, and what it may be.
    """
    try:
        return _Tables(tables).description(name)
    except (_WrongKey, ValueError) as error:
        raise PackedMethodError(f"{error}.") from error


class _WrongKey(Exception):
    pass


KNOWN: dict[str, tuple[str, ...]] = {
    "": ("title", "note", "inputs", "output", "sizes", "measured"),
    "inputs": ("order", "names", "channels", "range", "mean", "std"),
    "output": ("index", "channel", "range"),
    "sizes": ("multiple", "minimum", "fixed", "batch"),
}
"""Keys by their table."""
_ORDERS = {("x1", "x2"): False, ("x2", "x1"): True}


class _Tables:
    """The tables of a description, each key taken with a check."""

    def __init__(self, read: dict[str, Any]) -> None:
        self._read = read
        for table, keys in KNOWN.items():
            for key in self._table(table):
                if key not in keys:
                    near = difflib.get_close_matches(key, keys, n=1)
                    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(keys)}"
                    raise _WrongKey(f"there is no key {_named(table, key)}{hint}")

    def _table(self, table: str) -> dict[str, Any]:
        found = self._read.get(table, {}) if table else self._read
        if not isinstance(found, dict):
            raise _WrongKey(f"[{table}] is a table")
        return found

    def _take(self, table: str, key: str, default: Any, fits: Callable[[Any], bool], form: str) -> Any:
        value = self._table(table).get(key, default)
        if value is not default and not fits(value):
            raise _WrongKey(f"{_named(table, key)} is {form}, not {str(value)[:60]!r}")
        return value

    def description(self, name: str) -> Description:
        measured = self._take("", "measured", {}, lambda value: isinstance(value, dict), "a table")
        return Description(
            title=self._take("", "title", name, _is_text, f"a text of 1 to {MOST_LETTERS} letters"),
            note=self._take("", "note", "", _is_text, f"a text of up to {MOST_LETTERS} letters"),
            adaptation=self._adaptation(),
            modalities=tuple(self._take("inputs", "names", (), _are_texts, "two names, that of x1 first")),
            measured=measured,
        )

    def _adaptation(self) -> Adaptation:
        order = self._take("inputs", "order", ["x1", "x2"], _is_order, "['x1', 'x2'] or ['x2', 'x1']")
        span = self._take("inputs", "range", [0.0, 1.0], _is_range, "two numbers, that of black first")
        out = self._take("output", "range", None, _is_range, "two numbers, that of black first")
        channel = self._take("output", "channel", "mean", _is_channel, "'mean', 'luma' or a number from 0")
        batch = self._take("sizes", "batch", 0, lambda value: value == 1, "1, or left out")
        return Adaptation(
            channels=self._take("inputs", "channels", 1, _is_count, "a whole number from 1"),
            value_range=(float(span[0]), float(span[1])),
            output=self._output(),
            sizes=self._sizes(),
            mean=tuple(map(float, self._take("inputs", "mean", (), _are_numbers, "a list of numbers"))),
            std=tuple(map(float, self._take("inputs", "std", (), _are_numbers, "a list of numbers"))),
            output_range=None if out is None else (float(out[0]), float(out[1])),
            swapped=_ORDERS[order[0], order[1]],
            channel=channel,
            least=self._take("sizes", "minimum", 1, _is_count, "a number of pixels"),
            single=batch == 1,
        )

    def _output(self) -> Output:
        index = self._take("output", "index", None, _is_index, "a place from 0, a name, or a list of these")
        return tuple(index) if isinstance(index, list) else index

    def _sizes(self) -> Sizes:
        multiple = self._take("sizes", "multiple", None, _is_count, "a number of pixels")
        fixed = self._take("sizes", "fixed", None, _are_sides, "a height and a width")
        if multiple is not None and fixed is not None:
            raise _WrongKey("sizes.multiple and sizes.fixed exclude each other")
        return tuple(fixed) if fixed is not None else multiple


def _named(table: str, key: str) -> str:
    return f"{table}.{key}" if table else key


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MOST_LETTERS and value.isprintable() and value != ""


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_text, value))


def _is_order(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value) and tuple(value) in _ORDERS


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= 64 and all(map(_is_number, value))


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[1] > value[0]


def _is_count(value: Any) -> bool:
    return type(value) is int and 1 <= value <= LARGEST


def _are_sides(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_count, value))


def _is_place(value: Any) -> bool:
    return (type(value) is int and 0 <= value < 1000) or _is_text(value)


def _is_index(value: Any) -> bool:
    return _is_place(value) or (
        isinstance(value, list) and 0 < len(value) <= 8 and all(map(_is_place, value))
    )


def _is_channel(value: Any) -> bool:
    return value in ("mean", "luma") if isinstance(value, str) else type(value) is int and 0 <= value < 1000

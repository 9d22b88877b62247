"""Strokes of a brush: a change of the inputs that somebody has painted, as a short text and as numbers.

A change is its strokes in their order. A stroke touches one input, does one thing to each pixel that it covers, once
however often it passes, and covers what its stamps cover: discs of one size at the places that the pointer went
through. So a link can carry it, and it means the same on any image. A code is its strokes with ``~`` between them, each

    <input><operation><size>.<strength>.<row>.<column>[.<moves>]

with the input ``1`` or ``2``; the operation ``s`` (set to `strength` gray levels of 255), ``a`` (add so many, below 0
too), ``e`` (erase: go `strength` percent of the way back to the image) or ``b`` (blur: so much of the way to the mean
around); the size, a stamp's diameter in pixels; the first stamp's place; and two letters of base64url for each further
stamp, how many rows and columns it lies from the one before, plus 32. ``assets/change/strokes.mjs`` is its twin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fusion.errors import ChangeError
from fusion.saliency.window import Box, Pixel

LARGEST_STAMP = 64
"""Diameter, pixels."""
LONGEST_CODE = 4000
"""Letters: what a link has room for, some 1,900 stamps."""
LEVELS = 255
"""Gray levels from black to white of a scaled input."""
FARTHEST = 32
"""Rows or columns that a move can go back; forward it is one less."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_STROKE = re.compile(
    r"([12])([saeb])([1-9]\d?)\.(-?\d{1,3})\.(\d{1,6})\.(\d{1,6})(?:\.((?:[A-Za-z0-9_-]{2})+))?", re.ASCII
)
_NO_CODE = (
    "This is not a change that a brush has painted. Paint it again, or ask whoever sent the link for it."
)


class Operation(StrEnum):
    """The things that a stroke does to the pixels that it covers; the values are part of codes."""

    SET = "s"
    ADD = "a"
    ERASE = "e"
    BLUR = "b"


STRENGTHS = {
    Operation.SET: (0, LEVELS),
    Operation.ADD: (-LEVELS, LEVELS),
    Operation.ERASE: (1, 100),
    Operation.BLUR: (1, 100),
}
"""Least and greatest strength of each operation: gray levels of the first two, percent of the others."""


@dataclass(frozen=True)
class Stroke:
    """One stroke.

    Attributes
    ----------
    input : int
        0 for x1, 1 for x2.
    operation : Operation
        The thing that is done.
    size : int
        Diameter of a stamp, 1 to `LARGEST_STAMP` pixels.
    strength : int
        See `STRENGTHS`.
    stamps : tuple of (row, column)
        At least one, 0-based; a stamp may lie outside the image, where there is nothing to change.
    """

    input: int
    operation: Operation
    size: int
    strength: int
    stamps: tuple[Pixel, ...]


def read_strokes(code: str) -> tuple[Stroke, ...]:
    """Read a code; an empty one has no strokes.

    Raises
    ------
    ChangeError
        If it is none, or too long.
    """
    if len(code) > LONGEST_CODE:
        raise ChangeError(f"A change has up to {LONGEST_CODE} letters, this one has {len(code)}. Paint less.")
    return tuple(map(_read_stroke, code.split("~"))) if code else ()


def _read_stroke(text: str) -> Stroke:
    found = _STROKE.fullmatch(text)
    if found is None:
        raise ChangeError(_NO_CODE)
    which, operation, size, strength, row, column, moves = found.groups()
    kind = Operation(operation)
    least, most = STRENGTHS[kind]
    if int(size) > LARGEST_STAMP or not least <= int(strength) <= most:
        raise ChangeError(_NO_CODE)
    stamps = [(int(row), int(column))]
    for down, right in zip((moves or "")[::2], (moves or "")[1::2], strict=True):
        above, left = stamps[-1]
        stamps.append((above + _LETTERS.index(down) - FARTHEST, left + _LETTERS.index(right) - FARTHEST))
    return Stroke(int(which) - 1, kind, int(size), int(strength), tuple(stamps))


def change_of(strokes: Sequence[Stroke], images: NDArray[np.floating]) -> NDArray[np.float64]:
    """Paint strokes on the inputs, and return what that has changed.

    Parameters
    ----------
    strokes : sequence of Stroke
        In their order.
    images : ndarray, shape (2, H, W)
        The scaled inputs, x1 first, 0 to 1.

    Returns
    -------
    ndarray of float64, shape (2, H, W)
        Δ for `fusion.response`, exactly 0 where nothing is changed. The changed inputs are not clipped.
    """
    original = images.astype(np.float64)
    painted = original.copy()
    for stroke in strokes:
        area, covered = _covered(stroke, (images.shape[1], images.shape[2]))
        if area is None:
            continue
        part = painted[stroke.input, area.rows(), area.columns()]
        wanted = _wanted(stroke, painted[stroke.input], original[stroke.input], area)
        part[covered] = wanted[covered]
    return painted - original


def _wanted(
    stroke: Stroke, painted: NDArray[np.float64], original: NDArray[np.float64], area: Box
) -> NDArray[np.float64]:
    """Return what a stroke makes of each pixel of an area that it covers."""
    part = painted[area.rows(), area.columns()]
    if stroke.operation is Operation.SET:
        return np.full(part.shape, stroke.strength / LEVELS)
    if stroke.operation is Operation.ADD:
        return part + stroke.strength / LEVELS
    share = stroke.strength / 100
    if stroke.operation is Operation.ERASE:
        return (1 - share) * part + share * original[area.rows(), area.columns()]
    return (1 - share) * part + share * _means(painted, area, max(1, stroke.size // 8))


def _means(image: NDArray[np.float64], area: Box, half: int) -> NDArray[np.float64]:
    """Return the means of the squares around the pixels of an area, of what lies in the image."""
    height, width = area.shape
    padded = np.pad(image, half)
    inside = np.pad(np.ones_like(image), half)
    total, count = np.zeros(area.shape), np.zeros(area.shape)
    for down in range(area.top, area.top + 2 * half + 1):
        for right in range(area.left, area.left + 2 * half + 1):
            place = slice(down, down + height), slice(right, right + width)
            total += padded[place]
            count += inside[place]
    return total / count


def _covered(stroke: Stroke, shape: tuple[int, int]) -> tuple[Box | None, NDArray[np.bool_]]:
    """Return the part of an image that holds a stroke, ``None`` where none does, and which of its pixels it covers."""
    size, above = stroke.size, stroke.size // 2
    rows, columns = zip(*stroke.stamps, strict=True)
    # Codes may lead anywhere, and so far that nothing could hold all of it.
    top, bottom = (min(max(edge, 0), shape[0]) for edge in (min(rows) - above, max(rows) - above + size))
    left, right = (
        min(max(edge, 0), shape[1]) for edge in (min(columns) - above, max(columns) - above + size)
    )
    covered = np.zeros((bottom - top, right - left), dtype=np.bool_)
    if not covered.size:
        return None, covered
    stamp = stamp_of(size)
    for row, column in stroke.stamps:
        first, across = row - above - top, column - above - left
        skipped, over = max(-first, 0), max(-across, 0)
        part = covered[first + skipped : max(first + size, 0), across + over : max(across + size, 0)]
        part |= stamp[skipped : skipped + part.shape[0], over : over + part.shape[1]]
    return Box(top, left, bottom, right), covered


def stamp_of(size: int) -> NDArray[np.bool_]:
    """Return a disc of so many pixels across, (size, size): those whose middles are within size / 2 of its middle."""
    offsets = 2 * np.arange(size) - (size - 1)
    found: NDArray[np.bool_] = offsets[:, None] ** 2 + offsets**2 <= size**2
    return found

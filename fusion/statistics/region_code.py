"""Regions as short texts, for links and for the browser.

A code is ``b`` and boxes ``top.left.bottom.right`` with ``_`` between them (rows top ≤ row < bottom, columns
left ≤ column < right), where few boxes make the region; else ``r`` and the base64url of run lengths. Equal regions have
equal codes: ``assets/regions/code.mjs`` writes the same texts, which a test holds both to.
"""

from __future__ import annotations

import base64
import binascii
import re

import numpy as np
from numpy.typing import NDArray

from fusion.errors import RegionError

MOST_BOXES = 8
LONGEST_CODE = 2_000_000
"""Letters; that of a random mask of 1,000,000 pixels has about 700,000."""

MOST_GROUPS = 5
"""Of 7 bits, that make the length of a run."""

_BOXES = re.compile(r"b(?:\d{1,6}(?:\.\d{1,6}){3}(?:_\d{1,6}(?:\.\d{1,6}){3}){0,7})?", re.ASCII)
_RUNS = re.compile(r"r[A-Za-z0-9_-]*", re.ASCII)
_NO_CODE = "This is not the code of a region. Draw the region again, or import it as a PNG mask."


def encode_mask(mask: NDArray[np.bool_]) -> str:
    """Return the code of a region.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        True inside.

    Returns
    -------
    str
        Letters, digits and ``.``, ``_``, ``-`` only.
    """
    boxes = _boxes(mask)
    if boxes is not None:
        return "b" + "_".join(".".join(map(str, box)) for box in boxes)
    ends = np.flatnonzero(np.diff(mask.ravel())) + 1
    runs = np.diff(ends, prepend=0, append=mask.size)
    if mask.flat[0]:
        runs = np.insert(runs, 0, 0)
    packed = b"".join(_varint(int(run)) for run in runs)
    return "r" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def decode_mask(code: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the region that a code means.

    Parameters
    ----------
    code : str
        Of `encode_mask`, or anything at all.
    shape : tuple of int
        (H, W) of the images.

    Returns
    -------
    ndarray of bool, shape (H, W)

    Raises
    ------
    RegionError
        If it is no code, or that of images of another size.
    """
    if len(code) <= LONGEST_CODE and _BOXES.fullmatch(code):
        return _mask_of_boxes(code, shape)
    if len(code) <= LONGEST_CODE and _RUNS.fullmatch(code):
        return _mask_of_runs(code, shape)
    raise RegionError(_NO_CODE)


def require_code(code: str) -> None:
    """Refuse a text that is not the code of a region of any images.

    Raises
    ------
    RegionError
        If it is none.
    """
    if len(code) <= LONGEST_CODE and _BOXES.fullmatch(code):
        boxes = [tuple(map(int, box.split("."))) for box in filter(None, code[1:].split("_"))]
        if all(top < bottom and left < right for top, left, bottom, right in boxes):
            return
    elif len(code) <= LONGEST_CODE and _RUNS.fullmatch(code) and _runs(code).sum() > 0:
        return
    raise RegionError(_NO_CODE)


def _boxes(mask: NDArray[np.bool_]) -> list[tuple[int, int, int, int]] | None:
    """Cut a region into boxes, each from its first pixel to the right and then down; None for too many."""
    rest = mask.copy()
    width = mask.shape[1]
    found: list[tuple[int, int, int, int]] = []
    while rest.any():
        if len(found) == MOST_BOXES:
            return None
        top, left = divmod(int(rest.argmax()), width)
        outside = ~rest[top, left:]
        right = left + (int(outside.argmax()) if outside.any() else width - left)
        broken = np.flatnonzero(~rest[top:, left:right].all(axis=1))
        bottom = top + int(broken[0]) if broken.size else mask.shape[0]
        rest[top:bottom, left:right] = False
        found.append((top, left, bottom, right))
    return found


def _mask_of_boxes(code: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, dtype=np.bool_)
    for box in filter(None, code[1:].split("_")):
        top, left, bottom, right = map(int, box.split("."))
        if not (top < bottom <= shape[0] and left < right <= shape[1]):
            raise RegionError(
                f"The box {box} (top.left.bottom.right) does not fit images of {shape[0]}×{shape[1]} pixels "
                "(height × width)."
            )
        mask[top:bottom, left:right] = True
    return mask


def _mask_of_runs(code: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    runs = _runs(code)
    if runs.sum() != shape[0] * shape[1]:
        raise RegionError(
            f"The region belongs to images of another size than {shape[0]}×{shape[1]} pixels (height × width)."
        )
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(shape)


def _varint(number: int) -> bytes:
    """Write a number in groups of 7 bits, the lowest first; the eighth bit says that more follow (LEB128)."""
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _runs(code: str) -> NDArray[np.int64]:
    """Return the lengths of the runs, the first one outside; the sum of all fits an int64."""
    text = code[1:]
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise RegionError(_NO_CODE) from None
    groups = np.frombuffer(packed, dtype=np.uint8)
    ends = np.flatnonzero(groups < 128)
    lengths = np.diff(ends, prepend=-1)
    if (ends[-1] + 1 if ends.size else 0) != groups.size or (lengths > MOST_GROUPS).any():
        raise RegionError(_NO_CODE)
    if not ends.size:
        return np.zeros(0, dtype=np.int64)
    starts = ends - lengths + 1
    place = np.arange(groups.size) - np.repeat(starts, lengths)
    return np.add.reduceat((groups & 127).astype(np.int64) << (7 * place), starts)

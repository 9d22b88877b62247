"""Messages between a process and that of a foreign network: JSON and raw numbers, nothing that would be unpickled."""

from __future__ import annotations

import json
import math
import os
import select
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 2**33
_HEAD = struct.Struct("<Q")
_DTYPES = frozenset({"float32", "float64"})


class Ended(Exception):
    """The other side has ended, or says what no such process says."""


class TooLate(Exception):
    """The other side has not answered in time."""


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes
    ----------
    kind : str
        What it is about.
    facts : dict
        Plain values.
    arrays : sequence of ndarray
        float32 or float64, of any shapes.
    """

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)
    arrays: Sequence[NDArray[np.floating]] = ()


def send(place: int, message: Message) -> None:
    """Write a message to a file descriptor.

    Raises
    ------
    Ended
        If nobody reads it.
    """
    arrays = [np.ascontiguousarray(array) for array in message.arrays]
    described = [[str(array.dtype), array.shape] for array in arrays]
    head = json.dumps({"kind": message.kind, "facts": message.facts, "arrays": described}).encode()
    try:
        _write(place, _HEAD.pack(len(head)))
        _write(place, head)
        for array in arrays:
            _write(place, array.tobytes())
    except OSError as error:
        raise Ended(str(error)) from error


def _write(place: int, part: bytes) -> None:
    rest = memoryview(part)
    while rest:
        rest = rest[os.write(place, rest) :]


def receive(place: int, seconds: float | None = None) -> Message:
    """Read a message from a file descriptor.

    Parameters
    ----------
    place : int
        The descriptor.
    seconds : float, optional
        How long to wait for all of it.

    Raises
    ------
    TooLate
        If it is not there by then.
    Ended
        If the other side has ended, or it is no message.
    """
    until = None if seconds is None else time.monotonic() + seconds
    (length,) = _HEAD.unpack(_read(place, _HEAD.size, until))
    if length > 2**24:
        raise Ended("a message is too long")
    try:
        head = json.loads(bytes(_read(place, length, until)))
        shapes = [(str(dtype), tuple(map(int, shape))) for dtype, shape in head["arrays"]]
        if any(dtype not in _DTYPES or min(shape, default=0) < 0 for dtype, shape in shapes):
            raise ValueError("no arrays of decimals")
        sizes = [math.prod(shape) * np.dtype(dtype).itemsize for dtype, shape in shapes]
        if sum(sizes) > MOST_BYTES:
            raise ValueError("too many numbers")
        arrays = [
            np.frombuffer(_read(place, size, until), dtype=dtype).reshape(shape)
            for size, (dtype, shape) in zip(sizes, shapes, strict=True)
        ]
        return Message(str(head["kind"]), dict(head["facts"]), arrays)
    except (ValueError, KeyError, TypeError) as error:
        raise Ended(f"no message: {error}") from error


def _read(place: int, size: int, until: float | None) -> bytearray:
    found = bytearray(size)
    view, done = memoryview(found), 0
    while done < size:
        if until is not None and not select.select([place], [], [], max(0.0, until - time.monotonic()))[0]:
            raise TooLate
        got = os.readv(place, [view[done:]])
        if got == 0:
            raise Ended("the other side has closed")
        done += got
    return found

"""Values read from files, remembered for as long as these stay as they were."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from cachetools import LRUCache

Value = TypeVar("Value")
Signature = tuple[int, ...]

SETTLED_NS = 2_000_000_000
"""Nanoseconds that a file must have been left alone to be remembered.

A second change within one tick of the file system's clock (up to 2 s) would leave no trace in its times.
"""


class FileMemo(Generic[Value]):
    """Values read from groups of files, the least recently used dropped first. Safe for several threads.

    Parameters
    ----------
    capacity : int
        How much is kept, in the unit of `cost`; without it, how many values. A value of a higher cost than
        this is not kept at all.
    cost : callable
        What a value takes up.
    """

    def __init__(self, capacity: int, cost: Callable[[Value], int] = lambda value: 1) -> None:
        self._values: LRUCache[Hashable, tuple[tuple[Signature, ...], Value]] = LRUCache(
            capacity, lambda remembered: cost(remembered[1])
        )
        self._lock = Lock()

    def get_or_load(self, files: Sequence[Path], load: Callable[[], Value], choice: Hashable = None) -> Value:
        """Return the remembered value of some files, or load it.

        Parameters
        ----------
        files : sequence of Path
            All files that the value depends on.
        load : callable
            Loads the value; what it raises is not remembered.
        choice : hashable
            What else it depends on.
        """
        key = tuple(files), choice
        before = _signatures(files)
        if before is not None:
            with self._lock:
                known = self._values.get(key)
            if known is not None and known[0] == before:
                return known[1]
        value = load()
        if before is not None and before == _signatures(files):
            # A value that costs more than all that there is room for is refused.
            with self._lock, contextlib.suppress(ValueError):
                self._values[key] = before, value
        return value


def signature(path: Path) -> Signature | None:
    """Return what changes whenever a file or folder does; ``None`` if it is not there, or just changed."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    now = time.time_ns()
    if abs(now - found.st_mtime_ns) < SETTLED_NS or abs(now - found.st_ctime_ns) < SETTLED_NS:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _signatures(files: Sequence[Path]) -> tuple[Signature, ...] | None:
    found = tuple(signature(file) for file in files)
    return None if None in found else tuple(one for one in found if one is not None)

"""Remembers what was read from files, for as long as the files stay as they were."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

Value = TypeVar("Value")
Signature = tuple[int, ...]

SETTLED_NS = 2_000_000_000
"""How long a file must have been left alone to be remembered.

A second change within one tick of the file system's clock (up to 2 s) would leave no trace in its times.
"""


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
        self._capacity = capacity
        self._cost = cost
        self._values: OrderedDict[tuple[Path, ...], tuple[tuple[Signature, ...], Value]] = OrderedDict()
        self._lock = Lock()

    def get_or_load(self, files: Sequence[Path], load: Callable[[], Value]) -> Value:
        """Return the remembered value of these files, or load it; what `load` raises is not remembered."""
        key = tuple(files)
        before = _signatures(key)
        if before is not None:
            with self._lock:
                known = self._values.get(key)
                if known is not None and known[0] == before:
                    self._values.move_to_end(key)
                    return known[1]
        value = load()
        if before is not None and before == _signatures(key):
            with self._lock:
                self._values[key] = (before, value)
                self._values.move_to_end(key)
                while sum(self._cost(kept) for _, kept in self._values.values()) > self._capacity:
                    self._values.popitem(last=False)
        return value


class FolderListing:
    """The files of a folder (not of folders in it), read again only if some were added, removed or renamed.

    Parameters
    ----------
    folder : Path
        May disappear and come back; while it is away it counts as empty, with a logged warning.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: tuple[Signature, tuple[Path, ...]] | None = None
        self._missing = False

    def files(self) -> tuple[Path, ...]:
        """Return the files of the folder, without hidden ones."""
        before, known = signature(self.folder), self._known
        if before is not None and known is not None and known[0] == before:
            return known[1]
        try:
            files = tuple(
                path for path in self.folder.iterdir() if not path.name.startswith(".") and path.is_file()
            )
        except OSError as error:
            if not self._missing:
                logger.warning("The data folder %s cannot be read (%s): it has no pairs.", self.folder, error)
            self._missing = True
            return ()
        self._missing = False
        if before is not None:
            self._known = (before, files)
        return files


def _signatures(files: Sequence[Path]) -> tuple[Signature, ...] | None:
    found = tuple(signature(file) for file in files)
    return None if None in found else tuple(one for one in found if one is not None)

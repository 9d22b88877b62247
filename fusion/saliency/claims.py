"""Claims on pieces of work, by which processes of one machine share them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from fusion.errors import AtlasError

logger = logging.getLogger(__name__)

_OF_THE_FILE: int | None = getattr(fcntl, "F_OFD_SETLK", None)
"""Locks of an open file (Linux). Those of `lockf` are a process's, which loses them with any of its open files."""
_LAYOUT = "hhqqi4x"
"""Of C's struct flock on Linux: kind, whence, first byte, bytes, process."""
_TAKEN = {errno.EAGAIN, errno.EACCES}


class Claims:
    """Claims on numbered pieces of work: a lock on one byte of a file for each. They end with their process.

    Use it in a ``with``.

    Parameters
    ----------
    path : Path
        A file that all who share the work use; made where there is none. Nothing is written into it.

    Raises
    ------
    AtlasError
        At the ``with``, if the file cannot be made or opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self.possible = True
        """Whether there are locks where the file is. If not, everything can be claimed."""

    def __enter__(self) -> Claims:
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise AtlasError(f"{self._path.parent}: the atlas cannot be written ({error}).") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file is not None
        os.close(self._file)

    @contextlib.contextmanager
    def claimed(self, number: int) -> Iterator[bool]:
        """Claim a piece of work; ``False`` if somebody else has it."""
        mine = self._lock(number, fcntl.F_WRLCK)
        try:
            yield mine
        finally:
            if mine:
                self._lock(number, fcntl.F_UNLCK)

    def _lock(self, number: int, kind: int) -> bool:
        assert self._file is not None
        if not self.possible:
            return True
        try:
            if _OF_THE_FILE is not None:
                fcntl.fcntl(self._file, _OF_THE_FILE, struct.pack(_LAYOUT, kind, os.SEEK_SET, number, 1, 0))
            else:
                # Without waiting, or to unlock.
                flags = fcntl.LOCK_UN if kind == fcntl.F_UNLCK else fcntl.LOCK_EX | fcntl.LOCK_NB
                fcntl.lockf(self._file, flags, 1, number)
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            self.possible = False
            logger.warning(
                "%s: files cannot be locked there (%s). Let only one process at a time make this atlas.",
                self._path,
                error,
            )
        return True

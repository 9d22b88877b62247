"""The file operations of the file cache: find entries, put one in its place in one step, remove one."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cache.store.entry_file import SUFFIX, TEMPORARY_SUFFIX, is_entry_name, is_temporary_name

BLOCK_BYTES = 4096
"""Files are counted in the blocks that most file systems give them: the bound is one of disk space."""

NEVER = 2.0**33
"""The modification time of an entry that never expires, seconds since 1970: the year 2242."""

TEMPORARY_AGE_S = 3600.0
"""A temporary file this old was left by a process that died while writing it."""


@dataclass(frozen=True)
class Found:
    """One file as a scan of the folder meets it; times in seconds since 1970."""

    last_used: float
    expires: float
    bytes_on_disk: int
    path: str
    temporary: bool


def rounded_to_blocks(size: int) -> int:
    """Return how many bytes of disk a file of `size` bytes takes."""
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES


def bytes_on_disk(path: str) -> int:
    """Return how many bytes of disk a file takes, 0 if there is none."""
    try:
        return rounded_to_blocks(os.stat(path, follow_symlinks=False).st_size)  # noqa: PTH116
    except OSError:
        return 0


def scan_entries(folder: str, now: float) -> Iterator[Found]:
    """Yield everything in the folder that is called as entries are, and remove abandoned temporary files."""
    for directory in _listing(folder):
        if len(directory.name) != 2 or not directory.is_dir(follow_symlinks=False):
            continue
        for file in _listing(directory.path):
            temporary = is_temporary_name(file.name)
            if not temporary and not is_entry_name(file.name):
                continue
            try:
                status = file.stat(follow_symlinks=False)
            except OSError:
                continue
            # The other times of a temporary file are the entry's already; this one no program can set.
            if temporary and now - status.st_ctime > TEMPORARY_AGE_S:
                remove(file.path)
                continue
            size = rounded_to_blocks(status.st_size)
            yield Found(status.st_atime, status.st_mtime, size, file.path, temporary)


def write_in_place(path: str, content: bytes, now: float, expires: float | None) -> int:
    """Put a file in its place in one step, and return by how many bytes of disk that grew.

    Readers see the old file or the new one, never a part. A folder in its place is removed. The file's access
    time becomes `now`, its modification time `expires` (``None``: never), both in seconds since 1970.

    Raises
    ------
    OSError
        If it cannot be written. The old file is still there then.
    """
    temporary = f"{path.removesuffix(SUFFIX)}.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(temporary, flags, 0o600)
    except FileNotFoundError:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, flags, 0o600)
    try:
        # Not synced to disk: what a power failure leaves half written fails its checksum.
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.utime(temporary, (now, NEVER if expires is None else expires))
        before = bytes_on_disk(path)
        try:
            os.replace(temporary, path)  # noqa: PTH105
        except OSError:
            if not Path(path).is_dir():
                raise
            remove(path)
            Path(temporary).replace(path)
    except BaseException:
        remove(temporary)
        raise
    return rounded_to_blocks(len(content)) - before


def note_use(path: str, now: float) -> None:
    """Set the time of the last use; that of expiry stays as it is."""
    # If it was deleted meanwhile, or is another user's, only the order of eviction suffers.
    with contextlib.suppress(OSError):
        os.utime(path, (now, os.stat(path).st_mtime))  # noqa: PTH116


def remove(path: str) -> bool:
    """Delete a file, or a folder with all in it; return whether that was done."""
    try:
        if Path(path).is_dir() and not Path(path).is_symlink():
            shutil.rmtree(path)
        else:
            Path(path).unlink()
    except OSError:
        return False
    return True


def _listing(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []

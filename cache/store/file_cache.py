"""A flask-caching back end on the file system whose size is bounded in bytes.

Cachelib's `FileSystemCache` bounds the number of files, keeps that number in an entry of its own (through the
serializer, a pickle by default), lists the folder to find what to evict, cannot tell a used entry from an
unused one, and leaves what it cannot read in its place. Nothing of its storage would be left, so this stands
on the base class.

One file an entry, in 256 subfolders. No index and no bookkeeping file: what eviction
must know stands in the files' times, so that several processes can share the folder without a lock.
The access time is set to the moment of the last use, the modification time to that of expiry. The expiry that
counts for readers is the one inside the file.

A file begins, all numbers little-endian, with 8 bytes of magic, the time of expiry (8 bytes, microseconds since
1970, 0 for never), the SHA-256 of the key (32) and a 16-byte checksum of these. The entry follows as the serializer
made it, which has a checksum of its own. The key is in it so that a file that was copied or renamed onto
another is noticed.

Paths are strings on the way of every hover: a `Path` costs as much as the system call that it is for.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import os
import re
import secrets
import shutil
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask_caching.backends.base import BaseCache

from cache.store.backends import Outage
from cache.store.serializer import CHECKSUM_BYTES, ArraySerializer, CorruptEntryError, checksum

MAGIC = b"FVENTRY1"
SUFFIX = ".entry"
TEMPORARY_SUFFIX = ".temporary"

_FIELDS = struct.Struct("<8sQ32s")
HEADER_BYTES = _FIELDS.size + CHECKSUM_BYTES
_ENTRY_NAME = re.compile(r"[0-9a-f]{64}" + re.escape(SUFFIX))
_TEMPORARY_NAME = re.compile(r"[0-9a-f]{64}\.[0-9a-f]+" + re.escape(TEMPORARY_SUFFIX))

BLOCK_BYTES = 4096
"""Files are counted in the blocks that most file systems give them: the bound is one of disk space."""

NEVER = 2.0**33
"""The modification time of an entry that never expires, seconds since 1970: the year 2242."""

TEMPORARY_AGE_S = 3600.0
"""A temporary file this old was left by a process that died while writing it."""

logger = logging.getLogger(__name__)


def key_digest(key: str) -> bytes:
    """Return the SHA-256 of a key, 32 bytes; its hexadecimal digits name the file."""
    return hashlib.sha256(key.encode()).digest()


def is_entry_name(name: str) -> bool:
    """Return whether a file is called as entries are."""
    return _ENTRY_NAME.fullmatch(name) is not None


def is_temporary_name(name: str) -> bool:
    """Return whether a file is called as entries are while they are written."""
    return _TEMPORARY_NAME.fullmatch(name) is not None


def pack_header(key: str, expires: float | None) -> bytes:
    """Return the first `HEADER_BYTES` bytes of an entry's file."""
    microseconds = 0 if expires is None else max(1, round(expires * 1e6))
    start = _FIELDS.pack(MAGIC, microseconds, key_digest(key))
    return start + checksum(start)


def unpack_header(key: str, content: bytes | memoryview) -> float:
    """Return when the entry of `key` expires that a file holds, seconds since 1970; infinity for never.

    Raises
    ------
    CorruptEntryError
        If it is cut off, damaged, or the header of something else.
    """
    view = memoryview(content)
    if len(view) < HEADER_BYTES:
        raise CorruptEntryError("it is cut off")
    start = view[: _FIELDS.size]
    magic, microseconds, digest = _FIELDS.unpack(start)
    if magic != MAGIC:
        raise CorruptEntryError("it is no entry of this cache")
    if checksum(start) != view[_FIELDS.size : HEADER_BYTES]:
        raise CorruptEntryError("its header's checksum is wrong")
    if digest != key_digest(key):
        raise CorruptEntryError("it is the entry of another key")
    return microseconds / 1e6 if microseconds else math.inf


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


class BoundedFileCache(BaseCache):
    """Named arrays on the file system: expired entries go first, then the least recently used.

    Threads and processes may share a folder. Each process keeps a running total, made right by a scan of the
    folder when the limit is reached, and after each sixteenth of the limit that it has written. So with one
    process the limit holds after every call; n processes together can exceed it by n sixteenths for a moment.

    Files can be read by their owner only. Other files in the folder are neither touched nor counted. A
    folder that cannot be written to makes no call fail: nothing is kept then, and `problem` says so.

    Parameters
    ----------
    folder : Path or str
        Made if it is missing.
    limit_bytes : int
        The most bytes on disk, in blocks of 4 KiB. An entry that is larger is not kept.
    default_timeout : int
        Seconds until an entry expires, where `set` is not told; 0 for never.
    clock : callable
        Seconds since 1970.
    """

    serializer = ArraySerializer()

    def __init__(
        self,
        folder: Path | str,
        limit_bytes: int,
        default_timeout: int = 300,
        ignore_delete_many_errors: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(default_timeout, ignore_delete_many_errors)
        self.folder = Path(folder)
        self.limit_bytes = limit_bytes
        self._clock = clock
        self._outage = Outage(logger, f"The cache folder {self.folder}")
        self._lock = threading.Lock()
        self._prune_lock = threading.Lock()
        self._total = 0
        self._written_since_scan = 0
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            self._outage.failed(error)
        self.prune()

    @classmethod
    def factory(
        cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
    ) -> BoundedFileCache:
        """Make it from Flask's settings: ``CACHE_DIR``, and ``limit_bytes`` in ``CACHE_OPTIONS``."""
        return cls(config["CACHE_DIR"], *args, **kwargs)

    @property
    def problem(self) -> str | None:
        """A sentence while the folder cannot be used, else ``None``."""
        return self._outage.problem

    @property
    def total_bytes(self) -> int:
        """Bytes on disk as far as this process knows."""
        return self._total

    def get(self, key: str) -> Any:
        """Return the arrays under a key, or ``None`` where there are none, they expired or are damaged."""
        path = self._path(key)
        try:
            content = self._read(path)
            if content is None:
                return None
            if unpack_header(key, content) <= self._clock():
                self._discard(path)
                return None
            arrays = self.serializer.loads(memoryview(content)[HEADER_BYTES:])
        except CorruptEntryError as error:
            logger.warning("Cache entry %s is damaged (%s). It is deleted and computed anew.", path, error)
            self._discard(path)
            return None
        note_use(path, self._clock())
        return arrays

    def set(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Keep arrays under a key for `timeout` seconds (0 for ever); return whether they are kept."""
        seconds = self._normalize_timeout(timeout)
        path = self._path(key)
        expires = None if seconds == 0 else self._clock() + seconds
        content = pack_header(key, expires) + self.serializer.dumps(value)
        if seconds < 0 or rounded_to_blocks(len(content)) > self.limit_bytes:
            self._discard(path)
            return False
        try:
            growth = write_in_place(path, content, self._clock(), expires)
        except OSError as error:
            self._outage.failed(error)
            return False
        self._outage.worked()
        self._account(growth, rounded_to_blocks(len(content)))
        return True

    def add(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Keep arrays under a key unless there are some that hold; return whether they are kept."""
        return not self.has(key) and self.set(key, value, timeout)

    def has(self, key: str) -> bool:
        """Return whether there is an entry that holds; its arrays are not read, so they can still prove damaged."""
        try:
            with open(self._path(key), "rb") as file:  # noqa: PTH123
                return unpack_header(key, file.read(HEADER_BYTES)) > self._clock()
        except (OSError, CorruptEntryError):
            return False

    def delete(self, key: str) -> bool:
        """Delete an entry; return whether there was one."""
        return self._discard(self._path(key))

    def clear(self) -> bool:
        """Delete all entries; return whether none is left."""
        for found in self._scan():
            if not found.temporary:
                self._discard(found.path)
        self.prune()
        return self._total == 0

    def prune(self) -> None:
        """Count what is there, delete what expired and, over the limit, what was not used for longest."""
        with self._prune_lock:
            self._prune()

    def _prune(self) -> None:
        with self._lock:
            before = self._total
            self._written_since_scan = 0
        now = self._clock()
        size = 0
        evictable: list[Found] = []
        for found in self._scan():
            if not found.temporary and found.expires <= now:
                remove(found.path)
                continue
            size += found.bytes_on_disk
            if not found.temporary:
                evictable.append(found)
        if size > self.limit_bytes:
            # Some way below the limit, or each of the next entries would scan the whole folder again.
            target = self.limit_bytes * 9 // 10
            evictable.sort(key=lambda found: found.last_used, reverse=True)
            while evictable and size > (target if len(evictable) > 1 else self.limit_bytes):
                oldest = evictable.pop()
                remove(oldest.path)
                size -= oldest.bytes_on_disk
        with self._lock:
            # What other threads wrote meanwhile may or may not have been met: count it, to be safe.
            self._total = size + max(0, self._total - before)

    def _account(self, growth: int, written: int) -> None:
        """Keep the running total; prune over the limit, and look again at what other processes wrote."""
        with self._lock:
            self._total += growth
            self._written_since_scan += written
            unsure = self._written_since_scan > self.limit_bytes // 16
            if unsure:
                self._written_since_scan = 0
        if unsure or self._total > self.limit_bytes:
            with self._prune_lock:
                # Another thread may have done it while this one waited.
                if unsure or self._total > self.limit_bytes:
                    self._prune()

    def _path(self, key: str) -> str:
        name = key_digest(key).hex()
        return f"{self.folder}{os.sep}{name[:2]}{os.sep}{name}{SUFFIX}"

    def _scan(self) -> list[Found]:
        return list(scan_entries(str(self.folder), self._clock()))

    def _read(self, path: str) -> bytes | None:
        """Return a file's content, ``None`` if there is none to be had."""
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                if os.fstat(file.fileno()).st_size > self.limit_bytes:
                    raise CorruptEntryError("it is larger than any entry")
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            if isinstance(error, IsADirectoryError):
                raise CorruptEntryError("it is a folder") from error
            # Not the entry's fault (no permission, too many open files): it may be good, and stays.
            self._outage.failed(error)
            return None

    def _discard(self, path: str) -> bool:
        """Delete what is at an entry's place, file or folder; return whether anything was."""
        size = bytes_on_disk(path)
        removed = remove(path)
        if removed:
            with self._lock:
                self._total = max(0, self._total - size)
        return removed

"""A flask-caching back end on the file system whose size is bounded in bytes.

Cachelib's `FileSystemCache` bounds the number of files, keeps that number in an entry of its own (through the
serializer, a pickle by default), lists the folder to find what to evict, cannot tell a used entry from an
unused one, and leaves what it cannot read in its place. Nothing of its storage would be left, so this stands
on the base class.

One file an entry (see `cache.store.entry_file`), in 256 subfolders. No index and no bookkeeping file: what eviction
must know stands in the files' times, so that several processes can share the folder without a lock.
The access time is set to the moment of the last use, the modification time to that of expiry. The expiry that
counts for readers is the one inside the file.

Paths are strings on the way of every hover: a `Path` costs as much as the system call that it is for.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from flask_caching.backends.base import BaseCache

from cache.store.entry_file import HEADER_BYTES, SUFFIX, key_digest, pack_header, unpack_header
from cache.store.entry_folder import (
    Found,
    bytes_on_disk,
    note_use,
    remove,
    rounded_to_blocks,
    scan_entries,
    write_in_place,
)
from cache.store.outage import Outage
from cache.store.serializer import ArraySerializer, CorruptEntryError

logger = logging.getLogger(__name__)


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
            if unpack_header(key, content).expired(self._clock()):
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
        """Whether there is an entry that holds; its arrays are not read, so they can still prove damaged."""
        try:
            with open(self._path(key), "rb") as file:  # noqa: PTH123
                return not unpack_header(key, file.read(HEADER_BYTES)).expired(self._clock())
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
            if Path(path).is_dir():
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

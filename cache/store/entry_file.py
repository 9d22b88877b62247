"""The file of one entry of the file cache: whose it is, until when it holds, and its bytes.

All numbers little-endian: 8 bytes of magic, the time of expiry (8 bytes, microseconds since 1970, 0 for
never), the SHA-256 of the key (32), a 16-byte checksum of these, and the entry as the serializer made it,
which has a checksum of its own. The key is in it so that a file that was copied or renamed onto another is
noticed.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass

from cache.store.serializer import CHECKSUM_BYTES, CorruptEntryError, checksum

MAGIC = b"FVENTRY1"
SUFFIX = ".entry"
TEMPORARY_SUFFIX = ".temporary"

_FIELDS = struct.Struct("<8sQ32s")
HEADER_BYTES = _FIELDS.size + CHECKSUM_BYTES
_ENTRY_NAME = re.compile(r"[0-9a-f]{64}" + re.escape(SUFFIX))
_TEMPORARY_NAME = re.compile(r"[0-9a-f]{64}\.[0-9a-f]+" + re.escape(TEMPORARY_SUFFIX))


@dataclass(frozen=True)
class EntryHeader:
    """What an entry's file says before its bytes; `expires` in seconds since 1970, ``None`` for never."""

    expires: float | None

    def expired(self, now: float) -> bool:
        """Whether the entry holds no longer at `now`, seconds since 1970."""
        return self.expires is not None and self.expires <= now


def key_digest(key: str) -> bytes:
    """Return the SHA-256 of a key, 32 bytes; its hexadecimal digits name the file."""
    return hashlib.sha256(key.encode()).digest()


def is_entry_name(name: str) -> bool:
    """Whether a file is called as entries are."""
    return _ENTRY_NAME.fullmatch(name) is not None


def is_temporary_name(name: str) -> bool:
    """Whether a file is called as entries are while they are written."""
    return _TEMPORARY_NAME.fullmatch(name) is not None


def pack_header(key: str, expires: float | None) -> bytes:
    """Return the first `HEADER_BYTES` bytes of an entry's file."""
    microseconds = 0 if expires is None else max(1, round(expires * 1e6))
    start = _FIELDS.pack(MAGIC, microseconds, key_digest(key))
    return start + checksum(start)


def unpack_header(key: str, content: bytes | memoryview) -> EntryHeader:
    """Read the header of the file that should hold the entry of `key`.

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
    return EntryHeader(microseconds / 1e6 if microseconds else None)

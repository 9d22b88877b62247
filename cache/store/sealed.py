"""Small files of the user's with checksums: JSON that people can read, and bytes behind whose end there may be more."""

from __future__ import annotations

import json
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from cache.store.serializer import CHECKSUM_BYTES, CorruptEntryError, checksum

KEY = "checksum"


def sealed_values(values: dict[str, Any]) -> bytes:
    """Return values that JSON knows as a file, with their checksum under `KEY`."""
    return json.dumps({**values, KEY: _checksum_of(values)}, ensure_ascii=False).encode()


def unsealed_values(content: bytes) -> dict[str, Any]:
    """Return the values of such a file, or of one without a checksum, as earlier versions wrote it.

    Raises
    ------
    CorruptEntryError
        If it holds none, or others than were written.
    """
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CorruptEntryError("it is no JSON") from error
    if not isinstance(values, dict):
        raise CorruptEntryError("it is no JSON of named values")
    if KEY in values and values.pop(KEY) != _checksum_of(values):
        raise CorruptEntryError("its checksum is wrong")
    return values


BLOCK = 512
"""Bytes in which a file's place on the disk is counted, whatever the disk's own blocks are."""


def sealed_bytes(content: bytes) -> bytes:
    """Return bytes with their checksum behind them."""
    return content + checksum(content)


def unsealed_bytes(content: bytes) -> bytes:
    """Return the bytes of `sealed_bytes`.

    Raises
    ------
    CorruptEntryError
        If they are not those that were written.
    """
    body, end = content[:-CHECKSUM_BYTES], content[-CHECKSUM_BYTES:]
    if not body or checksum(body) != end:
        raise CorruptEntryError("its checksum is wrong")
    return body


def bytes_on_disk(folder: Path, below: bool = False) -> int:
    """Return what all files of a folder take on the disk, which is more than they hold where they are small.

    With those in folders below it, if asked; a file that goes meanwhile takes nothing.
    """
    total = 0
    for path in folder.rglob("*") if below else (folder.iterdir() if folder.is_dir() else ()):
        with suppress(FileNotFoundError):
            one = path.stat()
            if stat.S_ISREG(one.st_mode):
                total += max(one.st_size, one.st_blocks * BLOCK)
    return total


def remove_folder(path: Path) -> None:
    """Remove a folder that lies where a file belongs; a file stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)


def _checksum_of(values: dict[str, Any]) -> str:
    return checksum(json.dumps(values, sort_keys=True).encode()).hex()

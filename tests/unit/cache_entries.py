"""Entries of the file cache, and what tests ask about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cache.store.file_cache import BLOCK_BYTES, BoundedFileCache

MEGABYTE = 2**20


def value(number: float, size: int = 4) -> dict[str, np.ndarray]:
    return {"values": np.full(size, number)}


def file_of(store: BoundedFileCache, key: str) -> Path:
    return Path(store._path(key))


def files_in(store: BoundedFileCache) -> list[Path]:
    return [path for path in store.folder.rglob("*") if path.is_file()]


def blocks_in(store: BoundedFileCache) -> int:
    return sum(-(-path.stat().st_size // BLOCK_BYTES) * BLOCK_BYTES for path in files_in(store))


def number_of(arrays: dict[str, np.ndarray] | None) -> float | None:
    return None if arrays is None else float(arrays["values"][0])


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))

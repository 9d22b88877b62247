"""Atlases of a chunk store: in a folder, or behind any address of fsspec, where they are objects instead of files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from zarr.abc.store import Store
from zarr.storage import MemoryStore

from fusion.errors import AtlasError
from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.atlas import Atlas, atlas_folder
from fusion.saliency.atlas_store import (
    CHUNK,
    DESCRIPTIONS,
    METADATA,
    SCALES,
    VALUES,
    AtlasStore,
    Tile,
    TileContent,
    lay_out,
)
from fusion.saliency.claims import Claims
from fusion.work.store import ChunkStore, unreachable

ATLASES = "atlas"
"""Where atlases lie in a store."""


def atlas_of(store: ChunkStore, method: Method, pair: Pair) -> Atlas:
    """Return the atlas of a method and a pair in a store, which is made where there is none.

    Raises
    ------
    AtlasError
        If the support is the whole image, or the store cannot be used.
    """
    if store.folder is not None:
        return Atlas(atlas_folder(store.folder / ATLASES, method, pair), method, pair)
    path = atlas_folder(Path(ATLASES), method, pair)
    return Atlas(path, method, pair, opened=partial(AtlasObjects, store))


def found_atlas(store: ChunkStore, method: Method, pair: Pair) -> Atlas | None:
    """Return the atlas of a method and a pair in a store; ``None`` where there is none, and nothing is made.

    Raises
    ------
    AtlasError
        If it, or the store, cannot be used.
    """
    path = atlas_folder(Path(ATLASES), method, pair) / METADATA
    try:
        if not store.files.exists(f"{store.root.rstrip('/')}/{path.as_posix()}"):
            return None
    except unreachable() as error:
        raise AtlasError(f"{store.url}: the store cannot be used ({error}).") from error
    return atlas_of(store, method, pair)


class AtlasObjects(AtlasStore):
    """The Zarr group of an atlas as objects of a store, see `AtlasStore`.

    What others have added is seen when it is counted. Nobody can claim a tile here: two processes may compute the same,
    which comes to the same.

    Parameters
    ----------
    store : ChunkStore
        That is no folder.
    path : Path
        Where it lies in the store.
    attributes, shape, radius, mend
        As for `AtlasStore`.
    """

    def __init__(
        self,
        store: ChunkStore,
        path: Path,
        attributes: dict[str, Any],
        shape: tuple[int, int],
        radius: int,
        mend: bool = False,
    ) -> None:
        self._chunks = store
        self._there: frozenset[Tile] = frozenset()
        super().__init__(path, attributes, shape, radius, mend)

    def claims(self) -> Claims:
        """Return claims that everybody gets."""
        return _Unclaimed()

    def is_there(self, tile: Tile) -> bool:
        """Return whether a tile was there when they were counted, or has been written here."""
        return tile in self._there

    def count(self) -> int:
        """Return how many tiles are done; asks the store."""
        done = self._tiles_in(SCALES) & self._tiles_in(VALUES)
        self._there = frozenset((int(row), int(column)) for row, column in done)
        return len(self._there)

    def write(self, tile: Tile, content: TileContent) -> None:
        """Put a tile in its place, the scales last; see `AtlasStore.write`."""
        super().write(tile, content)
        self._there |= {tile}

    def remove_parts(self) -> None:
        """Do nothing: an object is there as a whole or not at all."""

    def _named(self) -> str:
        return f"{self._chunks.url.rstrip('/')}/{self.folder.as_posix()}"

    def _files(self) -> Store:
        return self._chunks.zarr_store(self.folder.as_posix())

    def _failures(self) -> tuple[type[Exception], ...]:
        return unreachable()

    def _make_way(self, path: Path) -> None:
        pass

    def _described(self) -> bool:
        return bool(self._chunks.files.exists(self._object(METADATA)))

    def _make(self, attributes: dict[str, Any], radius: int) -> None:
        contents: dict[str, Any] = {}
        lay_out(MemoryStore(contents), attributes, self._shape, radius)
        # Whoever finds the last of them finds all.
        for name in DESCRIPTIONS:
            self._chunks.files.pipe_file(self._object(name), contents[name].to_bytes())

    def _describe_anew(self, attributes: dict[str, Any], radius: int) -> None:
        self._make(attributes, radius)

    def _object(self, name: str) -> str:
        return f"{self._chunks.root.rstrip('/')}/{self.folder.as_posix()}/{name}"

    def _tiles_in(self, name: str) -> set[tuple[str, ...]]:
        place = self._object(name)
        files = self._chunks.files
        try:
            files.invalidate_cache(place)
            names = [str(one).rpartition("/")[2] for one in files.ls(place, detail=False)]
        except FileNotFoundError:
            return set()
        except unreachable() as error:
            raise AtlasError(f"{self.place}: the atlas cannot be read ({error}).") from error
        return {tuple(one.split(".")[1:3]) for one in names if one.startswith(CHUNK)}


class _Unclaimed(Claims):
    """Claims where there are no locks."""

    def __init__(self) -> None:
        super().__init__(Path())

    def __enter__(self) -> Claims:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @contextlib.contextmanager
    def claimed(self, number: int) -> Iterator[bool]:
        """Let everybody compute a tile."""
        yield True

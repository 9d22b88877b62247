"""An atlas on disk: a Zarr group of two arrays whose chunks carry checksums, shared by several processes.

A square tile of the fused image is one chunk of `values` and one of `scales`; no chunk belongs to two tiles. Zarr's
codec crc32c ends every chunk with its checksum, so that a damaged one is an error and never a number. Zarr puts a chunk
in its place in one step, and the scales follow the values: where a tile has scales, it has values. So neither a crash
nor another process can leave a tile that counts as done and is not.
"""

from __future__ import annotations

import logging
import math
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import ByteRequest, Store
from zarr.codecs import Crc32cCodec
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import LocalStore, MemoryStore

from fusion.errors import AtlasError
from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.claims import Claims
from fusion.saliency.window import Box

logger = logging.getLogger(__name__)

SCHEMA = 3
"""Of the files. The first had a single chunk of scales, which two processes took from each other; the second had no
checksums."""

TILE = 8
"""Pixels a side of the smallest tile, the part of the fused image whose windows are one chunk."""
TILE_SIDES = (64, 32, 16, TILE)
TILE_BYTES = 1.25 * 2**20
"""Of the windows in a tile, where there is a choice: what a crash loses, and what a file at least should be worth."""
CHECKSUM_BYTES = 4

VALUES, SCALES = "values", "scales"
METADATA = "zarr.json"
DESCRIPTIONS = (f"{VALUES}/{METADATA}", f"{SCALES}/{METADATA}", METADATA)
"""The files that describe an atlas; where the last is there, the others are."""
CHUNK = "c."
"""Begins the names of chunks, as in "c.3.5.0.0.0" and "c.3.5"."""
PART = ".partial"
"""Ends the names of chunks that are being written."""

Tile = tuple[int, int]
"""Row and column of a tile, counted in tiles from 0."""

TileContent = tuple[NDArray[np.float16], NDArray[np.float32]]
"""Of the (h, w) pixels of a tile: values (h, w, 2, 2·radius + 1, 2·radius + 1), and the scales (h, w) > 0 that they are
to be multiplied by. A tile at the image's lower or right border is cut off with it."""


@dataclass(frozen=True)
class StoredWindows:
    """The windows of some pixels as an atlas has them.

    Attributes
    ----------
    radius : int
        Of the windows, pixels.
    scales : ndarray of float32, shape (N,)
        One a pixel; NaN where its window is not there.
    values : list of ndarray of float16, shape (2, 2·radius + 1, 2·radius + 1)
        The windows that are there, in order, to be multiplied by the scales; of no meaning outside the image.
    """

    radius: int
    scales: NDArray[np.float32]
    values: list[NDArray[np.float16]]


def radius_of(method: Method, shape: tuple[int, int]) -> int:
    """Return a method's support radius in images (H, W), pixels.

    Raises
    ------
    AtlasError
        If the support is the whole image: an atlas would hold (H·W)² gradients.
    """
    radius = method.locality_at(shape).radius
    if radius is None:
        raise AtlasError(f"{method.title} sees the whole image from every pixel: its Jacobian is not sparse.")
    return radius


def window_bytes(radius: int) -> int:
    """Return how many bytes one window takes: half precision, two images of 2·radius + 1 pixels a side."""
    return 2 * 2 * (2 * radius + 1) ** 2


def tile_side(radius: int) -> int:
    """Return how many pixels a tile has along its side.

    The wider the support, the longer the windows take and the larger they are; so a tile is worth its file with
    narrow ones, and little work is lost with wide ones.
    """
    fitting = [side for side in TILE_SIDES if side * side * window_bytes(radius) <= TILE_BYTES]
    return fitting[0] if fitting else TILE


def tiles_of(shape: tuple[int, int], side: int = TILE) -> tuple[int, int]:
    """Return how many rows and columns of tiles an image (H, W) has, of `side` pixels."""
    return math.ceil(shape[0] / side), math.ceil(shape[1] / side)


def tile_box(tile: Tile, side: int, shape: tuple[int, int]) -> Box:
    """Return the pixels of a tile of `side` pixels in an image (H, W)."""
    top, left = tile[0] * side, tile[1] * side
    return Box(top, left, min(top + side, shape[0]), min(left + side, shape[1]))


def atlas_bytes(method: Method, shape: tuple[int, int]) -> int:
    """Return how large the chunks of the atlas of an image (H, W) are together, bytes.

    Raises
    ------
    AtlasError
        If the method's support is the whole image.
    """
    radius = radius_of(method, shape)
    side = tile_side(radius)
    rows, columns = tiles_of(shape, side)
    return rows * columns * (side * side * (window_bytes(radius) + 4) + 2 * CHECKSUM_BYTES)


def atlas_folder(root: Path, method: Method, pair: Pair) -> Path:
    """Return where the atlas of a method and a pair is, or would be, in a folder of atlases."""
    return _folder_of_schema(SCHEMA, root, method, pair)


def outdated_atlas(root: Path, method: Method, pair: Pair) -> str | None:
    """Say that there is an atlas as earlier versions wrote it, which is not read; ``None`` where there is none."""
    for schema in range(SCHEMA - 1, 0, -1):
        folder = _folder_of_schema(schema, root, method, pair)
        if (folder / METADATA).exists():
            return (
                f"{folder}: this atlas was made by an earlier version, in which damage could be read as numbers. It is "
                "not used but computed anew in a folder of its own, and can be removed."
            )
    return None


def _folder_of_schema(schema: int, root: Path, method: Method, pair: Pair) -> Path:
    suffix = f"-v{schema}" if schema > 1 else ""
    return root / pair.id[:32] / f"{method.id}-{method.weights_id[:32]}{suffix}"


class AtlasStore:
    """The Zarr group of an atlas. Several processes may use it at once, but only one should write a tile.

    Parameters
    ----------
    folder : Path
        Of the Zarr group; made where there is none.
    attributes : dict
        What the windows are of. Those of a group that is there have to be the same.
    shape : tuple of int
        (H, W) of the fused image.
    radius : int
        Of the windows, pixels.
    mend : bool
        Whether to write damaged metadata anew, for whoever makes the atlas: all that they say is known. The chunks
        stay, as each has its own checksum.

    Attributes
    ----------
    side : int
        Of a tile, pixels.
    place : str
        Where it is, for people.

    Raises
    ------
    AtlasError
        If the folder holds something else, or cannot be read or made.
    """

    def __init__(
        self,
        folder: Path,
        attributes: dict[str, Any],
        shape: tuple[int, int],
        radius: int,
        mend: bool = False,
    ) -> None:
        self.folder = folder
        self.place = self._named()
        self._shape = shape
        try:
            if not self._described():
                self._make(attributes, radius)
            try:
                self._open(attributes, radius)
            except AtlasError:
                raise
            except Exception as error:
                if not mend:
                    raise
                logger.warning(
                    "%s: the atlas's description is damaged (%s) and written anew.", self.place, error
                )
                self._describe_anew(attributes, radius)
                self._open(attributes, radius)
        except AtlasError:
            raise
        # What Zarr raises on damaged metadata is not documented: many kinds of exception were seen.
        except Exception as error:
            raise AtlasError(f"{self.place}: the atlas cannot be opened ({error}).") from error

    def _open(self, attributes: dict[str, Any], radius: int) -> None:
        group = zarr.open_group(self._files(), mode="r+")
        if dict(group.attrs) != attributes:
            raise AtlasError(f"{self.place}: this is the atlas of another pair, method or version.")
        self._arrays: dict[str, Any] = {name: group[name] for name in (VALUES, SCALES)}
        self.side = int(self._arrays[VALUES].chunks[0])
        _check_layout(self._arrays, attributes, self._shape, radius, self.side)

    def claims(self) -> Claims:
        """Return the claims by which processes that write tell each other what they are at."""
        return Claims(self.folder / VALUES / ".claims")

    def is_there(self, tile: Tile) -> bool:
        """Return whether a tile counts as done; not where this cannot be seen."""
        try:
            return self._path(SCALES, tile).is_file()
        except OSError:
            return False

    def is_sound(self, tile: Tile) -> bool:
        """Return whether a tile is done and can be read; reads all of it."""
        if not self.is_there(tile):
            return False
        try:
            self.read(tile)
        except AtlasError:
            return False
        return True

    def count(self) -> int:
        """Return how many tiles are done, and have values too."""
        return len(self._tiles_in(SCALES) & self._tiles_in(VALUES))

    def read(self, tile: Tile) -> TileContent:
        """Read a tile.

        Parameters
        ----------
        tile : tuple of int
            Row and column, counted in tiles.

        Returns
        -------
        TileContent
            float16 and float32, of the tile's pixels that are in the image.

        Raises
        ------
        AtlasError
            If a chunk is missing, or not what was written, or a scale is none.
        """
        pixels = tile_box(tile, self.side, self._shape)
        failures: tuple[type[Exception], ...] = (*self._failures(), ValueError)
        try:
            values, scales = (
                np.asarray(self._arrays[name][pixels.rows(), pixels.columns()]) for name in (VALUES, SCALES)
            )
            if not (np.isfinite(scales) & (scales > 0)).all():
                raise ValueError("not every window has a scale")
        except failures as error:
            raise AtlasError(
                f"{self.place}: a chunk is missing or damaged ({error}). "
                "The command that makes an atlas computes it anew."
            ) from error
        return values, scales

    def write(self, tile: Tile, content: TileContent) -> None:
        """Put a tile in its place, the scales last.

        Parameters
        ----------
        tile : tuple of int
            Row and column, counted in tiles.
        content : TileContent
            float16 and float32, of the tile's pixels that are in the image.

        Raises
        ------
        AtlasError
            If it cannot be written.
        """
        pixels = tile_box(tile, self.side, self._shape)
        try:
            for name, numbers in zip((VALUES, SCALES), content, strict=True):
                self._make_way(self._path(name, tile))
                # Windows of nothing but NaN are windows too.
                array = self._arrays[name].with_config({"write_empty_chunks": True})
                array[pixels.rows(), pixels.columns()] = numbers
        except self._failures() as error:
            raise AtlasError(f"{self.place}: the atlas cannot be written ({error}).") from error

    def remove_parts(self) -> None:
        """Remove what processes left that ended while they wrote; only while nobody writes."""
        for path in self.folder.glob(f"*/{CHUNK}*{PART}"):
            path.unlink(missing_ok=True)

    def _named(self) -> str:
        return str(self.folder)

    def _files(self) -> Store:
        return ChunkFiles(self.folder)

    def _failures(self) -> tuple[type[Exception], ...]:
        """Return what is raised where files cannot be reached."""
        return (OSError,)

    def _make_way(self, path: Path) -> None:
        _remove_folder(path)

    def _described(self) -> bool:
        return (self.folder / METADATA).exists()

    def _make(self, attributes: dict[str, Any], radius: int) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        # Under another name first: whoever looks finds all of the group or nothing, and may be making it as well.
        with tempfile.TemporaryDirectory(prefix=".atlas-", dir=self.folder.parent) as temporary:
            made = Path(temporary) / "group"
            lay_out(made, attributes, self._shape, radius)
            try:
                made.rename(self.folder)
            except OSError:
                if not self._described():
                    raise

    def _describe_anew(self, attributes: dict[str, Any], radius: int) -> None:
        """Write the metadata of a new atlas in the place of those that are there; chunks stay."""
        with tempfile.TemporaryDirectory(prefix=".atlas-", dir=self.folder.parent) as temporary:
            made = Path(temporary) / "group"
            lay_out(made, attributes, self._shape, radius)
            for name in DESCRIPTIONS:
                _remove_folder(self.folder / name)
                (self.folder / name).parent.mkdir(exist_ok=True)
                (made / name).replace(self.folder / name)

    def _path(self, name: str, tile: Tile) -> Path:
        array = self._arrays[name]
        return self.folder / name / array.metadata.encode_chunk_key((*tile, *[0] * (array.ndim - 2)))

    def _tiles_in(self, name: str) -> set[tuple[str, ...]]:
        with os.scandir(self.folder / name) as entries:
            return {
                tuple(one.name.split(".")[1:3])
                for one in entries
                if one.name.startswith(CHUNK) and not one.name.endswith(PART) and one.is_file()
            }


class ChunkFiles(LocalStore):
    """Zarr's store of local files, read and written at once, for which a chunk that is missing is an error.

    Zarr itself would fill it with NaN, which gradients may be. And it takes a thread of a pool for each file, which
    costs more than reading a chunk does and is not to be had any more while Python ends.
    """

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Read a file; see `zarr.abc.store.Store`."""
        found = self.get_sync(key, prototype=prototype, byte_range=byte_range)
        if found is None and key.rpartition("/")[2].startswith(CHUNK):
            raise FileNotFoundError(f"there is no file {key}")
        return found

    async def set(self, key: str, value: Buffer) -> None:
        """Put a file in its place in one step; see `zarr.abc.store.Store`."""
        self.set_sync(key, value)


def _remove_folder(path: Path) -> None:
    """Remove a folder that lies where a file belongs."""
    if path.is_dir():
        shutil.rmtree(path)


def lay_out(
    store: Path | MemoryStore,
    attributes: dict[str, Any],
    shape: tuple[int, int],
    radius: int,
    side: int | None = None,
) -> zarr.Group:
    """Make the group of an atlas with its two arrays, and no chunk: see `AtlasStore`.

    Parameters
    ----------
    store : Path or MemoryStore
        Where; there may be nothing yet.
    attributes, shape, radius
        As for `AtlasStore`.
    side : int, optional
        Of a tile, pixels; `tile_side` of the radius unless given.
    """
    side = side or tile_side(radius)
    group = zarr.open_group(store, mode="w-", attributes=attributes)
    window = (2, 2 * radius + 1, 2 * radius + 1)
    # One flat folder an array: a folder for every number of a chunk takes more of the disk than a narrow window.
    encoding: Any = {"name": "default", "separator": "."}
    for name, extent, chunk, dtype in (
        (VALUES, (*shape, *window), (side, side, *window), "<f2"),
        (SCALES, shape, (side, side), "<f4"),
    ):
        group.create_array(
            name,
            shape=extent,
            chunks=chunk,
            dtype=dtype,
            # What is not computed is read as no number, never as 0.
            fill_value=np.nan,
            compressors=[Crc32cCodec()],
            chunk_key_encoding=encoding,
        )
    return group


def _check_layout(
    arrays: dict[str, Any], attributes: dict[str, Any], shape: tuple[int, int], radius: int, side: int
) -> None:
    """Refuse arrays that are described in any other way than those of a new atlas: metadata have no checksums."""
    expected = lay_out(MemoryStore(), attributes, shape, radius, side)
    for name, array in arrays.items():
        if array.metadata.to_dict() != expected[name].metadata.to_dict():
            raise ValueError(f"{name} is not an array of an atlas")

"""The files of an atlas: a Zarr group whose chunks are written whole and mapped into memory.

A tile is two files, a chunk of `values` and one of `scales`; no file belongs to two tiles. Each appears under its
name in one step and complete, the values on the disk before the scales are begun: where a tile has scales, it has
values. So neither a crash nor another process can leave a tile that counts as done and is not.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from fusion.errors import AtlasError
from fusion.saliency.atlas_layout import Tile, tile_side

VALUES, SCALES = "values", "scales"
METADATA = "zarr.json"
PART = ".part"
"""Ends the names of files that are being written, which begin with a dot."""

TileContent = tuple[NDArray[np.float16], NDArray[np.float32]]
"""Of a tile: values (side, side, 2, 2·radius + 1, 2·radius + 1), and scales (side, side), NaN outside the image."""


class AtlasFiles:
    """What an atlas has on disk. Several processes may use it at once, but only one should write a tile.

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

    Attributes
    ----------
    side : int
        Of a tile, pixels.

    Raises
    ------
    AtlasError
        If the folder holds something else, or cannot be read or made.
    """

    def __init__(self, folder: Path, attributes: dict[str, Any], shape: tuple[int, int], radius: int) -> None:
        self.folder = folder
        self._shape = shape
        window = 2 * radius + 1
        try:
            if not (folder / METADATA).exists():
                _make(folder, attributes, shape, (2, window, window), tile_side(radius))
            group: Any = zarr.open_group(folder, mode="r")
            if dict(group.attrs) != attributes:
                raise AtlasError(f"{folder}: this is the atlas of another pair, method or version.")
            values, scales = group[VALUES], group[SCALES]
            self.side = int(values.chunks[0])
            self._values_shape = (self.side, self.side, 2, window, window)
            if values.chunks != self._values_shape or scales.chunks != (self.side, self.side):
                raise ValueError("its chunks are not those of an atlas")
        except (OSError, ValueError, KeyError) as error:
            raise AtlasError(f"{folder}: the atlas cannot be opened ({error}).") from error
        self._sizes = {VALUES: int(np.prod(self._values_shape)) * 2, SCALES: self.side**2 * 4}

    @property
    def claims(self) -> Path:
        """Where processes that write tell each other what they are at."""
        return self.folder / VALUES / ".claims"

    def is_there(self, tile: Tile) -> bool:
        """Whether a tile counts as done."""
        return self._path(SCALES, tile).exists()

    def is_sound(self, tile: Tile) -> bool:
        """Whether a tile is done, and both its files have the size that they should have."""
        try:
            return all(self._path(name, tile).stat().st_size == size for name, size in self._sizes.items())
        except OSError:
            return False

    def count(self) -> int:
        """Return how many tiles are done, and have values too."""
        return len(self._tiles_in(SCALES) & self._tiles_in(VALUES))

    def read(self, tile: Tile) -> TileContent:
        """Map a tile's values into memory (without compression the chunk is the plain array), and read its scales.

        Raises
        ------
        AtlasError
                If a file is missing or has another size, or a scale is none.
        """
        try:
            scales = np.fromfile(self._path(SCALES, tile), dtype="<f4").reshape(self.side, self.side)
            inside = scales[
                tuple(slice(size - start * self.side) for size, start in zip(self._shape, tile, strict=True))
            ]
            if not (np.isfinite(inside) & (inside > 0)).all():
                raise ValueError("not every window has a scale")
            path = self._path(VALUES, tile)
            if path.stat().st_size != self._sizes[VALUES]:
                raise ValueError(f"{path.name} has {path.stat().st_size} bytes")
            return np.memmap(path, dtype="<f2", mode="r", shape=self._values_shape), scales
        except (OSError, ValueError) as error:
            raise AtlasError(
                f"{self.folder}: a chunk is missing or damaged ({error}). "
                "The command that makes an atlas computes it anew."
            ) from error

    def write(self, tile: Tile, content: TileContent) -> None:
        """Put a tile in its place.

        Raises
        ------
        AtlasError
            If it cannot be written.
        """
        try:
            write_tile(self._path(VALUES, tile), self._path(SCALES, tile), content)
        except OSError as error:
            raise AtlasError(f"{self.folder}: the atlas cannot be written ({error}).") from error

    def remove_parts(self) -> None:
        """Remove what processes left that ended while they wrote; only while nobody writes."""
        for path in self.folder.glob(f"*/.*{PART}"):
            path.unlink(missing_ok=True)

    def _path(self, array: str, tile: Tile) -> Path:
        rest = ".0.0.0" if array == VALUES else ""
        return self.folder / array / f"c.{tile[0]}.{tile[1]}{rest}"

    def _tiles_in(self, array: str) -> set[tuple[str, ...]]:
        # As in "c.3.5.0.0.0" and "c.3.5"; the names of files that are being written begin otherwise.
        with os.scandir(self.folder / array) as entries:
            return {tuple(one.name.split(".")[1:3]) for one in entries if one.name.startswith("c.")}


def write_tile(values: Path, scales: Path, content: TileContent) -> None:
    """Write both files of a tile, the values first and down to the disk."""
    _write(values, content[0].astype("<f2", copy=False), to_disk=True)
    # Not waited for: where a power failure takes these, or leaves a part of them, the tile is computed again.
    _write(scales, content[1].astype("<f4", copy=False), to_disk=False)


def _write(path: Path, content: NDArray[Any], to_disk: bool) -> None:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{PART}")
    try:
        with temporary.open("xb") as file:
            file.write(np.ascontiguousarray(content).data)
            if to_disk:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _make(
    folder: Path, attributes: dict[str, Any], shape: tuple[int, int], window: tuple[int, int, int], side: int
) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Under another name first: whoever looks finds all of the group or nothing, and may be making it as well.
    with tempfile.TemporaryDirectory(prefix=".atlas-", dir=folder.parent) as temporary:
        made = Path(temporary) / "group"
        group = zarr.open_group(made, mode="w-", attributes=attributes)
        # One flat folder an array: a folder for every number of a chunk takes more of the disk than a narrow window.
        encoding: Any = {"name": "default", "separator": "."}
        group.create_array(
            VALUES,
            shape=(*shape, *window),
            chunks=(side, side, *window),
            dtype="<f2",
            compressors=None,
            chunk_key_encoding=encoding,
        )
        group.create_array(
            SCALES,
            shape=shape,
            chunks=(side, side),
            dtype="<f4",
            # What is not computed is read as no number, never as 0.
            fill_value=np.nan,
            compressors=None,
            chunk_key_encoding=encoding,
        )
        try:
            made.rename(folder)
        except OSError:
            if not (folder / METADATA).exists():
                raise

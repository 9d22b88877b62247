"""The atlas: all Jacobian images of a pair, computed once and read back one chunk a hover.

The complete Jacobian of a local method is sparse: a window a fused pixel. The windows are kept as a Zarr group of
uncompressed chunks of 8×8 pixels, which any Zarr reader opens; one hover maps one chunk into memory. Values are half
precision relative to the largest magnitude of their window, so that the error is at most 2⁻¹¹ (0.05 %) of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from fusion.errors import AtlasError
from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.atlas_layout import TILE, KeptWindows, atlas_bytes, atlas_folder, radius_of, tiles_of
from fusion.saliency.jacobian import checked_pixel, jacobians
from fusion.saliency.window import Box, JacobianWindow, Pixel, box_around

__all__ = ["TILE", "Atlas", "KeptWindows", "atlas_bytes", "atlas_folder"]

logger = logging.getLogger(__name__)

SCHEMA = 1
VALUES, SCALES, DONE = "values", "scales", "done"

MAPPED_CHUNKS = 64
"""Chunks that stay mapped into memory: around a pointer that moves, each is read many times."""

AtlasProgress = Callable[[int, int], None]
"""Called as progress(done, total) tiles; may raise `fusion.errors.Cancelled`."""


class Atlas:
    """The Jacobian windows of all pixels of a fused image, as far as they are computed.

    Parameters
    ----------
    folder : Path
        Of the Zarr group; made where there is none.
    method : Method
        A method with a finite support.
    pair : Pair
        The images.

    Raises
    ------
    AtlasError
        If the folder holds something else, or the method's support is the whole image.
    """

    def __init__(self, folder: Path, method: Method, pair: Pair) -> None:
        self.folder = folder
        self.shape = pair.shape
        self.radius = radius_of(method)
        self._tiles = tiles_of(pair.shape)
        self._chunk = lru_cache(MAPPED_CHUNKS)(self._mapped)
        wanted = {
            "schema": SCHEMA,
            "pair": pair.id,
            "method": method.id,
            "weights": method.weights_id,
            "shape": list(pair.shape),
            "support_radius": self.radius,
            "units": "d fused intensity / d input intensity, dimensionless; values × scales",
        }
        group = self._open(wanted)
        self._values = group[VALUES]
        self._scales = group[SCALES]
        self._done = group[DONE]
        # Read at every hover, and small: a copy in memory that `fill` keeps up to date.
        self._known_scales: NDArray[np.float32] = np.asarray(self._scales[:])
        self._known: NDArray[np.bool_] = np.asarray(self._done[:]).astype(bool)

    @property
    def tiles_done(self) -> tuple[int, int]:
        """How many tiles are computed, and how many there are."""
        return int(self._known.sum()), self._known.size

    @property
    def complete(self) -> bool:
        """Whether every window is there."""
        return bool(self._known.all())

    def refresh(self) -> None:
        """Find out what another process has computed meanwhile."""
        if self.complete:
            return
        # In this order: what counts as done has its scales.
        known = np.asarray(self._done[:]).astype(bool)
        self._known_scales = np.asarray(self._scales[:])
        self._known = known

    def has(self, row: int, col: int) -> bool:
        """Return whether the window of a pixel of the image is there."""
        return bool(self._known[row // TILE, col // TILE])

    def fill(self, method: Method, pair: Pair, progress: AtlasProgress | None = None) -> None:
        """Compute the windows that are missing, tile by tile; what is there stays when it is interrupted.

        Parameters
        ----------
        method, pair
            Those of the atlas.
        progress : callable, optional
            Called before the first and after each tile.
        """
        done, total = self.tiles_done
        if progress is not None:
            progress(done, total)
        for row, column in list(self._missing()):
            self._compute(method, pair, row, column)
            done += 1
            if progress is not None:
                progress(done, total)

    def window(self, row: int, col: int) -> JacobianWindow:
        """Read the Jacobian images of a principal pixel (paper, equation 1).

        Returns
        -------
        JacobianWindow
            float32; at most 0.05 % of the window's largest magnitude from what `fusion.jacobian` gives.

        Raises
        ------
        PixelOutsideImageError
            If the pixel is not in the image.
        AtlasError
            If its window is not computed, or its chunk is damaged.
        """
        row, col = checked_pixel((row, col), self.shape)
        if not self.has(row, col):
            raise AtlasError(f"{self.folder}: the window of pixel ({row}, {col}) is not computed yet.")
        box = box_around((row, col), self.radius, self.shape)
        whole = self._chunk(row // TILE, col // TILE)[row % TILE, col % TILE]
        top, left = row - self.radius, col - self.radius
        inside = whole[:, box.top - top : box.bottom - top, box.left - left : box.right - left]
        values = inside.astype(np.float32) * self._known_scales[row, col]
        return JacobianWindow(values, box.top, box.left, row, col, self.shape, path="atlas")

    def kept(self, pixels: Sequence[Pixel]) -> KeptWindows:
        """Read the windows of some pixels as they are kept.

        Those outside the image, not computed yet or damaged are not there; damage is logged.
        """
        scales = np.full(len(pixels), np.nan, dtype=np.float32)
        values: list[NDArray[np.float16]] = []
        damaged: set[Pixel] = set()
        for number, (row, col) in enumerate(pixels):
            if not (0 <= row < self.shape[0] and 0 <= col < self.shape[1] and self.has(row, col)):
                continue
            tile = row // TILE, col // TILE
            if tile in damaged:
                continue
            try:
                chunk = self._chunk(*tile)
            except AtlasError:
                logger.exception("Windows of an atlas cannot be read")
                damaged.add(tile)
                continue
            scales[number] = self._known_scales[row, col]
            values.append(chunk[row % TILE, col % TILE])
        return KeptWindows(self.radius, scales, values)

    def _open(self, wanted: dict[str, Any]) -> Any:
        side = 2 * self.radius + 1
        rows, columns = self._tiles
        try:
            if (self.folder / "zarr.json").exists():
                group = zarr.open_group(self.folder, mode="r+")
                found = dict(group.attrs)
                if found != wanted:
                    raise AtlasError(f"{self.folder}: this is the atlas of another pair, method or version.")
                return group
            group = zarr.open_group(self.folder, mode="w-", attributes=wanted)
            group.create_array(
                VALUES,
                shape=(rows * TILE, columns * TILE, 2, side, side),
                chunks=(TILE, TILE, 2, side, side),
                dtype="<f2",
                compressors=None,
                # A tile without any influence is computed all the same: its chunk has to exist.
                config={"write_empty_chunks": True},
            )
            group.create_array(SCALES, shape=self.shape, chunks=self.shape, dtype="<f4", compressors=None)
            group.create_array(
                DONE, shape=(rows, columns), chunks=(rows, columns), dtype="u1", compressors=None
            )
            return group
        except (OSError, ValueError, KeyError) as error:
            raise AtlasError(f"{self.folder}: the atlas cannot be opened ({error}).") from error

    def _missing(self) -> Iterator[tuple[int, int]]:
        return ((int(row), int(column)) for row, column in np.argwhere(~self._known))

    def _compute(self, method: Method, pair: Pair, tile_row: int, tile_column: int) -> None:
        box = self._box(tile_row, tile_column)
        pixels = [
            (row, column) for row in range(box.top, box.bottom) for column in range(box.left, box.right)
        ]
        side = 2 * self.radius + 1
        values = np.zeros((TILE, TILE, 2, side, side), dtype=np.float16)
        scales = np.ones(box.shape, dtype=np.float32)
        # Tiles come one after another, and whoever ends the work should not wait for more than the next one.
        for window in jacobians(method, pair, pixels, ahead=False):
            magnitudes = np.abs(window.values[np.isfinite(window.values)])
            scale = float(magnitudes.max()) if magnitudes.size else 0.0
            scale = scale if scale > np.finfo(np.float32).tiny else 1.0
            top, left = window.top - (window.row - self.radius), window.left - (window.col - self.radius)
            height, width = window.values.shape[1:]
            values[
                window.row - box.top, window.col - box.left, :, top : top + height, left : left + width
            ] = window.values / np.float32(scale)
            scales[window.row - box.top, window.col - box.left] = scale
        first = (tile_row * TILE, tile_column * TILE)
        self._values[first[0] : first[0] + TILE, first[1] : first[1] + TILE] = values
        self._known_scales[box.rows(), box.columns()] = scales
        self._scales[box.rows(), box.columns()] = scales
        # Last: a tile counts only when all of it is written.
        self._done[tile_row, tile_column] = 1
        self._known[tile_row, tile_column] = True

    def _box(self, tile_row: int, tile_column: int) -> Box:
        return Box(
            tile_row * TILE,
            tile_column * TILE,
            min((tile_row + 1) * TILE, self.shape[0]),
            min((tile_column + 1) * TILE, self.shape[1]),
        )

    def _mapped(self, tile_row: int, tile_column: int) -> NDArray[np.float16]:
        """Map the chunk of a tile into memory: without compression it is the plain array."""
        side = 2 * self.radius + 1
        path = self.folder / VALUES / "c" / str(tile_row) / str(tile_column) / "0" / "0" / "0"
        try:
            return np.memmap(path, dtype="<f2", mode="r", shape=(TILE, TILE, 2, side, side))
        except (OSError, ValueError) as error:
            raise AtlasError(
                f"{self.folder}: a chunk is missing or damaged ({error}). Remove the folder to compute it anew."
            ) from error

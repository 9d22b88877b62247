"""The atlas: all Jacobian images of a pair, computed once and read back one chunk a hover.

The complete Jacobian of a local method is sparse: a window a fused pixel. The windows are kept as a Zarr group of
uncompressed chunks, a square tile each, which any Zarr reader opens; a hover reads its window out of one chunk that is
mapped into memory. Values are half precision relative to the largest magnitude of their window, so that the error is at
most 2⁻¹¹ (0.05 %) of it.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusion.errors import AtlasError
from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.atlas_claims import Claims
from fusion.saliency.atlas_files import AtlasFiles, TileContent
from fusion.saliency.atlas_layout import (
    SCHEMA,
    TILE,
    KeptWindows,
    Tile,
    atlas_bytes,
    atlas_folder,
    radius_of,
    tiles_of,
)
from fusion.saliency.atlas_tiles import computed_tile
from fusion.saliency.jacobian import checked_pixel
from fusion.saliency.window import JacobianWindow, Pixel, box_around

__all__ = ["TILE", "Atlas", "KeptWindows", "atlas_bytes", "atlas_folder"]

logger = logging.getLogger(__name__)

MAPPED_CHUNKS = 64
"""Chunks that stay mapped into memory: around a pointer that moves, each is read many times."""
TOGETHER = 256
"""Pixels a side of the squares that are computed one by one: what neighbours have in common is kept for a few."""
WAIT_S = 0.2
"""How long to wait until others may have finished what they are at."""

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
        self.radius = radius_of(method, pair.shape)
        attributes = {
            "schema": SCHEMA,
            "pair": pair.id,
            "method": method.id,
            "weights": method.weights_id,
            "shape": list(pair.shape),
            "support_radius": self.radius,
            "units": "d fused intensity / d input intensity, dimensionless; values × scales",
        }
        self._files = AtlasFiles(folder, attributes, pair.shape, self.radius)
        self.side = self._files.side
        self._tiles = tiles_of(pair.shape, self.side)
        self._content = lru_cache(MAPPED_CHUNKS)(self._files.read)
        self._count = self._files.count()

    @property
    def tiles_done(self) -> tuple[int, int]:
        """How many tiles were computed when last looked at, and how many there are."""
        return self._count, self._tiles[0] * self._tiles[1]

    @property
    def complete(self) -> bool:
        """Whether every window is there."""
        done, total = self.tiles_done
        return done == total

    def refresh(self) -> None:
        """Count what is computed by now, here or by another process; windows are found without it."""
        if not self.complete:
            self._count = self._files.count()

    def has(self, row: int, col: int) -> bool:
        """Return whether the window of a pixel of the image is there."""
        return self._files.is_there(self._tile_of(row, col))

    def fill(self, method: Method, pair: Pair, progress: AtlasProgress | None = None) -> None:
        """Compute the windows that are missing or damaged, tile by tile; what is there stays when it is interrupted.

        Several processes that do so at once share the tiles among them. It ends when all are there.

        Parameters
        ----------
        method, pair
            Those of the atlas.
        progress : callable, optional
            Called before the first and after each tile, and now and then meanwhile.
        """
        _, total = self.tiles_done
        missing = self._missing()

        def report() -> None:
            self._count = total - len(missing)
            if progress is not None:
                progress(self._count, total)

        report()
        if not missing:
            return
        with Claims(self._files.claims) as claims:
            while missing:
                before = len(missing)
                for tile in tuple(missing):
                    with claims.claimed(tile[0] * self._tiles[1] + tile[1]) as mine:
                        if not mine:
                            continue
                        # Somebody else may have finished it since it was looked for.
                        if not self._files.is_sound(tile):
                            self._files.write(tile, computed_tile(method, pair, tile, self.side, report))
                    del missing[tile]
                    report()
                if len(missing) == before:
                    time.sleep(WAIT_S)
                    report()
            if claims.possible:
                self._files.remove_parts()

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
        whole, scale = self._at(self._content(self._tile_of(row, col)), row, col)
        top, left = row - self.radius, col - self.radius
        inside = whole[:, box.top - top : box.bottom - top, box.left - left : box.right - left]
        values = inside.astype(np.float32) * scale
        return JacobianWindow(values, box.top, box.left, row, col, self.shape, path="atlas")

    def kept(self, pixels: Sequence[Pixel]) -> KeptWindows:
        """Read the windows of some pixels as they are kept.

        Those outside the image, not computed yet or damaged are not there; damage is logged.
        """
        scales = np.full(len(pixels), np.nan, dtype=np.float32)
        values: list[NDArray[np.float16]] = []
        tiles: dict[Tile, TileContent | None] = {}
        for number, (row, col) in enumerate(pixels):
            if not (0 <= row < self.shape[0] and 0 <= col < self.shape[1]):
                continue
            tile = self._tile_of(row, col)
            if tile not in tiles:
                tiles[tile] = self._readable(tile)
            content = tiles[tile]
            if content is None:
                continue
            window, scales[number] = self._at(content, row, col)
            values.append(window)
        return KeptWindows(self.radius, scales, values)

    def _readable(self, tile: Tile) -> TileContent | None:
        if not self._files.is_there(tile):
            return None
        try:
            return self._content(tile)
        except AtlasError:
            logger.exception("Windows of an atlas cannot be read")
            return None

    def _tile_of(self, row: int, col: int) -> Tile:
        return row // self.side, col // self.side

    def _at(self, content: TileContent, row: int, col: int) -> tuple[NDArray[np.float16], np.float32]:
        place = row % self.side, col % self.side
        return content[0][place], content[1][place]

    def _missing(self) -> dict[Tile, None]:
        """Return the tiles that are not there or damaged, in the order in which they are to be computed."""
        tiles = itertools.product(range(self._tiles[0]), range(self._tiles[1]))
        together = max(TOGETHER // self.side, 1)
        missing = [tile for tile in tiles if not self._files.is_sound(tile)]
        missing.sort(key=lambda tile: (tile[0] // together, tile[1] // together, tile))
        return dict.fromkeys(missing)

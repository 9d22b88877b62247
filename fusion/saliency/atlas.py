"""The atlas: all Jacobian images of a pair, computed once and read back one tile at a time.

The complete Jacobian of a local method is sparse: a window a fused pixel. The windows are stored as a Zarr group
(`fusion.saliency.atlas_store`), a chunk for each square tile of the fused image, which any Zarr reader opens. The tile
of a hover is read and checked once, and held while the pointer is in it. Values are half precision relative to the
largest magnitude of their window, so that the error is at most 2⁻¹¹ (0.05 %) of it.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray
from torch import Tensor

from fusion.errors import AtlasError
from fusion.methods.base import Method
from fusion.network import torch_dtype
from fusion.pair import Pair
from fusion.saliency.atlas_store import (
    SCHEMA,
    TILE,
    AtlasStore,
    StoredWindows,
    Tile,
    TileContent,
    atlas_bytes,
    atlas_folder,
    radius_of,
    tile_box,
    tiles_of,
    window_bytes,
)
from fusion.saliency.chain.windows import chain_of, chain_tensors
from fusion.saliency.jacobian import checked_pixel, jacobians
from fusion.saliency.window import JacobianWindow, Pixel, box_around

__all__ = ["TILE", "Atlas", "StoredWindows", "atlas_bytes", "atlas_folder"]

logger = logging.getLogger(__name__)

RECENT_BYTES = 8 * 2**20
"""Of the tiles of an atlas that were read last and stay in memory: each is used many times around a pointer that moves.
Two of them stay, however large they are."""
LOOKED_AT = 256
"""Tiles are checked before what is missing is computed; after so many, work can be stopped."""
TOGETHER = 256
"""Pixels a side of the squares that are computed one by one: what neighbours have in common is kept for a few."""
WAIT_S = 0.2
"""How long to wait until others may have finished what they are at."""

WINDOWS_AT_ONCE = {"cpu": 64, "cuda": 1024}
"""After so many, work can be stopped. A GPU is idle with few."""

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
    mend : bool
        Whether to write damaged metadata anew, see `AtlasStore`.
    opened : callable
        Opens what keeps the chunks, with the arguments of `AtlasStore`; `fusion.work.stored_atlas` has another.

    Raises
    ------
    AtlasError
        If the folder holds something else, or the method's support is the whole image.
    """

    def __init__(
        self,
        folder: Path,
        method: Method,
        pair: Pair,
        mend: bool = False,
        opened: Callable[..., AtlasStore] = AtlasStore,
    ) -> None:
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
        self._store = opened(folder, attributes, pair.shape, self.radius, mend)
        self.side = self._store.side
        self._tiles = tiles_of(pair.shape, self.side)
        most = max(RECENT_BYTES, 2 * self.side**2 * window_bytes(self.radius))
        self._recent: LRUCache[Tile, TileContent] = LRUCache(most, lambda content: content[0].nbytes)
        self._lock = Lock()
        self._count = self._store.count()

    @property
    def tiles_done(self) -> tuple[int, int]:
        """Tiles that were computed when last looked at, and all that there are."""
        return self._count, self._tiles[0] * self._tiles[1]

    @property
    def complete(self) -> bool:
        """True once every window is there."""
        done, total = self.tiles_done
        return done == total

    def refresh(self) -> None:
        """Count what is computed by now, here or by another process; windows are found without it."""
        if not self.complete:
            self._count = self._store.count()

    def has(self, row: int, col: int) -> bool:
        """Return whether the window of a pixel of the image is there."""
        return self._store.is_there(self._tile_of(row, col))

    def has_tile(self, number: int) -> bool:
        """Return whether a tile is there, counted row by row."""
        return self._store.is_there(divmod(number, self._tiles[1]))

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
        missing = self._missing(progress)

        def report() -> None:
            self._count = total - len(missing)
            if progress is not None:
                progress(self._count, total)

        report()
        if not missing:
            return
        with self._store.claims() as claims:
            while missing:
                before = len(missing)
                for tile in tuple(missing):
                    with claims.claimed(tile[0] * self._tiles[1] + tile[1]) as mine:
                        if not mine:
                            continue
                        # Somebody else may have finished it since it was looked for.
                        if not self._store.is_sound(tile):
                            self._store.write(tile, computed_tile(method, pair, tile, self.side, report))
                    del missing[tile]
                    report()
                if len(missing) == before:
                    time.sleep(WAIT_S)
                    report()
            if claims.possible:
                self._store.remove_parts()

    def missing_tiles(self, progress: AtlasProgress | None = None) -> list[int]:
        """Return the tiles that are missing or damaged, counted row by row, in a good order; reads all others."""
        return [row * self._tiles[1] + column for row, column in self._missing(progress)]

    def fill_tile(self, method: Method, pair: Pair, number: int, go_on: Callable[[], None]) -> None:
        """Compute one tile, unless it is there; another process that is at it is waited for.

        Parameters
        ----------
        method, pair
            Those of the atlas.
        number : int
            Of the tile, counted row by row.
        go_on : callable
            Called now and then; what it raises ends the work.
        """
        tile = divmod(number, self._tiles[1])
        with self._store.claims() as claims:
            while not self._store.is_sound(tile):
                with claims.claimed(number) as mine:
                    if not mine:
                        time.sleep(WAIT_S)
                        go_on()
                    elif not self._store.is_sound(tile):
                        self._store.write(tile, computed_tile(method, pair, tile, self.side, go_on))

    def window(self, row: int, col: int) -> JacobianWindow:
        """Read the Jacobian images of a principal pixel (paper, equation 1).

        Parameters
        ----------
        row, col : int
            The principal pixel, 0-based.

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
            raise AtlasError(f"{self._store.place}: the window of pixel ({row}, {col}) is not computed yet.")
        box = box_around((row, col), self.radius, self.shape)
        whole, scale = self._at(self._content(self._tile_of(row, col)), row, col)
        top, left = row - self.radius, col - self.radius
        inside = whole[:, box.top - top : box.bottom - top, box.left - left : box.right - left]
        values = inside.astype(np.float32) * scale
        return JacobianWindow(values, box.top, box.left, row, col, self.shape, path="atlas")

    def stored(self, pixels: Sequence[Pixel]) -> StoredWindows:
        """Read the windows of some pixels as they are stored.

        Parameters
        ----------
        pixels : sequence of (row, col)
            Those outside the image, not computed yet or damaged are left out of what is returned; damage is logged.

        Returns
        -------
        StoredWindows
            float16, relative to their scales, with the scale NaN where there is no window.
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
        return StoredWindows(self.radius, scales, values)

    def _readable(self, tile: Tile) -> TileContent | None:
        if not self._store.is_there(tile):
            return None
        try:
            return self._content(tile)
        except AtlasError:
            logger.exception("Windows of an atlas cannot be read")
            return None

    @cachedmethod(lambda self: self._recent, lock=lambda self: self._lock)
    def _content(self, tile: Tile) -> TileContent:
        return self._store.read(tile)

    def _tile_of(self, row: int, col: int) -> Tile:
        return row // self.side, col // self.side

    def _at(self, content: TileContent, row: int, col: int) -> tuple[NDArray[np.float16], np.float32]:
        place = row % self.side, col % self.side
        return content[0][place], content[1][place]

    def _missing(self, progress: AtlasProgress | None) -> dict[Tile, None]:
        """Return the tiles that are not there or damaged, in the order in which they are to be computed."""
        missing = []
        tiles = itertools.product(range(self._tiles[0]), range(self._tiles[1]))
        for number, tile in enumerate(tiles, start=1):
            if not self._store.is_sound(tile):
                missing.append(tile)
            if progress is not None and number % LOOKED_AT == 0:
                progress(*self.tiles_done)
        together = max(TOGETHER // self.side, 1)
        missing.sort(key=lambda tile: (tile[0] // together, tile[1] // together, tile))
        return dict.fromkeys(missing)


def computed_tile(
    method: Method, pair: Pair, tile: Tile, side: int, go_on: Callable[[], None] = lambda: None
) -> TileContent:
    """Compute the windows of a tile.

    Parameters
    ----------
    method : Method
        With a finite support.
    pair : Pair
        The images.
    tile : tuple of int
        Row and column, counted in tiles.
    side : int
        Of a tile, pixels.
    go_on : callable
        Called now and then; what it raises ends the work.

    Returns
    -------
    tuple of ndarray
        For the (h, w) pixels of the tile that are in the image: float16 (h, w, 2, 2r + 1, 2r + 1), and the float32
        scales (h, w) that they are to be multiplied by.
    """
    box = tile_box(tile, side, pair.shape)
    pixels = [(row, column) for row in range(box.top, box.bottom) for column in range(box.left, box.right)]
    window = 2 * radius_of(method, pair.shape) + 1
    values = np.empty((len(pixels), 2, window, window), dtype=np.float16)
    scales = np.empty(len(pixels), dtype=np.float32)
    at_once = WINDOWS_AT_ONCE[method.device.type]
    for start in range(0, len(pixels), at_once):
        if start:
            go_on()
        part = slice(start, start + at_once)
        values[part], scales[part] = computed_windows(method, pair, pixels[part])
    return values.reshape(*box.shape, *values.shape[1:]), scales.reshape(box.shape)


def computed_windows(
    method: Method, pair: Pair, pixels: list[Pixel]
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Compute the windows of some pixels as an atlas stores them.

    Parameters
    ----------
    method : Method
        With a finite support radius r.
    pair : Pair
        The images.
    pixels : list of (row, col)
        Principal pixels, all inside the image.

    Returns
    -------
    tuple of ndarray
        float16 (n, 2, 2r + 1, 2r + 1) in [−1, 1] where finite, and the float32 scales (n,) > 0.
    """
    side = 2 * radius_of(method, pair.shape) + 1
    values = np.empty((len(pixels), 2, side, side), dtype=np.float16)
    scales = np.empty(len(pixels), dtype=np.float32)
    for numbers, gradients in whole_windows(method, pair, pixels):
        halves, largest = _scaled(gradients)
        values[numbers], scales[numbers] = halves.cpu().numpy(), largest.cpu().numpy()
    return values, scales


@torch.inference_mode()
def _scaled(gradients: Tensor) -> tuple[Tensor, Tensor]:
    """Divide windows by their scales: the largest finite magnitude; 1 where there is none, or too little."""
    magnitudes = torch.where(gradients.isfinite(), gradients.abs(), 0).amax(dim=(1, 2, 3))
    scales = torch.where(magnitudes > torch.finfo(torch.float32).tiny, magnitudes, 1)
    return (gradients / scales[:, None, None, None]).half(), scales


def whole_windows(
    method: Method, pair: Pair, pixels: list[Pixel], dtype: str = "float32"
) -> Iterator[tuple[list[int], Tensor]]:
    """Compute the Jacobian images (paper, equation 1) of some pixels.

    Only what these need: whoever ends the work should not wait for what others need.

    Parameters
    ----------
    method : Method
        With a finite support radius r.
    pair : Pair
        The two input images.
    pixels : list of (row, col)
        Principal pixels, all inside the image.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Yields
    ------
    tuple
        Which of the pixels, and (B, 2, 2r + 1, 2r + 1) on the method's device, 0 outside the image.
    """
    radius = method.locality_at(pair.shape).radius
    assert radius is not None
    chain = chain_of(method, torch_dtype(dtype))
    if chain is None or not all(chain.covers(pixel, radius, pair.shape) for pixel in pixels):
        found = _whole(jacobians(method, pair, pixels, dtype, ahead=False), radius)
        yield list(range(len(pixels))), torch.from_numpy(found).to(method.device)
        return
    for numbers, gradients in chain_tensors(chain, pair, pixels, radius, WINDOWS_AT_ONCE[method.device.type]):
        odd = (~gradients.isfinite().flatten(1).all(dim=1)).nonzero()[:, 0].tolist()
        if odd:
            # Where a derivative is not finite, autograd has the word.
            windows = jacobians(method, pair, [pixels[numbers[place]] for place in odd], dtype, ahead=False)
            with torch.inference_mode():
                gradients[odd] = torch.from_numpy(_whole(windows, radius)).to(gradients.device)
        yield numbers, gradients


def _whole(windows: list[JacobianWindow], radius: int) -> NDArray[np.floating]:
    """Return windows of equal shape (n, 2, 2r + 1, 2r + 1): those that the image's border cuts off end in zeros."""
    side = 2 * radius + 1
    gradients = np.zeros((len(windows), 2, side, side), dtype=windows[0].values.dtype)
    for number, window in enumerate(windows):
        top, left = window.top - (window.row - radius), window.left - (window.col - radius)
        height, width = window.values.shape[1:]
        gradients[number, :, top : top + height, left : left + width] = window.values
    return gradients

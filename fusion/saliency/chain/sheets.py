"""The kept maps of a part of an image, filled tile by tile as they are asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.device import give_back
from fusion.saliency.chain.keeping import kept_values, map_dtype, margin
from fusion.saliency.chain.nodes import Network, Reach
from fusion.saliency.chain.places import Maps, OnePlace
from fusion.saliency.chain.plan import Plan
from fusion.saliency.window import Box, Pixel

TILE_SIDE = 32
"""Pixels. A first look at a pixel costs one forward pass over a tile and its margin."""
BLOCK_TILES = 2
"""Tiles along the side of a block; where many tiles of a block are wanted, it is computed at once."""


class Sheet:
    """Kept maps of the pixels of a box, for one pair, network and plan. Safe to use from several threads.

    Parameters
    ----------
    network : Network
        What to run forward.
    plan : Plan
        Which maps it needs.
    images : ndarray
        (2, H, W) float32, the whole pair.
    core : Box
        The principal pixels that it serves.
    dtype, device
        Of the computation.

    Attributes
    ----------
    maps : sequence of Tensor
        (rows, columns, channels) each, the core with a margin as wide as windows reach; 0 outside the image.
    nbytes : int
        What they take when they are full.
    """

    def __init__(
        self,
        network: Network,
        plan: Plan,
        images: NDArray[np.float32],
        core: Box,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._network = network
        self._kept = plan.kept
        self._images = images
        self._dtype, self._device = dtype, device
        self._margin = margin(network, plan.kept)
        self.core = core
        self.maps: Maps = [
            _zeros(
                (core.shape[0] + 2 * item.reach[0], core.shape[1] + 2 * item.reach[1], item.channels),
                map_dtype(network, item, dtype),
                device,
            )
            for item in plan.kept
        ]
        self.nbytes = sum(values.numel() * values.element_size() for values in self.maps)
        self._done: set[tuple[int, int]] = set()
        self._busy: set[tuple[int, int]] = set()
        self._changed = threading.Condition()

    def ensure(self, pixels: Iterable[tuple[int, int]]) -> None:
        """Fill all maps for these pixels, (row, column) in the image, if they are not yet.

        Each tile is computed by one thread. Another that wants it waits for it, but for no other tile.
        """
        wanted = self._tiles(pixels)
        while not wanted <= self._done:
            with self._changed:
                free = wanted - self._done - self._busy
                if not free:
                    self._changed.wait_for(lambda: bool(wanted - self._busy) or wanted <= self._done)
                    continue
                box, tiles = self._boxes(free)[0]
                self._busy |= tiles
            try:
                self._fill(box)
                self._done |= tiles
                give_back()
            finally:
                with self._changed:
                    self._busy -= tiles
                    self._changed.notify_all()

    def place(self, pixel: Pixel) -> OnePlace:
        """Return where the maps' windows of a pixel, (row, column) in the image, lie."""
        return OnePlace(self.maps, pixel[0] - self.core.top, pixel[1] - self.core.left)

    def has(self, pixels: Iterable[tuple[int, int]]) -> bool:
        """Whether all maps are filled for these pixels."""
        return self._tiles(pixels) <= self._done

    def ensure_around(self, pixels: Iterable[tuple[int, int]], tiles: int) -> None:
        """Fill all maps for these pixels and for the squares of `tiles` × `tiles` tiles that they are in."""
        for row, column in sorted({(row // tiles, column // tiles) for row, column in self._tiles(pixels)}):
            side = tiles * TILE_SIDE
            self._ensure_square(self.core.top + row * side, self.core.left + column * side, side)

    def _tiles(self, pixels: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
        top, left = self.core.top, self.core.left
        return {((row - top) // TILE_SIDE, (column - left) // TILE_SIDE) for row, column in pixels}

    def ensure_all(self) -> None:
        """Fill all maps, block by block."""
        side = TILE_SIDE * BLOCK_TILES
        for top in range(self.core.top, self.core.bottom, side):
            for left in range(self.core.left, self.core.right, side):
                self._ensure_square(top, left, side)

    def _ensure_square(self, top: int, left: int, side: int) -> None:
        rows = range(top, min(top + side, self.core.bottom), TILE_SIDE)
        columns = range(left, min(left + side, self.core.right), TILE_SIDE)
        self.ensure((row, column) for row in rows for column in columns)

    def _boxes(self, wanted: set[tuple[int, int]]) -> list[tuple[Box, set[tuple[int, int]]]]:
        """Return what to compute: single tiles, or whole blocks where that costs less."""
        blocks: dict[tuple[int, int], set[tuple[int, int]]] = {}
        for row, column in wanted:
            blocks.setdefault((row // BLOCK_TILES, column // BLOCK_TILES), set()).add((row, column))
        boxes: list[tuple[Box, set[tuple[int, int]]]] = []
        for (row, column), tiles in blocks.items():
            block = self._box(row, column, TILE_SIDE * BLOCK_TILES)
            single = [(self._box(*tile, TILE_SIDE), {tile}) for tile in sorted(tiles)]
            if self._cost(block) <= sum(self._cost(box) for box, _ in single):
                rows = range(row * BLOCK_TILES, (row + 1) * BLOCK_TILES)
                columns = range(column * BLOCK_TILES, (column + 1) * BLOCK_TILES)
                boxes.append((block, {(r, c) for r in rows for c in columns}))
            else:
                boxes += single
        return boxes

    def _box(self, row: int, column: int, side: int) -> Box:
        top, left = self.core.top + row * side, self.core.left + column * side
        return Box(top, left, min(top + side, self.core.bottom), min(left + side, self.core.right))

    def _cost(self, box: Box) -> int:
        rows, columns = self._grown(box, self._margin).shape
        return rows * columns

    def _grown(self, box: Box, reach: Reach) -> Box:
        height, width = self._images.shape[1:]
        return Box(
            max(box.top - reach[0], 0),
            max(box.left - reach[1], 0),
            min(box.bottom + reach[0], height),
            min(box.right + reach[1], width),
        )

    def _fill(self, box: Box) -> None:
        crop = self._grown(box, self._margin)
        part = self._images[None, :, crop.rows(), crop.columns()]
        images = torch.tensor(part, dtype=self._dtype, device=self._device)

        def cut(reach: Reach) -> tuple[slice, slice]:
            region = self._grown(box, reach)
            return (
                slice(region.top - crop.top, region.bottom - crop.top),
                slice(region.left - crop.left, region.right - crop.left),
            )

        for position, values in kept_values(self._network, self._kept, images, cut):
            reach = self._kept[position].reach
            region = self._grown(box, reach)
            top, left = region.top - self.core.top + reach[0], region.left - self.core.left + reach[1]
            height, width = region.shape
            self.maps[position][top : top + height, left : left + width] = values


def _zeros(shape: tuple[int, int, int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Make zeros; on the CPU the system gives the memory only where something is written."""
    if device.type != "cpu":
        return torch.zeros(shape, dtype=dtype, device=device)
    return torch.from_numpy(np.zeros(shape, dtype=_NUMPY_TYPES[dtype]))


_NUMPY_TYPES = {torch.uint8: np.uint8, torch.float32: np.float32, torch.float64: np.float64}

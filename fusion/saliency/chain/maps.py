"""Derivative maps, which a chain multiplies by: the local derivatives of pointwise nodes at each pixel.

They are computed by a forward pass over a tile of the image when they are asked for, and kept in few bytes.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.device import give_back
from fusion.saliency.chain.graph import (
    Convolution,
    Graph,
    Local,
    Reach,
    TwoSlopes,
    needed_reaches,
    wider,
)
from fusion.saliency.chain.plan import BORDER, INSIDE, BackwardPlan, MapSpec
from fusion.saliency.chain.steps import Maps, OnePixel
from fusion.saliency.window import Box, Pixel

Cut = Callable[[MapSpec, Reach], tuple[slice, slice]]
"""Rows and columns, in the crop on a map's grid, of the part for which the map is wanted, with this reach."""

STRIP_ROWS = 16
"""Rows that pointwise operations are differentiated for at a time: autograd keeps every value between them."""


def margin(graph: Graph, specs: Sequence[MapSpec]) -> Reach:
    """Return how much of the image around a part must be read for all maps of the part to be exact."""
    found = needed_reaches(graph, [(item.node, item.reach) for item in specs if item.node >= 0])
    return wider(found[0], found[1]) or (0, 0)


def map_dtype(graph: Graph, item: MapSpec, dtype: torch.dtype) -> torch.dtype:
    """Return the type of a map's numbers: bytes for rectifiers, else that of the computation.

    Networks that stride keep little in their coarser grids, and multiply many small windows, which is quicker without
    a change of type.
    """
    if item.node == INSIDE:
        return torch.uint8
    if item.node == BORDER:
        return torch.int64
    node = graph.nodes[item.node]
    return torch.uint8 if isinstance(node, Local) and node.slopes and not graph.regridded else dtype


@torch.no_grad()
def derivative_maps(
    graph: Graph, specs: Sequence[MapSpec], images: Tensor, cut: Cut
) -> Iterator[tuple[int, Tensor]]:
    """Run a network forward and yield what is kept of it.

    Parameters
    ----------
    graph : Graph
        What to run.
    specs : sequence of MapSpec
        Which maps.
    images : torch.Tensor
        (1, 2, h, w), a crop of both images.
    cut : callable
        Which part of the crop each map is wanted for.

    Yields
    ------
    tuple
        The map's position in `specs`, and its values, (rows, columns, channels).
    """
    wanted: defaultdict[int, list[int]] = defaultdict(list)
    for position, item in enumerate(specs):
        if item.node != BORDER:
            wanted[item.node].append(position)
    for position in wanted.pop(INSIDE, []):
        rows, columns = cut(specs[position], specs[position].reach)
        yield position, images.new_ones((rows.stop - rows.start, columns.stop - columns.start, 1))
    last = max(wanted, default=-1)
    values: dict[int, Tensor] = {0: images[:, :1], 1: images[:, 1:]}
    final_use = {source: number for number, node in enumerate(graph.nodes) for source in node.sources}
    for number, node in enumerate(graph.nodes[: last + 1]):
        if number >= 2:
            sources = [values[source] for source in node.sources]
            if isinstance(node, Local) and number in wanted:
                yield from _local_maps(node, sources, [(p, specs[p]) for p in wanted[number]], cut)
            if number < last:
                result = node.run(*sources)
                if isinstance(node, Convolution) and node.channels > 1:
                    # From the first layer on, so that the others find the order that they like.
                    result = result.contiguous(memory_format=torch.channels_last)
                values[number] = result
        for source in node.sources:
            if final_use[source] == number:
                values.pop(source, None)


def map_shape(item: MapSpec, rows: int, columns: int) -> tuple[int, ...]:
    """Return the shape of a map of so many principal pixels: (rows, columns, channels), or (2, rows or columns)."""
    height, width = item.cells(rows) + 2 * item.reach[0], item.cells(columns) + 2 * item.reach[1]
    return (2, max(height, width)) if item.node == BORDER else (height, width, item.channels)


def border_offsets(item: MapSpec, core: Box, shape: tuple[int, int], device: torch.device) -> Tensor:
    """Return what `Pixels.folded` needs of a part of an image of this shape: offsets of its rows and of its columns."""
    assert item.border is not None
    found = torch.zeros(map_shape(item, *core.shape), dtype=torch.int64)
    for axis, (first, last) in enumerate(((core.top, core.bottom), (core.left, core.right))):
        places = range(item.cells(first) - item.reach[axis], item.cells(last) + item.reach[axis])
        found[axis, : len(places)] = torch.tensor(item.border.offsets(places, item.cells(shape[axis]), axis))
    return found.to(device)


def _codes(slopes: TwoSlopes, values: Tensor) -> Tensor:
    """Return the derivative of a rectifier in bytes."""
    on = slopes.is_on(values).to(torch.uint8)
    if (slopes.off, slopes.on) == (0, 1):
        return on
    return on.mul_(slopes.on - slopes.off).add_(slopes.off)


def _local_maps(
    node: Local, sources: Sequence[Tensor], items: Sequence[tuple[int, MapSpec]], cut: Cut
) -> Iterator[tuple[int, Tensor]]:
    if node.slopes is not None:
        for position, item in items:
            rows, columns = cut(item, item.reach)
            yield position, _codes(node.slopes, sources[0][0, :, rows, columns]).permute(1, 2, 0)
        return
    widest: Reach = (0, 0)
    for _, item in items:
        widest = wider(widest, item.reach) or widest
    outer_rows, outer_columns = cut(items[0][1], widest)
    cuts = {position: cut(item, item.reach) for position, item in items}
    found: dict[int, Tensor] = {}
    for top in range(outer_rows.start, outer_rows.stop, STRIP_ROWS):
        strip = slice(top, min(top + STRIP_ROWS, outer_rows.stop))
        partials = node.partial_derivatives([source[:, :, strip, outer_columns] for source in sources])
        for position, item in items:
            partial = partials[item.position]
            if partial is None:
                raise RuntimeError("A pointwise operation has lost its derivative")
            rows, columns = cuts[position]
            if position not in found:
                shape = (rows.stop - rows.start, columns.stop - columns.start, partial.shape[1])
                found[position] = partial.new_empty(shape)
            common = slice(max(rows.start, strip.start), min(rows.stop, strip.stop))
            if common.start < common.stop:
                inner = partial[
                    0,
                    :,
                    common.start - top : common.stop - top,
                    columns.start - outer_columns.start : columns.stop - outer_columns.start,
                ]
                found[position][common.start - rows.start : common.stop - rows.start] = inner.permute(1, 2, 0)
    yield from found.items()


TILE_SIDE = 32
"""Pixels, about, where networks stride. A first look at a pixel costs one forward pass over a tile and its margin."""
BLOCK_TILES = 2
"""Tiles along the side of a block; where many tiles of a block are wanted, it is computed at once."""


class DerivativeMaps:
    """Derivative maps of the pixels of a box, for one pair, graph and plan. Safe to use from several threads.

    Parameters
    ----------
    graph : Graph
        What to run forward.
    plan : BackwardPlan
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
        graph: Graph,
        plan: BackwardPlan,
        images: NDArray[np.float32],
        core: Box,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._graph = graph
        self._specs = plan.maps
        self._images = images
        self._dtype, self._device = dtype, device
        self._stride = plan.stride
        self._side = max(TILE_SIDE // plan.stride, 1) * plan.stride
        rows, columns = margin(graph, plan.maps)
        # Crops begin where squares do.
        self._margin = rows + -rows % plan.stride, columns + -columns % plan.stride
        self.core = core
        self.tensors: Maps = [
            border_offsets(item, core, (images.shape[1], images.shape[2]), device)
            if item.node == BORDER
            else _zeros(map_shape(item, *core.shape), map_dtype(graph, item, dtype), device)
            for item in plan.maps
        ]
        self.nbytes = sum(values.numel() * values.element_size() for values in self.tensors)
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

    def pixel(self, pixel: Pixel) -> OnePixel:
        """Return where the maps' windows of a pixel, (row, column) in the image, lie."""
        return OnePixel(self.tensors, pixel[0] - self.core.top, pixel[1] - self.core.left, self._stride)

    def has(self, pixels: Iterable[tuple[int, int]]) -> bool:
        """Tell whether all maps are filled for these pixels."""
        return self._tiles(pixels) <= self._done

    def ensure_around(self, pixels: Iterable[tuple[int, int]], tiles: int) -> None:
        """Fill all maps for these pixels and for the squares of `tiles` × `tiles` tiles that they are in."""
        for row, column in sorted({(row // tiles, column // tiles) for row, column in self._tiles(pixels)}):
            side = tiles * self._side
            self._ensure_square(self.core.top + row * side, self.core.left + column * side, side)

    def _tiles(self, pixels: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
        top, left = self.core.top, self.core.left
        return {((row - top) // self._side, (column - left) // self._side) for row, column in pixels}

    def ensure_all(self) -> None:
        """Fill all maps, block by block."""
        side = self._side * BLOCK_TILES
        for top in range(self.core.top, self.core.bottom, side):
            for left in range(self.core.left, self.core.right, side):
                self._ensure_square(top, left, side)

    def _ensure_square(self, top: int, left: int, side: int) -> None:
        rows = range(top, min(top + side, self.core.bottom), self._side)
        columns = range(left, min(left + side, self.core.right), self._side)
        self.ensure((row, column) for row in rows for column in columns)

    def _boxes(self, wanted: set[tuple[int, int]]) -> list[tuple[Box, set[tuple[int, int]]]]:
        """Return what to compute: single tiles, or whole blocks where that costs less."""
        blocks: dict[tuple[int, int], set[tuple[int, int]]] = {}
        for row, column in wanted:
            blocks.setdefault((row // BLOCK_TILES, column // BLOCK_TILES), set()).add((row, column))
        boxes: list[tuple[Box, set[tuple[int, int]]]] = []
        for (row, column), tiles in blocks.items():
            block = self._box(row, column, self._side * BLOCK_TILES)
            single = [(self._box(*tile, self._side), {tile}) for tile in sorted(tiles)]
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

    def _grown(self, box: Box, reach: Reach, item: MapSpec | None = None) -> Box:
        """Return a box with what is around it, clipped at the image's border; on a map's grid, if one is given."""
        height, width = self._images.shape[1:]
        if item is not None:
            box = Box(*(item.cells(side) for side in (box.top, box.left, box.bottom, box.right)))
            height, width = item.cells(height), item.cells(width)
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

        def cut(item: MapSpec, reach: Reach) -> tuple[slice, slice]:
            return self._grown(box, reach, item).within(self._grown(crop, (0, 0), item))

        for position, values in derivative_maps(self._graph, self._specs, images, cut):
            item = self._specs[position]
            region = self._grown(box, item.reach, item)
            core = self._grown(self.core, (0, 0), item)
            top, left = region.top - core.top + item.reach[0], region.left - core.left + item.reach[1]
            height, width = region.shape
            self.tensors[position][top : top + height, left : left + width] = values


def _zeros(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Make zeros; on the CPU the system gives the memory only where something is written."""
    if device.type != "cpu":
        return torch.zeros(shape, dtype=dtype, device=device)
    return torch.from_numpy(np.zeros(shape, dtype=_NUMPY_TYPES[dtype]))


_NUMPY_TYPES = {torch.uint8: np.uint8, torch.float32: np.float32, torch.float64: np.float64}

"""Guidance images (paper, equation 2): the diagonal dy(i)/dx(i) for every pixel i, by lattices of pixels.

Where a method has a chain (`fusion.saliency.chain`) and that is less work, each pass computes some pixels that
lie far apart, each by itself. Otherwise the image is coloured: one vector–Jacobian product whose cotangent is 1
on a lattice of spacing r + 1 gives the exact diagonal at every point of the lattice, for no other lattice point
lies within the support radius r of it. (r + 1)² lattices, the colours, cover the image, so that the number of
backward passes does not depend on the image's size.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.methods.base import Method
from fusion.network import apply_network, images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.chain import diagonals
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.diagonals import Lattice, part_lattice
from fusion.saliency.chain.windows import chain_of
from fusion.saliency.crops import Locality
from fusion.saliency.held import held_pair
from fusion.saliency.jacobian import jacobians
from fusion.saliency.probing import graph_bytes_a_pixel
from fusion.saliency.tiles import Tile, tiles
from fusion.saliency.window import Box, gradient

Progress = Callable[[int, int, NDArray[np.floating]], None]
"""Called as progress(done, total, partial) after each pass; may raise `fusion.errors.Cancelled`."""

MEASURED_SIDE = 32
"""Pixels along the side of an image, about, on which memory is measured."""
GRAPH_BYTES = 768 * 2**20
"""Memory for one kept forward pass; larger images are computed tile by tile."""


def guidance(
    method: Method, pair: Pair, progress: Progress | None = None, dtype: str = "float32"
) -> NDArray[np.floating]:
    """Compute both guidance images.

    Parameters
    ----------
    method : Method
        The fusion method. A global one costs one backward pass a pixel, but where it sees the whole image through a
        few numbers (`fusion.saliency.numbers`), with two products a number before.
    pair : Pair
        The two input images.
    progress : callable, optional
        Called after each backward pass with the passes done, their total, and the (2, H, W) result so
        far, NaN where it is not known yet. The array is the one that goes on growing: copy it to keep it.
        Raise `fusion.errors.Cancelled` in it to stop.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Returns
    -------
    ndarray
        (2, H, W): dy(i)/dx1(i) and dy(i)/dx2(i), dimensionless.

    Raises
    ------
    NetworkError
        If the network cannot be run on this image.
    """
    if method.elsewhere is not None:
        return method.elsewhere.guidance(pair, progress, dtype)
    passes = GuidancePasses(method, pair, dtype)
    result = np.full((2, *pair.shape), np.nan, dtype=dtype)
    for done, (rows, columns, values) in enumerate(passes.of(0, len(passes)), start=1):
        result[:, rows, columns] = values
        if progress is not None:
            progress(done, len(passes), result)
    return result


@dataclass(frozen=True)
class Part:
    """A part of the image whose passes have a forward pass, or derivative maps, in common.

    Attributes
    ----------
    box : Box
        Its pixels.
    cell : tuple of int
        Rows and columns of the cell whose offsets are the passes: pixels from one of a lattice to the next.
    prepare : callable
        Computes what the passes have in common, and returns the function that makes a pass of an offset.
    """

    box: Box
    cell: tuple[int, int]
    prepare: Callable[[], Callable[[int, int], Lattice]]

    @property
    def passes(self) -> int:
        """Number of passes that cover the part."""
        return math.prod(self.cell)


class GuidancePasses:
    """The backward passes that give both guidance images, part by part of the image; each can be computed alone.

    Passes of one part are faster one after another than in turns with those of others. Not for several threads at once.

    Parameters
    ----------
    method, pair, dtype
        See `guidance`.

    Attributes
    ----------
    parts : tuple of Part
        In the order of their passes.

    Raises
    ------
    NetworkError
        If the network cannot be run on this image.
    """

    def __init__(self, method: Method, pair: Pair, dtype: str = "float32") -> None:
        precision = torch_dtype(dtype)
        self._held = held_pair(method, pair, precision) if method.numbers is not None else None
        if self._held is not None:
            method = self._held.local
        chain = chain_of(method, precision)
        if chain is not None and not _chain_is_cheaper(chain, method, pair.shape):
            chain = None
        self._method, self._pair, self._dtype = method, pair, dtype
        self._by_chain = chain is not None
        self.parts = tuple(_by_chain(chain, pair) if chain else _by_colouring(method, pair, precision))
        self._starts = list(itertools.accumulate((part.passes for part in self.parts), initial=0))
        self._prepared: tuple[int, Callable[[int, int], Lattice]] | None = None

    def __len__(self) -> int:
        """Return how many passes there are."""
        return self._starts[-1]

    def of(self, first: int, stop: int, go_on: Callable[[], None] = lambda: None) -> Iterator[Lattice]:
        """Compute the passes from `first` up to `stop`, counted from 0 through all parts.

        Parameters
        ----------
        first, stop : int
            Which passes.
        go_on : callable
            Called again and again while what all passes have in common is computed; what it raises ends that.

        Yields
        ------
        tuple
            Of each: its rows and columns as slices of the image, and (2, h, w) values dy(i)/dx(i) there.
        """
        for number, order in self._between(first, stop):
            if self._prepared is None or self._prepared[0] != number:
                self._prepared = None  # what the part before needed goes before that of the next comes
                self._prepared = number, self.parts[number].prepare()
            for row, column in order:
                rows, columns, values = self._prepared[1](row, column)
                values = self._finite(rows, columns, values) if self._by_chain else values
                if self._held is not None:
                    values = values + self._held.terms(lambda share: go_on()).diagonal(rows, columns)
                yield rows, columns, values

    def let_go(self) -> None:
        """Free what the passes of a part have in common; the next pass computes it anew."""
        self._prepared = None

    def lattices(self, first: int, stop: int) -> Iterator[tuple[slice, slice]]:
        """Yield the rows and columns of the same passes, without computing them."""
        for number, order in self._between(first, stop):
            part = self.parts[number]
            for row, column in order:
                yield part_lattice(part.box, part.cell, row, column)

    def _between(self, first: int, stop: int) -> Iterator[tuple[int, Iterator[tuple[int, int]]]]:
        for number, part in enumerate(self.parts):
            start = self._starts[number]
            inside = max(first - start, 0), min(stop - start, part.passes)
            if inside[0] < inside[1]:
                yield number, itertools.islice(colour_order(*part.cell), *inside)

    def _finite(self, rows: slice, columns: slice, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """Give autograd the word where a derivative is not finite: 0 times infinity depends on the order."""
        odd = np.argwhere(~np.isfinite(values).all(axis=0))
        if not len(odd):
            return values
        height, width = self._pair.shape
        at_rows, at_columns = range(height)[rows], range(width)[columns]
        pixels = [(at_rows[row], at_columns[column]) for row, column in odd]
        for (row, column), window in zip(
            odd, jacobians(self._method, self._pair, pixels, self._dtype), strict=True
        ):
            values[:, row, column] = window.at_principal
        return values


def _chain_is_cheaper(chain: Chain, method: Method, shape: tuple[int, int]) -> bool:
    if chain.known(shape) != shape:
        return False
    lattices = lattice_spacing(method.locality_at(shape), shape) ** 2
    return diagonals.cost(chain, shape) < diagonals.lattice_cost(chain, shape, lattices)


def _by_chain(chain: Chain, pair: Pair) -> list[Part]:
    """Return the parts of an image for the chain of a method."""
    return [
        Part(box, diagonals.spacings(chain, box.shape), partial(diagonals.part_passes, chain, pair, box))
        for box in diagonals.parts(chain, pair.shape)
    ]


def _by_colouring(method: Method, pair: Pair, dtype: torch.dtype) -> list[Part]:
    """Return the same for methods without a chain, and for those whose forward pass costs next to nothing."""
    images = images_tensor(pair, dtype, method.device)
    locality = method.locality_at(pair.shape)
    spacing = lattice_spacing(locality, pair.shape)
    pixels = 0 if locality.radius is None else pixels_a_tile(method, dtype, locality, pair.shape)
    return [
        Part(
            tile.core,
            (min(spacing, tile.core.shape[0]), min(spacing, tile.core.shape[1])),
            partial(tile_passes, method, images, tile, spacing),
        )
        for tile in tiles(pair.shape, locality, pixels)
    ]


def lattice_spacing(locality: Locality, shape: tuple[int, int]) -> int:
    """Return how far lattice points must be apart, pixels: the support radius + 1; one at a time if global."""
    return max(shape) if locality.radius is None else locality.radius + 1


def colour_order(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Yield all offsets of a rows×columns cell, each far from the ones just before.

    Steps of about the golden ratio of the count, so that a growing picture fills evenly.
    """
    count = rows * columns
    step = max(1, round(count * 0.6180339887))
    while math.gcd(step, count) != 1:
        step += 1
    for number in range(count):
        yield divmod(number * step % count, columns)


def tile_passes(method: Method, images: Tensor, tile: Tile, spacing: int) -> Callable[[int, int], Lattice]:
    """Run the network on a tile, and return the function that gives its diagonal by colouring (paper, equation 2).

    Parameters
    ----------
    method : Method
        The fusion method.
    images : torch.Tensor
        (2, H, W), the whole pair, of the dtype that is to be computed in.
    tile : Tile
        The part to compute, and what of the image it needs.
    spacing : int
        Pixels between lattice points, at least the support radius + 1.

    Returns
    -------
    callable
        Takes row and column of the first point in the tile; returns rows and columns of the lattice as slices of the
        image, and (2, h, w) values dy(i)/dx(i) there.
    """
    core, crop = tile.core, tile.crop
    leaf = images[None, :, crop.rows(), crop.columns()].detach().clone().requires_grad_(True)
    with torch.enable_grad():
        fused = apply_network(method.network_as(images.dtype), leaf)[0]

    def values_from(row: int, column: int) -> Lattice:
        rows, columns = part_lattice(core, (spacing, spacing), row, column)
        inner = (
            slice(rows.start - crop.top, core.bottom - crop.top, spacing),
            slice(columns.start - crop.left, core.right - crop.left, spacing),
        )
        with torch.enable_grad():
            diagonal = gradient(fused[inner].sum(), leaf, keep_graph=True)[0][:, inner[0], inner[1]]
        return rows, columns, diagonal.cpu().numpy()

    return values_from


def pixels_a_tile(method: Method, dtype: torch.dtype, locality: Locality, shape: tuple[int, int]) -> int:
    """Return of how many pixels one forward pass can be kept, which is measured, for images of a shape (H, W)."""
    small = Box(0, 0, *(min(MEASURED_SIDE, side) for side in shape))
    measured = graph_bytes_a_pixel(
        method.network_as(dtype), dtype, method.device, locality.crop(small, shape).shape
    )
    return int(GRAPH_BYTES / measured)


def guidance_seconds(method: Method, pair: Pair) -> float | None:
    """Estimate how long both guidance images of a pair take where that is one pass through the whole image a pixel.

    One Jacobian image is computed, twice, and the quicker one's time is taken for each pixel.

    Parameters
    ----------
    method, pair
        See `guidance`.

    Returns
    -------
    float or None
        Seconds on this machine as it is now; ``None`` for methods that take fewer passes.
    """
    if method.locality_at(pair.shape).radius is not None:
        return None
    height, width = pair.shape
    took = []
    for _ in range(2):
        began = time.perf_counter()
        (window,) = jacobians(method, pair, [(height // 2, width // 2)])
        took.append(time.perf_counter() - began)
        if window.path != "whole image":
            return None
    return min(took) * height * width


def coarse_guidance(
    method: Method,
    pair: Pair,
    spacing: int,
    dtype: str = "float32",
    go_on: Callable[[], None] = lambda: None,
) -> NDArray[np.floating]:
    """Compute both guidance images on a coarse grid only, by exact windows.

    Parameters
    ----------
    method, pair, dtype
        See `guidance`.
    spacing : int
        Pixels from one grid point to the next, ≥ 1. The first lies spacing // 2 from the border.
    go_on : callable
        Called before the windows are computed, and before each one that takes a pass through the whole image; what it
        raises ends the work.

    Returns
    -------
    ndarray
        (2, H, W), exact on the grid, NaN elsewhere.
    """
    height, width = pair.shape
    rows = range(min(spacing // 2, height - 1), height, spacing)
    columns = range(min(spacing // 2, width - 1), width, spacing)
    result = np.full((2, height, width), np.nan, dtype=dtype)
    pixels = [(row, column) for row in rows for column in columns]
    alone = method.locality_at(pair.shape).radius is None and method.numbers is None
    size = 1 if alone else len(pixels)
    for start in range(0, len(pixels), size):
        go_on()
        for window in jacobians(method, pair, pixels[start : start + size], dtype):
            result[:, window.row, window.col] = window.at_principal
    return result


def filled(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Fill unknown pixels with a known one of the smallest square block around them that has any.

    For display only: a growing picture looks like a mosaic that gets finer.

    Parameters
    ----------
    values : ndarray
        (2, H, W), NaN where not known.

    Returns
    -------
    ndarray
        The same shape and dtype. Known values are unchanged; NaN only where nothing at all is known.
    """
    result = values.copy()
    height, width = values.shape[-2:]
    size = 2
    while np.isnan(result).any() and size < 2 * max(height, width, 2):
        representatives = _first_known(values, size)
        spread = representatives.repeat(size, axis=1).repeat(size, axis=2)[:, :height, :width]
        result = np.where(np.isnan(result), spread, result)
        size *= 2
    return result


def _first_known(values: NDArray[np.floating], size: int) -> NDArray[np.floating]:
    """Return one known value of each size×size block, (2, ⌈H/size⌉, ⌈W/size⌉), NaN where it has none."""
    count, height, width = values.shape
    padded = np.pad(values, ((0, 0), (0, -height % size), (0, -width % size)), constant_values=np.nan)
    rows, columns = padded.shape[1] // size, padded.shape[2] // size
    blocks = padded.reshape(count, rows, size, columns, size).swapaxes(2, 3).reshape(count, rows, columns, -1)
    first = (~np.isnan(blocks)).argmax(axis=-1)
    return np.take_along_axis(blocks, first[..., None], axis=-1)[..., 0]

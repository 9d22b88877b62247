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
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.methods.base import Method
from fusion.network import apply_network, images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.chain import diagonals
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.windows import chain_of
from fusion.saliency.crops import Locality
from fusion.saliency.jacobian import jacobians
from fusion.saliency.probing import graph_bytes_a_pixel
from fusion.saliency.tiles import Tile, tiles
from fusion.saliency.window import Box, gradient

Progress = Callable[[int, int, NDArray[np.floating]], None]
"""Called as progress(done, total, partial) after each pass; may raise `fusion.errors.Cancelled`."""

Lattice = tuple[slice, slice, NDArray[np.floating]]
"""Its rows, its columns, and (2, h, w) values of the diagonal there."""

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
        The fusion method. A global one costs one backward pass a pixel.
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
    precision = torch_dtype(dtype)
    chain = chain_of(method, precision)
    if chain is not None and not _chain_is_cheaper(chain, method, pair.shape):
        chain = None
    total, lattices = _by_chain(chain, pair) if chain else _by_colouring(method, pair, precision)
    result = np.full((2, *pair.shape), np.nan, dtype=dtype)
    for done, (rows, columns, values) in enumerate(lattices, start=1):
        result[:, rows, columns] = values
        if progress is not None:
            progress(done, total, result)
    if chain is not None:
        # Where a derivative is not finite, autograd has the word: 0 times infinity depends on the order.
        odd = [(int(row), int(column)) for row, column in np.argwhere(~np.isfinite(result).all(axis=0))]
        for window in jacobians(method, pair, odd, dtype):
            result[:, window.row, window.col] = window.at_principal
    return result


def _chain_is_cheaper(chain: Chain, method: Method, shape: tuple[int, int]) -> bool:
    lattices = lattice_spacing(method.locality_at(shape), shape) ** 2
    return diagonals.cost(chain, shape) < diagonals.lattice_cost(chain, shape, lattices)


def _by_chain(chain: Chain, pair: Pair) -> tuple[int, Iterator[Lattice]]:
    """Return how many lattices there will be, and an iterator that computes them."""
    parts = diagonals.parts(chain, pair.shape)
    cells = [diagonals.spacings(chain, part.shape) for part in parts]
    lattices = (
        diagonals.part_diagonals(chain, pair, part, colour_order(*cell))
        for part, cell in zip(parts, cells, strict=True)
    )
    return sum(math.prod(cell) for cell in cells), itertools.chain.from_iterable(lattices)


def _by_colouring(method: Method, pair: Pair, dtype: torch.dtype) -> tuple[int, Iterator[Lattice]]:
    """Return the same for methods without a chain, and for those whose forward pass costs next to nothing."""
    images = images_tensor(pair, dtype, method.device)
    locality = method.locality_at(pair.shape)
    spacing = lattice_spacing(locality, pair.shape)
    pixels = 0 if locality.radius is None else _pixels_a_tile(method, dtype, locality, pair.shape)
    parts = tiles(pair.shape, locality, pixels)
    passes = [min(spacing, part.core.shape[0]) * min(spacing, part.core.shape[1]) for part in parts]
    lattices = (tile_diagonals(method, images, part, spacing) for part in parts)
    return sum(passes), itertools.chain.from_iterable(lattices)


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


def tile_diagonals(
    method: Method, images: Tensor, tile: Tile, spacing: int
) -> Iterator[tuple[slice, slice, NDArray[np.floating]]]:
    """Compute the diagonal of a tile by colouring (paper, equation 2).

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

    Yields
    ------
    tuple
        Of each lattice: its rows and its columns as slices of the image, and (2, h, w) values dy(i)/dx(i) there.
    """
    core, crop = tile.core, tile.crop
    leaf = images[None, :, crop.rows(), crop.columns()].detach().clone().requires_grad_(True)
    with torch.enable_grad():
        fused = apply_network(method.network_as(images.dtype), leaf)[0]
        for row, column in colour_order(min(spacing, core.shape[0]), min(spacing, core.shape[1])):
            rows = slice(core.top + row, core.bottom, spacing)
            columns = slice(core.left + column, core.right, spacing)
            inner = (
                slice(rows.start - crop.top, core.bottom - crop.top, spacing),
                slice(columns.start - crop.left, core.right - crop.left, spacing),
            )
            diagonal = gradient(fused[inner].sum(), leaf, keep_graph=True)[0][:, inner[0], inner[1]]
            yield rows, columns, diagonal.cpu().numpy()


def _pixels_a_tile(method: Method, dtype: torch.dtype, locality: Locality, shape: tuple[int, int]) -> int:
    small = Box(0, 0, *(min(MEASURED_SIDE, side) for side in shape))
    measured = graph_bytes_a_pixel(
        method.network_as(dtype), dtype, method.device, locality.crop(small, shape).shape
    )
    return int(GRAPH_BYTES / measured)


def coarse_guidance(method: Method, pair: Pair, spacing: int, dtype: str = "float32") -> NDArray[np.floating]:
    """Compute both guidance images on a coarse grid only, by exact windows.

    Parameters
    ----------
    method, pair, dtype
        See `guidance`.
    spacing : int
        Pixels from one grid point to the next, ≥ 1. The first lies spacing // 2 from the border.

    Returns
    -------
    ndarray
        (2, H, W), exact on the grid, NaN elsewhere.
    """
    height, width = pair.shape
    rows = range(min(spacing // 2, height - 1), height, spacing)
    columns = range(min(spacing // 2, width - 1), width, spacing)
    result = np.full((2, height, width), np.nan, dtype=dtype)
    for window in jacobians(method, pair, [(row, column) for row in rows for column in columns], dtype):
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

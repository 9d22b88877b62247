"""Guidance images by the chain of a method: for the diagonal alone, half of each window need not be computed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fusion.pair import Pair
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.steps import PixelLattice
from fusion.saliency.window import Box

Lattice = tuple[slice, slice, NDArray[np.floating]]
"""Its rows, its columns, and (2, h, w) values of the diagonal there."""

PIXELS_A_PASS = {"cpu": 64, "cuda": 2048}
"""Pixels computed at once, at most. A GPU is idle with few, and a picture of 256×256 grows in 32 steps then."""
NUMBERS_A_PASS = 2**26
"""Numbers in their largest windows, where more than `PIXELS_AT_LEAST` pixels have as many; 256 MB in float32."""
PIXELS_AT_LEAST = 64
MAP_BYTES = 512 * 2**20
"""Memory for derivative maps; larger images are computed part by part."""
LARGEST_SIDE = 512
"""Pixels along the side of a part, at most, so that nobody waits long for its first values."""
CALL_COST = 750_000
"""Multiplications that take as long as one call of torch."""


def parts(chain: Chain, shape: tuple[int, int]) -> list[Box]:
    """Cut what a chain knows of an image into parts whose maps fit into memory."""
    height, width = chain.known(shape)
    side = LARGEST_SIDE
    while side > 1 and chain.map_bytes(side, side, diagonal=True) > MAP_BYTES:
        side //= 2
    side = max(side - side % chain.step, chain.step)
    return [
        Box(top, left, min(top + side, height), min(left + side, width))
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]


def spacings(chain: Chain, shape: tuple[int, int]) -> tuple[int, int]:
    """Return how far apart, down and right, the pixels of a pass lie in a part of this shape.

    Where networks stride, those of a pass are in like places of their squares.
    """
    height, width = shape
    fitting = max(PIXELS_AT_LEAST, NUMBERS_A_PASS // chain.diagonal.widest)
    pixels = min(PIXELS_A_PASS[chain.device.type], fitting)
    rows = min(height, max(math.isqrt(pixels), pixels // width))
    columns = min(width, pixels // rows)
    stride = chain.diagonal.stride
    return -(-height // (rows * stride)) * stride, -(-width // (columns * stride)) * stride


def cost(chain: Chain, shape: tuple[int, int]) -> int:
    """Estimate the cost of both guidance images, in multiplications."""
    passes = math.prod(spacings(chain, shape))
    return math.prod(shape) * chain.diagonal.multiplications + passes * len(chain.diagonal.steps) * CALL_COST


def lattice_cost(chain: Chain, shape: tuple[int, int], lattices: int) -> int:
    """Estimate the cost of both guidance images by backward passes over the whole image, in multiplications."""
    a_pass = math.prod(shape) * chain.forward_multiplications + len(chain.graph.nodes) * CALL_COST
    return lattices * a_pass


def part_lattice(part: Box, cell: tuple[int, int], row: int, column: int) -> tuple[slice, slice]:
    """Return rows and columns of the image on which a lattice of a part lies that begins at (row, column) of it."""
    return slice(part.top + row, part.bottom, cell[0]), slice(part.left + column, part.right, cell[1])


def part_passes(chain: Chain, pair: Pair, part: Box) -> Callable[[int, int], Lattice]:
    """Compute the derivative maps of a part, and return the function that gives its diagonal (paper, equation 2).

    Parameters
    ----------
    chain : Chain
        The method's.
    pair : Pair
        The two input images.
    part : Box
        Which pixels.

    Returns
    -------
    callable
        Takes (row, column) at which a lattice of `spacings` begins in the part; returns its rows, its columns and
        (2, h, w) values.
    """
    down, right = spacings(chain, part.shape)
    derivatives = chain.derivatives(pair.images, part, diagonal=True)
    derivatives.ensure_all()
    height, width = part.shape

    def values_from(row: int, column: int) -> Lattice:
        shape = (-(-(height - row) // down), -(-(width - column) // right))
        lattice = PixelLattice(derivatives.tensors, row, column, down, right, shape, chain.diagonal.stride)
        values = chain.diagonals(lattice)
        return *part_lattice(part, (down, right), row, column), values

    return values_from

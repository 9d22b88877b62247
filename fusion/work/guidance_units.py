"""Guidance images cut into units: some backward passes each, whose values are one chunk of the store."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.guidance import GuidancePasses
from fusion.work.addresses import Kind, Work
from fusion.work.kept_units import GoOn, KeptUnits, kept_chunks
from fusion.work.store import ChunkStore

UNITS_A_PART = 64
"""Units of a part of the image, at most: each is a file, a message, and a step in which a picture grows."""


class GuidanceUnits(KeptUnits):
    """Both guidance images of a pair (paper, equation 2), cut into units. Not for several threads at once.

    Parameters
    ----------
    method : Method
        What to differentiate.
    pair : Pair
        The images.
    store : ChunkStore
        Where the units' values are kept.

    Attributes
    ----------
    work : Work
        Their address.

    Raises
    ------
    NetworkError
        If the network cannot be run on these images.
    """

    def __init__(self, method: Method, pair: Pair, store: ChunkStore) -> None:
        self.work = Work.of(Kind.GUIDANCE, method, pair.id)
        self.shape = pair.shape
        self._passes = GuidancePasses(method, pair)
        parts = self._passes.parts
        starts = itertools.accumulate((part.passes for part in parts), initial=0)
        bounds = [
            [(start + first, start + stop) for first, stop in unit_bounds(part.passes)]
            for part, start in zip(parts, starts, strict=False)
        ]
        self._bounds = [unit for units in bounds for unit in units]
        self._size = max(
            (stop - first) * largest_lattice(part.box.shape, part.cell)
            for part, units in zip(parts, bounds, strict=True)
            for first, stop in units
        )
        # Where the image is cut depends on how much memory its derivatives take, which is measured.
        layout = [
            [part.box.top, part.box.left, part.box.bottom, part.box.right, *part.cell] for part in parts
        ]
        units = "d fused intensity / d input intensity at the same place, dimensionless"
        size, cut = (len(self), 2, self._size), [layout, UNITS_A_PART]
        super().__init__(kept_chunks(store, self.work, pair.shape, size, layout, cut, units))

    def __len__(self) -> int:
        """Return how many units there are."""
        return len(self._bounds)

    def compute(self, number: int, go_on: GoOn = lambda: None) -> NDArray[np.float32]:
        """Compute a unit, see `KeptUnits.compute`: dy(i)/dx1(i) and dy(i)/dx2(i), NaN at the end."""
        values = np.full((2, self._size), np.nan, dtype=np.float32)
        filled = 0
        go_on()
        for _, _, found in self._passes.of(*self._bounds[number], go_on):
            count = math.prod(found.shape[1:])
            values[:, filled : filled + count] = found.reshape(2, count)
            filled += count
            go_on()
        return values

    def put(self, number: int, values: NDArray[np.float32], image: NDArray[np.floating]) -> None:
        """Put the values of a unit into both guidance images, see `KeptUnits.put`."""
        filled = 0
        for rows, columns in self._passes.lattices(*self._bounds[number]):
            place = image[:, rows, columns]
            count = math.prod(place.shape[1:])
            place[:] = values[:, filled : filled + count].reshape(place.shape)
            filled += count

    def let_go(self) -> None:
        """Free what is prepared for the next passes."""
        self._passes.let_go()


def unit_bounds(passes: int) -> list[tuple[int, int]]:
    """Return the first pass of each unit of a part, and the one after its last, counted from 0 in the part."""
    units = min(passes, UNITS_A_PART)
    return list(itertools.pairwise(passes * number // units for number in range(units + 1)))


def largest_lattice(shape: tuple[int, int], cell: tuple[int, int]) -> int:
    """Return how many pixels the largest lattice of a part (H, W) has."""
    return math.prod(-(-side // step) for side, step in zip(shape, cell, strict=True))

"""The influence on a region cut into units: some principal pixels each, whose numbers are one chunk of the store."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.jacobian import jacobians
from fusion.statistics.influence import (
    DEFAULT_LIMIT,
    FIXED,
    InfluenceSums,
    RegionInfluence,
    pixel_numbers,
    pixels_at_once,
)
from fusion.statistics.region_code import decode_mask
from fusion.statistics.regions import Region, grid_sample
from fusion.work.addresses import Kind, Work, statistics_id
from fusion.work.kept_units import GoOn, KeptUnits, kept_chunks
from fusion.work.store import ChunkStore


class RegionUnits(KeptUnits):
    """The Jacobian images of the pixels of a region (paper, equation 1) in numbers, cut into units.

    Parameters
    ----------
    method : Method
        What to differentiate.
    pair : Pair
        The images.
    store : ChunkStore
        Where the units' numbers are kept.
    code : str
        Of the region, see `fusion.statistics.region_code`.
    limit : int
        The most principal pixels to use, ≥ 1.

    Attributes
    ----------
    work : Work
        Their address, but for the region.
    shape : tuple of int
        (pixels, numbers of each) of the table that `put` fills.

    Raises
    ------
    RegionError
        If the code is none, or of a region that does not fit the images.
    """

    def __init__(
        self, method: Method, pair: Pair, store: ChunkStore, code: str, limit: int = DEFAULT_LIMIT
    ) -> None:
        self.work = Work.of(Kind.REGION, method, pair.id)
        self._method, self._pair = method, pair
        self._region = Region("region", decode_mask(code, pair.shape))
        self._sample = grid_sample(self._region, limit)
        radius = method.locality_at(pair.shape).radius
        self._rings = max(pair.shape) if radius is None else radius + 1
        self._at_once = pixels_at_once(method, pair.shape)
        self.shape = len(self._sample.pixels), FIXED + 2 * self._rings
        pixels = [list(pixel) for pixel in self._sample.pixels]
        size = max(1, -(-len(pixels) // self._at_once)), self._at_once, self.shape[1]
        units = "sums of d fused intensity / d input intensity over inputs and by distance, dimensionless"
        chunks = kept_chunks(
            store, self.work, pair.shape, size, pixels, [code, limit, statistics_id()], units, "float64"
        )
        super().__init__(chunks)
        self._number = size[0]

    def __len__(self) -> int:
        """Return how many units there are."""
        return self._number

    def compute(self, number: int, go_on: GoOn = lambda: None) -> NDArray[np.float64]:
        """Compute a unit, see `KeptUnits.compute`: a row for each principal pixel, NaN at the end."""
        go_on()
        values = np.full((self._at_once, self.shape[1]), np.nan)
        pixels = self._sample.pixels[number * self._at_once : (number + 1) * self._at_once]
        if pixels:
            windows = jacobians(self._method, self._pair, pixels, "float32", ahead=False)
            for row, window in zip(itertools.count(), windows):
                values[row] = pixel_numbers(window, self._region, self._rings)
        return values

    def put(self, number: int, values: NDArray[Any], image: NDArray[np.floating]) -> None:
        """Put the rows of a unit into the table, see `KeptUnits.put`."""
        rows = image[number * self._at_once : (number + 1) * self._at_once]
        rows[:] = values[: len(rows)]

    def influence(self, table: NDArray[np.floating]) -> RegionInfluence:
        """Return the influence on the region, of its complete table: what `fusion.statistics` says of it.

        Parameters
        ----------
        table : ndarray of float64, of this object's shape
            Filled by `put` with all units.
        """
        sums = InfluenceSums()
        for numbers in table:
            sums.add_numbers(numbers)
        return sums.of_region(self._region, self._sample, len(table))

"""Maps cut into units: a part of the fused image each, whose values are one chunk of the store."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.maps import BANDS, UNITS, MapKind, MapParts
from fusion.work.addresses import Kind, Work
from fusion.work.kept_units import GoOn, KeptUnits, kept_chunks
from fusion.work.store import ChunkStore


class MapUnits(KeptUnits):
    """A map of a pair, cut into units.

    Parameters
    ----------
    method : Method
        What to differentiate.
    pair : Pair
        The images.
    store : ChunkStore
        Where the units' values are kept.
    kind : MapKind
        Which map.

    Attributes
    ----------
    work : Work
        Their address.

    Raises
    ------
    NetworkError
        See `fusion.saliency.maps.MapParts`.
    """

    def __init__(self, method: Method, pair: Pair, store: ChunkStore, kind: MapKind) -> None:
        self.work = Work.of(Kind(kind.value), method, pair.id)
        self._parts = MapParts(method, pair, kind)
        layout = [[box.top, box.left, box.bottom, box.right] for box in self._parts.boxes]
        self._shape = BANDS[kind], max(math.prod(box.shape) for box in self._parts.boxes)
        size = (len(layout), *self._shape)
        super().__init__(kept_chunks(store, self.work, pair.shape, size, layout, layout, UNITS[kind]))

    def __len__(self) -> int:
        """Return how many units there are."""
        return len(self._parts.boxes)

    def compute(self, number: int, go_on: GoOn = lambda: None) -> NDArray[np.float32]:
        """Compute a unit, see `KeptUnits.compute`; its numbers are in reading order, NaN at their end."""
        values = np.full(self._shape, np.nan, dtype=np.float32)
        found = self._parts.of(number, go_on)
        values[:, : math.prod(found.shape[1:])] = found.reshape(len(found), -1)
        return values

    def seconds(self) -> float:
        """Return about how long all units take here, see `fusion.saliency.maps.MapParts.seconds`."""
        return self._parts.seconds()

    def put(self, number: int, values: NDArray[np.float32], image: NDArray[np.floating]) -> None:
        """Put the values of a unit into its part of the maps, see `KeptUnits.put`."""
        box = self._parts.boxes[number]
        part = values[:, : math.prod(box.shape)].reshape(len(values), *box.shape)
        image[:, box.rows(), box.columns()] = part

"""Maps: numbers that the derivative of every fused pixel has, computed part by part, so that they can grow.

`fusion.response_map`, `fusion.reach_map` and `fusion.influence_images` give each as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray

from fusion.errors import NetworkError
from fusion.methods.base import Method
from fusion.network import images_tensor
from fusion.pair import Pair
from fusion.saliency.influence_images import influence_of, squares
from fusion.saliency.products import fused_core, products
from fusion.saliency.reach import core_reach
from fusion.saliency.response import whole_inputs
from fusion.saliency.tiles import tiles
from fusion.saliency.window import Box

CROP_PIXELS = 96 * 96
"""Of the parts of a response and of a reach, with their margins: what is stopped is done with its part first."""


class MapKind(StrEnum):
    """The kinds of maps; the values are parts of addresses and links."""

    RESPONSE = "response"
    REACH = "reach"
    INFLUENCE = "influence"


BANDS = {MapKind.RESPONSE: 2, MapKind.REACH: 2, MapKind.INFLUENCE: 4}
"""Images of each kind: of x1 and x2; of influence Σ|J| of both, then ΣJ of both."""
UNITS = {
    MapKind.RESPONSE: "d fused intensity / d intensity of a whole input, dimensionless",
    MapKind.REACH: "gray levels: 1/255 of the min-max scaled input",
    MapKind.INFLUENCE: "sums of |d fused intensity / d input intensity|, then of these with their signs; dimensionless",
}


PASSES = {MapKind.RESPONSE: 7, MapKind.REACH: 35}
"""How many forward passes a part takes about as long as, as measured: a backward pass that is differentiated itself is
seven, and for a reach there are 28 more."""
TRIED = 47
"""Pixels at the left of the one in the middle whose influence is timed with it."""


class MapParts:
    """A map of one kind, cut into parts. For several threads.

    Parameters
    ----------
    method : Method
        What to differentiate.
    pair : Pair
        The images.
    kind : MapKind
        Which map.

    Attributes
    ----------
    boxes : list of Box
        The parts of the fused image, without overlap.

    Raises
    ------
    NetworkError
        If the method runs in a process of its own, which gives Jacobian images only, and the map is not made of these.
    """

    def __init__(self, method: Method, pair: Pair, kind: MapKind) -> None:
        self._method, self._pair, self._kind = method, pair, kind
        if kind is MapKind.INFLUENCE:
            self.boxes = squares(pair.shape)
            return
        if method.elsewhere is not None:
            raise NetworkError(
                f"{method.title} runs in a process of its own, where whole images are not differentiated this way. "
                "Its influence images can be had."
            )
        self._tiles = tiles(pair.shape, method.locality_at(pair.shape), CROP_PIXELS)
        self.boxes = [tile.core for tile in self._tiles]

    def of(self, number: int, go_on: Callable[[], None] = lambda: None) -> NDArray[np.float32]:
        """Compute a part.

        Parameters
        ----------
        number : int
            Of the part, from 0.
        go_on : callable
            Called now and then; what it raises ends the work.

        Returns
        -------
        ndarray of float32
            (bands, h, w), see `BANDS` and `UNITS`.
        """
        go_on()
        if self._kind is MapKind.INFLUENCE:
            return influence_of(self._method, self._pair, self.boxes[number], go_on=go_on).astype(np.float32)
        method, tile = self._method, self._tiles[number]
        images = images_tensor(self._pair, torch.float32, method.device)
        if self._kind is MapKind.RESPONSE:
            return products(method.network, images, whole_inputs(images), tile).cpu().numpy()
        return core_reach(method.network, images, tile, go_on).astype(np.float32)

    def seconds(self) -> float:
        """Return about how long all parts take here, as busy as it is now; tries a small part of one, twice."""
        if self._kind is MapKind.INFLUENCE:
            height, width = self._pair.shape
            row, column = height // 2, width // 2
            tried = Box(row, max(column - TRIED, 0), row + 1, column + 1)
            share = tried.shape[1] / (height * width)
            return _timed(lambda: influence_of(self._method, self._pair, tried)) / share
        method, tile = self._method, self._tiles[len(self._tiles) // 2]
        images = images_tensor(self._pair, torch.float32, method.device)
        with torch.no_grad():
            forward = _timed(lambda: fused_core(method.network, images[None], tile))
        return forward * len(self._tiles) * PASSES[self._kind]


def _timed(work: Callable[[], object]) -> float:
    """Return how long work takes that has been done once before, seconds."""
    work()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

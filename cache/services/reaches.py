"""Reach of linearity of principal pixels: how far the derivative that is shown holds."""

from __future__ import annotations

import numpy as np

import fusion
from cache.jobs.threads import Places
from cache.services.scenes import Scenes
from cache.store.addresses import ReachAddress
from cache.store.serializer import Arrays
from cache.store.store import ArrayStore
from fusion import Reach
from fusion.saliency.jacobian import checked_pixel

BUSY = "The server is asked how far too many derivatives reach; ask again in a second."


class Reaches:
    """Reaches of principal pixels, each computed once. Safe to use from several threads.

    Parameters
    ----------
    scenes : Scenes
        What has the pairs and methods.
    store : ArrayStore
        Where reaches are kept.
    threads : int
        Threads of torch.
    """

    def __init__(self, scenes: Scenes, store: ArrayStore, threads: int) -> None:
        self._scenes, self._store = scenes, store
        # Each takes as long as some tens of windows.
        self._places = Places(threads, BUSY)

    def at(self, pair: str, method: str, weights: str, row: int, col: int) -> Reach:
        """Return the reach at an address, from the store or computed and kept.

        Parameters
        ----------
        pair, weights : str
            Content id of the pair and sha256 of the weights, 64 hexadecimal digits each.
        method : str
            Id of the method.
        row, col : int
            The principal pixel, 0-based.

        Raises
        ------
        UserError
            If any of them does not exist, or not any more; among others `PixelOutsideImageError`, `TooBusyError`.
        """
        chosen, images = self._scenes.addressed(pair, method, weights)
        pixel = checked_pixel((row, col), images.shape)

        def compute() -> Arrays:
            with self._places.place():
                found = fusion.reach_of_linearity(chosen, images, pixel)
            return {"levels": np.array((*found.own_pixel, *found.whole_support))}

        levels = self._store.get_or_compute(ReachAddress.of(chosen, images.id, *pixel), compute)["levels"]
        own1, own2, whole1, whole2 = (int(level) for level in levels)
        return Reach((own1, own2), (whole1, whole2))

"""Sensitivity of fused images to a shift of the second input, and nearness to poles, each computed once."""

from __future__ import annotations

import numpy as np

import fusion
from cache.jobs.threads import Places
from cache.services.scenes import Scene, Scenes
from cache.store.addresses import PoleAddress, ShiftAddress
from cache.store.serializer import Arrays
from cache.store.store import ArrayStore

BUSY = "The server computes too many sensitivities to shifts; ask again in a second."


class Shifts:
    """Sensitivities to a shift of x2. Safe to use from several threads.

    Parameters
    ----------
    scenes : Scenes
        What has the pairs and methods.
    store : ArrayStore
        Where they are kept.
    threads : int
        Threads of torch.
    """

    def __init__(self, scenes: Scenes, store: ArrayStore, threads: int) -> None:
        self._scenes, self._store = scenes, store
        self._places = Places(threads, BUSY)

    def of(self, scene: Scene) -> np.ndarray:
        """Return the change of a fused image for a pixel of shift, from the store or computed and kept.

        Returns
        -------
        ndarray of float32, shape (2, H, W)
            See `fusion.shift_sensitivity`.

        Raises
        ------
        UserError
            If the method cannot be differentiated so, or too many are asked for at once.
        """
        method = self._scenes.method(scene)

        def compute() -> Arrays:
            with self._places.place():
                return {"shift": fusion.shift_sensitivity(method, self._scenes.pair(scene))}

        return self._store.get_or_compute(ShiftAddress.of(method, scene.pair_id), compute)["shift"]

    def near_pole(self, scene: Scene) -> np.ndarray:
        """Return how many features of each pixel are near the method's pole, from the store or computed and kept.

        Returns
        -------
        ndarray of float32, shape (1, H, W)
            See `fusion.near_pole`.

        Raises
        ------
        UserError
            If the method cannot be run on these images, or too many are asked for at once.
        """
        method = self._scenes.method(scene)

        def compute() -> Arrays:
            with self._places.place():
                return {"pole": fusion.near_pole(method, self._scenes.pair(scene))[None]}

        return self._store.get_or_compute(PoleAddress.of(method, scene.pair_id), compute)["pole"]

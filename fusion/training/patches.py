"""Training patches and whole slices, from a pool of simulated slices that is renewed all along."""

from __future__ import annotations

import numpy as np

from fusion.data.simulate import simulate_pair
from fusion.data.tissue import FloatArray, Head

POOL = 48


class PatchSource:
    """Draws batches of patches; the same generator state gives the same batches.

    Simulating a slice costs a quarter of a training step of a small network, so that each slice is used for
    several patches, and only every second batch brings a new one.

    Parameters
    ----------
    head : Head
        What the slices are cut from.
    rng : numpy.random.Generator
        All that is random comes from here.
    size : int
        Pixels a side of a whole slice.
    """

    def __init__(self, head: Head, rng: np.random.Generator, size: int = 256) -> None:
        self.head = head
        self.rng = rng
        self.size = size
        self._pool: list[FloatArray] = []
        self._oldest = 0
        self._batches = 0

    def draw(self, count: int, patch: int) -> FloatArray:
        """Return patches, (count, 2, patch, patch) float32 in [0, 1]; half are mirrored left to right."""
        if self._batches % 2 == 0:
            self._renew()
        self._batches += 1
        patches = []
        for _ in range(count):
            pair = self._pool[self.rng.integers(len(self._pool))]
            top, left = self.rng.integers(0, self.size - patch + 1, 2)
            cut = pair[:, top : top + patch, left : left + patch]
            patches.append(cut[:, :, ::-1] if self.rng.random() < 0.5 else cut)
        return np.stack(patches)

    def _renew(self) -> None:
        pair = simulate_pair(self.head, self.rng, self.size)
        if len(self._pool) < POOL:
            self._pool.append(pair)
        else:
            self._pool[self._oldest] = pair
            self._oldest = (self._oldest + 1) % POOL

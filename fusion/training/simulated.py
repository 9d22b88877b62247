"""Training images from the simulator: slices drawn without end, patches cut from a pool of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset

from fusion.data.simulate import simulate_pair, simulate_pairs
from fusion.data.tissue import FloatArray, Head
from fusion.training.batches import Batch, cut_patches
from fusion.training.options import SLICE

POOL = 48
"""Slices that patches are cut from."""

VALIDATION_SEED = 20_200_201
"""The validation slices are always the same, whatever the training's seed."""

CALIBRATION_SEED = 51
CALIBRATION_SLICES = 32

SETS_IN_MEMORY = 4

SLICES, BATCHES = 0, 1
"""Two streams of random numbers of the same seed."""


class SimulatedSource:
    """Draws patches and whole slices; a batch depends on the seed and its number alone.

    Simulating a slice costs as much as a training step of a small network, so that a slice stays in a pool and is
    used for several patches.

    Parameters
    ----------
    head : Head
        What the slices are cut from.
    seed : int
        All that is random comes from here.
    batches_a_slice : int
        Every so many batches a new slice joins the pool; 0 draws new slices for each batch.
    validation : int
        Number of slices for validation.
    workers : int
        Processes that simulate ahead; 0 simulates when a slice is needed.
    size : int
        Pixels a side of a slice.
    """

    training_pairs: int | None = None

    def __init__(
        self,
        head: Head,
        seed: int,
        batches_a_slice: int,
        validation: int,
        workers: int = 0,
        size: int = SLICE,
    ) -> None:
        self.head = head
        self.seed = seed
        self.batches_a_slice = batches_a_slice
        self.size = size
        self.workers = workers
        self.description: dict[str, Any] = {
            "kind": "simulated",
            "about": (
                "Simulated MRI and PET slices drawn at random from the MNI ICBM152 2009 template "
                "(fusion/data/simulate.py). No image of a patient was used."
            ),
            "validation": f"simulated {size}×{size} slices, never trained on, the same for every network",
        }
        self._validation = validation
        self._pool: dict[int, FloatArray] = {}
        self._stream: Iterator[FloatArray] | None = None
        self._next = 0

    def batch(self, number: int, count: int, patch: int | None) -> Batch:
        """See `fusion.training.batches.ImageSource`; half of the batches are mirrored left to right."""
        rng = np.random.default_rng([self.seed, BATCHES, number])
        if self.batches_a_slice:
            newest = number // self.batches_a_slice
            oldest = max(0, newest - POOL + 1)
            chosen = [int(index) for index in rng.integers(oldest, newest + 1, count)]
            self._hold(oldest, newest)
        else:
            chosen = [number * count + one for one in range(count)]
            self._hold(chosen[0], chosen[-1])
        pairs = [self._pool[index] for index in chosen]
        if rng.random() < 0.5:
            pairs = [pair[..., ::-1] for pair in pairs]
        return cut_patches(pairs, patch, rng)

    def calibration(self) -> Sequence[FloatArray]:
        """See `fusion.training.batches.ImageSource`."""
        return list(_fixed_set(self.head, CALIBRATION_SEED, CALIBRATION_SLICES, self.size))

    def validation(self) -> Sequence[FloatArray]:
        """See `fusion.training.batches.ImageSource`."""
        return list(_fixed_set(self.head, VALIDATION_SEED, self._validation, self.size))

    def fixed(self) -> Sequence[FloatArray]:
        """See `fusion.training.batches.ImageSource`."""
        return self.validation()

    def _hold(self, oldest: int, newest: int) -> None:
        """Have the slices `oldest` to `newest` in the pool, and none before them."""
        if self._stream is None or self._next < oldest or (self._next > newest and newest not in self._pool):
            self._stream, self._next = self._from(oldest), oldest
            self._pool.clear()
        while self._next <= newest:
            self._pool[self._next] = next(self._stream)
            self._next += 1
        for index in [index for index in self._pool if index < oldest]:
            del self._pool[index]

    def _from(self, first: int) -> Iterator[FloatArray]:
        slices = _Slices(self.head, self.seed, self.size)
        order = range(first, first + 10**9)
        if self.workers == 0:
            return (slices[index] for index in order)
        loader: DataLoader[FloatArray] = DataLoader(
            slices, sampler=order, batch_size=None, num_workers=self.workers, collate_fn=_as_it_is
        )
        return iter(loader)


_fixed_sets: OrderedDict[tuple[int, int, int, int], tuple[Head, FloatArray]] = OrderedDict()


def _fixed_set(head: Head, seed: int, count: int, size: int) -> FloatArray:
    """Draw a set that never changes, or return it: a search trains many networks in one process.

    The head is kept with its slices, so that no other one can get its identity meanwhile.
    """
    key = (id(head), seed, count, size)
    if key not in _fixed_sets:
        _fixed_sets[key] = (head, simulate_pairs(head, seed, count, size))
        while len(_fixed_sets) > SETS_IN_MEMORY:
            _fixed_sets.popitem(last=False)
    return _fixed_sets[key][1]


class _Slices(Dataset[FloatArray]):
    """Slice n, which depends on the seed and n alone."""

    def __init__(self, head: Head, seed: int, size: int) -> None:
        self.head = head
        self.seed = seed
        self.size = size

    def __getitem__(self, index: int) -> FloatArray:
        return simulate_pair(self.head, np.random.default_rng([self.seed, SLICES, index]), self.size)


def _as_it_is(pair: Any) -> Any:
    return pair

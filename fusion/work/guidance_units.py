"""Guidance images cut into units: some backward passes each, whose values are one chunk of the store."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.guidance import GuidancePasses
from fusion.work.addresses import Kind, Work
from fusion.work.store import ChunkStore, Claim, StoreError, claimed_by_nobody

Value = TypeVar("Value")

logger = logging.getLogger(__name__)

UNITS_A_PART = 64
"""Units of a part of the image, at most: each is a file, a message, and a step in which a picture grows."""

WAIT_S = 0.2
"""How long to wait until others may have finished what they are at."""

GoOn = Callable[[], None]
"""Called now and then; what it raises ends the work."""


class GuidanceUnits:
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
        self._failed = False
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
        digest = hashlib.sha256(json.dumps([layout, UNITS_A_PART]).encode()).hexdigest()[:16]
        attributes = {
            "kind": str(self.work.kind),
            "pair": pair.id,
            "method": method.id,
            "weights": method.weights_id,
            "device": self.work.device,
            "numerics": self.work.numerics,
            "shape": list(pair.shape),
            "parts": layout,
            "units": "d fused intensity / d input intensity at the same place, dimensionless",
        }
        self._chunks = store.array(
            f"{Kind.GUIDANCE}/{self.work.path}-{digest}",
            (len(self), 2, self._size),
            (1, 2, self._size),
            attributes,
        )

    def __len__(self) -> int:
        """Return how many units there are."""
        return len(self._bounds)

    def done(self) -> frozenset[int]:
        """Return the units whose values are kept by now, by whomever."""
        return self._chunks.done()

    def missing(self) -> list[int]:
        """Return the units that are not kept by now, in the order in which they are to be computed."""
        done = self.done()
        return [number for number in range(len(self)) if number not in done]

    def has(self, number: int) -> bool:
        """Return whether a unit is kept by now and not damaged."""
        return self.kept(number) is not None

    def compute(self, number: int, go_on: GoOn = lambda: None) -> NDArray[np.float32]:
        """Compute a unit.

        Parameters
        ----------
        number : int
            Of the unit, from 0.
        go_on : callable
            Called before and after each pass.

        Returns
        -------
        ndarray of float32, shape (2, N)
            dy(i)/dx1(i) and dy(i)/dx2(i), for `keep` and `put`.
        """
        values = np.full((2, self._size), np.nan, dtype=np.float32)
        filled = 0
        go_on()
        for _, _, found in self._passes.of(*self._bounds[number]):
            count = math.prod(found.shape[1:])
            values[:, filled : filled + count] = found.reshape(2, count)
            filled += count
            go_on()
        return values

    def keep(self, number: int, values: NDArray[np.float32]) -> None:
        """Keep the values of a unit in the store.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        self._chunks.write(number, values[None])

    def all(self, go_on: GoOn = lambda: None) -> Generator[tuple[int, NDArray[np.float32]], None, None]:
        """Yield all units with their values: what is kept, then the others as they are computed and kept.

        Processes that do so at once on one machine share the units among them. A store that does not work is logged,
        and keeps nobody from getting the values.

        Parameters
        ----------
        go_on : callable
            Called now and then; what it raises ends the work.
        """
        missing = dict.fromkeys(range(len(self)))
        yield from self._taken_from(missing)
        with ExitStack() as stack:
            nobody: Claim = claimed_by_nobody
            claimed = self._tried(lambda: stack.enter_context(self._chunks.claims()), nobody)
            while missing:
                before = len(missing)
                for number in tuple(missing):
                    with claimed(number) as mine:
                        if mine:
                            values = self._kept_or_computed(number, go_on)
                    if mine:
                        del missing[number]
                        yield number, values
                yield from self._taken_from(missing)
                if len(missing) == before:
                    time.sleep(WAIT_S)
                    go_on()

    def known(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the units that are kept by now, with their values; computes nothing."""
        yield from self._taken_from(dict.fromkeys(range(len(self))))

    def _taken_from(self, missing: dict[int, None]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield what is kept of the units that are missing yet, and take it off them."""
        nothing: frozenset[int] = frozenset()
        for number in sorted(self._tried(self.done, nothing) & missing.keys()):
            values = self._tried(partial(self.kept, number), None)
            if values is not None:
                del missing[number]
                yield number, values

    def _kept_or_computed(self, number: int, go_on: GoOn) -> NDArray[np.float32]:
        # Somebody else may have finished it since it was looked for.
        values = self._tried(partial(self.kept, number), None)
        if values is None:
            values = self.compute(number, go_on)
            self._tried(partial(self.keep, number, values), None)
        return values

    def _tried(self, use: Callable[[], Value], otherwise: Value) -> Value:
        """Use the store; once it has failed, which the log says, it is left alone by this object."""
        if self._failed:
            return otherwise
        try:
            return use()
        except StoreError as error:
            self._failed = True
            logger.warning("%s Guidance images are computed without it.", error)
            return otherwise

    def kept(self, number: int) -> NDArray[np.float32] | None:
        """Return what `compute` returned for a unit, from the store; ``None`` where it has to be computed."""
        found = self._chunks.read(number)
        return None if found is None else found[0]

    def put(self, number: int, values: NDArray[np.float32], image: NDArray[np.floating]) -> None:
        """Put the values of a unit into both guidance images.

        Parameters
        ----------
        number : int
            Of the unit.
        values : ndarray of float32, shape (2, N)
            Of `compute` or `kept`.
        image : ndarray, shape (2, H, W)
            Is changed.
        """
        filled = 0
        for rows, columns in self._passes.lattices(*self._bounds[number]):
            place = image[:, rows, columns]
            count = math.prod(place.shape[1:])
            place[:] = values[:, filled : filled + count].reshape(place.shape)
            filled += count

    def let_go(self) -> None:
        """Free what is prepared for the next passes."""
        self._passes.let_go()

    def remove(self) -> None:
        """Remove all that is kept of these images."""
        self._tried(self._chunks.remove, None)


def unit_bounds(passes: int) -> list[tuple[int, int]]:
    """Return the first pass of each unit of a part, and the one after its last, counted from 0 in the part."""
    units = min(passes, UNITS_A_PART)
    return list(itertools.pairwise(passes * number // units for number in range(units + 1)))


def largest_lattice(shape: tuple[int, int], cell: tuple[int, int]) -> int:
    """Return how many pixels the largest lattice of a part (H, W) has."""
    return math.prod(-(-side // step) for side, step in zip(shape, cell, strict=True))

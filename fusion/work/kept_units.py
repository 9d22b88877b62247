"""Units whose values are kept chunk by chunk: what is there is taken, and the rest is computed."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fusion.work.addresses import Work
from fusion.work.store import Chunks, ChunkStore, Claim, StoreError, claimed_by_nobody

Value = TypeVar("Value")

logger = logging.getLogger(__name__)

WAIT_S = 0.2
"""How long to wait until others may have finished what they are at."""

GoOn = Callable[[], None]
"""Called now and then; what it raises ends the work."""


def kept_chunks(
    store: ChunkStore,
    work: Work,
    shape: tuple[int, int],
    values_shape: tuple[int, int, int],
    parts: list[list[int]],
    cut: object,
    units: str,
    dtype: str = "float32",
) -> Chunks:
    """Return the array of a store that keeps the units of images, one chunk each; nothing is read or written yet.

    Parameters
    ----------
    store : ChunkStore
        Where they are kept.
    work : Work
        Their address.
    shape : tuple of int
        (H, W) of the images.
    values_shape : tuple of int
        (units, bands, N): how many there are, and the shape of each one's values.
    parts : list of list of int
        Where the parts of the images lie, for readers of the store.
    cut : object
        What tells this way to cut images into units from others, in JSON's types.
    units : str
        Of the values.
    dtype : {"float32", "float64"}
        Of the values.
    """
    digest = hashlib.sha256(json.dumps(cut).encode()).hexdigest()[:16]
    attributes = {
        "kind": str(work.kind),
        "pair": work.pair,
        "method": work.method,
        "weights": work.weights,
        "device": work.device,
        "numerics": work.numerics,
        "shape": list(shape),
        "parts": parts,
        "units": units,
    }
    path = f"{work.kind}/{work.path}-{digest}"
    return store.array(path, values_shape, (1, *values_shape[1:]), attributes, dtype)


class KeptUnits(ABC):
    """Units of images, or of a table, that grow, each a chunk of a store. Not for several threads at once.

    Parameters
    ----------
    chunks : Chunks
        Where their values are kept, one (bands, N) a unit.

    Attributes
    ----------
    work : Work
        Their address.
    """

    work: Work

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._failed = False

    @abstractmethod
    def __len__(self) -> int:
        """Return how many units there are."""

    @abstractmethod
    def compute(self, number: int, go_on: GoOn = lambda: None) -> NDArray[Any]:
        """Compute a unit.

        Parameters
        ----------
        number : int
            Of the unit, from 0.
        go_on : callable
            Called before and after each pass.

        Returns
        -------
        ndarray, shape (bands, N)
            For `keep` and `put`; float32, or float64 where a kind says so.
        """

    @abstractmethod
    def put(self, number: int, values: NDArray[Any], image: NDArray[np.floating]) -> None:
        """Put the values of a unit, of `compute` or `kept`, into the images (bands, H, W), which are changed."""

    def let_go(self) -> None:  # noqa: B027 - most prepare nothing
        """Free what is prepared for the next units."""

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

    def keep(self, number: int, values: NDArray[Any]) -> None:
        """Keep the values of a unit in the store.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        self._chunks.write(number, values[None])

    def all(self, go_on: GoOn = lambda: None) -> Generator[tuple[int, NDArray[Any]], None, None]:
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

    def known(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the units that are kept by now, with their values; computes nothing."""
        yield from self._taken_from(dict.fromkeys(range(len(self))))

    def _taken_from(self, missing: dict[int, None]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield what is kept of the units that are missing yet, and take it off them."""
        nothing: frozenset[int] = frozenset()
        for number in sorted(self._tried(self.done, nothing) & missing.keys()):
            values = self._tried(partial(self.kept, number), None)
            if values is not None:
                del missing[number]
                yield number, values

    def _kept_or_computed(self, number: int, go_on: GoOn) -> NDArray[Any]:
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
            logger.warning("%s What is computed is not kept.", error)
            return otherwise

    def kept(self, number: int) -> NDArray[Any] | None:
        """Return what `compute` returned for a unit, from the store; ``None`` where it has to be computed."""
        found = self._chunks.read(number)
        return None if found is None else found[0]

    def remove(self) -> None:
        """Remove all that is kept of these images."""
        self._tried(self._chunks.remove, None)

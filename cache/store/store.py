"""Results under their addresses: kept for a stated time, computed once however many ask.

Stored results go in and out through flask-caching's `Cache` (`get`, `set`), on one of the back ends that
`cache.store.backends` sets up. What it lacks stands on top of it here: equal computations that are wanted at the same
time are done once (`SingleFlight`; `Cache.memoize` would let every thread compute), and what this process computed last
stays in memory (`MemoryTier`). Its decorators are not used: their keys are made of arguments, which here are
arrays and networks, and they keep texts and version numbers beside results, where these back ends keep arrays alone.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

import flask_caching
import numpy as np
from cachetools import TTLCache

from cache import counts
from cache.store.addresses import Address
from cache.store.serializer import Arrays, require_storable

Result = TypeVar("Result")
Value = TypeVar("Value")

ENTRY_OVERHEAD_BYTES = 1024
"""The bytes that an entry takes in memory beside its arrays', so that very small ones are bounded too."""


class _Flight(Generic[Result]):
    """A computation under way: who does it, and where the others wait."""

    def __init__(self) -> None:
        self.owner = threading.get_ident()
        self.outcome: Future[Result] = Future()


class SingleFlight(Generic[Result]):
    """Runs at most one computation a key at any time.

    It remembers nothing: once a computation has ended, well or not, the next call with its key computes anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[Result]] = {}

    def __len__(self) -> int:
        """Return how many computations are under way."""
        return len(self._flights)

    def do(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """Return what `compute` returns, called here, or by another thread that has begun already.

        Raises
        ------
        Exception
            Whatever `compute` raises, in all threads that wait for it.
        RuntimeError
            If `compute` asks for its own key again, which would wait for itself for ever.
        """
        with self._lock:
            flight = self._flights.get(key)
            first = flight is None
            if flight is None:
                flight = self._flights[key] = _Flight()
            elif flight.owner == threading.get_ident():
                raise RuntimeError(f"The computation of {key!r} asks for its own result")
        if not first:
            return flight.outcome.result()
        try:
            result = compute()
        except BaseException as error:
            self._end(key)
            flight.outcome.set_exception(error)
            raise
        self._end(key)
        flight.outcome.set_result(result)
        return result

    def _end(self, key: Hashable) -> None:
        # Before the outcome is set: who comes later must not meet a computation that has ended.
        with self._lock:
            del self._flights[key]


class MemoryTier(Generic[Value]):
    """A mapping bounded in bytes, for many threads, that forgets what expired and what was not used for longest.

    Parameters
    ----------
    limit_bytes : int
        The most bytes that all values together have. A larger value is not kept.
    size_of : callable
        Returns the bytes of a value.
    timeout_s : float
        Seconds for which a value is kept.
    clock : callable
        Seconds, from any moment on.
    """

    def __init__(
        self,
        limit_bytes: int,
        size_of: Callable[[Value], int],
        timeout_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.Lock()
        self._values: TTLCache[Hashable, Value] = TTLCache(limit_bytes, timeout_s, clock, size_of)

    @property
    def total_bytes(self) -> int:
        """Bytes of all values that are kept."""
        with self._lock:
            return int(self._values.currsize)

    def get(self, key: Hashable) -> Value | None:
        """Return the value of a key, ``None`` if there is none that holds."""
        with self._lock:
            return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value in the place of an older one of its key, which is forgotten in any case."""
        with self._lock:
            self._values.pop(key, None)
            with suppress(ValueError):  # larger than all that may be kept
                self._values[key] = value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()


class ArrayStore:
    """Named arrays under addresses.

    What was computed here last is also kept in memory. Results that come from the back end are not taken into
    memory: only the back end knows when they expire.

    Parameters
    ----------
    cache : flask_caching.Cache
        Set up for an application, on one of this package's back ends.
    timeout_s : int
        Seconds after which a result is forgotten; 0 for never.
    memory_bytes : int
        The most bytes kept in memory; 0 for none.
    clock : callable
        Seconds, from any moment on; for the part in memory.
    """

    def __init__(
        self,
        cache: flask_caching.Cache,
        timeout_s: int,
        memory_bytes: int = 64 * 2**20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache
        self.timeout_s = timeout_s
        self._memory: MemoryTier[Arrays] = MemoryTier(memory_bytes, _size_of, timeout_s or math.inf, clock)
        self._flights: SingleFlight[Arrays] = SingleFlight()

    @property
    def memory_bytes(self) -> int:
        """Bytes of all results that are kept in memory."""
        return self._memory.total_bytes

    @property
    def problem(self) -> str | None:
        """A sentence while the back end does not work, else ``None``."""
        return getattr(self._cache.cache, "problem", None)

    def get(self, address: Address) -> Arrays | None:
        """Return the arrays under an address, read-only, or ``None`` where there are none."""
        kept, found = self._memory.get(address), "memory"
        if kept is None:
            kept, found = self._cache.get(address.key()), "kept"
        counts.READS.labels("nowhere" if kept is None else found).inc()
        return None if kept is None else dict(kept)

    def put(self, address: Address, arrays: Mapping[str, np.ndarray]) -> Arrays:
        """Keep arrays under an address, and return the read-only copies that `get` will return.

        Parameters
        ----------
        address : Address
            Everything that they depend on.
        arrays : mapping of str to ndarray
            Of any shape, booleans or numbers.

        Raises
        ------
        TypeError
            If they are anything else.
        """
        require_storable(arrays)
        frozen = {name: _frozen(array) for name, array in arrays.items()}
        # The back end first: what memory shows as finished, other processes find too.
        self._cache.set(address.key(), frozen, timeout=self.timeout_s)
        self._memory.put(address, frozen)
        return dict(frozen)

    def get_or_compute(self, address: Address, compute: Callable[[], Mapping[str, np.ndarray]]) -> Arrays:
        """Return the arrays under an address; where there are none, compute and keep them.

        Of all threads that ask for the same address at the same time, one computes. What `compute` raises is
        raised in all of them, and not kept.
        """
        kept = self.get(address)
        if kept is not None:
            return kept

        def compute_unless_done() -> Arrays:
            # Another thread may have finished between the look above and now.
            done = self.get(address)
            if done is not None:
                return done
            counts.COMPUTED.inc()
            return self.put(address, compute())

        return dict(self._flights.do(address, compute_unless_done))


def _size_of(arrays: Arrays) -> int:
    return ENTRY_OVERHEAD_BYTES + sum(array.nbytes for array in arrays.values())


def _frozen(array: np.ndarray) -> np.ndarray:
    copy = np.array(array, order="C", copy=True)
    copy.setflags(write=False)
    return copy

"""Equal computations that are wanted at the same time are done once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

import flask_caching
import numpy as np

from cache.store.serializer import Arrays, require_storable

Result = TypeVar("Result")


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


Value = TypeVar("Value")


class MemoryTier(Generic[Value]):
    """A mapping bounded in bytes that forgets what expired and what was not used for longest.

    Parameters
    ----------
    limit_bytes : int
        The most bytes that all values together have. A larger value is not kept.
    clock : callable
        Seconds, from any moment on.
    """

    def __init__(self, limit_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit_bytes = limit_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[Value, int, float]] = OrderedDict()
        self._total = 0

    @property
    def total_bytes(self) -> int:
        """Bytes of all values that are kept."""
        return self._total

    def get(self, key: str) -> Value | None:
        """Return the value of a key, ``None`` if there is none that holds."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry[2] <= self._clock():
                self._forget(key)
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: str, value: Value, size: int, timeout: float | None = None) -> None:
        """Keep a value of `size` bytes for `timeout` seconds, for ever if ``None``."""
        with self._lock:
            if key in self._entries:
                self._forget(key)
            if size > self.limit_bytes:
                return
            expires = float("inf") if timeout is None else self._clock() + timeout
            self._entries[key] = (value, size, expires)
            self._total += size
            while self._total > self.limit_bytes:
                self._forget(next(iter(self._entries)))

    def _forget(self, key: str) -> None:
        self._total -= self._entries.pop(key)[1]


ENTRY_OVERHEAD_BYTES = 1024
"""What an entry takes in memory beside its arrays' bytes, so that very small ones are bounded too."""


class HasKey(Protocol):
    """Anything with a key of its own: an address."""

    def key(self) -> str:
        """Return a text that no other address has."""


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
        # The back end itself: the proxy would look for the application of the current request on every call.
        self._backend = cache.cache
        self.timeout_s = timeout_s
        self._memory: MemoryTier[Arrays] = MemoryTier(memory_bytes, clock)
        self._flights: SingleFlight[Arrays] = SingleFlight()

    @property
    def problem(self) -> str | None:
        """A sentence while the back end does not work, else ``None``."""
        return getattr(self._backend, "problem", None)

    def get(self, address: HasKey) -> Arrays | None:
        """Return the arrays under an address, read-only, or ``None`` where there are none."""
        key = address.key()
        kept = self._memory.get(key)
        if kept is None:
            kept = self._backend.get(key)
        return None if kept is None else dict(kept)

    def put(self, address: HasKey, arrays: Mapping[str, np.ndarray]) -> Arrays:
        """Keep arrays under an address, and return the read-only copies that `get` will return.

        Raises
        ------
        TypeError
            If they are anything but named arrays of booleans or numbers.
        """
        require_storable(arrays)
        frozen = {name: _frozen(array) for name, array in arrays.items()}
        key = address.key()
        size = ENTRY_OVERHEAD_BYTES + sum(array.nbytes for array in frozen.values())
        # The back end first: what memory shows as finished, other processes find too.
        self._backend.set(key, frozen, timeout=self.timeout_s)
        self._memory.put(key, frozen, size, self.timeout_s or None)
        return dict(frozen)

    def get_or_compute(self, address: HasKey, compute: Callable[[], Mapping[str, np.ndarray]]) -> Arrays:
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
            return self.put(address, compute()) if done is None else done

        return dict(self._flights.do(address.key(), compute_unless_done))


def _frozen(array: np.ndarray) -> np.ndarray:
    copy = np.array(array, order="C", copy=True)
    copy.setflags(write=False)
    return copy

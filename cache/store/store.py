"""Results under their addresses: kept for a stated time, computed once however many ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

import flask_caching
import numpy as np

from cache.store.memory_tier import MemoryTier
from cache.store.serializer import Arrays, require_storable
from cache.store.single_flight import SingleFlight

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

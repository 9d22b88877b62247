"""The few results that were computed last, in memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

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

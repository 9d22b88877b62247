"""Slow requests: a few are computed at once, some more wait, and one more is refused for a moment.

So they never have all threads of the server (`app.page_worker` has as many more as can be slow), and hovers, scenes
that are known and questions after the server's health never wait behind them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cache import counts
from cache.errors import TooBusyError
from cache.settings import SLOW_AT_ONCE, SLOW_WAITING


class SlowLaneFull(TooBusyError):
    """So many slow requests wait that one more is refused."""

    retry_after_s = 2


class SlowLane:
    """Places for slow work. Safe for many threads; whoever has a place can take it again.

    Parameters
    ----------
    at_once : int
        How many may compute at the same time.
    waiting : int
        How many more may wait.
    """

    def __init__(self, at_once: int = SLOW_AT_ONCE, waiting: int = SLOW_WAITING) -> None:
        self._most = at_once + waiting
        self._inside = 0
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(at_once)
        self._own = threading.local()

    def __len__(self) -> int:
        """Return how many compute or wait."""
        return self._inside

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a turn, and keep it as long as the ``with`` lasts.

        Raises
        ------
        SlowLaneFull
            If too many wait already.
        """
        if getattr(self._own, "taken", False):
            yield
            return
        with self._lock:
            if self._inside >= self._most:
                counts.REFUSED.labels("slow").inc()
                raise SlowLaneFull("The server computes other pictures just now. Asking again in a moment …")
            self._inside += 1
        try:
            with self._turns:
                self._own.taken = True
                try:
                    yield
                finally:
                    self._own.taken = False
        finally:
            with self._lock:
                self._inside -= 1

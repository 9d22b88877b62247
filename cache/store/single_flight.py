"""Equal computations that are wanted at the same time are done once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

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

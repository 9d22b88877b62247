"""A clock that a test moves."""

from __future__ import annotations


class MovedClock:
    """Stands still, or goes on by a tick whenever it is read.

    Parameters
    ----------
    now : float
        Seconds.
    tick : float
        Seconds.
    """

    def __init__(self, now: float = 1_700_000_000.0, tick: float = 0.0) -> None:
        self.now = now
        self.tick = tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now

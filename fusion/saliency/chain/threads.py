"""One thread of torch for a single Jacobian image, or all: what is quicker now."""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

LEARNING = 5
"""Images that are computed on one thread before all are tried; the first ones find cold caches."""
TRIAL = 8
"""Images on all threads, after which it is looked whether they are quicker."""
STALL, STALLS = 3.0, 2
"""So many times as long as on one thread, and so often: a core is wanted by somebody else, which ends a trial at once.
Once means nothing: the first image after other work finds cold caches."""
RENEWAL = 256
"""Images on all threads after which it is learnt again how long one thread takes."""
PAUSES = 16, 512
"""Images on one thread between trials that fail: after the first, and at most; twice as many each time."""


class ThreadChoice:
    """Learns from the times of single Jacobian images whether to compute them on one thread or on all.

    Such an image is some dozens of operations of ten to some hundred microseconds. On two idle cores two threads save
    up to a third of a large network's time, and cost a small one some of it. On a busy machine each operation may wait
    for a thread that does not run, and an image takes many times as long (32 times on two cores that ten other
    processes wanted, FunFuseAn). Neither can be known beforehand. `python -m benchmarks.chain_parts --part threads`
    prints how much longer one thread takes, and all.

    Threads may share an object: what one of them overwrites of another's notes is learnt again.

    Parameters
    ----------
    clock : callable
        Gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._one: deque[float] = deque(maxlen=LEARNING)
        self._usual = math.inf  # on one thread
        self._all: list[float] = []
        self._since_learning = 0
        self._pause = PAUSES[0]
        self._left = LEARNING

    @contextmanager
    def threads(self) -> Iterator[None]:
        """Let the calling thread compute one image with one thread of torch or with all that it had, and note its time.

        Afterwards it has its number of threads again.
        """
        # Asked for first: a thread that never asked takes over the number that was set last anywhere.
        number = torch.get_num_threads()
        if number == 1:
            yield
        elif self._left > 0:
            torch.set_num_threads(1)
            try:
                began = self._clock()
                yield
                self._learn(self._clock() - began)
            finally:
                torch.set_num_threads(number)
        else:
            began = self._clock()
            yield
            self._judge(self._clock() - began)

    def _learn(self, seconds: float) -> None:
        """Note a time on one thread."""
        self._one.append(seconds)
        self._usual = statistics.median(self._one)
        self._left -= 1

    def _judge(self, seconds: float) -> None:
        """Note a time on all threads, and go back to one where that is quicker."""
        self._all.append(seconds)
        self._since_learning += 1
        full = len(self._all) >= TRIAL
        stalled = sum(taken > STALL * self._usual for taken in self._all) >= STALLS
        if stalled or (full and statistics.median(self._all) > self._usual):
            self._return_for(self._pause)
            self._pause = min(2 * self._pause, PAUSES[1])
        elif full:
            self._all.clear()
            self._pause = PAUSES[0]
            if self._since_learning >= RENEWAL:
                self._return_for(LEARNING)

    def _return_for(self, images: int) -> None:
        self._left = images
        self._since_learning = 0
        self._all.clear()

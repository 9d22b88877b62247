"""The threads and the priority with which this process computes, by the kind of work."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from cache.errors import TooBusyError
from fusion.errors import DeviceError

LOW_PRIORITY = 10
"""Niceness of the threads that compute an atlas: a hover comes first."""
SHORT_AT_ONCE = 2
LONGEST_WAIT_S = 0.5


@dataclass(frozen=True)
class ThreadCounts:
    """Threads for one Jacobian window, and for work on whole images.

    One window is so little work that a second thread costs more than it brings, and takes a core from the
    web server. Work on whole images leaves one core to whoever moves the pointer meanwhile.
    """

    hover: int
    whole_image: int


@contextmanager
def computing(threads: int) -> Iterator[None]:
    """Let this thread compute with `threads` threads of torch; turn a lack of memory into a message.

    With torch's OpenMP back end the number belongs to the calling thread (measured: a thread set to 1 stays
    at 1 while others use 2), so a hover does not take the threads of a guidance image from it. There are two
    traps. A thread that never asked takes the number that any thread has set last; so each computation sets
    its own. And a thread initialises its number at its first operation, to the one that was set last
    anywhere, which would undo what it had just set; asking for the number first gets that over with.

    Raises
    ------
    DeviceError
        If the device has too little memory for the computation.
    """
    torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            "The device has too little free memory for this image with this method. "
            "Use a smaller image, or run on the CPU with FUSEVIS_DEVICE=cpu."
        ) from error


class Places:
    """Places for short work of which only so much is computed at once. Safe for many threads.

    Parameters
    ----------
    threads : int
        Threads of torch that each takes.
    refusal : str
        What is told who finds no place within half a second: those who ask rest a pointer or move a brush, and can
        ask again.
    at_once : int
        How many compute at the same time, of all pages.
    """

    def __init__(self, threads: int, refusal: str, at_once: int = SHORT_AT_ONCE) -> None:
        self._threads, self._refusal = threads, refusal
        self._free = threading.BoundedSemaphore(at_once)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a place, and compute in it.

        Raises
        ------
        TooBusyError
            If there is none.
        DeviceError
            See `computing`.
        """
        if not self._free.acquire(timeout=LONGEST_WAIT_S):
            raise TooBusyError(self._refusal)
        try:
            with computing(self._threads):
                yield
        finally:
            self._free.release()


def yield_to_others() -> None:
    """Let the calling thread, and those of torch that it starts, run only where others leave room (Linux)."""
    if sys.platform == "linux":
        own = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, own, max(LOW_PRIORITY, os.getpriority(os.PRIO_PROCESS, own)))

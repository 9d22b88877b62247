"""One thread of torch where a second costs more than it brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Let the calling thread compute with one thread of torch, and give it back its number at the end.

    A single Jacobian image is a few dozen operations of tens of microseconds; handing each to several threads takes
    a third of the time again on an idle machine, and many times as much on a busy one.
    """
    # Asked for first: a thread that never asked takes over the number that was set last anywhere.
    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Gives memory that is no longer used back to the system."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Ask the C library to return what tensors have freed; does nothing where it cannot be asked.

    The C library of Linux keeps freed blocks of many megabytes in case they are wanted again. A forward pass would
    leave hundreds of megabytes to a server that then only hovers. It takes milliseconds, so it is for after long work.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return None

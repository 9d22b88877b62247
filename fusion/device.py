"""The device that computes: which one, in which precision, and giving its host's memory back."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import torch

from fusion.errors import DeviceError


def resolve_device(name: str) -> torch.device:
    """Turn ``auto``, ``cpu``, ``cuda`` or ``cuda:n`` into a device that exists here.

    Raises
    ------
    DeviceError
        If the name is none of these, or this machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise DeviceError(f"Unknown device {name!r}. Choose auto, cpu, cuda or cuda:n.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"This machine has no device {name!r} ({torch.cuda.device_count()} CUDA devices found). "
            "Choose auto or cpu."
        )
    return device


def full_precision(device: torch.device) -> None:
    """Let convolutions and matrix products on a GPU keep all of float32's digits.

    PyTorch may take the shorter TF32 numbers, whose derivatives differ in the third digit. The switch is one of the
    whole process: set for good rather than around each computation, where other threads would see it change.
    """
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False


def give_back() -> None:
    """Ask the C library to return what tensors have freed; does nothing where it cannot be asked.

    The C library of Linux keeps freed blocks of many megabytes in case they are wanted again. A forward pass would
    leave hundreds of megabytes to a server that then only hovers. It takes milliseconds, so it is for after long work.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


MAPPED_BYTES = 2 * 2**20
"""Blocks of this size and more are the system's again as soon as they are free."""
ARENAS = 2
_ARENA_MAX, _MMAP_THRESHOLD = -8, -3
"""Names of options in malloc.h of the GNU C library."""


def keep_little() -> None:
    """Have the C library keep little of what is freed, for a process that serves for days; only Linux's can be asked.

    By itself it lets each of some dozens of threads keep freed memory in an arena of its own, and keeps freed blocks of
    up to 32 MiB once it has seen one: after an hour of fused images and exports that is hundreds of megabytes.
    """
    set_option = getattr(_c_library(), "mallopt", None)
    if set_option is not None:
        set_option(_ARENA_MAX, ARENAS)
        set_option(_MMAP_THRESHOLD, MAPPED_BYTES)


@cache
def _c_library() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):  # another system
        return None


@cache
def _trim() -> Callable[[int], int] | None:
    return getattr(_c_library(), "malloc_trim", None)  # another C library has none

"""Whether the device computes."""

from __future__ import annotations

import logging

import torch

from fusion.device import resolve_device
from fusion.errors import FuseVisError

logger = logging.getLogger(__name__)


def device_problems(name: str) -> tuple[str, ...]:
    """Compute a little on a device, and return a sentence if that went wrong.

    A GPU can be there and still fail: fallen off the bus, out of memory, in an error state after a crash.
    """
    try:
        device = resolve_device(name)
        result = float((torch.ones(8, device=device) * 2).sum())
    except FuseVisError as error:
        return (str(error),)
    except RuntimeError as error:
        logger.warning("The device %s does not work: %s", name, error)
        return (f"The device {name} does not work; the server's log says why.",)
    return () if result == 16 else (f"The device {device} computes wrong results.",)

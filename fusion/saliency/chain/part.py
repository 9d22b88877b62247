"""A contribution to the derivative with respect to one value, while a chain is planned."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fusion.saliency.chain.nodes import Reach


@dataclass(frozen=True)
class Part:
    """A contribution to the derivative with respect to one value."""

    slot: int
    reach: Reach
    own: bool
    """Whether its memory may be written to."""
    clipped: bool
    """Whether it is 0 outside the image."""
    factors: Tensor | None = None
    """What it has yet to be multiplied by, float64, one number a channel."""


def times(factors: Tensor | None, by: Tensor | float, channels: int) -> Tensor:
    """Multiply what is yet to be multiplied by, where ``None`` is 1."""
    return (torch.ones(channels, dtype=torch.float64) if factors is None else factors) * by

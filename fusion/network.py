"""Running a network y = f(x1, x2) with its result's shape checked."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from fusion.errors import NetworkError


def apply_network(network: nn.Module, inputs: Tensor) -> Tensor:
    """Fuse a batch of pairs.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2) on (B, 1, H, W) tensors.
    inputs : torch.Tensor
        (B, 2, H, W), of the network's dtype and on its device.

    Returns
    -------
    torch.Tensor
        (B, H, W), fused intensities.

    Raises
    ------
    NetworkError
        If the network fails on images of this size or returns another shape.
    """
    batch, _, height, width = inputs.shape
    try:
        fused = network(inputs[:, :1], inputs[:, 1:])
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # whatever a user's network may raise
        raise NetworkError(
            f"The network could not be run on images of {height}×{width} pixels: {_said(error)}{_hint(inputs, error)}"
        ) from error
    if not isinstance(fused, Tensor) or fused.shape != (batch, 1, height, width):
        found = tuple(fused.shape) if isinstance(fused, Tensor) else type(fused).__name__
        raise NetworkError(
            f"The network must return a fused image of its inputs' shape {(batch, 1, height, width)}, "
            f"but returned {found}. Pad inside the network, or use images whose sides it divides."
        )
    return fused[:, 0]


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def _hint(inputs: Tensor, error: Exception) -> str:
    """Explain what is seen only in the precision that the network was not written for."""
    if inputs.dtype != torch.float64 or not re.search("float|double", str(error), re.IGNORECASE):
        return ""
    return ". Networks are run in float64 too: let them keep the precision of their inputs, without .float()."

"""Baselines that any fusion should be held against: the plain mean of both inputs, and the brighter of both.

Neither has parameters or looks further than its own pixel, so that their derivatives are known by heart.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusion.methods.base import MethodSpecification


class PlainMean(nn.Module):
    """y = (x1 + x2) / 2; both derivatives are 0.5 everywhere."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of pairs.

        Parameters
        ----------
        x1, x2 : torch.Tensor
            (B, 1, H, W), intensities in [0, 1].

        Returns
        -------
        torch.Tensor
            (B, 1, H, W), fused intensities, in [0, 1].
        """
        return (x1 + x2) / 2


class Maximum(nn.Module):
    """y = max(x1, x2); the derivative is 1 for the brighter input and 0 for the other, 0.5 each at ties."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of pairs; parameters and result are those of `PlainMean.forward`."""
        return torch.maximum(x1, x2)


SPECIFICATIONS = (
    MethodSpecification(
        id="plain_mean",
        title="Plain Mean",
        build=PlainMean,
        support_radius=(0, 0),
        order=50,
        trained=False,
        note="A baseline: (x1 + x2) / 2. Both derivatives are 0.5 everywhere, in the air too.",
    ),
    MethodSpecification(
        id="maximum",
        title="Maximum",
        build=Maximum,
        support_radius=(0, 0),
        order=51,
        trained=False,
        note="A baseline: the brighter input, whose derivative is 1; where both are equal, as in the air, 0.5 each.",
    ),
)

"""Weighted averaging (paper, equation 3): y = w1·x1 + w2·x2 with w1 = x1 / (x1 + x2), w2 = x2 / (x1 + x2).

The paper's tool differentiates with the weights held constant, so that its guidance images are w1 and w2.
That is the method `weighted_averaging`; the variant `weighted_averaging_true` differentiates the weights too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusion.methods.base import MethodSpecification


class WeightedAveraging(nn.Module):
    """Equation 3; both weights are 0.5 where x1 + x2 = 0.

    Parameters
    ----------
    constant_weights : bool
        Whether derivatives take the weights as constants: dy/dx1 = w1 and dy/dx2 = w2. Otherwise they are
        the true ones, dy/dx1 = 1 − 2·(x2 / (x1 + x2))² and dy/dx2 = 1 − 2·(x1 / (x1 + x2))², which have no
        limit at x1 = x2 = 0, half of a typical slice; there they are defined as 0.5 each.
    """

    def __init__(self, constant_weights: bool = True) -> None:
        super().__init__()
        self.constant_weights = constant_weights

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of pairs (paper, equation 3).

        Parameters
        ----------
        x1, x2 : torch.Tensor
            (B, 1, H, W), intensities in [0, 1].

        Returns
        -------
        torch.Tensor
            (B, 1, H, W), fused intensities, in [0, 1].
        """
        total = x1 + x2
        empty = total == 0
        # where() alone is not enough: the unused branch would still send NaN gradients back.
        safe_total = torch.where(empty, torch.ones_like(total), total)
        w1 = torch.where(empty, torch.full_like(total, 0.5), x1 / safe_total)
        w2 = torch.where(empty, torch.full_like(total, 0.5), x2 / safe_total)
        if self.constant_weights:
            w1, w2 = w1.detach(), w2.detach()
        return w1 * x1 + w2 * x2

    def extra_repr(self) -> str:
        """Say which derivative it has; part of the weights id, since there are no weights."""
        return f"constant_weights={self.constant_weights}"


SPECIFICATIONS = (
    MethodSpecification(
        id="weighted_averaging",
        title="Weighted Averaging, weights held constant",
        build=WeightedAveraging,
        support_radius=(0, 0),
        order=0,
        trained=False,
        note="Differentiated with its weights held constant, as in the paper: guidance is w1 and w2, which is not how "
        "the fused image answers. The true derivative is a method of its own.",
    ),
    MethodSpecification(
        id="weighted_averaging_true",
        title="Weighted Averaging, true derivative",
        build=lambda: WeightedAveraging(constant_weights=False),
        support_radius=(0, 0),
        order=100,
        trained=False,
        note="Differentiated through its weights; where both inputs are 0 the derivative is defined as 0.5.",
    ),
)

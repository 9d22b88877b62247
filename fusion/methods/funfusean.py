"""FunFuseAn (paper, Figure A1 and reference 49): high- and low-frequency branches a modality, fused by max / sum.

Its authors' later training notebook adds the branches instead: the variant ``funfusean_sum``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from fusion.methods.base import MethodSpecification
from fusion.methods.blocks import convolution, convolution_block

POLE_DISTANCE = 0.1
NEAR_POLE = 0.05
"""Of |h1 + h2|: so near to the pole, a small change of the inputs may take the sum to its other side."""


def fuse_by_maximum(h1: Tensor, h2: Tensor) -> Tensor:
    """Return max(h1, h2) / (h1 + h2) with the sum moved 0.1 away from 0, its sign kept (0 counts as positive).

    The published rule has a pole at h1 + h2 = 0, where values and gradients explode and training ends in NaN.

    Parameters
    ----------
    h1, h2 : torch.Tensor
        (B, 64, H, W) features of both modalities, not bounded.

    Returns
    -------
    torch.Tensor
        (B, 64, H, W).
    """
    total = h1 + h2
    guarded = torch.where(total >= 0, total + POLE_DISTANCE, total - POLE_DISTANCE)
    return torch.maximum(h1, h2) / guarded


def fuse_by_sum(h1: Tensor, h2: Tensor) -> Tensor:
    """Return h1 + h2, features (B, 64, H, W) of both modalities."""
    return h1 + h2


class FunFuseAn(nn.Module):
    """Two branches a modality, the fusion rule, a reconstruction, and the mean with both low-frequency branches.

    Parameters
    ----------
    rule : callable
        Makes one feature map (B, 64, H, W) of both modalities'.
    """

    has_pole = True

    def __init__(self, rule: Callable[[Tensor, Tensor], Tensor] = fuse_by_maximum) -> None:
        super().__init__()
        self.rule = rule
        self.low1 = convolution_block(1, 16, 9)
        self.high1 = nn.Sequential(
            convolution_block(1, 16, 3), convolution_block(16, 32, 3), convolution_block(32, 64, 3)
        )
        self.low2 = convolution_block(1, 16, 7)
        self.high2 = nn.Sequential(
            convolution_block(1, 16, 5), convolution_block(16, 32, 5), convolution_block(32, 64, 3)
        )
        self.reconstruction = nn.Sequential(convolution_block(64, 32, 5), convolution_block(32, 16, 5))
        self.last = convolution(16, 1, 5)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of pairs.

        Parameters
        ----------
        x1, x2 : torch.Tensor
            (B, 1, H, W), intensities in [0, 1].

        Returns
        -------
        torch.Tensor
            (B, 1, H, W), fused intensities, in (−1, 1).
        """
        g1 = self.reconstruction(self.rule(self.high1(x1), self.high2(x2)))
        g = (g1 + self.low1(x1) + self.low2(x2)) / 3
        return torch.tanh(self.last(g))

    def near_pole(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Count the features at each pixel at which h1 + h2 is near the rule's pole at 0.

        Parameters
        ----------
        x1, x2 : torch.Tensor
            (B, 1, H, W), intensities in [0, 1].

        Returns
        -------
        torch.Tensor
            (B, 1, H, W), whole numbers from 0 to 64.
        """
        near = (self.high1(x1) + self.high2(x2)).abs() <= NEAR_POLE
        return near.sum(dim=1, keepdim=True)


class FunFuseAnSum(FunFuseAn):
    """FunFuseAn with the rule h1 + h2, which has no pole."""

    has_pole = False

    def __init__(self) -> None:
        super().__init__(fuse_by_sum)


SPECIFICATIONS = (
    MethodSpecification(
        id="funfusean",
        title="FunFuseAn",
        build=FunFuseAn,
        support_radius=(9, 11),
        order=1,
        note="The fusion rule's denominator h1 + h2 is kept 0.1 away from its pole at 0.",
    ),
    MethodSpecification(
        id="funfusean_sum",
        title="FunFuseAn, sum rule",
        build=FunFuseAnSum,
        support_radius=(9, 11),
        order=101,
        note="The authors' later rule h1 + h2 instead of the published max(h1, h2) / (h1 + h2).",
    ),
)

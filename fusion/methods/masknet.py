"""MaskNet (paper, Figure A1 and reference 71), in the form that its authors released."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusion.methods.base import MethodSpecification
from fusion.methods.blocks import convolution_block

GROWTH = 48


class MaskNet(nn.Module):
    """Four densely connected blocks on both images together, then four that reconstruct."""

    def __init__(self) -> None:
        super().__init__()
        self.first = convolution_block(2, GROWTH, 3)
        self.dense = nn.ModuleList(convolution_block(GROWTH * count, GROWTH, 3) for count in (1, 2, 3))
        self.reconstruction = nn.Sequential(
            convolution_block(192, 192, 3),
            convolution_block(192, 128, 3),
            convolution_block(128, 64, 3),
            convolution_block(64, 1, 3),
        )

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
        features = self.first(torch.cat((x1, x2), dim=1))
        for block in self.dense:
            features = torch.cat((features, block(features)), dim=1)
        return torch.tanh(self.reconstruction(features))


SPECIFICATIONS = (
    MethodSpecification(
        id="masknet",
        title="MaskNet",
        build=MaskNet,
        support_radius=(8, 8),
        order=2,
        note="The authors' released form; the paper's figure has one more 3×3 convolution before tanh.",
    ),
)

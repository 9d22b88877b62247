"""DeepFuse (paper, Figure A1 and reference 50): the same layers see both images, their features are added."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusion.methods.base import MethodSpecification
from fusion.methods.blocks import convolution, convolution_block


class DeepFuse(nn.Module):
    """Tied feature layers, a sum, three layers of reconstruction.

    Follows the figure but for the second activation, a plain rectifier as in the authors' released code.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(convolution_block(1, 16, 5), convolution_block(16, 32, 7, nn.ReLU()))
        self.reconstruction = nn.Sequential(
            convolution_block(32, 32, 7),
            convolution_block(32, 16, 5),
            convolution(16, 1, 5),
            nn.BatchNorm2d(1),
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
        return torch.tanh(self.reconstruction(self.features(x1) + self.features(x2)))


SPECIFICATIONS = (
    MethodSpecification(
        id="deepfuse",
        title="DeepFuse",
        build=DeepFuse,
        support_radius=(12, 12),
        order=3,
        note="The same layers see both images, so what it does to one it does to the other.",
    ),
)

"""DeepPedestrian (paper, Figure A1 and reference 51): seventeen 3×3 convolutions with two residual sums."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusion.methods.base import MethodSpecification
from fusion.methods.blocks import convolution

CHANNELS = 48


def _stage(inputs: int) -> nn.Sequential:
    """Make four convolutions with rectifiers between them and none at the end."""
    layers: list[nn.Module] = [convolution(inputs, CHANNELS, 3)]
    for _ in range(3):
        layers += [nn.ReLU(), convolution(CHANNELS, CHANNELS, 3)]
    return nn.Sequential(*layers)


class DeepPedestrian(nn.Module):
    """Four stages of four convolutions, the second and the fourth added to the one before, and a last convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stage1 = _stage(2)
        self.stage2 = _stage(CHANNELS)
        self.stage3 = _stage(CHANNELS)
        self.stage4 = _stage(CHANNELS)
        self.last = convolution(CHANNELS, 1, 3)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of pairs.

        Parameters
        ----------
        x1, x2 : torch.Tensor
            (B, 1, H, W), intensities in [0, 1].

        Returns
        -------
        torch.Tensor
            (B, 1, H, W), fused intensities, not bounded.
        """
        first = self.stage1(torch.cat((x1, x2), dim=1))
        second = first + self.stage2(torch.relu(first))
        third = self.stage3(torch.relu(second))
        fourth = third + self.stage4(torch.relu(third))
        return self.last(torch.relu(fourth))


SPECIFICATIONS = (
    MethodSpecification(
        id="deep_pedestrian",
        title="DeepPedestrian",
        build=DeepPedestrian,
        support_radius=(17, 17),
        order=4,
        note="Its output has no final activation: fused intensities may leave 0 to 1.",
    ),
)

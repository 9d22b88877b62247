"""Convolution blocks that the networks share (paper, Figure A1: stride 1, zero "same" padding)."""

from __future__ import annotations

from torch import nn

LEAKY_SLOPE = 0.2


def convolution(inputs: int, outputs: int, size: int) -> nn.Conv2d:
    """Make a size×size convolution that keeps the image's height and width."""
    return nn.Conv2d(inputs, outputs, size, padding=size // 2)


def convolution_block(
    inputs: int, outputs: int, size: int, activation: nn.Module | None = None
) -> nn.Sequential:
    """Make convolution, batch norm and activation (a leaky rectifier of slope 0.2 unless given)."""
    return nn.Sequential(
        convolution(inputs, outputs, size),
        nn.BatchNorm2d(outputs),
        activation if activation is not None else nn.LeakyReLU(LEAKY_SLOPE),
    )

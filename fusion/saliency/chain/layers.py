"""What the derivative needs to know of torch's layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusion.saliency.chain.nodes import NotUnderstoodError


def dilation_of(layer: nn.Conv2d) -> tuple[int, int]:
    """Return a convolution's dilation, if it keeps the image's size by zero padding.

    Raises
    ------
    NotUnderstoodError
        If it strides, pads with anything but zeros, or pads the four sides unlike.
    """
    down, right = layer.dilation
    sizes = layer.kernel_size
    wanted = tuple(step * (size - 1) // 2 for step, size in zip((down, right), sizes, strict=True))
    if tuple(layer.stride) != (1, 1) or any(size % 2 == 0 for size in sizes):
        raise NotUnderstoodError("a convolution strides or has an even size")
    if layer.padding != "same" and tuple(layer.padding) != wanted:
        raise NotUnderstoodError("a convolution changes the image's size")
    if layer.padding_mode != "zeros" and wanted != (0, 0):
        raise NotUnderstoodError(f"a convolution pads with {layer.padding_mode!r}")
    return down, right


@torch.no_grad()
def dense_weight(layer: nn.Conv2d) -> Tensor:
    """Return a convolution's weight, (outputs, inputs, rows, columns) float64 on the CPU, groups as zeros."""
    weight = layer.weight.detach().to(device="cpu", dtype=torch.float64, copy=True)
    if layer.groups == 1:
        return weight
    outputs, inputs = layer.out_channels // layer.groups, layer.in_channels // layer.groups
    dense = weight.new_zeros(layer.out_channels, layer.in_channels, *layer.kernel_size)
    for group in range(layer.groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        dense[rows, group * inputs : (group + 1) * inputs] = weight[rows]
    return dense


@torch.no_grad()
def batch_norm_factors(layer: nn.BatchNorm2d) -> Tensor:
    """Return what a batch norm in evaluation mode multiplies each channel by, float64 on the CPU.

    Raises
    ------
    NotUnderstoodError
        If it takes the statistics of the image itself.
    """
    if layer.training or layer.running_var is None:
        raise NotUnderstoodError("a batch norm takes the image's own statistics")
    factors = (layer.running_var.cpu().double() + layer.eps).rsqrt()
    return factors if layer.weight is None else factors * layer.weight.detach().cpu().double()

"""Judging a network on whole images, and fitting its batch norm to them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from fusion.training.loss import LOSS_NAMES, LossBalance, fusion_loss

Fusion = tuple[Tensor, Tensor]
"""A pair, (1, 2, H, W), and its fused image, (1, 1, H, W)."""


def fusions_of(network: nn.Module, images: Sequence[Tensor] | Tensor) -> list[Fusion]:
    """Fuse whole pairs, each (2, H, W), in evaluation mode; the network's own mode stays."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    with torch.no_grad():
        fusions = [(pair[None], network(pair[None, :1], pair[None, 1:])) for pair in images]
    for module in training:
        module.training = True
    return fusions


def mean_losses(fusions: Sequence[Fusion], balance: LossBalance) -> dict[str, float]:
    """Return the parts of equation 4, averaged over pairs."""
    sums = dict.fromkeys(LOSS_NAMES, 0.0)
    for inputs, fused in fusions:
        for name, value in fusion_loss(inputs, fused, balance).values().items():
            sums[name] += value / len(fusions)
    return sums


def validate(network: nn.Module, images: Sequence[Tensor] | Tensor, balance: LossBalance) -> dict[str, float]:
    """Return the parts of equation 4 in evaluation mode, averaged over whole pairs, each (2, H, W)."""
    return mean_losses(fusions_of(network, images), balance)


def freeze_batch_norm(network: nn.Module, images: Sequence[Tensor] | Tensor) -> None:
    """Take the statistics of every batch norm anew from whole pairs, each (2, H, W), and stop updating them."""
    layers = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if not layers:
        return
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain average over all images
        layer.train()
    with torch.no_grad():
        for several in _batches(images):
            network(several[:, :1], several[:, 1:])
    for layer in layers:
        layer.eval()


def _batches(images: Sequence[Tensor] | Tensor) -> Iterator[Tensor]:
    """Stack neighbours of the same shape, four at most: a variance over several images sees how they differ."""
    several: list[Tensor] = []
    for pair in images:
        if several and (len(several) == 4 or pair.shape != several[0].shape):
            yield torch.stack(several)
            several = []
        several.append(pair)
    if several:
        yield torch.stack(several)


def validate_as_if_frozen(
    network: nn.Module, calibration: Sequence[Tensor], images: Sequence[Tensor] | Tensor, balance: LossBalance
) -> dict[str, float]:
    """Judge a network as if its batch norm were frozen now; the network is left as it is."""
    frozen = copy.deepcopy(network)
    freeze_batch_norm(frozen, calibration)
    return validate(frozen, images, balance)

"""Judging a network on whole slices, and fitting its batch norm to them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusion.training.loss import LOSS_NAMES, LossBalance, fusion_loss


def validate(network: nn.Module, slices: Tensor, balance: LossBalance) -> dict[str, float]:
    """Return the parts of equation 4 in evaluation mode, averaged over whole slices (N, 2, H, W)."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    sums = dict.fromkeys(LOSS_NAMES, 0.0)
    with torch.no_grad():
        for one in slices.split(1):
            for name, value in fusion_loss(one, network(one[:, :1], one[:, 1:]), balance).values().items():
                sums[name] += value / len(slices)
    for module in training:
        module.training = True
    return sums


def freeze_batch_norm(network: nn.Module, slices: Tensor) -> None:
    """Take the statistics of every batch norm anew from whole slices (N, 2, H, W) and stop updating them."""
    layers = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if not layers:
        return
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain average over all slices
        layer.train()
    with torch.no_grad():
        for several in slices.split(4):
            network(several[:, :1], several[:, 1:])
    for layer in layers:
        layer.eval()

"""Judging a network on whole images: parts of equation 4, brightness artefacts (paper, section 4.6), batch norm."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fusion.training.loss import LOSS_NAMES, LossBalance, fusion_loss

Fusion = tuple[Tensor, Tensor]
"""A pair, (1, 2, H, W), and its fused image, (1, 1, H, W)."""

HEAD_LEVEL = 0.05
"""Intensity from which a pixel of either input counts as the head, or as any other object."""


@dataclass(frozen=True)
class Brightness:
    """Brightness that a network adds to or takes from its inputs; intensities, dimensionless.

    Attributes
    ----------
    background : float
        Mean fused value where both inputs are exactly 0; 0 is right. NaN where there is no such pixel.
    shift : float
        Mean of y minus mean of (x1 + x2) / 2 inside the head; 0 adds nothing. NaN without any head.
    frame : float
        Mean |fused value| in the outermost pixels of the image where both inputs are exactly 0: networks that
        answer to their own zero padding draw a frame there. NaN where there is no such pixel.
    """

    background: float
    shift: float
    frame: float

    def values(self) -> dict[str, float | None]:
        """Return all as plain numbers, None for those that are not defined, as JSON knows no NaN."""
        return {
            name: None if value != value else value
            for name, value in (("background", self.background), ("shift", self.shift), ("frame", self.frame))
        }


def validate(network: nn.Module, images: Sequence[Tensor] | Tensor, balance: LossBalance) -> dict[str, float]:
    """Return the parts of equation 4 in evaluation mode, averaged over pairs.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2); left as it is.
    images : sequence of Tensor, or Tensor
        Whole pairs, (2, H, W) each, in [0, 1].
    balance : LossBalance
        λ and both γ.
    """
    return mean_losses(fusions_of(network, images), balance)


def validate_as_if_frozen(
    network: nn.Module, calibration: Sequence[Tensor], images: Sequence[Tensor] | Tensor, balance: LossBalance
) -> dict[str, float]:
    """Judge a network as if its batch norm were frozen now; the network is left as it is.

    Parameters
    ----------
    network, images, balance
        As for `validate`.
    calibration : sequence of Tensor
        Whole pairs that batch norm is fitted to, (2, H, W) each.
    """
    frozen = copy.deepcopy(network)
    freeze_batch_norm(frozen, calibration)
    return validate(frozen, images, balance)


def fusions_of(network: nn.Module, images: Sequence[Tensor] | Tensor) -> list[Fusion]:
    """Fuse whole pairs in evaluation mode; the network's own mode stays.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2).
    images : sequence of Tensor, or Tensor
        Whole pairs, (2, H, W) each, in [0, 1].

    Returns
    -------
    list of (Tensor, Tensor)
        Each pair, (1, 2, H, W), with its fused image, (1, 1, H, W).
    """
    training = [module for module in network.modules() if module.training]
    network.eval()
    with torch.no_grad():
        fusions = [(pair[None], network(pair[None, :1], pair[None, 1:])) for pair in images]
    for module in training:
        module.training = True
    return fusions


def mean_losses(fusions: Sequence[Fusion], balance: LossBalance) -> dict[str, float]:
    """Return the parts of equation 4, averaged over pairs.

    Parameters
    ----------
    fusions : sequence of (Tensor, Tensor)
        As `fusions_of` returns them, at least one.
    balance : LossBalance
        λ and both γ.
    """
    sums = dict.fromkeys(LOSS_NAMES, 0.0)
    for inputs, fused in fusions:
        for name, value in fusion_loss(inputs, fused, balance).values().items():
            sums[name] += value / len(fusions)
    return sums


def brightness(inputs: Tensor, fused: Tensor) -> Brightness:
    """Measure the brightness artefacts of fused images.

    Parameters
    ----------
    inputs : Tensor
        (B, 2, H, W) in [0, 1].
    fused : Tensor
        (B, 1, H, W).
    """
    mri, pet = inputs[:, :1], inputs[:, 1:]
    air = (mri == 0) & (pet == 0)
    head = torch.maximum(mri, pet) >= HEAD_LEVEL
    edge = torch.zeros_like(air)
    edge[..., (0, -1), :] = True
    edge[..., (0, -1)] = True
    return Brightness(
        float(fused[air].mean()),
        float((fused - (mri + pet) / 2)[head].mean()),
        float(fused[air & edge].abs().mean()),
    )


def mean_brightness(fusions: Iterable[tuple[Tensor, Tensor]]) -> Brightness:
    """Average the brightness artefacts over pairs, each of which counts for a number only where that is defined.

    Parameters
    ----------
    fusions : iterable of (Tensor, Tensor)
        Pairs, (1, 2, H, W) in [0, 1], with their fused images, (1, 1, H, W).
    """
    found = [brightness(inputs, fused) for inputs, fused in fusions]
    sums = torch.tensor([[each.background, each.shift, each.frame] for each in found], dtype=torch.float64)
    background, shift, frame = torch.nanmean(sums, dim=0).tolist()
    return Brightness(background, shift, frame)


def freeze_batch_norm(network: nn.Module, images: Sequence[Tensor] | Tensor) -> None:
    """Take the statistics of every batch norm anew from whole pairs, and stop updating them.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2); changed in place.
    images : sequence of Tensor, or Tensor
        Whole pairs, (2, H, W) each, in [0, 1].
    """
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

"""Brightness artefacts of a fusion (paper, section 4.6) as numbers: what is added where it should not be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

HEAD_LEVEL = 0.05
"""Intensity from which a pixel of either input counts as the head, or as any other object."""


@dataclass(frozen=True)
class Brightness:
    """What a network adds to or takes from the brightness of its inputs; intensities, dimensionless.

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
    """Average the brightness artefacts over pairs, each (1, 2, H, W), with their fused images, (1, 1, H, W).

    A pair counts for a number only where that number is defined.
    """
    found = [brightness(inputs, fused) for inputs, fused in fusions]
    sums = torch.tensor([[each.background, each.shift, each.frame] for each in found], dtype=torch.float64)
    background, shift, frame = torch.nanmean(sums, dim=0).tolist()
    return Brightness(background, shift, frame)

"""Convolutions of single windows on a processor, their weights laid out beforehand as oneDNN reads them.

For an image alone that is as small as a window, torch leaves 3×3 convolutions to a matrix product and a sum, and where
it asks oneDNN it lays the weights out again each time. Together that is about twice the time of the convolution.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from fusion.saliency.chain.nodes import Reach

logger = logging.getLogger(__name__)

LEAST_MULTIPLICATIONS = 2_500_000
"""In a convolution, zeros at the border counted: what takes less is quicker by torch's own choice."""
TOLERANCE = 1e-5
"""Largest relative error, in float32, that another order of the same additions explains."""


@dataclass(frozen=True, slots=True)
class PackedSpread:
    """A transposed convolution of stride 1, as a convolution with the kernel turned round."""

    weight: Tensor
    """Opaque: of a layout that only oneDNN knows."""
    padding: tuple[int, int]
    dilation: tuple[int, int]

    def __call__(self, values: Tensor) -> Tensor:
        """Return what `torch.nn.functional.conv_transpose2d` does of (1, outputs, h, w), channels last."""
        spread: Tensor = torch.ops.mkldnn._convolution_pointwise(
            values, self.weight, None, self.padding, (1, 1), self.dilation, 1, "none", [], ""
        )
        return spread


def packed_spread(
    weight: Tensor, window: tuple[int, int], padding: Reach, dilation: tuple[int, int]
) -> PackedSpread | None:
    """Lay out the weight of a transposed convolution, and compare what it gives with torch's own.

    Parameters
    ----------
    weight : torch.Tensor
        (outputs, inputs, rows, columns), of the convolution that is transposed.
    window : tuple of int
        Rows and columns of what it will be applied to.
    padding, dilation
        Of the transposed convolution.

    Returns
    -------
    PackedSpread or None
        ``None`` where it would not be quicker, or this build of torch has no oneDNN or another one.
    """
    outputs, _, *kernel = weight.shape
    far = (dilation[0] * (kernel[0] - 1), dilation[1] * (kernel[1] - 1))
    # What is left of a transposed convolution's border is what a convolution pads.
    around = (far[0] - padding[0], far[1] - padding[1])
    shape = (window[0] + far[0] - 2 * padding[0], window[1] + far[1] - 2 * padding[1])
    work = shape[0] * shape[1] * weight.numel()
    if weight.dtype != torch.float32 or weight.device.type != "cpu" or work < LEAST_MULTIPLICATIONS:
        return None
    if min(around) < 0 or not torch.backends.mkldnn.is_available():
        return None
    generator = torch.Generator().manual_seed(0)
    sample = torch.rand((1, outputs, *window), generator=generator).contiguous(
        memory_format=torch.channels_last
    )
    try:
        turned = weight.flip(2, 3).transpose(0, 1).contiguous()
        laid_out = torch.ops.mkldnn._reorder_convolution_weight(
            turned, around, (1, 1), dilation, 1, list(sample.shape)
        )
        found = PackedSpread(laid_out, around, dilation)
        values = found(sample)
    except (AttributeError, RuntimeError, TypeError) as reason:
        logger.info("This torch does not take weights laid out for oneDNN: %s", reason)
        return None
    expected = F.conv_transpose2d(sample, weight, None, 1, padding, 0, 1, dilation)
    # Written so that NaN counts as wrong.
    if (
        values.shape != expected.shape
        or not ((values - expected).abs() <= TOLERANCE * expected.abs().max()).all()
    ):
        logger.warning("Weights laid out for oneDNN give another convolution here; they are not used.")
        return None
    return found

"""Parts of a training's loss beside equation 4, and what a checkpoint lacks: that no input vanishes, nor is reversed.

Equation 4 alone allows a network that multiplies its inputs, and even rewards contrast that is reversed in places.
`fusion.statistics.behaviour` measures both on whole images; here they are put so that a network can descend.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusion.statistics.behaviour import BRIGHTER, FIRST_ALONE, SECOND_ALONE, and_gate
from fusion.training.evaluation import HEAD_LEVEL, Fusion

KEPT_AIM = (0.65, 0.45)
"""Of the first and the second input where the other is dark: below, a training is penalised; above `KEPT_LEAST`."""
KEPT_LEAST = (0.5, 0.3)
"""What checkpoints must reach to be chosen by equation 4 alone."""
LARGEST_GAP = 0.06
"""Of |L_SSIM of the first input − of the second| on the fixed images."""
FEWEST_PIXELS = 20


def gate_penalty(inputs: Tensor, fused: Tensor) -> Tensor:
    """Return how much less than `KEPT_AIM` is left of each input where the other is dark; 0 where it is enough.

    Parameters
    ----------
    inputs : Tensor
        (B, 2, H, W) in [0, 1].
    fused : Tensor
        (B, 1, H, W).

    Returns
    -------
    Tensor
        A scalar: the mean over the batch of both shortfalls of `fusion.statistics.behaviour.and_gate`. Images with
        fewer than 20 pixels of a kind have no shortfall of it.
    """
    lacking = fused.new_zeros(())
    for (first, second), y in zip(inputs, fused[:, 0], strict=True):
        alone = (second < FIRST_ALONE[0]) & (first > FIRST_ALONE[1])
        reverse = (first < SECOND_ALONE[0]) & (second > SECOND_ALONE[1])
        for mask, x, aim in zip((alone, reverse), (first, second), KEPT_AIM, strict=True):
            if int(mask.sum()) >= FEWEST_PIXELS:
                lacking = lacking + torch.relu(aim - y[mask].mean() / x[mask].mean())
    return lacking / len(inputs)


def reversal_penalty(network: nn.Module, inputs: Tensor, fused: Tensor, index: int) -> Tensor:
    """Return how steeply the fused image falls, averaged over the head, when one input rises by 0.02.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2).
    inputs : Tensor
        (B, 2, H, W) in [0, 1].
    fused : Tensor
        (B, 1, H, W), its fused images of them.
    index : int
        The input that rises, 0 or 1.

    Returns
    -------
    Tensor
        A scalar ≥ 0: the mean of max(0, −Δy / 0.02); 0 without any head.
    """
    rise = torch.zeros_like(inputs)
    rise[:, index] = BRIGHTER
    raised = inputs + rise
    fall = torch.relu(fused - network(raised[:, :1], raised[:, 1:])) / BRIGHTER
    head = inputs.amax(1, keepdim=True) >= HEAD_LEVEL
    return (fall * head).sum() / head.sum().clamp(min=1)


def shortfall(fusions: Sequence[Fusion], gap: float) -> float:
    """Return what a checkpoint lacks beside a low loss: 0 where nothing.

    Parameters
    ----------
    fusions : sequence of (Tensor, Tensor)
        Validation pairs with their fused images, as `fusion.training.evaluation.fusions_of` returns them.
    gap : float
        |L_SSIM of the first input − of the second|, averaged over the fixed images.

    Returns
    -------
    float
        By how much the gap is too large, and what is left of each input, averaged over the pairs, is too little.
    """
    kept = [and_gate(inputs[0].cpu().numpy(), fused[0, 0].cpu().numpy()) for inputs, fused in fusions]
    lacking = max(0.0, gap - LARGEST_GAP)
    for values, least in zip(zip(*kept, strict=True), KEPT_LEAST, strict=True):
        defined = [value for value in values if value == value]
        if defined:
            lacking += max(0.0, least - sum(defined) / len(defined))
    return lacking

"""Keeping both modalities equally well: γ_ssim of equation 4 follows the losses instead of being given.

With a fixed γ_ssim, a copy of one input can be the better minimum: it costs nothing for that input, and γ_ssim or
1 − γ_ssim times the inputs' own dissimilarity for the other. What is wanted (paper, section 4.6) is that neither
modality falls behind, which is the minimum of the larger one of both losses:

    min over networks of max(L_SSIM^MRI, L_SSIM^PET)
        = min over networks of max over γ of γ·L_SSIM^MRI + (1 − γ)·L_SSIM^PET.

Hence γ_ssim climbs while the network descends: it moves towards the modality whose loss is larger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fusion.training.loss import LossBalance

RATE = 3e-3
"""How far γ_ssim moves in a step, per unit of difference between both losses."""
RANGE = (0.1, 0.9)


def rebalanced(balance: LossBalance, ssim_mri: float, ssim_pet: float) -> LossBalance:
    """Return the balance of the next step, after one step's 1 − SSIM with the MRI and with the PET."""
    moved = balance.gamma_ssim + RATE * (ssim_mri - ssim_pet)
    return replace(balance, gamma_ssim=min(max(moved, RANGE[0]), RANGE[1]))


def larger_loss(losses: Mapping[str, float], balance: LossBalance) -> float:
    """Return equation 4 with the larger one of both structural losses: what a balanced training lowers."""
    error = balance.gamma_l2 * losses["l2_mri"] + (1 - balance.gamma_l2) * losses["l2_pet"]
    return balance.lambda_ * max(losses["ssim_mri"], losses["ssim_pet"]) + (1 - balance.lambda_) * error

"""The training loss (paper, section 4.3, equation 4): similarity of the fused image to both inputs.

Its γ_ssim is given, or follows the losses so that both modalities are kept equally well (`rebalanced`). With a fixed
γ_ssim, a copy of one input can be the better minimum: it costs nothing for that input, and γ_ssim or 1 − γ_ssim times
the inputs' own dissimilarity for the other. What is wanted (section 4.6) is that neither modality falls behind, which
is the minimum of the larger one of both losses:

    min over networks of max(L_SSIM^MRI, L_SSIM^PET)
        = min over networks of max over γ of γ·L_SSIM^MRI + (1 − γ)·L_SSIM^PET.

Hence γ_ssim climbs while the network descends: it moves towards the modality whose loss is larger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from pytorch_msssim import ssim
from torch import Tensor

WINDOW = 11
"""Pixels a side of the similarity's Gaussian window; its standard deviation is 1.5 pixels."""

LOSS_NAMES = ("total", "ssim_mri", "ssim_pet", "l2_mri", "l2_pet")

RATE = 3e-3
"""How far γ_ssim moves in a step, per unit of difference between both losses."""

RANGE = (0.1, 0.9)


@dataclass(frozen=True)
class LossBalance:
    """Weights of equation 4, each 0 to 1.

    Attributes
    ----------
    lambda_ : float
        Share of the structural part; the rest, 1 − λ, is squared error.
    gamma_ssim : float
        Share of the MRI within the structural part; the rest is the PET's.
    gamma_l2 : float
        Share of the MRI within the squared error.
    """

    lambda_: float = 0.99
    gamma_ssim: float = 0.5
    gamma_l2: float = 0.5

    def __post_init__(self) -> None:
        for name in ("lambda_", "gamma_ssim", "gamma_l2"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share from 0 to 1, not {getattr(self, name)}")


PAPER_BALANCE = {
    "funfusean": LossBalance(0.99, 0.47, 0.5),
    "funfusean_sum": LossBalance(0.99, 0.47, 0.5),
    "masknet": LossBalance(0.99, 0.5, 0.494),
    "deepfuse": LossBalance(0.99, 0.497, 0.5),
    "deep_pedestrian": LossBalance(0.99, 0.52, 0.5),
}
"""What the authors' search found for each network (paper, Table 1); FunFuseAn's for its variant too."""


@dataclass(frozen=True)
class LossParts:
    """The loss of a batch and what it is made of; each a scalar tensor.

    Attributes
    ----------
    total : Tensor
        L = λ·L_SSIM + (1 − λ)·L_l2.
    ssim_mri, ssim_pet : Tensor
        1 − SSIM(x, y), 0 (equal) to 2, mean over the image and the batch.
    l2_mri, l2_pet : Tensor
        Mean over pixels of (y − x)². The paper writes ‖y − x‖²; the mean does not depend on the image's size.
    """

    total: Tensor
    ssim_mri: Tensor
    ssim_pet: Tensor
    l2_mri: Tensor
    l2_pet: Tensor

    def values(self) -> dict[str, float]:
        """Return all five as plain numbers."""
        return {name: float(getattr(self, name).detach()) for name in LOSS_NAMES}


def fusion_loss(inputs: Tensor, fused: Tensor, balance: LossBalance) -> LossParts:
    """Evaluate equation 4.

    Parameters
    ----------
    inputs : Tensor
        (B, 2, H, W), MRI and PET in [0, 1].
    fused : Tensor
        (B, 1, H, W).
    balance : LossBalance
        The weights λ, γ_ssim and γ_l2.

    Returns
    -------
    LossParts
    """
    mri, pet = inputs[:, :1], inputs[:, 1:]
    ssim_mri, ssim_pet = dissimilarity(mri, fused), dissimilarity(pet, fused)
    l2_mri, l2_pet = (fused - mri).square().mean(), (fused - pet).square().mean()
    structure = balance.gamma_ssim * ssim_mri + (1 - balance.gamma_ssim) * ssim_pet
    error = balance.gamma_l2 * l2_mri + (1 - balance.gamma_l2) * l2_pet
    total = balance.lambda_ * structure + (1 - balance.lambda_) * error
    return LossParts(total, ssim_mri, ssim_pet, l2_mri, l2_pet)


def dissimilarity(x: Tensor, y: Tensor) -> Tensor:
    """Return 1 − SSIM of two batches, averaged: Gaussian window 11×11, σ 1.5 pixels, data range 1.

    Only windows that lie wholly inside the image count.

    Parameters
    ----------
    x, y : Tensor
        (B, 1, H, W), in [0, 1].

    Returns
    -------
    Tensor
        A scalar, 0 (equal) to 2.

    Raises
    ------
    ValueError
        If a side has fewer than 11 pixels.
    """
    if min(x.shape[-2:]) < WINDOW:
        raise ValueError(
            f"The similarity window needs images of at least {WINDOW}×{WINDOW} pixels, not {tuple(x.shape[-2:])}"
        )
    return 1 - ssim(x, y, data_range=1.0, win_size=WINDOW, win_sigma=1.5)


def local_similarity(x: Tensor, y: Tensor, centres: Tensor) -> Tensor:
    """Return the SSIM of two images in the window around some pixels: what `dissimilarity` averages over all windows.

    Parameters
    ----------
    x, y : Tensor
        (H, W), in [0, 1].
    centres : Tensor
        (N, 2), rows and columns, int64; each at least 5 pixels from the border, so that its window lies in the image.

    Returns
    -------
    Tensor
        (N,), 1 (equal) to −1.
    """
    offsets = torch.arange(WINDOW, device=centres.device) - WINDOW // 2
    rows, columns = centres[:, :1] + offsets, centres[:, 1:] + offsets
    places = rows[:, :, None] * x.shape[1] + columns[:, None, :]
    windows = [image.reshape(-1)[places][:, None] for image in (x, y)]
    return ssim(*windows, data_range=1.0, size_average=False, win_size=WINDOW, win_sigma=1.5)


def rebalanced(balance: LossBalance, ssim_mri: float, ssim_pet: float) -> LossBalance:
    """Return the balance of the next step, after one step's 1 − SSIM with the MRI and with the PET."""
    moved = balance.gamma_ssim + RATE * (ssim_mri - ssim_pet)
    return replace(balance, gamma_ssim=min(max(moved, RANGE[0]), RANGE[1]))


def larger_loss(losses: Mapping[str, float], balance: LossBalance) -> float:
    """Return equation 4 with the larger one of both structural losses: what a balanced training lowers."""
    error = balance.gamma_l2 * losses["l2_mri"] + (1 - balance.gamma_l2) * losses["l2_pet"]
    return balance.lambda_ * max(losses["ssim_mri"], losses["ssim_pet"]) + (1 - balance.lambda_) * error

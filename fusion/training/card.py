"""The model card that is written beside trained weights."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from fusion.methods.registry import method_specification
from fusion.training.loss import LossBalance
from fusion.training.options import TrainingError, TrainingOptions

EARLIER = ("recipe", "seed", "steps", "seconds", "trained_at", "device", "started_from")
PACKAGES = ("torch", "numpy", "nilearn", "pytorch-msssim")


def training_card(
    options: TrainingOptions,
    learning_rate: float,
    balance: LossBalance,
    steps: int,
    seconds: float,
    device: torch.device,
    losses: dict[str, float],
) -> dict[str, Any]:
    """Describe a training: what, on what, how, for how long, and how good on the validation slices."""
    title = method_specification(options.method_id).title
    return {
        "title": title,
        "about": (
            "Fuses an MRI and a PET slice. Trained without ground truth, by equation 4 of the FuseVis paper."
        ),
        "data": (
            "Simulated MRI and PET slices drawn at random from the MNI ICBM152 2009 template "
            "(fusion/data/simulate.py). No image of a patient was used."
        ),
        "recipe": {
            "optimizer": "Adam",
            "largest_learning_rate": learning_rate,
            "loss": "equation 4 on images with mirrored margins of 5 pixels, so that the outermost pixels count",
            "schedule": "linear rise over the first 2 %, then cosine to 0",
            **_shown(options),
            "lambda": balance.lambda_,
            "gamma_ssim": balance.gamma_ssim,
            "gamma_l2": balance.gamma_l2,
            "kept": "the best of the checks in the second half, on 8 of the validation slices",
        },
        "seed": options.seed,
        "steps": steps,
        "seconds": round(seconds, 1),
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {platform.machine()}",
        "threads": torch.get_num_threads(),
        "validation": {
            "slices": options.validation_slices,
            "what": "simulated 256×256 slices, never trained on, the same for every network",
            "losses": {name: round(value, 5) for name, value in losses.items()},
        },
        "versions": _versions(),
    }


def earlier_card(weights: Path) -> dict[str, Any]:
    """Return how weights were trained that a training starts from, empty where no card is beside them."""
    path = weights.with_suffix(".json")
    if not path.exists():
        return {}
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TrainingError(
            f"{path}: this model card is damaged. Move it away to go on without it."
        ) from error
    return {name: card[name] for name in EARLIER if name in card}


def _shown(options: TrainingOptions) -> dict[str, Any]:
    if options.start is not None:
        return {"batch": 1, "whole_slices": "256×256, from the first step on", "batch_norm": "kept as it was"}
    return {
        "batch": options.batch,
        "patch": options.patch,
        "whole_slices": "one 256×256 slice a step in the last fifth of the run",
        "batch_norm": "statistics taken anew from 32 whole slices half-way, then frozen",
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # nilearn, where another head than the template's was used
            continue
    return found

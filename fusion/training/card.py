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
from fusion.training.evaluation import Brightness
from fusion.training.loss import WINDOW
from fusion.training.options import TrainingError, TrainingOptions
from fusion.training.penalties import KEPT_AIM, KEPT_LEAST, LARGEST_GAP
from fusion.training.run import CHECK_IMAGES, FREEZE_AT, GRADIENT_NORM, Run

EARLIER = ("recipe", "seed", "steps", "seconds", "trained_at", "device", "started_from")
PACKAGES = ("torch", "numpy", "nilearn", "pytorch-msssim")


def training_card(
    options: TrainingOptions,
    run: Run,
    data: dict[str, Any],
    losses: dict[str, float],
    brightness: Brightness,
) -> dict[str, Any]:
    """Describe a training: what, on what, how, for how long, and how good on the validation images."""
    specification = method_specification(options.method_id)
    device = run.device
    return {
        "title": specification.title,
        "about": (
            "Fuses two registered images, as an MRI and a PET slice. Trained without ground truth, by equation 4 "
            "of the FuseVis paper."
        ),
        "note": specification.note,
        "data": data["about"],
        "recipe": _recipe(options, run),
        "seed": options.seed,
        "steps": run.step,
        "seconds": round(run.seconds, 1),
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {platform.machine()}",
        "threads": torch.get_num_threads(),
        "validation": {
            "slices": len(run.validation),
            "what": data["validation"],
            "losses": {name: round(value, 5) for name, value in losses.items()},
            "brightness": {
                name: None if value is None else round(value, 5)
                for name, value in brightness.values().items()
            },
        },
        "versions": _versions(),
    }


def _recipe(options: TrainingOptions, run: Run) -> dict[str, Any]:
    balance = run.balance
    return {
        "name": options.recipe,
        "command": command_line(options),
        "optimizer": "Adam",
        "largest_learning_rate": options.peak_learning_rate,
        "schedule": "linear rise over the first 2 %, then cosine to 0",
        "gradient_norm": f"clipped to {GRADIENT_NORM:g}",
        "loss": (
            f"equation 4. Patches are cut by {run.halo} pixels where they end inside the image; the image's own "
            f"sides get a mirrored margin of {WINDOW // 2} pixels, so that the outermost pixels count"
        ),
        "lambda": balance.lambda_,
        "gamma_ssim": round(balance.gamma_ssim, 4),
        "gamma_l2": balance.gamma_l2,
        **_balancing(options),
        **_shown(options, run),
        "precision": "bfloat16 convolutions, float32 weights" if run.mixed else "float32",
        "kept": f"the best of the checks after batch norm was frozen, on {CHECK_IMAGES} of the validation images",
        **_penalties(options),
    }


def command_line(options: TrainingOptions) -> str:
    """Return the command that repeats a training, without its output folder."""
    balance = options.loss_balance
    words: list[str] = ["python -m fusion train", options.method_id, "--recipe", options.recipe]
    given: dict[str, Any] = {
        "--steps": options.steps,
        "--minutes": options.minutes,
        "--patch": options.patch,
        "--batch": options.batch,
        "--learning-rate": options.learning_rate,
        "--start": options.start.name if options.start else None,
        "--lambda": balance.lambda_,
        "--gamma-ssim": balance.gamma_ssim,
        "--gamma-l2": balance.gamma_l2,
        "--seed": options.seed,
        "--simulated": options.simulated or None,
        "--gates": options.gates or None,
        "--reversal": options.reversal or None,
    }
    words += [f"{name} {value}" for name, value in given.items() if value is not None]
    if options.balanced:
        words.append("--balanced")
    if options.patches:
        words.append("--patches")
    if options.pairs:
        words.append("--pairs " + " ".join(folder.name for folder in options.pairs))
    return " ".join(words)


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


def _balancing(options: TrainingOptions) -> dict[str, Any]:
    if not options.balanced:
        return {}
    start = options.loss_balance.gamma_ssim
    return {
        "balancing": (
            f"gamma_ssim began at {start:g} and followed the losses, so that neither modality falls behind; "
            "above is its last value"
        )
    }


def _penalties(options: TrainingOptions) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.gates:
        found["gates"] = (
            f"{options.gates:g} times what either input lacks of {KEPT_AIM[0]:g} and {KEPT_AIM[1]:g} where the "
            "other is dark; checkpoints were chosen by equation 4 and by what they lack of "
            f"{KEPT_LEAST[0]:g} and {KEPT_LEAST[1]:g}, and of a gap of {LARGEST_GAP:g} at most"
        )
    if options.reversal:
        found["reversal"] = f"{options.reversal:g} times the mean fall of y where an input rises by 0.02"
    return found


def _shown(options: TrainingOptions, run: Run) -> dict[str, Any]:
    if options.start is not None and not options.patches:
        return {"batch": 1, "whole_images": "from the first step on", "batch_norm": "kept as it was"}
    images = f"{len(run.calibration)} whole images"
    frozen = (
        "kept as it was"
        if options.start is not None
        else (f"statistics taken anew from {images} at {FREEZE_AT:.0%} of the run, then frozen")
    )
    if options.patch_side is None:
        return {"batch": options.batch_size, "whole_images": "from the first step on", "batch_norm": frozen}
    return {
        "batch": options.batch_size,
        "patch": options.patch_side,
        "whole_images": f"one a step from {run.recipe.whole_images_from:.0%} of the run on",
        "batch_norm": frozen,
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # nilearn, where another head than the template's was used
            continue
    return found

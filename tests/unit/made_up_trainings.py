"""Cards, curves and weights of trainings that never were."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors.torch import save

from fusion.methods.registry import method_specification
from fusion.training.curve import CurvePoint, curve_file, curve_text

LOSSES = {"total": 0.21, "ssim_mri": 0.2, "ssim_pet": 0.25, "l2_mri": 0.0125, "l2_pet": 0.02}


def card(**changes: Any) -> dict[str, Any]:
    """Return a card as the trainer writes it, with changes."""
    return {
        "title": "A network",
        "recipe": {"name": "cpu", "lambda": 0.99, "gamma_ssim": 0.5, "gamma_l2": 0.4},
        "seed": 3,
        "steps": 4000,
        "seconds": 2400.5,
        "device": "CPU, x86_64",
        "trained_at": "2026-01-02T03:04:05+00:00",
        "validation": {
            "slices": 64,
            "losses": LOSSES,
            "brightness": {"background": 0.01, "shift": -0.02, "frame": None},
        },
        "interrupted": False,
        **changes,
    }


def curve(points: int = 20) -> list[CurvePoint]:
    """Return a curve that falls: each training point twice as high as its validation point."""
    found = []
    for index in range(1, points + 1):
        losses = {name: value + 1 / index for name, value in LOSSES.items()}
        for kind, factor in (("training", 2), ("validation", 1)):
            scaled = {name: factor * value for name, value in losses.items()}
            found.append(CurvePoint(10 * index, index / points, 1.5 * index, kind, scaled))
    return found


def write_training(
    folder: Path,
    method_id: str,
    content: dict[str, Any] | None = None,
    points: list[CurvePoint] | None = None,
) -> None:
    """Write fresh weights, and the card and the curve that are given."""
    folder.mkdir(exist_ok=True)
    network = method_specification(method_id).build()
    weights = save({name: tensor.contiguous() for name, tensor in network.state_dict().items()})
    (folder / f"{method_id}.safetensors").write_bytes(weights)
    if content is not None:
        named = {"method": method_id, "sha256": hashlib.sha256(weights).hexdigest(), **content}
        (folder / f"{method_id}.json").write_text(json.dumps(named), encoding="utf-8")
    if points is not None:
        curve_file(folder, method_id).write_text(curve_text(points), encoding="utf-8")

"""Trainings that take no time: a small network in the place of those of the methods, few and small images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from fusion.methods.registry import method_specification
from fusion.training import run as running
from fusion.training import simulated, trainer
from fusion.training.options import TrainingOptions


class Tiny(nn.Module):
    """Two layers with batch norm; with `dropout`, each step also draws from torch's generator."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        drawn = [nn.Dropout(dropout)] if dropout else []
        self.layers = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.LeakyReLU(0.2),
            *drawn,
            nn.Conv2d(4, 1, 3, padding=1),
        )

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        fused: torch.Tensor = self.layers(torch.cat((x1, x2), dim=1))
        return fused


def make_small(patch: pytest.MonkeyPatch, build: Callable[[], nn.Module] = Tiny) -> None:
    """Let the trainer train this network, and judge it on next to nothing."""
    patch.setattr(simulated, "CALIBRATION_SLICES", 2)
    patch.setattr(running, "CHECK_IMAGES", 1)
    patch.setattr(trainer, "method_specification", lambda id: replace(method_specification(id), build=build))


def small_options(folder: Path, **changes: object) -> TrainingOptions:
    """Return options of a short training on small patches."""
    base = TrainingOptions("deepfuse", steps=3, patch=32, output=folder, device="cpu", validation_slices=2)
    return replace(base, **changes)  # type: ignore[arg-type]

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from fusion.training.brightness import brightness, mean_brightness
from fusion.training.curve import CurvePoint, curve_text, read_curve
from fusion.training.loss import LOSS_NAMES


def test_brightness_by_hand() -> None:
    inputs = torch.zeros(1, 2, 4, 4)
    inputs[0, 0, 1, 1] = 0.5
    inputs[0, 1, 1, 1] = 0.1
    inputs[0, 1, 1, 2] = 0.2
    inputs[0, 0, 2, 2] = 0.01
    fused = torch.zeros(1, 1, 4, 4)
    fused[0, 0, 1, 1] = 0.4
    fused[0, 0, 1, 2] = 0.3
    fused[0, 0, 0, 0] = -0.24
    fused[0, 0, 2, 1] = 0.5
    found = brightness(inputs, fused)
    assert found.background == pytest.approx((0.5 - 0.24) / 13)
    assert found.shift == pytest.approx(((0.4 - 0.3) + (0.3 - 0.1)) / 2)
    assert found.frame == pytest.approx(0.24 / 12)


def test_what_is_not_there_has_no_number() -> None:
    found = brightness(torch.ones(1, 2, 3, 3), torch.ones(1, 1, 3, 3))
    assert math.isnan(found.background)
    assert found.values() == {"background": None, "shift": 0.0, "frame": None}


def test_a_pair_without_air_does_not_count_for_air() -> None:
    air = torch.zeros(1, 2, 3, 3)
    air[0, 0, 1, 1] = 1
    pairs = (air, torch.ones(1, 2, 3, 3))
    found = mean_brightness((pair, pair.mean(1, keepdim=True) + 0.25) for pair in pairs)
    assert found.background == found.frame == found.shift == 0.25


def test_a_curve_survives_its_file(tmp_path: Path) -> None:
    points = [
        CurvePoint(step, step / 8, step * 1.5, kind, dict.fromkeys(LOSS_NAMES, 0.125 * step))
        for step in (1, 2)
        for kind in ("training", "validation")
    ]
    path = tmp_path / "curve.csv"
    path.write_text(curve_text(points), encoding="utf-8")
    assert read_curve(path) == points
    assert read_curve(tmp_path / "missing.csv") == []
    path.write_text("step,fraction\n1,x\n", encoding="utf-8")
    with pytest.raises(ValueError, match="not a loss curve"):
        read_curve(path)

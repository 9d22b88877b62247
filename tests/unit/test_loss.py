"""The loss of equation 4, its balance, and brightness artefacts."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fusion.training.curve import CurvePoint, curve_text, read_curve
from fusion.training.evaluation import brightness, mean_brightness
from fusion.training.loss import (
    LOSS_NAMES,
    PAPER_BALANCE,
    RATE,
    LossBalance,
    dissimilarity,
    fusion_loss,
    larger_loss,
    rebalanced,
)

C1 = 0.01**2


def constant(value: float, size: int = 16) -> Tensor:
    return torch.full((1, 1, size, size), value, dtype=torch.float64)


def noise(seed: int, size: int = 24) -> Tensor:
    return torch.rand(1, 1, size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_of_constant_images_only_the_luminance_term_is_left() -> None:
    expected = 1 - (2 * 0.3 * 0.8 + C1) / (0.3**2 + 0.8**2 + C1)
    # The window's taps are float32: they sum to 1 within 1e-7, so that the variance of a constant is not quite 0.
    assert float(dissimilarity(constant(0.3), constant(0.8))) == pytest.approx(expected, rel=1e-3)


def test_an_image_is_perfectly_similar_to_itself_and_not_to_its_negative() -> None:
    image = noise(0)
    assert float(dissimilarity(image, image)) == pytest.approx(0, abs=1e-9)
    assert float(dissimilarity(image, 1 - image)) > 1


def test_similarity_is_that_of_an_independent_implementation() -> None:
    metrics = pytest.importorskip(
        "skimage.metrics", reason="scikit-image is only in requirements-samples.txt"
    )
    first, second = noise(1), 0.7 * noise(1) + 0.3 * noise(2)
    expected = metrics.structural_similarity(
        first[0, 0].numpy(),
        second[0, 0].numpy(),
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert 1 - float(dissimilarity(first, second)) == pytest.approx(expected, rel=1e-5)


def test_equation_4_of_constant_images_worked_by_hand() -> None:
    inputs = torch.cat((constant(0.2), constant(0.6)), dim=1)
    parts = fusion_loss(
        inputs, constant(0.5), LossBalance(lambda_=0.9, gamma_ssim=0.25, gamma_l2=0.75)
    ).values()
    ssim_mri = 1 - (2 * 0.2 * 0.5 + C1) / (0.2**2 + 0.5**2 + C1)
    ssim_pet = 1 - (2 * 0.6 * 0.5 + C1) / (0.6**2 + 0.5**2 + C1)
    expected = {
        "ssim_mri": ssim_mri,
        "ssim_pet": ssim_pet,
        "l2_mri": 0.09,
        "l2_pet": 0.01,
        "total": 0.9 * (0.25 * ssim_mri + 0.75 * ssim_pet) + 0.1 * (0.75 * 0.09 + 0.25 * 0.01),
    }
    assert parts == pytest.approx(expected, rel=1e-3)
    assert set(parts) == set(LOSS_NAMES)


@pytest.mark.parametrize(("balance", "deaf_to"), [(LossBalance(1, 1, 0), 1), (LossBalance(0, 0, 0), 0)])
def test_a_weight_of_zero_switches_a_modality_off(balance: LossBalance, deaf_to: int) -> None:
    inputs, fused = torch.cat((noise(3), noise(4)), dim=1), noise(5)
    changed = inputs.clone()
    changed[:, deaf_to] = noise(6)[:, 0]
    before, after = fusion_loss(inputs, fused, balance), fusion_loss(changed, fused, balance)
    assert float(before.total) == float(after.total)


def test_its_gradient_is_that_of_finite_differences() -> None:
    inputs = torch.cat((noise(7, 12), noise(8, 12)), dim=1)
    fused = noise(9, 12).requires_grad_(True)
    assert torch.autograd.gradcheck(
        lambda y: fusion_loss(inputs, y, LossBalance(0.6, 0.3, 0.8)).total, (fused,), atol=1e-6, rtol=1e-4
    )


def test_the_loss_of_a_batch_is_the_mean_of_its_images() -> None:
    inputs = torch.cat((torch.cat((noise(1), noise(2)), 1), torch.cat((noise(3), noise(4)), 1)))
    fused = torch.cat((noise(5), noise(6)))
    both = fusion_loss(inputs, fused, LossBalance()).values()
    alone = [fusion_loss(inputs[i : i + 1], fused[i : i + 1], LossBalance()).values() for i in (0, 1)]
    assert both == pytest.approx({name: (alone[0][name] + alone[1][name]) / 2 for name in both}, rel=1e-9)


def test_images_smaller_than_the_window_are_refused() -> None:
    with pytest.raises(ValueError, match="11×11"):
        dissimilarity(noise(0, 10), noise(1, 10))


@pytest.mark.parametrize("balance", [(1.1, 0.5, 0.5), (0.5, -0.1, 0.5), (0.5, 0.5, float("nan"))])
def test_weights_are_shares(balance: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="share from 0 to 1"):
        LossBalance(*balance)


def test_the_defaults_are_table_1() -> None:
    assert {name: (b.lambda_, b.gamma_ssim, b.gamma_l2) for name, b in PAPER_BALANCE.items()} == {
        "funfusean": (0.99, 0.47, 0.5),
        "funfusean_sum": (0.99, 0.47, 0.5),
        "masknet": (0.99, 0.5, 0.494),
        "deepfuse": (0.99, 0.497, 0.5),
        "deep_pedestrian": (0.99, 0.52, 0.5),
    }


def test_the_balance_moves_towards_the_modality_that_falls_behind() -> None:
    balance = LossBalance(0.99, 0.5, 0.4)
    assert rebalanced(balance, 0.4, 0.2) == LossBalance(0.99, 0.5 + RATE * 0.2, 0.4)
    assert rebalanced(balance, 0.2, 0.4).gamma_ssim == pytest.approx(0.5 - RATE * 0.2)
    assert rebalanced(LossBalance(0.99, 0.9), 1.0, 0.0).gamma_ssim == 0.9
    assert rebalanced(LossBalance(0.99, 0.1), 0.0, 1.0).gamma_ssim == 0.1


def test_a_balanced_training_lowers_the_larger_loss() -> None:
    losses = {"ssim_mri": 0.1, "ssim_pet": 0.3, "l2_mri": 0.02, "l2_pet": 0.04}
    for gamma in (0.2, 0.8):
        assert larger_loss(losses, LossBalance(0.9, gamma, 0.25)) == pytest.approx(0.9 * 0.3 + 0.1 * 0.035)


def test_balancing_keeps_a_copy_from_being_the_best_answer() -> None:
    """y = w·x1 + (1 − w)·x2 on unlike images: with γ = 0.4 a copy of x2 wins, balanced both are kept alike."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(1, 2, 24, 24, generator=generator)

    def fitted(balanced: bool) -> dict[str, float]:
        balance = LossBalance(1.0, 0.4)
        share = torch.tensor(0.5, requires_grad=True)
        optimizer = torch.optim.SGD([share], lr=0.05)
        for _ in range(400):
            mixed = share * images[:, :1] + (1 - share) * images[:, 1:]
            parts = fusion_loss(images, mixed, balance)
            optimizer.zero_grad()
            parts.total.backward()
            optimizer.step()
            if balanced:
                values = parts.values()
                balance = rebalanced(balance, values["ssim_mri"], values["ssim_pet"])
        return parts.values()

    plain, kept = fitted(balanced=False), fitted(balanced=True)
    assert plain["ssim_mri"] - plain["ssim_pet"] > 0.1
    assert abs(kept["ssim_mri"] - kept["ssim_pet"]) < 0.04


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

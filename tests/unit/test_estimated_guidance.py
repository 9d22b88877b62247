"""Estimates of guidance images: unbiased within their standard errors, exact where nothing else is on a lattice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import fusion
from fusion.errors import Cancelled
from fusion.saliency.crops import GLOBAL
from fusion.saliency.guidance import coarse_guidance
from tests.unit.command_line import read, run, write_pair
from tests.unit.reference import random_pair, whole_image_jacobians
from tests.unit.small_networks import OfTwo, conv

ROUNDS = 64


class Everywhere(nn.Module):
    """Attention between all pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(2, 9), conv(3, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        features = torch.tanh(self.a(torch.cat((x1, x2), dim=1)))
        query, key, value = (part.flatten(2) for part in features.chunk(3, dim=1))
        seen = (query.transpose(1, 2) @ key).mul(4).softmax(dim=-1) @ value.transpose(1, 2)
        result: Tensor = self.b(seen.transpose(1, 2).reshape(value.shape[:2] + x1.shape[2:]))
        return result


def everywhere(seed: int) -> fusion.Method:
    """Return such a method without looking for a support, which it has not."""
    torch.manual_seed(seed)
    id = f"everywhere {seed}"
    method = fusion.Method(id, "Attention everywhere", Everywhere().eval(), GLOBAL, id, torch.device("cpu"))
    method._numbers.append(None)  # nor for numbers
    return method


@pytest.mark.parametrize("seed", range(3))
def test_is_unbiased_within_its_error(seed: int) -> None:
    """Of errors in units of the standard error the mean is 0 and the mean square 1, but for their scatter."""
    method, pair = everywhere(seed), random_pair(np.random.default_rng(seed), (9, 13))
    pixels = [(row, column) for row in range(9) for column in range(13)]
    whole = whole_image_jacobians(method, pair, pixels)
    exact = np.stack([values[:, *pixel] for values, pixel in zip(whole, pixels, strict=True)], -1)
    exact = exact.reshape(2, 9, 13)
    for spacing in (1, 4):
        found = fusion.estimated_guidance(method, pair, ROUNDS, spacing, seed, dtype="float64")
        assert found.values.shape == found.standard_error.shape == exact.shape
        assert found.passes == ROUNDS * spacing**2
        assert (found.standard_error > 0).all()
        relative = (found.values - exact) / found.standard_error
        assert abs(relative.mean()) < 0.3
        assert 0.7 < (relative**2).mean() < 1.4  # 63 / 61 for so many rounds of normal noise
        assert np.abs(relative).max() < 6


def test_more_rounds_and_wider_lattices_have_smaller_errors() -> None:
    method, pair = everywhere(0), random_pair(np.random.default_rng(0), (9, 13))

    def error(rounds: int, spacing: int) -> float:
        found = fusion.estimated_guidance(method, pair, rounds, spacing, dtype="float64")
        return float(np.median(found.standard_error))

    assert error(64, 3) < 0.7 * error(16, 3)
    assert error(16, 6) < 0.8 * error(16, 3)


def test_is_exact_where_no_other_pixel_of_a_lattice_is_in_the_support() -> None:
    method = fusion.Method.from_module(OfTwo(conv(2, 4), nn.Tanh(), conv(4, 1)), "small", "Small")
    assert method.support_radius == (2, 2)
    pair = random_pair(np.random.default_rng(1), (9, 11))
    found = fusion.estimated_guidance(method, pair, 2, 3, dtype="float64")
    np.testing.assert_allclose(found.values, fusion.guidance(method, pair, dtype="float64"), atol=1e-12)
    assert found.standard_error.max() < 1e-12


def test_same_signs_give_the_same_and_others_other_values() -> None:
    method, pair = everywhere(0), random_pair(np.random.default_rng(2), (9, 10))
    first, again, other = (fusion.estimated_guidance(method, pair, 2, 3, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.values, again.values)
    assert first.values.dtype == first.standard_error.dtype == np.float32
    assert (first.values != other.values).any()


def test_is_stopped_between_two_passes() -> None:
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        fusion.estimated_guidance(
            everywhere(0), random_pair(np.random.default_rng(3), (9, 10)), 2, 3, progress=stop
        )
    assert seen == [(1, 18), (2, 18), (3, 18)]


@pytest.mark.parametrize(("rounds", "spacing"), [(1, 8), (2, 0)])
def test_refuses_what_makes_no_estimate(rounds: int, spacing: int) -> None:
    pair = random_pair(np.random.default_rng(4), (9, 10))
    with pytest.raises(ValueError, match="at least 2 rounds"):
        fusion.estimated_guidance(fusion.load_method("plain_mean"), pair, rounds, spacing)


def test_command_line_calls_estimates_by_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write_pair(tmp_path)
    monkeypatch.chdir(tmp_path)
    result = run("guidance", *files, "-m", "weighted_averaging", "--estimate", "2")
    assert "3_weighted_averaging_guidance_estimate.npz" in result.stdout.split()
    assert "These are estimates" in result.stderr
    arrays, metadata = read("3_weighted_averaging_guidance_estimate.npz")
    assert sorted(arrays) == ["air", "fused", "guidance_estimate", "standard_error"]
    assert metadata["estimate"]["rounds"] == 2 and metadata["estimate"]["passes"] == 128
    assert not (arrays["standard_error"] > 0).any(), "a method that sees its own pixel only"


def test_an_exact_grid_of_a_global_network_is_stopped_between_two_pixels() -> None:
    method = everywhere(0)
    asked: list[bool] = []

    def stop() -> None:
        asked.append(True)
        if len(asked) == 3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        coarse_guidance(method, random_pair(np.random.default_rng(5), (9, 13)), 4, go_on=stop)
    assert len(asked) == 3

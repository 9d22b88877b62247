"""Sensitivity to a shift against real shifts and against autograd of the whole image, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd.functional import jvp

import fusion
from fusion import Method, Pair
from fusion.pair import moved
from tests.unit.reference import drawn_method, random_pair

SHAPE = (14, 17)


class Linear(nn.Module):
    """A linear method that sees two pixels away."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 1, 5, padding=2, bias=False)

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        fused: torch.Tensor = self.layer(torch.cat((x1, x2), dim=1))
        return fused


def fused_with(method: Method, pair: Pair, second: np.ndarray) -> np.ndarray:
    images = (torch.tensor(image, dtype=torch.float64)[None, None] for image in (pair.images[0], second))
    with torch.no_grad():
        return np.asarray(method.network_as(torch.float64)(*images)[0, 0])


def test_of_a_linear_method_it_is_what_real_shifts_do(rng: np.random.Generator) -> None:
    method, pair = Method.from_module(Linear(), "linear", "Linear"), random_pair(rng, SHAPE)
    found = fusion.shift_sensitivity(method, pair, dtype="float64")
    for number, (down, right) in enumerate(((1, 0), (0, 1))):
        there, back = (
            fused_with(method, pair, moved(pair.images[1], (sign * down, sign * right))) for sign in (1, -1)
        )
        np.testing.assert_allclose(found[number], (there - back) / 2, rtol=0, atol=1e-12)
    assert found.shape == (2, *SHAPE) and found.dtype == np.float64


@pytest.mark.parametrize("id", ["masknet", "deepfuse"])
def test_of_a_network_it_is_the_derivative_along_the_shift(id: str, rng: np.random.Generator) -> None:
    method, pair = drawn_method(id), random_pair(rng, SHAPE)
    network = method.network_as(torch.float64)
    first, second = (torch.tensor(image, dtype=torch.float64)[None, None] for image in pair.images)
    found = fusion.shift_sensitivity(method, pair, dtype="float64")
    padded = np.pad(pair.images[1].astype(np.float64), 1)
    slopes = (padded[:-2, 1:-1] - padded[2:, 1:-1]) / 2, (padded[1:-1, :-2] - padded[1:-1, 2:]) / 2
    for number, slope in enumerate(slopes):
        _, expected = jvp(lambda x2: network(first, x2), second, torch.tensor(slope)[None, None])
        np.testing.assert_allclose(
            found[number], expected[0, 0], rtol=0, atol=1e-10 * float(expected.abs().max())
        )


def test_where_the_second_is_flat_nothing_changes(rng: np.random.Generator) -> None:
    images = np.stack([rng.random(SHAPE), np.zeros(SHAPE)]).astype(np.float32)
    method = drawn_method("masknet")
    assert not fusion.shift_sensitivity(method, Pair(images)).any()
    # One bright pixel that moves is seen as far as the method reaches.
    images[1, 7, 8] = 1
    found = fusion.shift_sensitivity(method, Pair(images))
    assert found[0].any() and found[1].any()


def test_the_progress_is_told(rng: np.random.Generator) -> None:
    told: list[tuple[int, int]] = []
    method = Method.from_module(Linear(), "linear", "Linear")
    fusion.shift_sensitivity(method, random_pair(rng, SHAPE), lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] == len(told)

"""Numbers on what a method does with its inputs, against pairs whose numbers anybody can work out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import fusion
from fusion.pair import Pair
from fusion.statistics import behaviour
from fusion.statistics.behaviour import and_gate, measure, response_curve, reversal


class Product(nn.Module):
    """An AND gate: what either input lacks is gone."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 * x2


class Difference(nn.Module):
    """Falls wherever x2 rises."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 - x2 / 2


class Mean(nn.Module):
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return (x1 + x2) / 2


def slice_pair() -> Pair:
    """Air around a head of 20×20 pixels, whose quarters are (1, 0), (0, 1), (0.5, 0.5) and (0.25, 0)."""
    images = np.zeros((2, 32, 32), dtype=np.float32)
    images[0, 6:16, 6:16] = 1
    images[1, 6:16, 16:26] = 1
    images[:, 16:26, 6:16] = 0.5
    images[0, 16:26, 16:26] = 0.25
    return Pair(images)


def test_what_is_left_where_the_other_input_is_dark() -> None:
    images = np.array([[[0.4, 0.8, 0.2, 0.05, 0.05]], [[0.0, 0.04, 0.0, 0.2, 0.1]]])
    fused = np.array([[0.1, 0.2, 0.9, 0.05, 0.7]])
    # Pixels 0 and 1 are of the first kind (x1 of pixel 2 is too dark), pixel 3 alone is of the second.
    assert and_gate(images, fused) == pytest.approx((0.3 / 1.2, 0.05 / 0.2))


def test_limits_themselves_do_not_count() -> None:
    images = np.array([[[0.3, 0.5, 0.1, 0.0]], [[0.0, 0.05, 0.5, 0.15]]])
    assert all(math.isnan(value) for value in and_gate(images, np.ones((1, 4))))


def test_share_of_the_head_that_falls() -> None:
    fused = np.array([[0.5, 0.5, 0.5, 0.5, 0.5]])
    brighter = np.array([[0.4, 0.5, 0.6, 0.4, 0.49]])
    head = np.array([[True, True, True, False, True]])
    assert reversal(fused, brighter, head) == 0.5
    assert math.isnan(reversal(fused, brighter, np.zeros((1, 5), dtype=bool)))


def test_response_curve_by_hand() -> None:
    # 20 pixels with x1 = 0.3 and x2 = 0.25, 20 with x1 = 0.34 and x2 = 1, 19 with x2 = 0.65, 20 with another x1.
    x1 = np.repeat([0.3, 0.34, 0.3, 0.5], [20, 20, 19, 20])
    x2 = np.repeat([0.25, 1.0, 0.65, 0.25], [20, 20, 19, 20])
    y = np.repeat([0.2, 0.6, 0.9, 0.0], [20, 20, 19, 20])
    head = np.ones(79, dtype=bool)
    curve = response_curve(np.stack([x1, x2]), y, head, 1, 0.3)
    assert (curve.varied, curve.level) == (1, 0.3)
    assert curve.intensities == pytest.approx(np.arange(0.05, 1, 0.1))
    expected = np.full(10, np.nan)
    expected[2], expected[9] = 0.2, 0.6
    np.testing.assert_allclose(curve.means, expected)
    swapped = response_curve(np.stack([x2, x1]), y, head, 0, 0.3)
    np.testing.assert_allclose(swapped.means, expected)
    head[:20] = False
    assert math.isnan(response_curve(np.stack([x1, x2]), y, head, 1, 0.3).means[2])


@pytest.mark.parametrize(
    ("network", "first", "second", "falls"),
    [(Product(), 0, 0, 0), (Difference(), 1, -0.5, 1), (Mean(), 0.5, 0.5, 0)],
)
def test_behaviour_of_networks_that_are_known(
    network: nn.Module, first: float, second: float, falls: float
) -> None:
    method = fusion.Method.from_module(network, "own", "Own")
    found, curves = measure(method, [slice_pair()])
    assert (found.first_kept, found.second_kept, found.reversal) == pytest.approx((first, second, falls))
    assert [(curve.varied, curve.level) for curve in curves] == [
        (varied, level) for varied in (1, 0) for level in behaviour.LEVELS
    ]
    # x1 is 0.5 in one quarter of the head, whose x2 is 0.5 too.
    images = torch.tensor([0.5]), torch.tensor([0.5])
    assert curves[2].level == 0.5
    assert curves[2].means[5] == pytest.approx(float(network(*images)))
    assert np.isnan(np.delete(curves[2].means, 5)).all()


def test_losses_are_those_of_equation_4_and_pairs_are_averaged() -> None:
    method = fusion.Method.from_module(Mean(), "own", "Own")
    pair = slice_pair()
    same = Pair(np.stack([pair.images[0], pair.images[0]]))
    alone, _ = measure(method, [same])
    assert (alone.dissimilarity, alone.squared_error) == pytest.approx((0, 0), abs=1e-9)
    assert alone.first_kept != alone.first_kept, "x2 is nowhere dark where x1 is bright"
    one, _ = measure(method, [pair])
    # 100 pixels differ by 1, 100 by 1, 100 by 0.25: the mean of both is half as far from each.
    assert one.squared_error == pytest.approx(100 * (0.25 + 0.25 + 0.125**2) / 32**2)
    both, _ = measure(method, [pair, same])
    assert both.dissimilarity == pytest.approx(one.dissimilarity / 2)
    assert both.first_kept == pytest.approx(one.first_kept), "a number counts where it is defined"

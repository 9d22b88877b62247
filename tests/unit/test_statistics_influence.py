from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor, nn

import fusion
from fusion.errors import RegionError
from fusion.saliency.window import Box, JacobianWindow
from fusion.statistics.influence import (
    Influence,
    ModalityInfluence,
    effective_radius,
    gini_index,
    influence,
    region_influence,
    ring_sums,
)
from fusion.statistics.regions import box_region, inverted, whole_image
from tests.unit.reference import drawn_method, random_pair, whole_image_jacobians

SHAPE = (6, 7)


def window(x1: object, x2: object, top: int = 1, left: int = 2) -> JacobianWindow:
    """Make a window of 3×3 pixels around (2, 3), unless placed elsewhere."""
    return JacobianWindow(np.array([x1, x2], dtype=float), top, left, top + 1, left + 1, SHAPE)


CROSS = [[0, 1, 0], [1, 4, -1], [0, -1, 0]]
DOT = [[0, 0, 0], [0, -2, 0], [0, 0, 0]]
NOTHING = [[0, 0, 0], [0, 0, 0], [0, 0, 0]]


def slow_gini(values: NDArray[np.float64]) -> float:
    """Use another form of the definition: mean difference of all pairs by twice the mean."""
    v = np.abs(values).ravel()
    return float(np.abs(v[:, None] - v[None, :]).mean() / (2 * v.mean()))


def test_gini_by_hand() -> None:
    assert gini_index([1, 1, 1, 1]) == pytest.approx(0)
    assert gini_index([0, 0, 0, 5]) == pytest.approx(1 - 1 / 4)
    assert gini_index([0, 1]) == pytest.approx(0.5)
    # 1 − 2·(1/6·5/6 + 2/6·3/6 + 3/6·1/6) = 2/9.
    assert gini_index([3, -1, 2]) == pytest.approx(2 / 9)
    # Zeros count: as many again halve what is left to 1.
    assert gini_index([3, -1, 2, 0, 0, 0]) == pytest.approx(1 - (1 - 2 / 9) / 2)
    one_hot = np.zeros((23, 23))
    one_hot[11, 11] = -0.3
    assert gini_index(one_hot) == pytest.approx(1 - 1 / 529)


def test_gini_invariances(rng: np.random.Generator) -> None:
    values = rng.normal(size=(9, 11)) ** 3
    expected = gini_index(values)
    assert expected == pytest.approx(slow_gini(values), abs=1e-12)
    for scale in (-1, 1e-300, 1e-3, 1e300):
        assert gini_index(scale * values) == pytest.approx(expected, abs=1e-12)
    assert gini_index(rng.permutation(values.ravel())) == pytest.approx(expected, abs=1e-12)
    assert gini_index(np.tile(values, (2, 2))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("values", [[], [3.0], [0, 0, 0], [1, np.nan], [1, np.inf], [np.nan, 0]])
def test_what_has_no_gini_index(values: list[float]) -> None:
    assert math.isnan(gini_index(values))


def test_effective_radius_by_hand() -> None:
    assert effective_radius([5, 4, 1], 0.5) == 0
    assert effective_radius([5, 4, 1], 0.9) == 1
    assert effective_radius([5, 4, 1], 0.91) == 2
    assert effective_radius([0, 0, 3, 0], 0.5) == 2
    # Ten tenths make 1 but for rounding: nine of them hold 90 %.
    assert effective_radius([0.1] * 10, 0.9) == 8
    assert math.isnan(effective_radius([0, 0], 0.5))
    assert math.isnan(effective_radius([1, np.nan], 0.5))
    assert math.isnan(effective_radius([], 0.5))


def test_rings_by_hand() -> None:
    assert ring_sums(window(CROSS, DOT)).tolist() == [[4, 4], [2, 0]]
    clipped = JacobianWindow(np.ones((2, 2, 4)), 0, 0, 0, 1, SHAPE)
    # Around (0, 1) in rows 0–1 and columns 0–3: itself, five neighbours, two pixels two columns away.
    assert ring_sums(clipped)[0].tolist() == [1, 5, 2]


def test_influence_by_hand() -> None:
    region = box_region("left", Box(0, 0, 6, 4), SHAPE)
    found = influence(window(CROSS, DOT), region)
    # Nine pixels, magnitudes 0, 0, 0, 0, 1, 1, 1, 1, 4.
    gini = 1 - 2 * (sum(9 - k + 0.5 for k in (5, 6, 7, 8)) + 4 * 0.5) / (8 * 9)
    assert found.x1 == ModalityInfluence(8, 4, 0, 1, 1 / 8, found.x1.gini)
    assert found.x2 == ModalityInfluence(2, -2, 0, 0, 0, found.x2.gini)
    assert (found.x1.gini, found.x2.gini) == pytest.approx((gini, 1 - 1 / 9))
    assert (found.pixel, found.region, found.outside) == ((2, 3), "left", 1 / 10)
    assert influence(window(CROSS, DOT), inverted(region)).x1.outside == 7 / 8


def test_without_region_or_influence() -> None:
    found = influence(window(CROSS, NOTHING))
    assert found.region is None
    assert math.isnan(found.outside) and math.isnan(found.x1.outside)
    assert found.x1.total == 8
    assert (found.x2.total, found.x2.signed) == (0, 0)
    undefined = (found.x2.radius_50, found.x2.radius_90, found.x2.outside, found.x2.gini)
    assert all(math.isnan(value) for value in undefined)
    # The input without influence takes nothing from the share of both.
    assert influence(window(CROSS, NOTHING), whole_image(SHAPE)).outside == 0


def test_gradients_that_are_not_finite() -> None:
    found = influence(window(CROSS, [[0, 0, 0], [0, np.inf, 0], [0, 0, 0]]), whole_image(SHAPE))
    assert math.isnan(found.x1.total) and math.isnan(found.x2.signed) and math.isnan(found.outside)


def test_a_region_of_another_size() -> None:
    with pytest.raises(RegionError, match="7×6"):
        influence(window(CROSS, DOT), whole_image((7, 6)))


def test_weighted_averaging_depends_on_its_own_pixel_alone(rng: np.random.Generator) -> None:
    pair = random_pair(rng, (9, 8))
    method = fusion.load_method("weighted_averaging", "cpu")
    x1, x2 = (float(image[4, 5]) for image in pair.images)
    w1 = x1 / (x1 + x2) if x1 + x2 else 0.5
    region = box_region("pixel", Box(4, 5, 5, 6), pair.shape)
    found = influence(fusion.jacobian(method, pair, (4, 5), "float64"), region)
    for numbers, weight in ((found.x1, w1), (found.x2, 1 - w1)):
        assert numbers.total == numbers.signed == pytest.approx(weight, abs=1e-12)
        # Where an image is black it has no influence at all, and no radius.
        assert numbers.radius_50 == 0 or weight == 0
        assert numbers.radius_90 == 0 or weight == 0
        assert numbers.outside == 0 or weight == 0
        # A window of one pixel is even and concentrated at once.
        assert math.isnan(numbers.gini)
    assert found.outside == 0
    everywhere = region_influence(method, pair, whole_image(pair.shape), dtype="float64")
    assert (everywhere.used, everywhere.pixels, everywhere.spacing) == (72, 72, 1)
    assert everywhere.x1.total + everywhere.x2.total == pytest.approx(1)
    assert (everywhere.x1.radius_90, everywhere.outside) == (0, 0)


def test_regions_against_whole_image_autograd(rng: np.random.Generator) -> None:
    pair = random_pair(rng, (17, 19))
    method = drawn_method("masknet")
    region = box_region("box", Box(2, 3, 5, 7), pair.shape)
    found = region_influence(method, pair, region, dtype="float64")
    pixels = [(int(row), int(column)) for row, column in np.argwhere(region.mask)]
    dense = whole_image_jacobians(method, pair, pixels)
    magnitude = np.abs(dense)
    rows, columns = np.indices(pair.shape)
    near = np.zeros(2)
    for (row, column), image in zip(pixels, magnitude, strict=True):
        distance = np.maximum(abs(rows - row), abs(columns - column))
        radii = (found.x1.radius_90, found.x2.radius_90)
        near += [image[number][distance <= radius].sum() for number, radius in enumerate(radii)]
    for number, numbers in enumerate((found.x1, found.x2)):
        assert numbers.total == pytest.approx(magnitude[:, number].sum() / 12)
        assert numbers.signed == pytest.approx(dense[:, number].sum() / 12)
        outside = magnitude[:, number][:, ~region.mask].sum() / magnitude[:, number].sum()
        assert numbers.outside == pytest.approx(outside)
        assert near[number] >= 0.9 * magnitude[:, number].sum() * (1 - 1e-9)
    assert found.outside == pytest.approx(magnitude[:, :, ~region.mask].sum() / magnitude.sum())


def test_one_pixel_as_a_region_is_that_pixel(rng: np.random.Generator) -> None:
    pair = random_pair(rng, (12, 10))
    method = drawn_method("deepfuse")
    region = box_region("pixel", Box(7, 2, 8, 3), pair.shape)
    alone = influence(fusion.jacobian(method, pair, (7, 2)), region)
    together = region_influence(method, pair, region)
    assert together.x1 == alone.x1 and together.x2 == alone.x2 and together.outside == alone.outside


def test_large_regions_are_subsampled_and_say_so(rng: np.random.Generator) -> None:
    pair = random_pair(rng, (20, 30))
    method = fusion.load_method("weighted_averaging", "cpu")
    seen: list[tuple[int, int]] = []
    found = region_influence(
        method, pair, whole_image(pair.shape), limit=100, progress=lambda *step: seen.append(step)
    )
    # At spacing 2 there are 150 pixels, at 3 there are 7·10.
    assert (found.used, found.pixels, found.spacing, found.left_out) == (70, 600, 3, 0)
    assert seen == [(number, 70) for number in range(1, 71)]


def test_an_empty_region(rng: np.random.Generator) -> None:
    pair = random_pair(rng, (5, 5))
    method = fusion.load_method("weighted_averaging", "cpu")
    found = region_influence(method, pair, inverted(whole_image(pair.shape), "nothing"))
    assert (found.used, found.pixels) == (0, 0)
    assert math.isnan(found.x1.total) and math.isnan(found.outside)


class _Spiky(nn.Module):
    """Has an infinite derivative where x1 is 0."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1.sqrt() + x2


def test_pixels_without_finite_gradients_are_left_out() -> None:
    pair = fusion.Pair(np.array([[[0, 0.25, 1]], [[0, 0.5, 1]]], dtype=np.float32))
    method = fusion.Method.from_module(_Spiky(), "spiky", "Spiky")
    found = region_influence(method, pair, whole_image((1, 3)), dtype="float64")
    assert (found.used, found.left_out) == (2, 1)
    assert found.x1.total == pytest.approx((1 + 0.5) / 2)
    assert isinstance(influence(fusion.jacobian(method, pair, (0, 1))), Influence)

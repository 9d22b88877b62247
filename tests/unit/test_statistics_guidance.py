"""Guidance images by region, and the relation of two series."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import fusion
from fusion.errors import RegionError
from fusion.statistics.guidance import (
    Dominance,
    Dominant,
    ModalityStatistics,
    average_ranks,
    dominance_of,
    guidance_statistics,
    pearson,
    principal_line,
    ratio_of,
    spearman,
)
from fusion.statistics.regions import Region, inverted, whole_image
from tests.unit.reference import random_pair


def test_by_hand() -> None:
    guidance = np.array([[[1, -1, 0, 4], [9, 9, 9, 9]], [[0, 0, 2, 0], [9, 9, 9, 9]]], dtype=float)
    region = Region("top", np.array([[True] * 4, [False] * 4]))
    found = guidance_statistics(guidance, region)
    assert (found.region, found.pixels, found.n) == ("top", 4, 4)
    assert found.x1 == ModalityStatistics(
        mean=1,
        median=0.5,
        standard_deviation=math.sqrt(3.5),
        mean_magnitude=1.5,
        positive=0.5,
        negative=0.25,
        zero=0.25,
    )
    assert found.x2 == ModalityStatistics(0.5, 0, math.sqrt(0.75), 0.5, 0.25, 0, 0.75)
    assert found.dominance == Dominance(Dominant.X1, difference=1, ratio=3, pixels=0.75)
    # Deviations (0, −2, −1, 3) and (−.5, −.5, 1.5, −.5): products −2, squares 14 and 3.
    assert found.pearson == pytest.approx(-2 / math.sqrt(42))
    # Ranks 3, 1, 2, 4 and 2, 2, 4, 2: products −1, squares 5 and 3.
    assert found.spearman == pytest.approx(-1 / math.sqrt(15))
    # slope = (s22 − s11 + √((s22 − s11)² + 4·s12²)) / (2·s12) with s11 = 14, s22 = 3, s12 = −2.
    assert found.line.slope == pytest.approx((-11 + math.sqrt(121 + 16)) / -4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weighted_averaging_has_closed_forms(rng: np.random.Generator, dtype: str) -> None:
    pair = random_pair(rng, (20, 23))
    method = fusion.load_method("weighted_averaging", "cpu")
    guidance = fusion.guidance(method, pair, dtype=dtype)
    x1, x2 = pair.images.astype(np.float64)
    empty = x1 + x2 == 0
    w1 = np.where(empty, 0.5, x1 / np.where(empty, 1, x1 + x2))
    found = guidance_statistics(guidance, whole_image(pair.shape))
    close = 1e-6 if dtype == "float32" else 1e-12
    assert found.x1.mean == pytest.approx(w1.mean(), abs=close)
    assert found.x2.mean == pytest.approx(1 - w1.mean(), abs=close)
    assert found.x1.median == pytest.approx(np.median(w1), abs=close)
    assert found.x1.standard_deviation == pytest.approx(w1.std(), abs=close)
    assert found.x2.standard_deviation == pytest.approx(w1.std(), abs=close)
    assert found.x1.negative == 0
    assert found.pearson == pytest.approx(-1, abs=close)
    assert found.spearman == pytest.approx(-1, abs=1e-3 if dtype == "float32" else 1e-12)
    assert found.line.slope == pytest.approx(-1, abs=close)
    assert found.line.share == pytest.approx(1, abs=close)
    assert found.dominance.difference == pytest.approx(2 * w1.mean() - 1, abs=close)
    nothing = guidance_statistics(guidance, Region("background", empty))
    assert (nothing.x1.mean, nothing.x2.mean) == (0.5, 0.5)
    assert nothing.dominance.dominant is Dominant.NEITHER
    assert math.isnan(nothing.pearson) and math.isnan(nothing.spearman) and math.isnan(nothing.line.slope)


def test_pixels_that_are_not_finite_do_not_count() -> None:
    guidance = np.array([[[1, np.nan, 3, np.inf, 5]], [[2, 2, np.nan, 2, 2]]])
    found = guidance_statistics(guidance, whole_image((1, 5)))
    assert (found.pixels, found.n) == (5, 2)
    assert found.x1.mean == 3
    assert math.isnan(found.pearson)


def test_nothing_to_count() -> None:
    for guidance, region in (
        (np.ones((2, 3, 3)), inverted(whole_image((3, 3)), "nothing")),
        (np.full((2, 3, 3), np.nan), whole_image((3, 3))),
    ):
        found = guidance_statistics(guidance, region)
        assert found.n == 0
        assert math.isnan(found.x1.mean) and math.isnan(found.x2.zero)
        assert found.dominance.dominant is Dominant.UNDEFINED
        assert math.isnan(found.dominance.ratio) and math.isnan(found.spearman)


def test_a_single_pixel_has_no_standard_deviation() -> None:
    found = guidance_statistics(np.array([[[0.5, np.nan]], [[2.0, 1.0]]]), whole_image((1, 2)))
    assert (found.n, found.x1.mean, found.x2.median) == (1, 0.5, 2)
    assert math.isnan(found.x1.standard_deviation) and math.isnan(found.x2.standard_deviation)


def test_which_modality_dominates() -> None:
    assert dominance_of(5, 4) is Dominant.X1
    assert dominance_of(4.9, 4) is Dominant.NEITHER
    assert dominance_of(4, 5) is Dominant.X2
    assert dominance_of(1, 0) is Dominant.X1
    assert dominance_of(0, 0) is Dominant.UNDEFINED
    assert ratio_of(1, 0) == math.inf
    assert ratio_of(0, 2) == 0
    assert math.isnan(ratio_of(0, 0)) and math.isnan(ratio_of(1, math.nan))


def test_ties_belong_to_neither() -> None:
    """Catches `>=` in place of `>`, by which a pixel with equal magnitudes would count for x1."""
    guidance = np.array([[[2, -2, 0, 3, 1]], [[2, 2, 0, -1, 4]]], dtype=float)
    found = guidance_statistics(guidance, whole_image((1, 5)))
    swapped = guidance_statistics(guidance[::-1], whole_image((1, 5)))
    assert (found.dominance.pixels, swapped.dominance.pixels) == (0.2, 0.2)
    ramp = np.linspace(0, 1, 12).reshape(3, 4)
    equal = fusion.Pair.from_arrays(ramp, ramp)
    halves = fusion.guidance(fusion.load_method("weighted_averaging", "cpu"), equal)
    found = guidance_statistics(halves, whole_image((3, 4)))
    assert found.dominance == Dominance(Dominant.NEITHER, difference=0, ratio=1, pixels=0)


def test_by_magnitude_whatever_the_sign() -> None:
    guidance = np.stack([np.full((2, 2), -3.0), np.full((2, 2), 1.0)])
    found = guidance_statistics(guidance, whole_image((2, 2)))
    assert found.dominance == Dominance(Dominant.X1, 2, 3, 1)


def test_gradients_near_a_pole(rng: np.random.Generator) -> None:
    guidance = rng.normal(size=(2, 5, 6))
    found = guidance_statistics(guidance, whole_image((5, 6)))
    huge = guidance_statistics(guidance * 2.0**1000, whole_image((5, 6)))
    assert huge.x1.mean == found.x1.mean * 2.0**1000
    assert huge.x2.standard_deviation == found.x2.standard_deviation * 2.0**1000
    assert huge.dominance.ratio == found.dominance.ratio
    assert huge.pearson == pytest.approx(found.pearson)
    assert huge.line.slope == pytest.approx(found.line.slope)


def test_what_does_not_fit() -> None:
    with pytest.raises(RegionError, match="3×4"):
        guidance_statistics(np.ones((2, 4, 3)), whole_image((3, 4)))
    with pytest.raises(ValueError, match="Guidance is"):
        guidance_statistics(np.ones((3, 4)), whole_image((3, 4)))


def test_the_arrays_stay_as_they_are(rng: np.random.Generator) -> None:
    guidance = rng.normal(size=(2, 6, 7)).astype(np.float32)
    before = guidance.copy()
    guidance.setflags(write=False)
    guidance_statistics(guidance, whole_image((6, 7)))
    np.testing.assert_array_equal(guidance, before)


def slow_pearson(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Write the definition out, one term at a time."""
    mean_a, mean_b = math.fsum(a) / len(a), math.fsum(b) / len(b)
    products = math.fsum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    squares = math.fsum((x - mean_a) ** 2 for x in a) * math.fsum((y - mean_b) ** 2 for y in b)
    return products / math.sqrt(squares)


def slow_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count, for each value, those below it and half of its equals."""
    return np.array([1 + (values < v).sum() + ((values == v).sum() - 1) / 2 for v in values])


def test_pearson_by_hand() -> None:
    # Deviations (−1, 0, 1) and (−1, 1, 0): products 1, squares 2 and 2.
    assert pearson([1, 2, 3], [1, 3, 2]) == pytest.approx(0.5)
    assert pearson([1, 2, 3], [2, 4, 6]) == pytest.approx(1)
    assert pearson([1, 2, 3], [5, 3, 1]) == pytest.approx(-1)
    assert pearson([-1, 0, 1], [1, 0, 1]) == pytest.approx(0)


def test_spearman_by_hand() -> None:
    assert spearman([1, 10, 100, 1000], [1, 2, 3, 4]) == pytest.approx(1)
    # Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / √(4.5 · 5).
    assert spearman([1, 2, 2, 9], [1, 2, 3, 4]) == pytest.approx(4.5 / math.sqrt(22.5))


def test_ties_share_the_mean_of_their_ranks() -> None:
    assert average_ranks([30, 10, 20, 10]).tolist() == [4, 1.5, 3, 1.5]
    assert average_ranks([7, 7, 7]).tolist() == [2, 2, 2]
    assert average_ranks([]).tolist() == []


def test_near_values_share_ranks_wherever_they_lie() -> None:
    # 1 and 2 are equal, 2 and 3 as well, 1 and 3 are not: 1 + ½, 1 + ½ + ½, 1 + 1 + ½.
    assert average_ranks([1, 2, 3], tolerance=1).tolist() == [1.5, 2, 2.5]
    assert average_ranks([30, 10, 20, 11], tolerance=1).tolist() == [4, 1.5, 3, 1.5]
    for shift in np.linspace(0, 1, 7):
        assert average_ranks(np.array([0, 0.9, 5]) + shift, tolerance=1).tolist() == [1.5, 1.5, 3]
    assert average_ranks([1, 2, 3], tolerance=9).tolist() == [2, 2, 2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rounding_in_a_constant_background_is_no_order(rng: np.random.Generator, dtype: str) -> None:
    # 300 pixels of tissue, and 700 of air in which both guidance images are constant but for rounding.
    tissue = np.round(rng.random((2, 300)) + [[0], [0.3]], 3) + 0.2
    tissue[1] = np.round(0.5 * tissue[0] + tissue[1], 3)
    air = np.repeat([[0.125], [0.7]], 700, axis=1)
    exact = np.concatenate((tissue, air), axis=1).astype(dtype)
    expected = slow_pearson(*(slow_ranks(series.astype(np.float64)) for series in exact))
    assert spearman(*exact) == pytest.approx(expected, abs=1e-12)
    rounded = exact.copy()
    rounded[:, 300:] += (rng.integers(-4, 5, (2, 700)) * np.finfo(dtype).eps).astype(dtype)
    assert np.unique(rounded[0, 300:]).size > 4
    assert spearman(*rounded) == pytest.approx(expected, abs=1e-12)
    noise = slow_pearson(*(slow_ranks(series.astype(np.float64)) for series in rounded))
    assert abs(noise - expected) > 1e-3, "which the ranks of rounded values are not"


def test_both_precisions_have_one_rank_correlation(rng: np.random.Generator) -> None:
    # Outside of the tissue both guidance images fade to a constant, as those of networks do: through all magnitudes.
    away = rng.random(3000) * 40
    exact = np.stack((0.07 + np.exp(-away) * rng.random(3000), 0.05 + np.exp(-away) * rng.random(3000)))
    exact[:, :600] = 0.3 + rng.random((2, 600))
    single = (exact + rng.normal(scale=3e-8, size=exact.shape)).astype(np.float32)
    assert spearman(*single) == pytest.approx(spearman(*exact), abs=2e-3)
    ranks = [[average_ranks(series) for series in both] for both in (single, exact)]
    assert abs(slow_pearson(*ranks[0]) - slow_pearson(*ranks[1])) > 0.05, (
        "which those of unlike precision have not"
    )


def test_a_pole_leaves_the_other_ranks_as_they_are(rng: np.random.Generator) -> None:
    a, b = np.round(rng.random((2, 500)), 4)
    expected = spearman(a, b)
    a[0] = 1e9
    assert spearman(a, b) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1.0, 1e307])
def test_ranks_of_the_largest_and_smallest_numbers(rng: np.random.Generator, scale: float) -> None:
    a, b = np.round(rng.random((2, 30)), 2)
    assert spearman(a * scale, b) == pytest.approx(spearman(a, b), abs=0.05 if scale < 1e-300 else 1e-12)


@pytest.mark.parametrize("levels", [3, 10, 10_000])
def test_against_the_definitions_written_out(rng: np.random.Generator, levels: int) -> None:
    a = rng.integers(0, levels, 200) / levels
    b = np.round(0.4 * a + rng.random(200), 1 if levels < 100 else 5)
    np.testing.assert_array_equal(average_ranks(a), slow_ranks(a))
    assert pearson(a, b) == pytest.approx(slow_pearson(a, b), abs=1e-12)
    assert spearman(a, b) == pytest.approx(slow_pearson(slow_ranks(a), slow_ranks(b)), abs=1e-12)


def test_shift_scale_and_order_make_no_difference(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 50))
    expected, ranked = pearson(a, b), spearman(a, b)
    assert pearson(3 * a - 7, 0.01 * b + 2) == pytest.approx(expected, abs=1e-12)
    assert pearson(-a, b) == pytest.approx(-expected, abs=1e-12)
    assert pearson(b, a) == pytest.approx(expected, abs=1e-12)
    assert spearman(np.exp(a), np.sinh(b)) == pytest.approx(ranked, abs=2e-3), (
        "but for what becomes nearly equal"
    )
    order = rng.permutation(50)
    assert pearson(a[order], b[order]) == pytest.approx(expected, abs=1e-12)
    assert pearson(a.reshape(5, 10), b.reshape(5, 10)) == pytest.approx(expected, abs=1e-12)
    for scale in (1e-320, 1e-200, 1e200, 1e307):
        assert -1 <= pearson(a * scale, b) <= 1
        if scale > 1e-300:
            assert pearson(a * scale, b) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("relate", [pearson, spearman])
def test_what_has_no_correlation(relate: object, rng: np.random.Generator) -> None:
    assert callable(relate)
    varied = rng.random(20)
    assert math.isnan(relate(np.full(20, 0.1), varied))
    assert math.isnan(relate(varied, np.zeros(20)))
    assert math.isnan(relate([], []))
    assert math.isnan(relate([1, 2], [3, 4]))
    # Rounding of float32 around a constant is no variation.
    noise = (np.float32(0.5) + rng.integers(-2, 3, 20) * np.finfo(np.float32).eps).astype(np.float32)
    assert math.isnan(relate(noise, varied))
    with pytest.raises(ValueError, match="as many"):
        relate([1, 2, 3], [1, 2])


def test_lines_by_hand() -> None:
    line = principal_line([0, 1, 2], [1, 3, 5])
    assert line.slope == pytest.approx(2) and line.share == pytest.approx(1)
    assert principal_line([0, 1, 2], [5, 3, 1]).slope == pytest.approx(-2)
    # Sums of squares 8 and 2, product sum 0: level, 8 of 10 along the line.
    level = principal_line([-2, 2, 0, 0], [0, 0, 1, -1])
    assert level.slope == 0 and level.share == pytest.approx(0.8)
    upright = principal_line([0, 0, 1, -1], [-2, 2, 0, 0])
    assert upright.slope == math.inf and upright.share == pytest.approx(0.8)


def test_a_constant_series_makes_the_line_level_or_upright(rng: np.random.Generator) -> None:
    varied, constant = rng.random(9), np.full(9, 0.1)
    assert principal_line(varied, constant).slope == 0
    assert principal_line(constant, varied).slope == math.inf
    assert principal_line(constant, varied).share == 1


def test_what_has_no_line() -> None:
    for a, b in (([], []), ([1, 2], [1, 2]), ([4, 4, 4], [1, 1, 1]), ([1, -1, 0, 0], [0, 0, 1, -1])):
        line = principal_line(a, b)
        assert math.isnan(line.slope) and math.isnan(line.share)


def test_the_line_is_the_first_eigenvector_of_the_covariance(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 40))
    for mixed in (a + 0.3 * b, 5 * a - b, -0.1 * a + b):
        values, vectors = np.linalg.eigh(np.cov(a, mixed))
        line = principal_line(a, mixed)
        assert line.slope == pytest.approx(vectors[1, 1] / vectors[0, 1], rel=1e-9)
        assert line.share == pytest.approx(values[1] / values.sum(), rel=1e-9)
        # Both series are treated alike, and a common scale changes nothing.
        assert principal_line(mixed, a).slope == pytest.approx(1 / line.slope, rel=1e-9)
        assert principal_line(1e3 * a + 1, 1e3 * mixed).slope == pytest.approx(line.slope, rel=1e-9)

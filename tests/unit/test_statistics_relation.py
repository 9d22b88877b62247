from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from fusion.statistics.relation import average_ranks, pearson, principal_line, spearman


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

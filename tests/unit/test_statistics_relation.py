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


@pytest.mark.parametrize("levels", [3, 10, 10_000])
def test_against_the_definitions_written_out(rng: np.random.Generator, levels: int) -> None:
    a = rng.integers(0, levels, 200) / levels
    b = np.round(0.4 * a + rng.random(200), 1 if levels < 100 else 8)
    np.testing.assert_array_equal(average_ranks(a), slow_ranks(a))
    assert pearson(a, b) == pytest.approx(slow_pearson(a, b), abs=1e-12)
    assert spearman(a, b) == pytest.approx(slow_pearson(slow_ranks(a), slow_ranks(b)), abs=1e-12)


def test_shift_scale_and_order_make_no_difference(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 50))
    expected, ranked = pearson(a, b), spearman(a, b)
    assert pearson(3 * a - 7, 0.01 * b + 2) == pytest.approx(expected, abs=1e-12)
    assert pearson(-a, b) == pytest.approx(-expected, abs=1e-12)
    assert pearson(b, a) == pytest.approx(expected, abs=1e-12)
    assert spearman(np.exp(a), b**3) == pytest.approx(ranked, abs=1e-12)
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

from __future__ import annotations

import math

import numpy as np
import pytest

import fusion
from fusion.errors import RegionError
from fusion.statistics.guidance import (
    Dominance,
    Dominant,
    ModalityStatistics,
    dominance_of,
    guidance_statistics,
    ratio_of,
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

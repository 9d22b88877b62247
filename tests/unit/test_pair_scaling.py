from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.pair import scale_to_unit
from tests.unit.real_images import REAL_TYPES, real_images


@given(image=st.sampled_from(REAL_TYPES).flatmap(real_images))
def test_scaling_is_exact_to_float32_for_any_numbers(image: Any) -> None:
    scaled = scale_to_unit(image)
    assert scaled.dtype == np.float32
    numbers = [Fraction(number) for number in image.ravel().tolist()]
    smallest, largest = min(numbers), max(numbers)
    for number, got in zip(numbers, scaled.ravel().tolist(), strict=True):
        expected = (number - smallest) / (largest - smallest) if largest > smallest else Fraction(0)
        assert abs(Fraction(got) - expected) <= Fraction(1, 2**24) + Fraction(1, 10**15)


@pytest.mark.parametrize(
    "values",
    [
        [-1.7e308, 0.0, 1.7e308],
        [0.0, 0.5e-300, 1e-300],
        [-5e-324, 0.0, 5e-324],
        [1e300, 1.5e300, 2e300],
        np.array([-(2**63), -1, 2**63 - 1]),
        np.array([0, 2**63, 2**64 - 1], dtype=np.uint64),
        np.array([0, 2**31, 2**32 - 1], dtype=np.uint32),
        np.array([2**62, 2**62 + 1, 2**62 + 2]),
        np.array([-128, 0, 127], dtype=np.int8),
        np.array([-65504, 0, 65504], dtype=np.float16),
        np.array([-3.4e38, 0, 3.4e38], dtype=np.float32),
    ],
)
def test_extreme_ranges_neither_overflow_nor_vanish(values: Any) -> None:
    scaled = scale_to_unit(np.array([values]))
    np.testing.assert_allclose(scaled, [[0, 0.5, 1]], atol=0.005)
    assert scaled[0, 0] == 0
    assert scaled[0, 2] == 1


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp == 1024, reason="no longer floats on this machine")
def test_longer_floats_than_float64() -> None:
    scaled = scale_to_unit(np.array([["1e4000", "1.5e4000", "2e4000"]]).astype(np.longdouble))
    np.testing.assert_array_equal(scaled, [[0, 0.5, 1]])


def test_usual_images_are_scaled_as_written_down() -> None:
    image = np.random.default_rng(0).normal(size=(20, 30))
    expected = (image - image.min()) / (image.max() - image.min())
    np.testing.assert_array_equal(scale_to_unit(image), expected.astype(np.float32))

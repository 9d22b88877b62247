from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.figures import scales
from fusion.colours import (
    BLUE_WHITE_RED,
    ROBUST_PERCENTILE,
    VIRIDIS,
    PictureScale,
    colour_picture,
    gradient_picture,
    gray_picture,
    scale_end,
)


def test_colours_are_those_of_the_page() -> None:
    assert list(VIRIDIS) == list(scales.SEQUENTIAL)
    assert list(BLUE_WHITE_RED) == list(scales.DIVERGING)
    assert ROBUST_PERCENTILE == scales.ROBUST_PERCENTILE


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_scales_end_where_those_of_the_page_do(values: list[float]) -> None:
    gradients = np.array([values])
    limits = scales.Limits.of(gradients, provisional=False)
    for scale in PictureScale:
        assert scale_end(gradients, scale) == limits.end(scales.Scale(scale.value))


def test_scale_end_ignores_what_is_not_finite_and_is_never_zero() -> None:
    gradients = np.array([[-8.0, np.nan], [2.0, np.inf]])
    assert scale_end(gradients, PictureScale.PAPER) == 2
    assert scale_end(gradients, PictureScale.SIGNED) == 8
    for nothing in (np.zeros((2, 2)), np.full((2, 2), np.nan), -np.ones((1, 1))):
        assert scale_end(nothing, PictureScale.PAPER) == 1


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 2.0])
def test_paper_scale(gamma: float) -> None:
    # 0.5 ** (1 / gamma) of the end is shown as the middle of the colours, whatever gamma is.
    values = np.array([[-5.0, 0.0, 3 * 0.5 ** (1 / gamma), 3.0, 9.0]])
    colours = gradient_picture(values, PictureScale.PAPER, 3.0, gamma)[0].tolist()
    first, last = list(VIRIDIS[0]), list(VIRIDIS[-1])
    middle = np.mean([VIRIDIS[4], VIRIDIS[5]], axis=0)
    assert colours[:2] == [first, first]
    np.testing.assert_allclose(colours[2], middle, atol=1)
    assert colours[3:] == [last, last]


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 2.0])
def test_signed_scale(gamma: float) -> None:
    half = 3 * 0.4 ** (1 / gamma)
    values = np.array([[-9.0, -3.0, -half, 0.0, half, 3.0]])
    colours = gradient_picture(values, PictureScale.SIGNED, 3.0, gamma)[0].tolist()
    # 0.4 of the way from the middle to an end is two of the five steps between their colours.
    assert colours == [list(BLUE_WHITE_RED[place]) for place in (0, 0, 3, 5, 7, 10)]


@pytest.mark.parametrize("scale", PictureScale)
def test_gradients_that_are_not_finite_are_gray(scale: PictureScale) -> None:
    colours = gradient_picture(np.array([[np.nan, np.inf, -np.inf]]), scale, 1.0, 0.5)
    assert (colours == 128).all()
    assert colours.dtype == np.uint8
    assert colours.shape == (1, 3, 3)


def test_gray_and_colour_pictures() -> None:
    assert gray_picture(np.array([[0.0, 0.5, 1.0]])).tolist() == [[0, 128, 255]]
    assert gray_picture(np.array([[-1.0, 0.0, 1.0]])).tolist() == [[0, 128, 255]]
    assert gray_picture(np.array([[0.0, 1.0, 2.0]])).tolist() == [[0, 128, 255]]
    assert gray_picture(np.array([[0.25, 0.25]])).tolist() == [[64, 64]]
    assert colour_picture(np.array([[[0.0, 0.5, 1.0]]])).tolist() == [[[0, 128, 255]]]

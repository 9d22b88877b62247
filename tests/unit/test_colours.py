"""Colour scales: what gamma, the signed scale and the limits make of a gradient."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly import colors

from app.figures.parts import STOPS, bent_colours
from fusion.colours import (
    DIVERGING,
    ROBUST_PERCENTILE,
    SEQUENTIAL,
    Limits,
    Scale,
    gradient_colours,
    gray_range,
    grays,
    guidance_rgb,
    interpolate,
    rgb_bytes,
    scale_range,
)

ASSETS = Path(__file__).parents[2] / "assets"
GAMMAS = (0.1, 0.3, 0.5, 1.0, 1.7, 2.0)
gammas = st.floats(0.1, 2.0)


def test_palettes_are_those_that_plotly_has() -> None:
    assert list(SEQUENTIAL) == [colors.hex_to_rgb(colour) for colour in colors.sequential.Viridis]
    assert [f"rgb({','.join(map(str, colour))})" for colour in DIVERGING] == colors.diverging.RdBu[::-1]


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 2.0])
def test_paper_scale(gamma: float) -> None:
    # 0.5 ** (1 / gamma) of the end is shown as the middle of the colours, whatever gamma is.
    values = np.array([[-5.0, 0.0, 3 * 0.5 ** (1 / gamma), 3.0, 9.0]])
    colours = gradient_colours(values, Scale.PAPER, 3.0, gamma)[0].tolist()
    first, last = list(SEQUENTIAL[0]), list(SEQUENTIAL[-1])
    assert colours[:2] == [first, first]
    np.testing.assert_allclose(colours[2], np.mean([SEQUENTIAL[4], SEQUENTIAL[5]], axis=0), atol=1)
    assert colours[3:] == [last, last]


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 2.0])
def test_signed_scale(gamma: float) -> None:
    half = 3 * 0.4 ** (1 / gamma)
    values = np.array([[-9.0, -3.0, -half, 0.0, half, 3.0]])
    colours = gradient_colours(values, Scale.SIGNED, 3.0, gamma)[0].tolist()
    # 0.4 of the way from the middle to an end is two of the five steps between their colours.
    assert colours == [list(DIVERGING[place]) for place in (0, 0, 3, 5, 7, 10)]


@pytest.mark.parametrize("scale", Scale)
def test_gradients_that_are_not_finite_are_gray(scale: Scale) -> None:
    colours = gradient_colours(np.array([[np.nan, np.inf, -np.inf]]), scale, 1.0, 0.5)
    assert (colours == 128).all()
    assert colours.dtype == np.uint8
    assert colours.shape == (1, 3, 3)


def test_grays_and_colours_as_bytes() -> None:
    for values in ([0.0, 0.5, 1.0], [-1.0, 0.0, 1.0], [0.0, 1.0, 2.0]):
        image = np.array([values])
        assert grays(image, *gray_range(image)).tolist() == [[0, 128, 255]]
    assert grays(np.array([[0.25, 0.25]]), 0, 1).tolist() == [[64, 64]]
    assert grays(np.array([[np.nan, np.inf, -np.inf]]), 0, 1).tolist() == [[0, 255, 0]]
    assert rgb_bytes(np.array([[[0.0, 0.5, 1.0], [-1.0, 2.0, 0.1]]])).tolist() == [
        [[0, 128, 255], [0, 255, 26]]
    ]


def channels(colour: str) -> list[int]:
    match = re.fullmatch(r"rgb\((\d+),(\d+),(\d+)\)", colour)
    assert match, colour
    return [int(part) for part in match.groups()]


def colours_at(scale: Scale, gamma: float, positions: np.ndarray) -> np.ndarray:
    """Do what plotly.js does: interpolate between the two stops around each position."""
    stops = bent_colours(scale, gamma)
    at = np.array([position for position, _ in stops])
    colours = np.array([channels(colour) for _, colour in stops])
    return np.stack([np.interp(positions, at, colours[:, band]) for band in range(3)], axis=-1)


def steepest_step(palette: Sequence[tuple[int, ...]]) -> float:
    """Return the most that a channel changes from one stop to the next, and rounding."""
    slopes = np.abs(np.diff(np.array(palette, dtype=float), axis=0)).max() * (len(palette) - 1)
    return float(slopes / STOPS) + 1.0


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("scale", [Scale.PAPER, Scale.ROBUST])
def test_sequential_scales_show_the_definition(scale: Scale, gamma: float) -> None:
    ratio = np.linspace(0, 1, 2001)
    expected = interpolate(SEQUENTIAL, np.minimum(ratio, 1) ** gamma).astype(int)
    error = np.abs(colours_at(scale, gamma, ratio) - expected).max()
    assert error <= steepest_step(SEQUENTIAL)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_the_signed_scale_shows_the_definition(gamma: float) -> None:
    ratio = np.linspace(-1, 1, 4001)
    shown = np.sign(ratio) * np.minimum(np.abs(ratio), 1) ** gamma
    expected = interpolate(DIVERGING, (shown + 1) / 2).astype(int)
    # Position 0 of the scale is zmin = -vmax, position 1 is zmax = +vmax; a stop is twice as wide on this scale.
    error = np.abs(colours_at(Scale.SIGNED, gamma, (ratio + 1) / 2) - expected).max()
    assert error <= 2 * steepest_step(DIVERGING)


@given(st.sampled_from(list(Scale)), gammas)
def test_stops_rise_from_0_to_1_and_ends_keep_their_colours(scale: Scale, gamma: float) -> None:
    stops = bent_colours(scale, gamma)
    palette = DIVERGING if scale is Scale.SIGNED else SEQUENTIAL
    positions = [position for position, _ in stops]
    assert len(stops) == STOPS + 1
    assert positions[0] == 0 and positions[-1] == 1
    assert all(np.diff(positions) >= 0)
    assert channels(stops[0][1]) == list(palette[0])
    assert channels(stops[-1][1]) == list(palette[-1])


def test_gamma_1_bends_nothing_and_smaller_gamma_brightens() -> None:
    straight = [position for position, _ in bent_colours(Scale.PAPER, 1.0)]
    np.testing.assert_allclose(straight, np.linspace(0, 1, STOPS + 1), atol=1e-15)
    low, high = (colours_at(Scale.PAPER, gamma, np.array([0.05])).sum() for gamma in (0.3, 2.0))
    assert low > high + 50


@given(gammas)
def test_zero_is_in_the_middle_of_the_signed_scale(gamma: float) -> None:
    position, colour = bent_colours(Scale.SIGNED, gamma)[STOPS // 2]
    assert position == 0.5
    assert channels(colour) == list(DIVERGING[len(DIVERGING) // 2])


def test_negative_and_positive_gradients_look_different_on_the_signed_scale() -> None:
    negative, positive = colours_at(Scale.SIGNED, 0.3, np.array([0.45, 0.55]))
    assert negative[2] > negative[0] + 30, "negative is blue"
    assert positive[0] > positive[2] + 30, "positive is red"


def test_colour_ranges() -> None:
    assert scale_range(Scale.PAPER, 2.5) == (0, 2.5)
    assert scale_range(Scale.ROBUST, 2.5) == (0, 2.5)
    assert scale_range(Scale.SIGNED, 2.5) == (-2.5, 2.5)


def test_limits_leave_out_what_is_not_finite() -> None:
    images = np.array([[[0.5, np.nan], [-3.0, 1.0]], [[np.inf, -np.inf], [0.0, 2.0]]], dtype=np.float32)
    limits = Limits.of(images)
    finite = np.array([0.5, 3.0, 1.0, 0.0, 2.0])
    assert (limits.maximum, limits.magnitude) == (2.0, 3.0)
    assert limits.percentile == pytest.approx(np.percentile(finite, ROBUST_PERCENTILE))
    assert limits.end(Scale.PAPER) == 2
    assert limits.end(Scale.SIGNED) == 3
    assert limits.end(Scale.ROBUST) == limits.percentile


def test_limits_of_both_images_are_one_scale() -> None:
    images = np.stack([np.full((3, 3), 0.25), np.full((3, 3), 4.0)])
    assert Limits.of(images).end(Scale.PAPER) == 4


@pytest.mark.parametrize(
    "images",
    [np.zeros((2, 0, 0)), np.zeros((2, 3, 4)), np.full((2, 3, 4), np.nan), np.full((2, 1, 1), np.inf)],
    ids=["empty", "zero", "unknown", "infinite"],
)
def test_a_scale_has_an_end_where_there_is_no_gradient(images: np.ndarray) -> None:
    limits = Limits.of(images.astype(np.float32))
    assert (limits.maximum, limits.magnitude, limits.percentile) == (0, 0, 0)
    assert [limits.end(scale) for scale in Scale] == [1, 1, 1]


def test_negative_gradients_alone_end_only_the_scales_that_show_them() -> None:
    limits = Limits.of(np.full((2, 2, 2), -0.5, dtype=np.float32))
    assert limits.maximum == -0.5
    assert limits.end(Scale.PAPER) == 1
    assert limits.end(Scale.SIGNED) == limits.end(Scale.ROBUST) == 0.5


def test_the_browser_has_the_same_palettes_and_stops() -> None:
    """What the browser makes of them, a browser test compares."""
    script = (ASSETS / "painter" / "colours.mjs").read_text(encoding="utf-8")
    for name, palette in (("SEQUENTIAL", SEQUENTIAL), ("DIVERGING", DIVERGING)):
        block = re.search(rf"const {name} = \[(.*?)\n\];", script, re.DOTALL)
        assert block
        triples = re.findall(r"\[(\d+), (\d+), (\d+)\]", block[1])
        assert [tuple(int(part) for part in triple) for triple in triples] == list(palette)
    assert f"const STOPS = {STOPS};" in script


def test_guidance_rgb_is_red_for_x1_green_for_x2_and_blue_for_the_fused_image() -> None:
    guidance = np.array([[[0.0, 0.5], [1.0, 0.25]], [[2.0, 0.0], [1.0, 0.0]]])
    fused = np.array([[0.0, 0.0], [0.5, 1.0]])
    # Worked out by hand: each from its smallest value to its largest.
    expected = [[[0, 255, 0], [128, 0, 0]], [[255, 128, 128], [64, 0, 255]]]
    assert rgb_bytes(guidance_rgb(guidance, fused)).tolist() == expected


def test_guidance_rgb_on_one_range_has_equal_numbers_alike() -> None:
    guidance = np.array([[[-1.0, 1.0, 0.0]], [[4.0, 1.0, np.nan]]])
    fused = np.array([[0.0, 1.0, 0.2]])
    # From −1 to 4, 51 a unit: as tests/js/pixels.test.mjs has it.
    expected = [[[0, 255, 0], [102, 102, 255], [51, 0, 51]]]
    assert rgb_bytes(guidance_rgb(guidance, fused, "common")).tolist() == expected
    assert rgb_bytes(guidance_rgb(guidance, fused)).tolist() != expected
    with pytest.raises(ValueError, match="shared"):
        guidance_rgb(guidance, fused, "shared")

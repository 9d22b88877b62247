"""Jacobian windows against plain autograd on the whole image, in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fusion
from fusion.errors import PixelOutsideImageError
from fusion.saliency.window import box_around, gradients_in_crops
from tests.unit.reference import (
    drawn_method,
    notable_pixels,
    random_pair,
    relative_error,
    trained_method,
    whole_image_jacobian,
    whole_image_jacobians,
)

TOLERANCE = 1e-10
SHAPES = ((1, 1), (1, 9), (6, 2), (13, 17), (41, 38))
PART = (105, 108)


@pytest.mark.parametrize("id", fusion.method_ids())
def test_random_weights(id: str, rng: np.random.Generator) -> None:
    method = drawn_method(id)
    for shape in SHAPES:
        pair = random_pair(rng, shape)
        pixels = notable_pixels(rng, shape, 2)
        expected = whole_image_jacobians(method, pair, pixels)
        for window, values in zip(fusion.jacobians(method, pair, pixels, "float64"), expected, strict=True):
            assert window.values.dtype == np.float64
            assert relative_error(window.dense(), values) <= TOLERANCE, shape


@pytest.mark.parametrize("id", fusion.method_ids())
def test_trained_weights(id: str, rng: np.random.Generator) -> None:
    method, pair = trained_method(id), random_pair(rng, (45, 39))
    pixels = notable_pixels(rng, pair.shape, 2)
    expected = whole_image_jacobians(method, pair, pixels)
    for window, values in zip(fusion.jacobians(method, pair, pixels, "float64"), expected, strict=True):
        assert relative_error(window.dense(), values) <= TOLERANCE


@pytest.mark.parametrize("id", fusion.method_ids())
def test_a_slice_of_a_head(id: str, head_pair: tuple[Path, Path], rng: np.random.Generator) -> None:
    """A part of it, three times as wide as the widest support: autograd goes through all of it."""
    method, head = trained_method(id), fusion.load_pair(*head_pair)
    top, left = (
        (side - part) // 2 + int(rng.integers(-20, 20)) for side, part in zip(head.shape, PART, strict=True)
    )
    pair = fusion.Pair.from_arrays(*head.images[:, top : top + PART[0], left : left + PART[1]])
    height, width = pair.shape
    pixel = (int(rng.integers(height)), int(rng.integers(width)))
    expected = whole_image_jacobian(method, pair, pixel)
    assert relative_error(fusion.jacobian(method, pair, pixel, "float64").dense(), expected) <= TOLERANCE


@pytest.mark.parametrize("id", fusion.method_ids())
def test_float32_is_float64_rounded(id: str, rng: np.random.Generator) -> None:
    method, pair = trained_method(id), random_pair(rng, (40, 40))
    single = fusion.jacobian(method, pair, (20, 21))
    double = fusion.jacobian(method, pair, (20, 21), "float64")
    assert single.values.dtype == np.float32
    assert relative_error(single.values, double.values) <= 1e-3


@pytest.mark.parametrize("id", ["funfusean", "masknet", "deepfuse", "deep_pedestrian"])
def test_a_smaller_crop_is_wrong(id: str, rng: np.random.Generator) -> None:
    """Negative control: the comparison notices a crop whose radius is one pixel too small."""
    import torch

    method, pair = drawn_method(id), random_pair(rng, (45, 45))
    assert method.locality.radius is not None
    radius, pixel = method.locality.radius - 1, (22, 22)
    box = box_around(pixel, radius, pair.shape)
    crop = torch.tensor(pair.images[None, :, box.rows(), box.columns()], dtype=torch.float64)
    gradients = gradients_in_crops(method.network_as(torch.float64), crop, [(radius, radius)])[0]
    placed = np.zeros((2, *pair.shape))
    placed[:, box.rows(), box.columns()] = gradients.numpy()
    assert relative_error(placed, whole_image_jacobian(method, pair, pixel)) > 1e-9


def test_batches_keep_order_and_repeats(rng: np.random.Generator) -> None:
    method, pair = drawn_method("deepfuse"), random_pair(rng, (50, 47))
    pixels = [(int(r), int(c)) for r, c in rng.integers((0, 0), pair.shape, (20, 2))] * 2
    windows = fusion.jacobians(method, pair, iter(pixels), "float64", batch_size=3)
    assert [(window.row, window.col) for window in windows] == pixels
    for window in windows[:5]:
        one = fusion.jacobian(method, pair, (window.row, window.col), "float64")
        assert (window.top, window.left) == (one.top, one.left)
        assert relative_error(window.values, one.values) <= TOLERANCE


@pytest.mark.parametrize("pixel", [(-1, 0), (0, -1), (5, 0), (0, 7), (100, 100)])
def test_pixels_outside_are_refused(pixel: tuple[int, int], rng: np.random.Generator) -> None:
    method, pair = fusion.load_method("weighted_averaging", "cpu"), random_pair(rng, (5, 7))
    with pytest.raises(PixelOutsideImageError, match="Rows go from 0 to 4, columns from 0 to 6"):
        fusion.jacobian(method, pair, pixel)


def test_no_pixels_no_windows(rng: np.random.Generator) -> None:
    assert (
        fusion.jacobians(fusion.load_method("weighted_averaging", "cpu"), random_pair(rng, (4, 4)), []) == []
    )


def test_strongest_neighbour_and_suspicion() -> None:
    values = np.zeros((2, 3, 3))
    values[:, 1, 1] = 9
    values[1, 0, 2] = -4
    window = fusion.JacobianWindow(values, 10, 20, 11, 21, (40, 40))
    assert window.strongest_neighbour() == (1, 10, 22, -4.0)
    assert window.at_principal.tolist() == [9, 9]
    assert not window.suspicious
    for odd in (np.nan, np.inf, 1e6):
        flagged = values.copy()
        flagged[0, 0, 0] = odd
        assert fusion.JacobianWindow(flagged, 10, 20, 11, 21, (40, 40)).suspicious
    alone = fusion.JacobianWindow(np.ones((2, 1, 1)), 3, 3, 3, 3, (9, 9))
    assert alone.strongest_neighbour() is None


def test_the_callers_arrays_are_untouched(rng: np.random.Generator) -> None:
    method, pair = drawn_method("funfusean"), random_pair(rng, (30, 30))
    before = pair.images.copy()
    fusion.jacobian(method, pair, (3, 4))
    fusion.guidance(method, pair)
    assert np.array_equal(before, pair.images)
    assert not any(parameter.requires_grad for parameter in method.network.parameters())

from __future__ import annotations

import dataclasses
import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fusion.errors import (
    DifferentSizesError,
    EmptyFileError,
    FuseVisError,
    MissingFileError,
    NonFiniteImageError,
    TooManyPixelsError,
    UnsupportedImageError,
)
from fusion.pair import Pair, load_pair, scale_to_unit
from tests.unit.real_images import REAL_TYPES, real_images

GRADIENT = np.arange(12.0).reshape(3, 4)


@given(image=st.sampled_from(REAL_TYPES).flatmap(real_images))
def test_pairs_of_any_numbers_lie_in_the_unit_interval(image: Any) -> None:
    images = Pair.from_arrays(image, image[::-1]).images
    assert images.min() == 0
    assert images.max() == (1 if image.min() < image.max() else 0)


@pytest.mark.parametrize("value", [0, 7, -3, 255, 1e300, -1e-320, 2**63 - 1, True])
def test_constant_images_become_zeros(value: Any) -> None:
    pair = Pair.from_arrays(np.full((3, 4), value), GRADIENT)
    assert not pair.images[0].any()
    assert pair.images[1].max() == 1


def test_each_image_is_scaled_by_itself() -> None:
    pair = Pair.from_arrays(GRADIENT, -1000 * GRADIENT)
    np.testing.assert_allclose(pair.images[0], GRADIENT / 11, rtol=1e-6)
    np.testing.assert_allclose(pair.images[1], 1 - GRADIENT / 11, atol=1e-6)
    assert pair.shape == (3, 4)
    assert pair.images.shape == (2, 3, 4)
    assert pair.images.dtype == np.float32


def test_one_pixel_is_a_pair() -> None:
    assert Pair.from_arrays([[3]], [[4.5]]).shape == (1, 1)


def test_a_pair_cannot_be_changed() -> None:
    given_images = np.zeros((2, 3, 4), dtype=np.float32)
    pair = Pair(given_images)
    given_images[:] = 1
    assert not pair.images.any()
    with pytest.raises(ValueError, match="read-only"):
        pair.images[0, 0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        pair.id = "other"  # type: ignore[misc]


def test_the_content_id_is_a_sha256_of_shape_and_both_images() -> None:
    pair = Pair.from_arrays(GRADIENT, GRADIENT.T.reshape(3, 4))
    assert len(pair.id) == len(hashlib.sha256().hexdigest())
    assert int(pair.id, 16) >= 0
    others = [
        Pair.from_arrays(GRADIENT.T.reshape(3, 4), GRADIENT),  # swapped
        Pair.from_arrays(GRADIENT, GRADIENT),
        Pair.from_arrays(GRADIENT.reshape(4, 3), GRADIENT.T),  # the same bytes in another shape
        Pair.from_arrays(GRADIENT.reshape(1, 12), GRADIENT.T.reshape(1, 12)),
    ]
    assert len({pair.id, *(other.id for other in others)}) == 5


def test_the_content_id_does_not_depend_on_how_the_numbers_were_stored() -> None:
    reference = Pair.from_arrays(GRADIENT, GRADIENT[::-1])
    for dtype in REAL_TYPES:
        image = np.asfortranarray(GRADIENT.astype(dtype))
        assert Pair.from_arrays(image, image[::-1]).id == reference.id, dtype
    assert Pair.from_arrays(GRADIENT * 3 + 5, GRADIENT[::-1]).id == reference.id


def test_the_content_id_stays_the_same_from_release_to_release() -> None:
    # Links and caches hold it; a change of how it is computed must be on purpose.
    assert Pair.from_arrays([[0, 1]], [[1, 0]]).id[:12] == "4d1317352e6d"


def test_pairs_are_equal_by_content() -> None:
    first, same, other = (Pair.from_arrays(GRADIENT, image) for image in (GRADIENT, GRADIENT, GRADIENT**2))
    assert first == same
    assert hash(first) == hash(same)
    assert first != other


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 3, 4)),
        np.zeros((3, 3, 4), dtype=np.float32),
        np.zeros((2, 3), dtype=np.float32),
        np.zeros((2, 0, 4), dtype=np.float32),
        np.full((2, 3, 4), 1.001, dtype=np.float32),
        np.full((2, 3, 4), -1e-9, dtype=np.float32),
        np.full((2, 3, 4), np.nan, dtype=np.float32),
    ],
)
def test_a_pair_is_never_made_of_anything_else(images: Any) -> None:
    with pytest.raises(ValueError, match="pair"):
        Pair(images)


def test_different_sizes_name_both_images_and_sizes() -> None:
    with pytest.raises(DifferentSizesError) as caught:
        Pair.from_arrays(GRADIENT, GRADIENT.T, names=("a.png", "b.png"))
    for word in ("a.png", "b.png", "3×4", "4×3", "resample"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (np.full((3, 4), np.nan), NonFiniteImageError),
        (np.full((3, 4), -np.inf), NonFiniteImageError),
        (np.zeros((0, 4)), EmptyFileError),
        (np.zeros((3, 4, 3)), UnsupportedImageError),
        (np.zeros(4), UnsupportedImageError),
        (np.float64(3), UnsupportedImageError),
        (np.zeros((3, 4), dtype=complex), UnsupportedImageError),
        (np.zeros((3, 4), dtype=object), UnsupportedImageError),
        ([["a", "b"]], UnsupportedImageError),
        ([[1, 2], [3]], UnsupportedImageError),
        (None, UnsupportedImageError),
    ],
)
def test_bad_arrays(bad: Any, error: type[FuseVisError]) -> None:
    for x1, x2, name in ((bad, GRADIENT, "first"), (GRADIENT, bad, "second")):
        with pytest.raises(error, match=f"^{name}: "):
            Pair.from_arrays(x1, x2, names=("first", "second"))


def test_load_pair_reads_both_files(tmp_path: Path) -> None:
    first, second = (np.random.default_rng(seed).integers(0, 200, (6, 5), dtype=np.uint8) for seed in (0, 1))
    Image.fromarray(first).save(tmp_path / "mri.png")
    np.save(tmp_path / "pet.npy", second)
    pair = load_pair(tmp_path / "mri.png", str(tmp_path / "pet.npy"))
    assert pair == Pair.from_arrays(first, second)


def test_load_pair_says_which_file_is_at_fault(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((6, 5), dtype=np.uint8)).save(tmp_path / "mri.png")
    Image.fromarray(np.zeros((6, 6), dtype=np.uint8)).save(tmp_path / "pet.png")
    with pytest.raises(DifferentSizesError, match=r"mri\.png has 6×5 pixels, .*pet\.png has 6×6"):
        load_pair(tmp_path / "mri.png", tmp_path / "pet.png")
    with pytest.raises(TooManyPixelsError, match=r"pet\.png"):
        load_pair(tmp_path / "mri.png", tmp_path / "pet.png", pixel_limit=30)
    with pytest.raises(MissingFileError, match=r"none\.png"):
        load_pair(tmp_path / "mri.png", tmp_path / "none.png")


def test_slices_of_heads(atlas_pairs: list[tuple[Path, Path]]) -> None:
    pairs = [load_pair(mri, pet) for mri, pet in atlas_pairs]
    assert len({pair.id for pair in pairs}) == len(atlas_pairs)
    for pair in pairs:
        assert pair.shape == (256, 256)
        for image in pair.images:
            assert image.min() == 0
            assert image.max() == 1
            # A slice of a head: dark around it, and with many gray values inside.
            assert image[:8, :8].max() < 0.2
            assert len(np.unique(image)) > 20


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

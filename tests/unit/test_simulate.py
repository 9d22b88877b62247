from __future__ import annotations

import sys

import numpy as np
import pytest

from fusion.data.rendering import (
    T1_CONTRAST,
    T2_CONTRAST,
    LesionLevels,
    Uptake,
    add_scanner_effects,
    blend_lesion,
    blur,
    grow_lesion,
    render_mri,
    render_pet,
    scale_to_unit,
    smooth_noise,
)
from fusion.data.simulate import random_slice, simulate_pair, simulate_pairs
from fusion.data.tissue import Head, MissingTemplateError, TissueMaps, load_head, resample, slice_grid
from tests.unit.phantom import RADIUS, ball_head


@pytest.fixture(scope="module")
def head() -> Head:
    return ball_head()


@pytest.fixture(scope="module")
def middle(head: Head) -> TissueMaps:
    plane = head.plane("axial", 60)
    return resample(plane, slice_grid(plane.shape[1:], 128))


def test_pairs_are_scaled_and_stand_in_black_air(head: Head) -> None:
    pairs = simulate_pairs(head, seed=4, count=12, size=96)
    assert pairs.shape == (12, 2, 96, 96)
    assert pairs.dtype == np.float32
    assert np.isfinite(pairs).all()
    assert (pairs.min(axis=(2, 3)) == 0).all()
    assert (pairs.max(axis=(2, 3)) == 1).all()
    # An MRI has no air noise; PET counts spread a little.
    border = np.concatenate(
        [pairs[..., 0, :], pairs[..., -1, :], pairs[..., :, 0], pairs[..., :, -1]], axis=-1
    )
    assert np.median(border[:, 0]) == 0
    assert np.median(border[:, 1]) < 0.05


def test_the_same_seed_gives_the_same_pairs_and_another_seed_others(head: Head) -> None:
    first, again, other = (simulate_pairs(head, seed, 2, size=64) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_drawing_leaves_the_head_as_it_is(head: Head) -> None:
    before = head.maps.copy()
    simulate_pair(head, np.random.default_rng(0), 64)
    assert np.array_equal(before, head.maps)


def test_slices_of_all_orientations_show_brain(head: Head) -> None:
    for orientation in ("axial", "coronal", "sagittal"):
        planes = head.brain_planes(orientation)
        assert planes.min() > 60 - RADIUS
        assert planes.max() < 60 + RADIUS
    rng = np.random.default_rng(3)
    assert all((random_slice(head, rng, 64).depth < 0).any() for _ in range(10))


def test_an_unmoved_grid_reproduces_the_plane(head: Head) -> None:
    plane = head.plane("axial", 60)
    maps = resample(plane, slice_grid(plane.shape[1:], 120))
    np.testing.assert_allclose(maps.grey, plane[0], atol=1e-4)
    mirrored = resample(plane, slice_grid(plane.shape[1:], 120, mirrored=True))
    np.testing.assert_allclose(mirrored.detail, plane[3][:, ::-1], atol=1e-4)


def test_planes_have_front_and_top_in_the_first_row() -> None:
    maps = np.zeros((5, 6, 7, 8), np.float32)
    maps[0, :, 6, :] = 1  # y forward
    maps[1, :, :, 7] = 1  # z up
    head = Head(maps)
    assert head.plane("axial", 0)[0, 0].all()
    assert head.plane("coronal", 0)[1, 0].all()
    assert head.plane("sagittal", 0)[1, 0].all()
    assert [head.plane(name, 0).shape for name in ("axial", "coronal", "sagittal")] == [
        (5, 7, 6),
        (5, 8, 6),
        (5, 8, 7),
    ]


def test_tissues_have_the_contrast_of_the_sequence(middle: TissueMaps) -> None:
    rng = np.random.default_rng(0)
    t1, t2 = render_mri(middle, T1_CONTRAST, rng), render_mri(middle, T2_CONTRAST, rng)
    deep = middle.depth < -3
    fluid, grey, white = (deep & (share > 0.99) for share in (middle.fluid, middle.grey, middle.white))
    assert t1[fluid].mean() < t1[grey].mean() < t1[white].mean()
    assert t2[fluid].mean() > t2[grey].mean() > t2[white].mean()
    assert (t1[middle.depth > 25] == 0).all()
    skull, scalp = (middle.depth > 2.5) & (middle.depth < 3.2), (middle.depth > 9) & (middle.depth < 11)
    assert t1[skull].mean() < 0.3 < t1[scalp].mean()


def test_uptake_in_grey_matter_is_four_times_that_in_white(middle: TissueMaps) -> None:
    pet = render_pet(middle, Uptake(), np.random.default_rng(0), fwhm_pixels=0.1, noise=0, regional=0)
    ratio = pet[(middle.grey > 0.99) & (middle.depth < -3)].mean() / pet[middle.white > 0.99].mean()
    assert ratio == pytest.approx(4, rel=1e-3)


def test_a_scanner_blurs_to_its_resolution() -> None:
    point = np.zeros((65, 65), np.float32)
    point[32, 32] = 1
    spread = blur(point, 6 / 2.3548)
    assert spread.sum() == pytest.approx(1, abs=1e-3)
    assert spread[32, 35] / spread[32, 32] == pytest.approx(
        0.5, abs=1e-3
    )  # half the maximum at half of 6 pixels
    assert blur(point, 0) is point


def test_a_lesion_is_bright_on_mri_and_dark_in_the_middle_on_pet(middle: TissueMaps) -> None:
    lesion = grow_lesion(middle, (64.0, 40.0), 14, np.random.default_rng(5))
    total = lesion.core + lesion.rim + lesion.edema
    assert total.min() >= 0
    assert total.max() <= 1 + 1e-5
    assert (total[middle.depth > 1] == 0).all()
    core, rim = lesion.core > 0.9, lesion.rim > 0.6
    assert core[64, 40]
    mri_levels, pet_levels = LesionLevels(0.9, 1.0, 0.7), LesionLevels(0.05, 0.8, 0.4)
    mri = render_mri(middle, T2_CONTRAST, np.random.default_rng(0), lesion=lesion, levels=mri_levels)
    pet = render_pet(middle, Uptake(), np.random.default_rng(0), 5, 0, 0, lesion=lesion, levels=pet_levels)
    healthy = (middle.grey > 0.99) & (total < 0.01) & (middle.depth < -3)
    assert mri[core].mean() > 1.3 * mri[healthy].mean()
    assert pet[core].mean() < pet[rim].mean() < pet[healthy].mean()


def test_without_a_lesion_nothing_is_blended(middle: TissueMaps) -> None:
    assert blend_lesion(middle.grey, None, None) is middle.grey


def test_scanner_effects_leave_air_black() -> None:
    image = np.zeros((32, 32), np.float32)
    image[8:24, 8:24] = 1
    seen = add_scanner_effects(image, np.random.default_rng(0), bias=0.1, noise=0.05, sigma=0.5)
    assert (seen[image == 0] == 0).all()
    assert seen[image == 1].std() > 0.02
    assert (seen >= 0).all()


def test_noise_is_seeded_smooth_and_of_unit_size() -> None:
    field = np.stack([smooth_noise(np.random.default_rng(seed), (128, 128), 16) for seed in range(20)])
    assert field.std() == pytest.approx(1, abs=0.15)
    assert np.abs(np.diff(field, axis=2)).max() < 1.5
    assert np.array_equal(field[3], smooth_noise(np.random.default_rng(3), (128, 128), 16))


def test_scaling_of_a_constant_image_gives_zeros() -> None:
    assert not scale_to_unit(np.full((4, 4), 7, np.float32)).any()


def test_without_nilearn_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nilearn", None)
    with pytest.raises(MissingTemplateError, match=r"pip install -r requirements-samples\.txt"):
        load_head.__wrapped__()

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fusion.data.make_samples import FOLDER, make_samples
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


SLUGS = ("glioma-t1", "glioma-t2", "healthy-t1", "healthy-t2", "multi-focus")
GLIOMAS = ("glioma-t1", "glioma-t2")
LIMIT_BYTES = 3_000_000


def card(slug: str, folder: Path = FOLDER) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / slug / "sample.json").read_text(encoding="utf-8"))
    return content


def pixels(path: Path) -> NDArray[Any]:
    with Image.open(path) as image:
        return np.asarray(image)


def images(slug: str) -> tuple[NDArray[Any], NDArray[Any]]:
    first, second = (pixels(FOLDER / slug / name) for name in card(slug)["files"])
    return first, second


def regions(slug: str) -> dict[str, NDArray[Any]]:
    return {name: pixels(FOLDER / slug / file) for name, file in card(slug)["regions"].items()}


def test_these_samples_ship_and_are_small() -> None:
    assert tuple(sorted(path.name for path in FOLDER.iterdir() if path.is_dir())) == SLUGS
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= LIMIT_BYTES


@pytest.mark.parametrize("slug", SLUGS)
def test_a_sample_is_two_gray_images_of_full_range_with_a_complete_card(slug: str) -> None:
    description = card(slug)
    for image in images(slug):
        assert image.shape == (256, 256)
        assert image.dtype == np.uint8
        assert (image.min(), image.max()) == (0, 255)
    assert description["simulated"] is True
    assert len(description["modalities"]) == 2
    assert description["title"]
    assert description["about"].endswith(".")
    row, column = description["default_pixel"]
    assert 0 <= row < 256
    assert 0 <= column < 256
    named = {*description["files"], *description["regions"].values(), "sample.json"}
    assert named == {path.name for path in (FOLDER / slug).iterdir()}


@pytest.mark.parametrize("slug", [slug for slug in SLUGS if slug != "multi-focus"])
def test_a_head_stands_in_black_air(slug: str) -> None:
    mri, pet = images(slug)
    for image in (mri, pet):
        assert max(image[0].max(), image[-1].max(), image[:, 0].max(), image[:, -1].max()) <= 8
    assert (mri == 0).mean() > 0.3
    row, column = card(slug)["default_pixel"]
    assert mri[row, column] > 0


@pytest.mark.parametrize("slug", GLIOMAS)
def test_masks_are_disjoint_inside_the_head_and_not_tiny(slug: str) -> None:
    masks = regions(slug)
    assert list(masks) == ["core", "rim", "healthy"]
    assert all(mask.shape == (256, 256) and mask.dtype == np.bool_ for mask in masks.values())
    assert sum(mask.astype(int) for mask in masks.values()).max() == 1  # type: ignore[union-attr]
    assert all(mask.sum() > 300 for mask in masks.values())
    mri, _ = images(slug)
    assert all((mri[mask] > 0).mean() > 0.999 for mask in masks.values())


@pytest.mark.parametrize("slug", GLIOMAS)
def test_a_glioma_is_bright_on_mri_and_dark_in_its_core_on_pet(slug: str) -> None:
    mri, pet = images(slug)
    masks = regions(slug)
    row, column = card(slug)["default_pixel"]
    assert masks["core"][row, column]
    assert pet[row, column] < 40
    assert pet[masks["core"]].mean() < 0.4 * pet[masks["healthy"]].mean()
    assert pet[masks["core"]].mean() < 0.6 * pet[masks["rim"]].mean()
    assert pet[masks["rim"]].mean() < 0.95 * pet[masks["healthy"]].mean()
    assert min(mri[masks["core"]].mean(), mri[masks["rim"]].mean()) > 1.2 * mri[masks["healthy"]].mean()


def test_the_two_photographs_are_sharp_in_different_places() -> None:
    near, far = (image.astype(float) for image in images("multi-focus"))
    near_detail, far_detail = (np.abs(np.diff(image, axis=1)) for image in (near, far))
    man, skyline = (slice(40, 110), slice(84, 120)), (slice(60, 110), slice(175, 255))
    assert near_detail[man].mean() > 1.5 * far_detail[man].mean()
    assert far_detail[skyline].mean() > 1.5 * near_detail[skyline].mean()


def test_making_them_again_gives_the_same_files(tmp_path: Path) -> None:
    pytest.importorskip("nilearn", reason="the brain template's package is only in requirements-samples.txt")
    pytest.importorskip("skimage", reason="the photograph's package is only in requirements-samples.txt")
    first, second = (make_samples(tmp_path / name) for name in ("first", "second"))
    assert tuple(sorted(folder.name for folder in first)) == SLUGS
    for one, two in zip(first, second, strict=True):
        for path in one.iterdir():
            assert path.read_bytes() == (two / path.name).read_bytes()
    for slug in SLUGS:
        assert card(slug, tmp_path / "first") == card(slug)
        for path in (FOLDER / slug).glob("*.png"):
            # Another processor may round another way, another zlib may pack the same pixels differently.
            made, shipped = (pixels(p).astype(int) for p in (tmp_path / "first" / slug / path.name, path))
            different = np.abs(made - shipped)
            assert different.max() <= 1
            assert (different > 0).mean() < 0.01

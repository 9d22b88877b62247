from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fusion.data.make_samples import FOLDER, make_samples

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

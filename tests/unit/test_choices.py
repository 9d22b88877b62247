"""Choices by which the files of a pair are read: their code, addresses with it, and what is read so, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from app.layout.reading import sliders
from cache.services.scenes import PairReading
from fusion import volumes
from fusion.choices import PLAIN, Reading
from fusion.data import file_memo
from fusion.data.catalogue import Catalogue
from fusion.decoders import Axis
from fusion.errors import DifferentSizesError, NonFiniteImageError, UnknownPairError
from fusion.extents import Extent, extent_of
from fusion.intensity import IntensityWindow, scale_to_unit
from fusion.pair import Pair, moved, pixel_aspect

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "readings.json").read_text(encoding="utf-8"))
X, Y, Z = np.meshgrid(np.arange(6), np.arange(5), np.arange(4), indexing="ij")
MRI = (X + 10 * Y + 100 * Z + X * Z).astype(np.int16)
"""Every voxel says where it lies: 4 axial, 5 coronal and 6 sagittal slices."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(file_memo, "SETTLED_NS", 0)
    nibabel.save(nibabel.Nifti1Image(MRI, np.diag([1.0, 2, 3, 1])), tmp_path / "mri_7.nii.gz")
    nibabel.save(nibabel.Nifti1Image(MRI[::-1].copy(), np.diag([1.0, 2, 3, 1])), tmp_path / "pet_7.nii.gz")
    for name, shape in (("mri_8.png", (4, 6)), ("pet_8.png", (8, 12))):
        values = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
        Image.fromarray(values).save(tmp_path / name)
    return tmp_path


@pytest.fixture
def catalogue(folder: Path) -> Catalogue:
    return Catalogue(data_dir=folder)


@pytest.mark.parametrize("known", GOLDEN, ids=lambda known: known["code"])
def test_a_code_says_what_it_says_and_is_written_so(known: dict[str, object]) -> None:
    code = str(known["code"])
    if "problem" in known:
        with pytest.raises(ValueError, match=str(known["problem"])):
            Reading.parse(code)
        return
    reading = Reading.parse(code) if code else PLAIN
    assert json.loads(json.dumps(reading.described())) == {
        name: value for name, value in known.items() if name != "code"
    }
    assert reading.code == code


@pytest.mark.parametrize(
    "code",
    ["", "a40_", "_a40", "a40_a41", "40", "a-1", "u5to3", "u1pto2", "u1pto101p", "m5", "m5000,0", "a1x", "x"],
)
def test_what_is_no_code_is_refused_with_a_sentence(code: str, catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match=r".{20}"):
        Reading.parse(code)
    with pytest.raises(UnknownPairError, match="address ends on"):
        catalogue.find(f"7@{code}")


def test_a_slice_of_both_is_what_lies_there(catalogue: Catalogue) -> None:
    pair = catalogue.load(catalogue.find("7@a1"))
    # Rows from the front to the back: y = 4 … 0; columns from the left.
    expected = (2 * np.arange(6)[None, :] + 10 * np.arange(5)[::-1, None]) / 50
    np.testing.assert_allclose(pair.images[0], expected, rtol=1e-6)
    np.testing.assert_array_equal(pair.images[1], pair.images[0][:, ::-1])
    assert pair.spacing == (2, 1)
    coronal = catalogue.load(catalogue.find("7@c0"))
    assert coronal.shape == (4, 6) and coronal.spacing == (3, 1)


def test_by_itself_a_volume_shows_its_middle(catalogue: Catalogue) -> None:
    plain, middle, other = (catalogue.find(address) for address in ("7", "7@a2", "7@a1"))
    assert catalogue.load(plain) == catalogue.load(middle)
    assert catalogue.reading(plain).slices == (2, 2)
    # The second moves with the first where their grids are one, without being interpolated.
    assert catalogue.reading(plain).resample is False
    assert not any("interpolated" in note for note in catalogue.load(other).notes)


def test_two_readings_have_nothing_in_common(catalogue: Catalogue) -> None:
    codes = ("a0_u0to20", "a0", "s0", "c0", "a0x1_v0to150", "a0_m1,0", "a0_m0,1")
    found = {code: catalogue.load(catalogue.find(f"7@{code}")) for code in codes}
    assert len({pair.id for pair in found.values()}) == len(codes)
    for code, pair in found.items():
        assert catalogue.find(pair.id[:12]).address == f"7@{code}"
        assert catalogue.load(catalogue.find(f"7@{code}")) is pair


def test_intensities_of_each(catalogue: Catalogue) -> None:
    pair = catalogue.load(catalogue.find("7@a0_u10to30_v0pto50p"))
    np.testing.assert_allclose(pair.images[0][4], 0, atol=0)  # 0 … 5 are below
    np.testing.assert_allclose(pair.images[0][2], (10 + np.arange(6)) / 20, rtol=1e-6)  # 20 … 25
    assert pair.images[1].max() == 1 and (pair.images[1] == 1).mean() >= 0.5
    assert any("from 10 to 30" in note for note in pair.notes)


def test_swapped_the_choices_go_with_their_images(catalogue: Catalogue) -> None:
    entry = catalogue.find("7@a1x2_u10to30_m1,-2~swapped")
    assert entry.address == "7~swapped@a2x1_v10to30_m-1,2"
    assert catalogue.find(entry.address) == entry
    assert catalogue.find("7~swapped@a2x1_v10to30_m-1,2").paths[0].name == "pet_7.nii.gz"
    assert catalogue.load(entry).id != catalogue.load(catalogue.find("7@a1x2_u10to30_m1,-2")).id


def test_the_second_is_moved_by_whole_pixels(catalogue: Catalogue) -> None:
    stay, gone = (catalogue.load(catalogue.find(f"7@a1{more}")) for more in ("", "_m1,-2"))
    np.testing.assert_array_equal(gone.images[0], stay.images[0])
    np.testing.assert_array_equal(gone.images[1][1:, :-2], stay.images[1][:-1, 2:])
    assert not gone.images[1][0].any() and not gone.images[1][:, -2:].any()
    assert any("1 pixel down and 2 pixels to the left" in note for note in gone.notes)
    numbers = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(moved(numbers, (-1, 1)), [[0, 3, 4], [0, 0, 0]])
    assert not moved(numbers, (2, 0)).any() and not moved(numbers, (0, -9)).any()


def test_unequal_sizes_are_stretched_if_asked(catalogue: Catalogue) -> None:
    with pytest.raises(DifferentSizesError, match="▤"):
        catalogue.load(catalogue.find("8"))
    pair = catalogue.load(catalogue.find("8@r"))
    assert pair.shape == (4, 6) and any("stretched from 8×12 to 4×6" in note for note in pair.notes)


def test_a_volume_elsewhere_is_brought_onto_the_first(folder: Path, catalogue: Catalogue) -> None:
    affine = np.diag([2.0, 2, 2, 1])
    values = np.add.outer(np.add.outer(2.0 * np.arange(4), 10 * np.arange(6)), np.zeros(6))
    nibabel.save(nibabel.Nifti1Image(values, affine), folder / "pet_7.nii.gz")
    entry = catalogue.find("7@a1")
    assert catalogue.reading(entry).resample is True
    # At x mm and y mm it has x + 5·y, of which the first image's pixels are 1 and 2 mm apart.
    expected = np.arange(6)[None, :] + 10 * np.arange(5)[::-1, None]
    np.testing.assert_allclose(catalogue.load(entry).images[1], scale_to_unit(expected), rtol=1e-6)
    # The slices of the first alone can be paged through.
    found = PairReading(entry, catalogue.reading(entry), catalogue.extents(entry))
    assert [(one["of"], one["count"], one["value"]) for one in sliders(found)] == [([0, 1], 4, 1)]


def test_what_can_be_paged_through(catalogue: Catalogue) -> None:
    entry = catalogue.find("7@c1x3")
    found = PairReading(entry, catalogue.reading(entry), catalogue.extents(entry))
    shown = [(one["label"], one["of"], one["count"], one["value"]) for one in sliders(found)]
    assert shown == [("Slice of MRI", [0], 5, 1), ("Slice of PET", [1], 5, 3)]
    stacks = (Extent(frames=7), Extent())
    found = PairReading(entry, Reading(frames=(6, None)).settled(stacks), stacks)
    assert [(one["kind"], one["of"], one["count"], one["value"]) for one in sliders(found)] == [
        ("frames", [0, 1], 7, 6)
    ]


def test_extents_are_read_in_headers(folder: Path, tmp_path: Path) -> None:
    found = extent_of(folder / "mri_7.nii.gz", 1000)
    assert found.sides == (6, 5, 4) and found.frames == 1 and found.placed
    pages = [Image.fromarray(np.full((3, 3), number, np.uint8)) for number in range(5)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert extent_of(tmp_path / "a.tif", 1000) == Extent(frames=5)
    assert extent_of(folder / "mri_8.png", 1000) == extent_of(tmp_path / "gone.png", 1000) == Extent()
    assert Reading().settled((Extent(frames=5), Extent())).frames == (2, None)
    assert Reading(Axis.CORONAL).settled((found, Extent())).slices == (2, None)


def test_a_volume_is_decoded_once_for_all_its_slices(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.load(catalogue.find("7@a0"))
    monkeypatch.setattr(volumes, "read_nifti", lambda *_: pytest.fail("decoded again"))
    for code in ("a1", "a3", "s5", "c0x4"):
        catalogue.load(catalogue.find(f"7@{code}"))


def test_windows_keep_all_their_digits() -> None:
    window = IntensityWindow(-1024.0625, 123456.789)
    assert IntensityWindow.parse(str(window)) == window
    assert Reading.parse(Reading(windows=(window, None)).code).windows[0] == window


def test_pixels_that_are_not_square_are_told_and_drawn_so(catalogue: Catalogue) -> None:
    pair = catalogue.load(catalogue.find("7@a1"))
    assert any("2 mm high and 1 mm wide, and are drawn so" in note for note in pair.notes)
    assert pair.aspect == 2
    picture = catalogue.small_picture(catalogue.find("7@a1"))
    assert picture.shape == (2 * pair.shape[0], 2 * pair.shape[1] + 2)
    np.testing.assert_array_equal(picture[::2], picture[1::2])


@pytest.mark.parametrize(
    ("spacing", "aspect"),
    [(None, 1), ((2, 1), 2), ((1, 4), 0.25), ((1, 1.005), 1), ((1, 1000), 1), ((0, 1), 1)],
)
def test_squares_and_what_nobody_believes_are_drawn_square(
    spacing: tuple[float, float] | None, aspect: float
) -> None:
    assert pixel_aspect(spacing) == aspect


def test_nan_is_refused_with_a_remedy_and_no_data_where_that_is_chosen(folder: Path) -> None:
    values = np.arange(24, dtype=np.float32).reshape(4, 6)
    values[0, :2] = np.nan
    np.save(folder / "mri_9.npy", values)
    np.save(folder / "pet_9.npy", values[::-1])
    catalogue = Catalogue(data_dir=folder)
    with pytest.raises(NonFiniteImageError, match="--nan-is-no-data"):
        catalogue.load(catalogue.find("9"))
    pair = catalogue.load(catalogue.find("9@d"))
    np.testing.assert_array_equal(pair.images[0][0, :3], 0)
    assert pair.images[0][3, 5] == 1 and any("2 of 24 pixels have no data" in note for note in pair.notes)
    arrays = Pair.from_arrays(values, values[::-1], nan_is_no_data=True)
    np.testing.assert_array_equal(arrays.images, pair.images)
    with pytest.raises(NonFiniteImageError):
        Pair.from_arrays(np.where(values > 20, np.inf, values), values, nan_is_no_data=True)

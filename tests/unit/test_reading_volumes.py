"""Series of DICOM files, stacks and animations, and what is resampled by its positions, on files made here."""

from __future__ import annotations

import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image

from fusion.decoders import Axis, Selection
from fusion.errors import (
    DifferentSizesError,
    TooManyPixelsError,
    UnreadableImageError,
    UnsupportedImageError,
)
from fusion.pair import load_pair, scale_to_unit
from fusion.reading import read_image, read_picture
from tests.unit.dicom_files import dicom_file, dicom_series
from tests.unit.image_files import refuses, samples

SIDES = (5, 6, 4)
"""Of the series: to the right, to the front, upwards."""
NAMES = ["IM3", "IM0", "b.dcm", "a.dcm"]
"""Not in the order of places."""
AFFINE = np.diag([2.0, 3.0, 4.0, 1.0])
AFFINE[:3, 3] = (10, 20, 30)


def volume_of(seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(-900, 900, SIDES, dtype=np.int16)


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"study/{file.name}")
        archive.writestr("study/notes.txt", "no image")
    return path


def test_a_series_is_put_together_by_its_positions(tmp_path: Path) -> None:
    volume = volume_of()
    folder = dicom_series(tmp_path / "ct", volume, NAMES)
    (folder / "readme.txt").write_text("no image")
    for path in (folder, zipped(folder, tmp_path / "ct.zip")):
        for place in range(SIDES[2]):
            found = read_image(path, selection=Selection(slice=place))
            np.testing.assert_array_equal(found, volume[:, ::-1, place].T)
        found = read_image(path, selection=Selection(Axis.SAGITTAL, 1))
        np.testing.assert_array_equal(found, volume[1, :, ::-1].T)
        found = read_image(path, selection=Selection(Axis.CORONAL, 2))
        np.testing.assert_array_equal(found, volume[:, 2, ::-1].T)
        refuses(path, UnsupportedImageError, "5 sagittal, 6 coronal and 4 axial", "--slice")
        refuses(path, UnsupportedImageError, "0 to 3", selection=Selection(slice=4))


def test_only_the_slice_that_is_asked_for_is_decoded(tmp_path: Path) -> None:
    volume = volume_of()
    folder = dicom_series(tmp_path / "ct", volume, NAMES)
    dicom_file(
        folder / "IM0", None, Rows=6, Columns=5, SeriesInstanceUID="1.2.4", FrameOfReferenceUID="1.2.5",
        ImagePositionPatient=[-10, -35, 34], ImageOrientationPatient=[-1, 0, 0, 0, 1, 0], PixelSpacing=[3, 2],
    )  # fmt: skip
    np.testing.assert_array_equal(read_image(folder, selection=Selection(slice=0)), volume[:, ::-1, 0].T)
    refuses(folder, UnreadableImageError, "no pixels", selection=Selection(slice=1))


def test_what_is_no_volume_is_refused_by_a_sentence(tmp_path: Path) -> None:
    volume = volume_of()
    two = dicom_series(tmp_path / "two", volume, NAMES)
    dicom_file(two / "scout", SeriesInstanceUID="1.2.9", Modality="PT")
    refuses(two, UnsupportedImageError, "2 series", "CT of 4", "PT of 1", selection=Selection(slice=0))
    odd = dicom_series(tmp_path / "odd", volume, NAMES)
    dicom_file(
        odd / "scout", SeriesInstanceUID="1.2.4", ImagePositionPatient=[0, 0, 0], PixelSpacing=[1, 1],
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
    )  # fmt: skip
    refuses(odd, UnsupportedImageError, "differ in size, direction", selection=Selection(slice=0))
    twice = dicom_series(tmp_path / "twice", volume, NAMES)
    dicom_series(twice, volume, [f"t{name}" for name in NAMES])
    refuses(twice, UnsupportedImageError, "same place", selection=Selection(slice=0))
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    dicom_file(nowhere / "a")
    refuses(nowhere, UnsupportedImageError, "do not say where", selection=Selection(slice=0))
    for empty in ("report", "letters"):
        (tmp_path / empty).mkdir()
    dicom_file(tmp_path / "report" / "a", None)
    (tmp_path / "letters" / "a.txt").write_text("no image")
    for name in ("report", "letters"):
        refuses(tmp_path / name, UnreadableImageError, "folder without DICOM images")
        refuses(
            zipped(tmp_path / name, tmp_path / f"{name}.zip"), UnreadableImageError, "ZIP archive without"
        )
    for path in (two, odd, twice):
        assert "Secret" not in str(refuses(path, UnsupportedImageError))


def test_a_missing_slice_is_told(tmp_path: Path) -> None:
    folder = dicom_series(tmp_path / "ct", volume_of(), NAMES)
    (folder / NAMES[1]).unlink()
    assert "4 to 8 mm apart" in read_picture(folder, selection=Selection(slice=0)).notes[0]


def test_archives_that_burst_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", b"\0" * 50_000_000)
    refuses(tmp_path / "bomb.zip", TooManyPixelsError, "suspiciously large")
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(4100):
            archive.writestr(str(number), b"")
    refuses(tmp_path / "many.zip", TooManyPixelsError, "4,096 files")
    whole = zipped(dicom_series(tmp_path / "ct", volume_of(), NAMES), tmp_path / "ct.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    refuses(tmp_path / "cut.zip", UnreadableImageError, "damaged")


def test_pages_and_pictures_are_chosen(tmp_path: Path) -> None:
    stack = samples(4, 11, 7, dtype="uint16")
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, photometric="minisblack", metadata={"axes": "ZYX"})
    frames = [Image.fromarray(image) for image in samples(4, 11, 7)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    for name in ("a.tif", "a.ome.tif"):
        for frame in range(4):
            found = read_image(tmp_path / name, selection=Selection(frame=frame))
            np.testing.assert_array_equal(found, stack[frame])
    found = read_image(tmp_path / "a.gif", selection=Selection(frame=2))
    np.testing.assert_allclose(found, np.asarray(frames[2]), atol=1)
    for name in ("a.tif", "a.gif"):
        refuses(tmp_path / name, UnsupportedImageError, "--frame 2")
        refuses(tmp_path / name, UnsupportedImageError, "0 to 3", selection=Selection(frame=4))


def test_a_volume_is_brought_onto_a_slice_by_its_positions(tmp_path: Path) -> None:
    """Of numbers that grow linearly along all axes, trilinear interpolation is exact."""
    ct = dicom_series(tmp_path / "ct", volume_of(), NAMES)
    # Finer, larger, and stored with other axes.
    affine = np.array([[0, 0, -1.5, 22], [1.25, 0, 0, 15], [0, 2, 0, 24], [0, 0, 0, 1.0]])
    places = np.moveaxis(np.indices((24, 14, 12)), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    nibabel.save(nibabel.Nifti1Image(places @ [1.0, 0.25, 2.0], affine), tmp_path / "pet.nii.gz")
    pair = load_pair(ct, tmp_path / "pet.nii.gz", selections=(Selection(slice=2),) * 2, resample=True)
    row, column = np.indices((6, 5))
    expected = (10 + 2 * column) + 0.25 * (20 + 3 * (5 - row)) + 2 * (30 + 4 * 2)
    np.testing.assert_allclose(pair.images[1], scale_to_unit(expected), atol=1e-6)
    np.testing.assert_array_equal(pair.images[0], scale_to_unit(read_image(ct, selection=Selection(slice=2))))
    assert any("interpolated" in note for note in pair.notes)


def test_outside_of_the_volume_is_no_data(tmp_path: Path) -> None:
    x1, x2 = np.zeros((4, 4, 1)), np.arange(24, dtype=float).reshape(4, 3, 2) + 7
    x1[0, 0] = 1
    nibabel.save(nibabel.Nifti1Image(x1, np.eye(4)), tmp_path / "mri.nii")
    nibabel.save(nibabel.Nifti1Image(x2, np.eye(4)), tmp_path / "pet.nii")
    pair = load_pair(tmp_path / "mri.nii", tmp_path / "pet.nii", resample=True)
    inside = x2[:, :, 0].T[::-1]
    np.testing.assert_allclose(pair.images[1, 1:], scale_to_unit(inside), atol=1e-7)
    assert not pair.images[1, 0].any()  # before the volume ends in front
    assert any("4 of 16 pixels have no data" in note for note in pair.notes)
    far = np.eye(4)
    far[0, 3] = 100
    nibabel.save(nibabel.Nifti1Image(x2, far), tmp_path / "pet.nii")
    with pytest.raises(UnsupportedImageError, match="nothing of it lies"):
        load_pair(tmp_path / "mri.nii", tmp_path / "pet.nii", resample=True)


def test_other_places_are_told_and_other_frames_of_reference_refused(tmp_path: Path) -> None:
    volume = volume_of()
    one = dicom_series(tmp_path / "one", volume, NAMES)
    nibabel.save(nibabel.Nifti1Image(volume, AFFINE), tmp_path / "same.nii")
    moved = AFFINE.copy()
    moved[0, 3] += 3
    nibabel.save(nibabel.Nifti1Image(volume, moved), tmp_path / "moved.nii")
    other = dicom_series(tmp_path / "other", volume, NAMES, FrameOfReferenceUID="1.2.6")
    slices = (Selection(slice=1),) * 2
    pair = load_pair(one, tmp_path / "same.nii", selections=slices)
    np.testing.assert_array_equal(pair.images[0], pair.images[1])
    assert not any("apart" in note for note in pair.notes)
    assert any(
        "1.5 pixels apart" in note for note in load_pair(one, tmp_path / "moved.nii", selections=slices).notes
    )
    assert any("frames of reference" in note for note in load_pair(one, other, selections=slices).notes)
    with pytest.raises(UnsupportedImageError, match="frame of reference"):
        load_pair(one, other, selections=slices, resample=True)


def test_images_without_positions_are_stretched_and_that_is_said(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", samples(12, 8))
    np.save(tmp_path / "b.npy", np.arange(24.0).reshape(6, 4))
    with pytest.raises(DifferentSizesError, match="--resample"):
        load_pair(tmp_path / "a.npy", tmp_path / "b.npy")
    pair = load_pair(tmp_path / "a.npy", tmp_path / "b.npy", resample=True)
    assert any("stretched from 6×4 to 12×8" in note for note in pair.notes)
    # Inside, a plane stays a plane: 4 a row and 1 a column, at half the steps.
    inner = pair.images[1, 1:-1, 1:-1].astype(float)
    np.testing.assert_allclose(np.diff(inner, axis=0), 2 / 23, atol=1e-6)
    np.testing.assert_allclose(np.diff(inner, axis=1), 0.5 / 23, atol=1e-6)


def test_oblique_volumes_are_cut_along_their_own_axes_and_that_is_said(tmp_path: Path) -> None:
    turn = np.eye(4)
    angle = np.radians(20)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    nibabel.save(nibabel.Nifti1Image(volume_of(), turn), tmp_path / "a.nii")
    picture = read_picture(tmp_path / "a.nii", selection=Selection(slice=1))
    np.testing.assert_array_equal(picture.values, volume_of()[:, ::-1, 1].T)
    assert "20°" in picture.notes[0]


def tracer(**header: Any) -> dict[str, Any]:
    """Return a PET header: 370 MBq of a tracer whose half-life is an hour, two hours before the scan; 80 kg."""
    start = datetime(2020, 1, 2, 1, 0, 0)
    item = pydicom.Dataset()
    item.RadionuclideTotalDose, item.RadionuclideHalfLife = "370000000", "3600"
    item.RadiopharmaceuticalStartTime = f"{start - timedelta(hours=2):%H%M%S.%f}"  # the day before
    return {
        "Modality": "PT", "Units": "BQML", "PatientWeight": "80", "DecayCorrection": "START",
        "CorrectedImage": ["ATTN", "DECY"], "SeriesDate": f"{start:%Y%m%d}", "SeriesTime": f"{start:%H%M%S}",
        "RescaleSlope": "100", "RescaleIntercept": "0",
        "RadiopharmaceuticalInformationSequence": pydicom.Sequence([item]), **header,
    }  # fmt: skip


def test_pet_is_read_as_uptake_values_where_the_header_allows_it(tmp_path: Path) -> None:
    path = dicom_file(tmp_path / "a.dcm", **tracer())
    activities = 100.0 * np.arange(54).reshape(6, 9)
    picture = read_picture(path)
    np.testing.assert_allclose(picture.values, activities * 80_000 / (370e6 / 4), rtol=1e-12)
    assert "standardized uptake" in picture.notes[0]
    path = dicom_file(tmp_path / "a.dcm", **tracer(DecayCorrection="ADMIN"))
    np.testing.assert_allclose(read_image(path), activities * 80_000 / 370e6, rtol=1e-12)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"PatientWeight": None}, "no body weight"),
        ({"Units": "CNTS"}, "CNTS, not uptake"),
        ({"CorrectedImage": ["ATTN"]}, "not corrected for attenuation and decay"),
        ({"DecayCorrection": "NONE"}, "for which time"),
        ({"RadiopharmaceuticalInformationSequence": None}, "nothing of the tracer"),
        ({"SeriesDate": ""}, "when it was acquired"),
    ],
)
def test_else_it_is_said_why_not(tmp_path: Path, header: dict[str, Any], words: str) -> None:
    picture = read_picture(dicom_file(tmp_path / "a.dcm", **tracer(**header)))
    np.testing.assert_allclose(picture.values, 100.0 * np.arange(54).reshape(6, 9))
    assert words in picture.notes[0]

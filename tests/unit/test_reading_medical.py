"""DICOM and NIfTI: single images and slices of volumes, on files that are made here and on those of both packages."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.data import get_testdata_file

from fusion.decoders import Axis, Selection
from fusion.errors import (
    EmptyFileError,
    FuseVisError,
    TooManyPixelsError,
    UnreadableImageError,
    UnsupportedImageError,
)
from fusion.pair import load_pair
from fusion.reading import read_image, read_picture
from tests.unit.dicom_files import STORED, dicom_file
from tests.unit.image_files import luma, refuses, samples

VOLUME = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
"""Along the axes of RAS: from the left, from the back, from below."""


def nifti_file(
    path: Path, values: NDArray[Any] = VOLUME, axes: str = "RAS", kind: Any = nibabel.Nifti1Image
) -> Path:
    """Write a volume along the axes of RAS so that it is stored along others."""
    in_ras = kind(values, np.diag([2.0, 3.0, 4.0, 1.0]))
    start, end = (nibabel.orientations.axcodes2ornt(codes) for codes in ("RAS", axes))
    nibabel.save(in_ras.as_reoriented(nibabel.orientations.ornt_transform(start, end)), path)
    return path


def test_a_dicom_file_is_read_in_its_unit(tmp_path: Path) -> None:
    path = dicom_file(tmp_path / "ct.dcm", RescaleSlope="2", RescaleIntercept="-1024")
    np.testing.assert_array_equal(read_image(path), 2.0 * STORED - 1024)
    assert read_picture(path).notes == ()
    path = path.rename(tmp_path / "IM0001")  # the content decides
    np.testing.assert_array_equal(read_image(path), 2.0 * STORED - 1024)


def test_dicom_with_a_tiff_preamble_and_without_any(tmp_path: Path) -> None:
    path = dicom_file(tmp_path / "a.dcm")
    content = path.read_bytes()
    path.write_bytes(b"II*\0\x54\0\0\0".ljust(128, b"\0") + content[128:])
    np.testing.assert_array_equal(read_image(path), STORED)
    path.write_bytes(content[132:])
    np.testing.assert_array_equal(read_image(path), STORED)


def test_inverted_dicom_is_shown_as_it_is_meant(tmp_path: Path) -> None:
    path = dicom_file(tmp_path / "a.dcm", PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_image(path), 53.0 - STORED)


def test_padding_of_dicom_does_not_count(tmp_path: Path) -> None:
    stored = STORED.copy()
    stored[:, :2] = -2000
    stored[0, 2] = -1990
    path = dicom_file(tmp_path / "a.dcm", stored, PixelPaddingValue=-2000)
    assert read_image(path).min() == -1990
    path = dicom_file(tmp_path / "a.dcm", stored, PixelPaddingValue=-2000, PixelPaddingRangeLimit=-1990)
    picture = read_picture(path)
    assert picture.values.min() == STORED[:, 2:].min() + 1
    assert "13 of 54 pixels have no data" in picture.notes[0]


def test_frames_of_dicom_are_chosen(tmp_path: Path) -> None:
    stored = np.stack([STORED, STORED + 100])
    path = dicom_file(tmp_path / "a.dcm", stored, NumberOfFrames="2")
    refuses(path, UnsupportedImageError, "2 frames", "--frame")
    for frame in (0, 1):
        np.testing.assert_array_equal(read_image(path, selection=Selection(frame=frame)), stored[frame])
    refuses(path, UnsupportedImageError, "0 to 1", selection=Selection(frame=2))


def test_colours_of_dicom_become_luma(tmp_path: Path) -> None:
    colours = samples(6, 9, 3)
    path = dicom_file(
        tmp_path / "a.dcm", colours, Rows=6, Columns=9, SamplesPerPixel=3, PlanarConfiguration=0,
        PhotometricInterpretation="RGB",
    )  # fmt: skip
    picture = read_picture(path)
    np.testing.assert_allclose(picture.values, luma(colours), rtol=1e-14)
    assert "luma" in picture.notes[0]


def test_dicom_that_cannot_be_used_says_why_and_nothing_of_the_patient(tmp_path: Path) -> None:
    reasons = [
        (dicom_file(tmp_path / "report.dcm", None), UnreadableImageError, "no pixels"),
        (dicom_file(tmp_path / "short.dcm", Rows=600), UnreadableImageError, "cannot be decoded"),
        (dicom_file(tmp_path / "none.dcm", Rows=0), EmptyFileError, "0×9"),
        (dicom_file(tmp_path / "huge.dcm", Rows=60_000, Columns=60_000), TooManyPixelsError, "60000×60000"),
    ]
    for path, error, words in reasons:
        message = str(refuses(path, error, words))
        assert "Secret" not in message
    (tmp_path / "begin.dcm").write_bytes(b"\0" * 128 + b"DICM\x02\0\0\0UL\x04\0\xbe\0\0\0" + b"\0" * 2000)
    refuses(tmp_path / "begin.dcm", UnreadableImageError, "DICOM")


def test_files_of_pydicom_are_images_or_refused() -> None:
    read = 0
    folder = Path(pydicom.data.__file__).with_name("test_files")
    for path in sorted(folder.glob("*.dcm")):
        try:
            image = read_image(path, selection=Selection(frame=0))
        except FuseVisError:
            continue
        assert image.ndim == 2
        read += 1
    assert read > 30
    for name in ("CT_small.dcm", "MR_small.dcm"):
        path = Path(str(get_testdata_file(name)))
        data = pydicom.dcmread(path)
        slope, intercept = (
            float(data.get(f"Rescale{part}", fallback)) for part, fallback in (("Slope", 1), ("Intercept", 0))
        )
        np.testing.assert_array_equal(read_image(path), data.pixel_array * slope + intercept)


@pytest.mark.parametrize("axes", ["RAS", "LAS", "LPS", "PIR", "ASL", "SRA", "IPL"])
@pytest.mark.parametrize("suffix", ["nii", "nii.gz"])
def test_slices_are_counted_in_ras_however_they_are_stored(tmp_path: Path, axes: str, suffix: str) -> None:
    path = nifti_file(tmp_path / f"a.{suffix}", axes=axes)
    for index in range(5):
        # Seen from below: the front above, the left at the left.
        np.testing.assert_array_equal(
            read_image(path, selection=Selection(Axis.AXIAL, index)), VOLUME[:, ::-1, index].T
        )
    for index in range(4):
        np.testing.assert_array_equal(
            read_image(path, selection=Selection(Axis.CORONAL, index)), VOLUME[:, index, ::-1].T
        )
    for index in range(3):
        np.testing.assert_array_equal(
            read_image(path, selection=Selection(Axis.SAGITTAL, index)), VOLUME[index, :, ::-1].T
        )


def test_volumes_say_which_slices_there_are(tmp_path: Path) -> None:
    path = nifti_file(tmp_path / "a.nii.gz", axes="PIR")
    refuses(path, UnsupportedImageError, "3 sagittal, 4 coronal and 5 axial", "--slice 2")
    refuses(path, UnsupportedImageError, "0 to 4", selection=Selection(slice=5))
    refuses(path, UnsupportedImageError, "0 to 2", selection=Selection(Axis.SAGITTAL, slice=3))
    refuses(path, TooManyPixelsError, "4×3", "--pixel-limit", selection=Selection(slice=0), pixel_limit=11)


def test_one_slice_needs_no_choice_and_series_a_frame(tmp_path: Path) -> None:
    for place, axes in ((0, "RAS"), (1, "LPS"), (2, "PIR")):
        flat = np.take(VOLUME, [1], axis=place)
        path = nifti_file(tmp_path / f"{place}.nii", flat, axes)
        assert read_image(path).size == flat.size
        assert np.array_equal(read_image(path), read_image(path, selection=Selection(slice=40)))
    series = np.stack([VOLUME, VOLUME + 100], axis=-1)
    nibabel.save(nibabel.Nifti2Image(series, np.eye(4)), tmp_path / "s.nii")
    refuses(tmp_path / "s.nii", UnsupportedImageError, "2 frames", selection=Selection(slice=0))
    read = read_image(tmp_path / "s.nii", selection=Selection(slice=0, frame=1))
    np.testing.assert_array_equal(read, VOLUME[:, ::-1, 0].T + 100)
    nibabel.save(nibabel.Nifti1Image(VOLUME[..., None], np.eye(4)), tmp_path / "one.nii")
    np.testing.assert_array_equal(
        read_image(tmp_path / "one.nii", selection=Selection(slice=0)), VOLUME[:, ::-1, 0].T
    )


def test_the_scaling_of_nifti_is_applied(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(VOLUME, np.eye(4))
    image.header.set_slope_inter(0.5, -3)
    image.to_filename(tmp_path / "a.nii")
    stored = nibabel.Nifti1Image.from_filename(tmp_path / "a.nii").get_fdata()
    np.testing.assert_allclose(
        read_image(tmp_path / "a.nii", selection=Selection(slice=2)), stored[:, ::-1, 2].T
    )


def test_nifti_that_cannot_be_used(tmp_path: Path) -> None:
    path = nifti_file(tmp_path / "a.nii.gz")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refuses(path, UnreadableImageError, "NIfTI")
    path.write_bytes(gzip.compress(b"\0" * 344 + b"n+1\0" + b"\0" * 100))
    refuses(path, UnreadableImageError, "NIfTI")
    complex_file = tmp_path / "c.nii"
    nibabel.save(nibabel.Nifti1Image(VOLUME.astype(np.complex64), np.eye(4)), complex_file)
    refuses(complex_file, UnsupportedImageError, "complex", selection=Selection(slice=0))
    header = bytearray(nifti_file(tmp_path / "h.nii").read_bytes())
    header[42:48] = np.array([32000, 32000, 32000], "<i2").tobytes()
    (tmp_path / "h.nii").write_bytes(header)
    refuses(tmp_path / "h.nii", TooManyPixelsError, "voxels", selection=Selection(slice=0))


def test_a_dicom_slice_and_one_of_a_volume_are_a_pair(tmp_path: Path) -> None:
    first = dicom_file(tmp_path / "ct.dcm", np.arange(12, dtype=np.int16).reshape(4, 3))
    second = nifti_file(tmp_path / "pet.nii.gz")
    pair = load_pair(first, second, selections=(Selection(slice=4), Selection(slice=4)))
    assert pair.shape == (4, 3)


@pytest.mark.parametrize("kind", ["dicom", "nifti"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_damaged_headers_give_an_image_or_our_error(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    path = tmp_path / kind
    if kind == "dicom":
        dicom_file(path)
    else:
        buffer = io.BytesIO(nibabel.Nifti1Image(VOLUME, np.eye(4)).to_bytes())
        path.write_bytes(buffer.getvalue())
    content = bytearray(path.read_bytes())
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=6)):
        content[position] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    try:
        image = read_image(path, 5000, Selection(slice=0, frame=0))
    except FuseVisError:
        return
    assert image.ndim == 2
    assert image.size <= 5000
    assert np.isfinite(image).all()


def test_twelve_bits_of_jpeg_are_read() -> None:
    """The file that pydicom has says 1024×256 pixels of 12 bits; of its plugins none decodes it."""
    image = read_image(str(get_testdata_file("JPGExtended.dcm")))
    assert image.shape == (1024, 256) and image.min() == 0 and 255 < image.max() < 4096


def test_a_packed_dicom_file_is_called_so(tmp_path: Path) -> None:
    # The free bytes at the beginning may look like another format.
    path = tmp_path / "ct.dcm.gz"
    path.write_bytes(gzip.compress(b"\x5c\x01\0\0".ljust(128, b"\0") + b"DICM" + bytes(400)))
    with pytest.raises(UnreadableImageError, match="a DICOM file, compressed by gzip"):
        read_image(path)

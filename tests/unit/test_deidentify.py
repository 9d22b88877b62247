"""Copies of medical files keep all that an image needs, and nothing of a patient."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from fusion.data.deidentify import deidentified_copy
from fusion.data.series import SeriesHeader, header_of
from fusion.decoders import Selection
from fusion.errors import TooManyPixelsError, UnreadableImageError
from fusion.reading import Picture, read_picture
from tests.unit.dicom_files import dicom_file, dicom_series

SECRETS: dict[str, Any] = {
    "PatientID": "Secret",
    "PatientBirthDate": "19700101",
    "StudyDescription": "Secret",
    "InstitutionName": "Secret",
    "SeriesInstanceUID": "1.2.99999.4",
    "FrameOfReferenceUID": "1.2.99999.5",
}
HIDDEN = (b"Secret", b"19700101", b"1.2.99999")


def copied(source: Path, target: Path) -> Path:
    deidentified_copy(source, target, "salt", 2**20)
    return target


def require_same(one: Picture, two: Picture) -> None:
    np.testing.assert_array_equal(one.values, two.values)
    assert one.notes == two.notes
    assert (one.grid is None) == (two.grid is None)
    if one.grid is not None and two.grid is not None:
        for name in ("origin", "down", "across"):
            np.testing.assert_array_equal(getattr(one.grid, name), getattr(two.grid, name))


def pet() -> dict[str, Any]:
    tracer = pydicom.Dataset()
    tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = 3e8, 6586.2
    tracer.RadiopharmaceuticalStartTime, tracer.Radiopharmaceutical = "090000", "Secret"
    return {
        "Modality": "PT", "Units": "BQML", "PatientWeight": 70, "CorrectedImage": ["ATTN", "DECY"],
        "DecayCorrection": "START", "SeriesDate": "20200101", "SeriesTime": "100000", "RescaleSlope": 2,
        "RescaleIntercept": 0, "RadiopharmaceuticalInformationSequence": pydicom.Sequence([tracer]),
    }  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        {"RescaleSlope": 2, "RescaleIntercept": -1024, "PixelPaddingValue": 3},
        {"PhotometricInterpretation": "MONOCHROME1"},
        {
            "ImagePositionPatient": [1, 2, 3],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [2, 3],
        },
        pet(),
    ],
)
def test_a_dicom_file_is_read_alike_and_tells_nothing(tmp_path: Path, header: dict[str, Any]) -> None:
    source = dicom_file(tmp_path / "a.dcm", **SECRETS, **header)
    copy = copied(source, tmp_path / "b.dcm")
    require_same(read_picture(source), read_picture(copy))
    assert all(secret in source.read_bytes() for secret in HIDDEN)
    assert not any(secret in copy.read_bytes() for secret in HIDDEN)
    assert "PatientName" not in pydicom.dcmread(copy)


def test_a_compressed_dicom_file_stays_compressed(tmp_path: Path) -> None:
    source = dicom_file(tmp_path / "a.dcm", **SECRETS)
    header = pydicom.dcmread(source)
    header.compress(RLELossless)
    header.save_as(source)
    copy = copied(source, tmp_path / "b.dcm")
    assert pydicom.dcmread(copy).file_meta.TransferSyntaxUID == RLELossless
    require_same(read_picture(source), read_picture(copy))


def test_a_series_stays_one(tmp_path: Path) -> None:
    volume = np.random.default_rng().integers(-50, 50, (4, 5, 3), dtype=np.int16)
    folder = dicom_series(tmp_path / "ct", volume, ["c", "a", "b"], **SECRETS)
    (tmp_path / "copy").mkdir()
    for file in folder.iterdir():
        copied(file, tmp_path / "copy" / file.name)
    assert len({header_of(file) for file in (tmp_path / "copy").iterdir()}) == 1
    for place in range(3):
        require_same(
            read_picture(folder, selection=Selection(slice=place)),
            read_picture(tmp_path / "copy", selection=Selection(slice=place)),
        )


def test_what_is_left_of_a_dicom_file_tells_nothing_and_is_refused(tmp_path: Path) -> None:
    source = dicom_file(tmp_path / "a.dcm", **SECRETS)
    source.write_bytes(source.read_bytes()[:200])
    copy = copied(source, tmp_path / "b.dcm")
    with pytest.raises(UnreadableImageError, match="no pixels"):
        read_picture(copy)
    assert not any(secret in copy.read_bytes() for secret in HIDDEN)
    assert header_of(tmp_path / "a.dcm") in (None, SeriesHeader("", "", ""))


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
def test_a_nifti_file_is_read_alike_and_tells_nothing(tmp_path: Path, kind: Any, extension: str) -> None:
    values = np.random.default_rng().random((4, 5, 3)).astype(np.float32)
    image = kind(values, np.diag([2.0, 3, 4, 1]))
    image.header["descrip"], image.header["aux_file"], image.header["intent_name"] = (
        b"Secret",
        b"Secret",
        b"Secret",
    )
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Secret"))
    source = tmp_path / f"a{extension}"
    nibabel.save(image, source)
    copy = copied(source, tmp_path / f"b{extension}")
    selection = Selection(slice=1)
    require_same(read_picture(source, selection=selection), read_picture(copy, selection=selection))
    read = gzip.decompress if extension.endswith("gz") else bytes
    assert b"Secret" in read(source.read_bytes()) and b"Secret" not in read(copy.read_bytes())
    loaded: Any = nibabel.load(copy)
    assert not loaded.header.extensions


def test_a_packed_volume_that_becomes_too_large_is_refused(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.zeros((64, 64, 128), np.float32), np.eye(4))
    nibabel.save(image, tmp_path / "a.nii.gz")
    with pytest.raises(TooManyPixelsError, match=r"a\.nii\.gz"):
        copied(tmp_path / "a.nii.gz", tmp_path / "b.nii.gz")
    assert not (tmp_path / "b.nii.gz").exists()


def test_other_files_stay_as_they_are(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.eye(3))
    assert copied(tmp_path / "a.npy", tmp_path / "b.npy").read_bytes() == (tmp_path / "a.npy").read_bytes()
    assert header_of(tmp_path / "a.npy") is None

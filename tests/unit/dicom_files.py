"""DICOM files for tests, made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

STORED = np.arange(54, dtype=np.int16).reshape(6, 9)


def dicom_file(path: Path, stored: NDArray[Any] | None = STORED, **header: Any) -> Path:
    """Write a DICOM file with these pixels and whatever else its header shall say."""
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = UID("1.2.3")
    data.PatientName, data.Modality = "Secret^Name", "CT"
    if stored is not None:
        bits = 8 * stored.dtype.itemsize
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.Rows, data.Columns = stored.shape[-2:]
        data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
        data.PixelRepresentation = int(stored.dtype.kind == "i")
        data.PixelData = stored.tobytes()
    for name, value in header.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


def dicom_series(folder: Path, volume: NDArray[np.int16], names: list[str], **header: Any) -> Path:
    """Write a volume, given along the axes of RAS, as axial slices of 2 mm × 3 mm, 4 mm apart, in files of these names.

    The first voxel, at the patient's left, back and feet, lies at (10, 20, 30) mm in RAS.
    """
    folder.mkdir(exist_ok=True)
    for place, name in enumerate(names):
        position = [-10.0, -(20.0 + 3 * (volume.shape[1] - 1)), 30.0 + 4 * place]
        dicom_file(
            folder / name,
            # Columns run to the patient's right here, rows from the front to the back.
            np.ascontiguousarray(volume[:, ::-1, place].T),
            **{
                "SeriesInstanceUID": "1.2.4",
                "FrameOfReferenceUID": "1.2.5",
                "ImagePositionPatient": position,
                "ImageOrientationPatient": [-1, 0, 0, 0, 1, 0],
                "PixelSpacing": [3, 2],
                **header,
            },
        )
    return folder

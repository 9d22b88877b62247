"""Copies of image files without what they say about a patient: of medical headers only what an image needs is kept.

What is kept of DICOM is listed below. Of NIfTI all numbers are kept, none of its free texts and none of its extensions,
in which some programs put whole DICOM headers. Other files are kept as they are.
"""

from __future__ import annotations

import gzip
import os
import shutil
import struct
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from fusion.errors import ImageFileError, TooManyPixelsError, UnreadableImageError
from fusion.formats import HEAD_BYTES, is_dicom, is_nifti

_KEPT = (
    "Modality Rows Columns NumberOfFrames SamplesPerPixel PhotometricInterpretation PlanarConfiguration BitsAllocated "
    "BitsStored HighBit PixelRepresentation PixelAspectRatio PixelPaddingValue PixelPaddingRangeLimit RescaleSlope "
    "RescaleIntercept RescaleType WindowCenter WindowWidth ImagePositionPatient ImageOrientationPatient PixelSpacing "
    "SliceThickness ExtendedOffsetTable ExtendedOffsetTableLengths PixelData FloatPixelData DoubleFloatPixelData"
)
_PALETTES = tuple(
    f"{kind}{colour}PaletteColorLookupTable{part}"
    for colour in ("Red", "Green", "Blue")
    for kind, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
)
KEPT = (*_KEPT.split(), *_PALETTES)
"""What is kept of every DICOM header."""
KEPT_OF_PET = (
    "Units",
    "CorrectedImage",
    "DecayCorrection",
    "SeriesDate",
    "SeriesTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "PatientWeight",
)
"""What is kept of PET besides, as uptake values are computed from it."""
KEPT_IN = {
    "ModalityLUTSequence": ("LUTDescriptor", "LUTData"),
    "RadiopharmaceuticalInformationSequence": (
        "RadionuclideTotalDose",
        "RadionuclideHalfLife",
        "RadiopharmaceuticalStartTime",
        "RadiopharmaceuticalStartDateTime",
    ),
}
"""What is kept of the parts of a header that have parts themselves."""
REPLACED = ("SeriesInstanceUID", "FrameOfReferenceUID")
"""Ids that are replaced by others, the same for the same."""

NIFTI_TEXTS = {
    348: ((4, 10), (14, 18), (148, 80), (228, 24), (328, 16)),
    540: ((240, 80), (320, 24), (508, 16)),
}
"""By the length of a NIfTI header, where its free texts stand and how long they are, bytes."""
PIECE = 2**20


def deidentified_copy(source: Path, target: Path, salt: str, most_bytes: int) -> None:
    """Write a copy of an image file that says nothing of a patient.

    Parameters
    ----------
    source, target : Path
        The file, and where its copy shall be.
    salt : str
        What new ids are made of besides the old ones: the same for files that belong together.
    most_bytes : int
        Of a file that is unpacked for this.

    Raises
    ------
    UnreadableImageError
        If it is damaged, so that nobody knows what it says.
    TooManyPixelsError
        If it becomes too large.
    """
    with source.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if is_dicom(head):
        _copy_dicom(source, target, salt)
    elif is_nifti(head):
        _copy_nifti(source, target, most_bytes)
    else:
        try:
            os.link(source, target)
        except OSError:  # not every disk has links
            shutil.copyfile(source, target)


def _copy_dicom(source: Path, target: Path, salt: str) -> None:
    try:
        header = pydicom.dcmread(source, force=True)
        kept = _kept_of(header, salt)
        kept.file_meta = FileMetaDataset()
        kept.file_meta.TransferSyntaxUID = _syntax(header)
        kept.file_meta.MediaStorageSOPClassUID = kept.SOPClassUID = SecondaryCaptureImageStorage
        kept.file_meta.MediaStorageSOPInstanceUID = kept.SOPInstanceUID = generate_uid()
        kept.save_as(target, enforce_file_format=True)
    # Not with the reason: it may quote the header.
    except Exception as error:
        target.unlink(missing_ok=True)
        raise UnreadableImageError(
            source,
            f"this DICOM file is damaged or encrypted ({type(error).__name__}), so nothing that it says about a "
            "patient can be left out. Export it again.",
        ) from error


def _kept_of(header: pydicom.Dataset, salt: str) -> pydicom.Dataset:
    """Return what an image needs of a header."""
    kept = pydicom.Dataset()
    is_pet = str(header.get("Modality") or "") == "PT"
    for name in (*KEPT, *(KEPT_OF_PET if is_pet else ())):
        if name in header:
            kept.add(header[name])
    for name in REPLACED:
        if header.get(name):
            setattr(kept, name, generate_uid(entropy_srcs=[salt, str(header.get(name))]))
    for name, inner in KEPT_IN.items():
        if header.get(name) and (is_pet or not name.startswith("Radio")):
            part = pydicom.Dataset()
            for one in inner:
                if one in header[name].value[0]:
                    part.add(header[name].value[0][one])
            setattr(kept, name, pydicom.Sequence([part]))
    return kept


def _syntax(header: pydicom.Dataset) -> pydicom.uid.UID:
    """Return how a file is written; one without its own word for it says so by what it is."""
    named = header.file_meta.get("TransferSyntaxUID") if hasattr(header, "file_meta") else None
    if named:
        return pydicom.uid.UID(named)
    implicit, little = header.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _copy_nifti(source: Path, target: Path, most_bytes: int) -> None:
    """Copy a NIfTI file with its texts and extensions blank, packed by gzip where it was."""
    try:
        with source.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            reading: BinaryIO = gzip.GzipFile(fileobj=plain) if packed else plain  # type: ignore[assignment]
            with target.open("wb") as out:
                # No name and no time of the file that it was.
                writing: BinaryIO = gzip.GzipFile("", "wb", 1, out, mtime=0) if packed else out  # type: ignore[assignment]
                _copy_blank(reading, writing, source, most_bytes)
                if packed:
                    writing.close()
    except ImageFileError:
        target.unlink(missing_ok=True)
        raise
    except Exception as error:
        target.unlink(missing_ok=True)
        raise UnreadableImageError(
            source,
            f"this NIfTI file is damaged or incomplete ({type(error).__name__}). Save or copy it again.",
        ) from error


def _copy_blank(reading: BinaryIO, writing: BinaryIO, source: Path, most_bytes: int) -> None:
    size_bytes = reading.read(4)
    little = int.from_bytes(size_bytes, "little") in NIFTI_TEXTS
    size = int.from_bytes(size_bytes, "little" if little else "big")
    header = bytearray(size_bytes + reading.read(size - 4))
    place, kind = (108, "f") if size == 348 else (168, "q")
    start = int(struct.unpack_from(("<" if little else ">") + kind, header, place)[0])
    for at, length in NIFTI_TEXTS[size]:
        header[at : at + length] = bytes(length)
    between = max(start - size, 0)
    if between > most_bytes:
        raise TooManyPixelsError(source, "its image begins behind the end of the file. Save it again.")
    writing.write(header)
    # Four bytes that say whether there are extensions, then the extensions.
    reading.read(between)
    writing.write(bytes(between))
    copied = size + between
    while piece := reading.read(PIECE):
        copied += len(piece)
        if copied > most_bytes:
            raise TooManyPixelsError(
                source, f"it has more than {most_bytes // 2**20:,} MB unpacked. Save a part of it."
            )
        writing.write(piece)

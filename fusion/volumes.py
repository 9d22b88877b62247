"""Decoders of medical formats, DICOM and NIfTI: a single image, or one slice of a volume.

Slices are counted from 0 in RAS: sagittal ones from the patient's left, coronal ones from the back, axial ones from
below. They are shown with the left at the left, and with the front (axial) or the top (coronal, sagittal) above; a
sagittal slice has the back at the left. Only the slice is decoded.
"""

from __future__ import annotations

import gzip
import logging
from pathlib import Path
from typing import Any, BinaryIO

import nibabel
import numpy as np
import pydicom
from nibabel.orientations import io_orientation
from numpy.typing import NDArray
from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array

from fusion.decoders import AXES, Samples, Selection, require_size
from fusion.errors import ImageFileError, TooManyPixelsError, UnreadableImageError, UnsupportedImageError

# Its warnings quote what stands in headers, which may be a patient's name.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

DICOM_FACTS = {
    "Modality": "modality",
    "Rows": "rows",
    "Columns": "columns",
    "NumberOfFrames": "frames",
    "PixelSpacing": "spacing of rows and columns, mm",
    "SliceThickness": "thickness, mm",
    "PhotometricInterpretation": "colours",
    "BitsStored": "bits",
    "RescaleSlope": "rescale slope",
    "RescaleIntercept": "rescale intercept",
    "Units": "units",
    "WindowCenter": "window centre",
    "WindowWidth": "window width",
}
"""All that is shown of a DICOM header: nothing that tells who the patient is."""

MOST_VOXELS = 2**31
"""In a volume of which a slice is read: what lies before it has to be unpacked."""


def decode_nifti(stream: BinaryIO, path: Path, pixel_limit: int, selection: Selection) -> Samples:
    """Decode one slice of a NIfTI file, compressed by gzip or not.

    Parameters
    ----------
    stream : BinaryIO
        The open file.
    path : Path
        Its name, for messages.
    pixel_limit : int
        The most pixels that the slice may have.
    selection : Selection
        Which slice; not needed if there is one.

    Returns
    -------
    ndarray, shape (H, W)
        The file's numbers with its scaling, oriented as the module says.

    Raises
    ------
    UnsupportedImageError
        If it is not said which slice, or there is no such.
    TooManyPixelsError
        If the slice is too large.
    """
    try:
        return _nifti_slice(_open_nifti(stream), path, pixel_limit, selection)
    except ImageFileError:
        raise
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise UnreadableImageError(
            path, f"this NIfTI file is damaged or incomplete ({reason}). Save or copy it again."
        ) from error


def _nifti_slice(image: Any, path: Path, pixel_limit: int, selection: Selection) -> Samples:
    shape = image.shape
    if len(shape) < 2 or (len(shape) > 4 and any(side > 1 for side in shape[4:])):
        raise UnsupportedImageError(
            path, f"this NIfTI file has {len(shape)} axes. Save a volume, or a series of such."
        )
    if np.prod(shape, dtype=object) > MOST_VOXELS:
        raise TooManyPixelsError(
            path, f"a volume of more than {MOST_VOXELS:,} voxels is not read. Save a part of it."
        )
    sides = (*shape[:3], *(1,) * (3 - len(shape)))
    frame = _chosen(path, "frame", selection.frame, shape[3] if len(shape) > 3 else 1)
    orientation = io_orientation(image.affine)
    if np.isnan(orientation).any():
        raise UnsupportedImageError(
            path, "its affine matrix has no inverse, so nobody knows where its slices lie."
        )
    place_of = {int(target): place for place, (target, _) in enumerate(orientation)}
    in_ras = tuple(sides[place_of[target]] for target in range(3))
    across = _axis(in_ras, selection)
    index = _chosen(path, "slice", selection.slice, in_ras[across], in_ras)
    rows, columns = (axis for axis in (2, 1, 0) if axis != across)
    require_size(path, in_ras[rows], in_ras[columns], pixel_limit)
    if orientation[place_of[across], 1] < 0:
        index = in_ras[across] - 1 - index
    cut: list[Any] = [slice(None)] * 3
    cut[place_of[across]] = index
    cut += [frame, *(0,) * (len(shape) - 4)] if len(shape) > 3 else []
    values = np.asanyarray(image.dataobj[tuple(cut[: len(shape)])])
    if place_of[columns] < place_of[rows]:
        values = values.T
    # The axes of RAS grow upwards and to the right; rows are counted downwards.
    flips = (orientation[place_of[rows], 1] > 0, orientation[place_of[columns], 1] < 0)
    return values[:: -1 if flips[0] else 1, :: -1 if flips[1] else 1]


def _open_nifti(stream: BinaryIO) -> Any:
    start = stream.read(2)
    stream.seek(0)
    opened: Any = gzip.GzipFile(fileobj=stream) if start == b"\x1f\x8b" else stream
    head = opened.read(4)
    opened.seek(0)
    second = 540 in (int.from_bytes(head, "little"), int.from_bytes(head, "big"))
    return (nibabel.Nifti2Image if second else nibabel.Nifti1Image).from_stream(opened)


def _axis(sides: tuple[int, int, int], selection: Selection) -> int:
    """Return the axis across which to cut: that of an image that is a single slice, or the one chosen."""
    single = [axis for axis in range(3) if sides[axis] == 1]
    return single[0] if len(single) == 1 else AXES.index(selection.axis)


def _chosen(
    path: Path, name: str, chosen: int | None, count: int, sides: tuple[int, ...] | None = None
) -> int:
    if chosen is None and count != 1:
        shown = (
            " of {} sagittal, {} coronal and {} axial slices".format(*sides)
            if sides
            else f" of {count} {name}s"
        )
        axis = " --axis axial" if sides else ""
        raise UnsupportedImageError(
            path,
            f"this is a {'volume' if sides else 'series'}{shown}. Choose one, counted from 0:{axis} --{name} "
            f"{count // 2}, or save it as an image of its own.",
        )
    if chosen is not None and not 0 <= chosen < count:
        if count == 1:
            return 0
        raise UnsupportedImageError(path, f"there is no {name} {chosen}. Choose one from 0 to {count - 1}.")
    return chosen or 0


def decode_dicom(stream: BinaryIO, path: Path, pixel_limit: int, selection: Selection) -> Samples:
    """Decode one frame of a DICOM file.

    Parameters
    ----------
    stream, path, pixel_limit
        See `decode_nifti`.
    selection : Selection
        Which frame; not needed if there is one.

    Returns
    -------
    ndarray, shape (H, W) or (H, W, 3)
        Rescaled to the header's unit, such as Hounsfield units; brighter is more, though it was saved inverted.
        Padding is masked.

    Raises
    ------
    UnreadableImageError
        If it has no pixels, or they cannot be decoded.
    UnsupportedImageError
        If it is not said which frame, or there is no such.
    TooManyPixelsError
        If it is too large.
    """
    try:
        return _dicom_frame(pydicom.dcmread(stream, force=True), path, pixel_limit, selection)
    except ImageFileError:
        raise
    # Not with the reason: it may quote the header.
    except Exception as error:
        raise UnreadableImageError(
            path,
            f"this DICOM file is damaged, incomplete or encrypted ({type(error).__name__}). Export it again.",
        ) from error


def _dicom_frame(header: pydicom.Dataset, path: Path, pixel_limit: int, selection: Selection) -> Samples:
    if not any(name in header for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise UnreadableImageError(
            path,
            "this DICOM file has no pixels: it is a report, a plan or a directory. Choose one with an image.",
        )
    require_size(path, int(header.get("Rows") or 0), int(header.get("Columns") or 0), pixel_limit)
    frame = _chosen(path, "frame", selection.frame, int(header.get("NumberOfFrames") or 1))
    try:
        stored = np.asarray(pixel_array(header, index=frame))
    except Exception as error:
        syntax = getattr(getattr(header, "file_meta", None), "TransferSyntaxUID", None)
        named = f", stored as {syntax.name}," if syntax is not None else ""
        raise UnreadableImageError(
            path, f"the pixels of this DICOM file{named} cannot be decoded. Export it again, uncompressed."
        ) from error
    return _in_units(stored, header)


def _in_units(stored: NDArray[Any], header: pydicom.Dataset) -> Samples:
    """Return stored numbers in the unit of the header, padding masked."""
    kind = str(header.get("PhotometricInterpretation") or "MONOCHROME2")
    if kind == "PALETTE COLOR":
        return np.asarray(apply_color_lut(stored, header))
    if stored.ndim == 3:
        return stored
    padding = _padding(stored, header)
    values = np.asarray(apply_modality_lut(stored, header))
    if kind == "MONOCHROME1":
        shown = values[~padding] if padding is not None and not padding.all() else values
        low, high = shown.min().astype(np.float64), shown.max().astype(np.float64)
        values = low + high - values
    return values if padding is None else np.ma.MaskedArray(values, padding)


def _padding(stored: NDArray[Any], header: pydicom.Dataset) -> NDArray[np.bool_] | None:
    value, limit = header.get("PixelPaddingValue"), header.get("PixelPaddingRangeLimit")
    if value is None:
        return None
    ends = sorted((int(value), int(value if limit is None else limit)))
    return (stored >= ends[0]) & (stored <= ends[1])


def describe(stream: BinaryIO, path: Path, *, dicom: bool) -> tuple[tuple[str, str], ...]:
    """Say what is in a DICOM or NIfTI file, without anything about the patient.

    Returns
    -------
    tuple of (str, str)
        What each is called, and what it is.

    Raises
    ------
    UnreadableImageError
        If the file is damaged.
    """
    stream.seek(0)
    try:
        return _dicom_facts(stream) if dicom else _nifti_facts(stream)
    except Exception as error:
        raise UnreadableImageError(
            path, f"the header is damaged ({type(error).__name__}). Export it again."
        ) from error


def _dicom_facts(stream: BinaryIO) -> tuple[tuple[str, str], ...]:
    header = pydicom.dcmread(stream, force=True, stop_before_pixels=True)
    found = ((label, header.get(name)) for name, label in DICOM_FACTS.items())
    return (("format", "DICOM"), *((label, str(value)) for label, value in found if value is not None))


def _nifti_facts(stream: BinaryIO) -> tuple[tuple[str, str], ...]:
    image = _open_nifti(stream)
    codes = "".join(code or "?" for code in nibabel.aff2axcodes(image.affine))
    place_of = {int(target): place for place, (target, _) in enumerate(io_orientation(image.affine))}
    sides = (*image.shape[:3], 1, 1)
    slices = (f"{sides[place_of[axis]]} {name}" for axis, name in enumerate(AXES) if axis in place_of)
    return (
        ("format", "NIfTI"),
        ("size as stored", "×".join(str(side) for side in image.shape)),
        ("axes as stored", codes),
        ("spacing as stored, mm", "×".join(f"{float(size):g}" for size in image.header.get_zooms()[:3])),
        ("slices", ", ".join(slices)),
        ("numbers as stored", str(image.get_data_dtype())),
    )

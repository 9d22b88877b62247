"""Slices of volumes, and the decoder of NIfTI.

Slices are counted from 0 in RAS: sagittal ones from the patient's left, coronal ones from the back, axial ones from
below. They are shown with the left at the left, and with the front (axial) or the top (coronal, sagittal) above; a
sagittal slice has the back at the left. Only the slice is decoded.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import nibabel
import numpy as np
from nibabel.orientations import io_orientation
from numpy.typing import NDArray

from fusion.archives import open_file
from fusion.decoders import AXES, Selection, choose, require_size
from fusion.errors import ImageFileError, TooManyPixelsError, UnreadableImageError, UnsupportedImageError
from fusion.positions import OBLIQUE, Slice, Volume

MOST_VOXELS = 2**31
"""In a volume of which a slice is read: what lies before it has to be unpacked."""


def decode_nifti(stream: BinaryIO, path: Path, pixel_limit: int, selection: Selection) -> Slice:
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
    Slice
        (H, W), the file's numbers with its scaling, oriented as the module says.

    Raises
    ------
    UnsupportedImageError
        If it is not said which slice, or there is no such.
    TooManyPixelsError
        If the slice is too large.
    """
    with _damage_told(path):
        return cut(_nifti_volume(_open_nifti(stream), path, selection), path, pixel_limit, selection)


def read_nifti(path: Path, selection: Selection) -> Volume:
    """Read a NIfTI file as a volume, one point in time of a series.

    Raises
    ------
    UnreadableImageError
        If it is damaged.
    UnsupportedImageError
        If it has other axes than three of space and one of time, no inverse of its affine matrix, or it is not said
        which point in time.
    TooManyPixelsError
        If it has more than `MOST_VOXELS`.
    """
    with _damage_told(path), open_file(path) as stream:
        volume = _nifti_volume(_open_nifti(stream), path, selection)
        return replace(volume, values=volume.values[:, :, :])


def nifti_times(path: Path) -> tuple[Volume, int]:
    """Return the volume of a NIfTI file without its values, and how many points in time it has; see `read_nifti`."""
    with _damage_told(path), open_file(path) as stream:
        image = _open_nifti(stream)
        times = image.shape[3] if len(image.shape) > 3 else 1
        return _nifti_volume(image, path, Selection(frame=0)), int(times)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except ImageFileError:
        raise
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise UnreadableImageError(
            path, f"this NIfTI file is damaged or incomplete ({reason}). Save or copy it again."
        ) from error


def _nifti_volume(image: Any, path: Path, selection: Selection) -> Volume:
    """Return the volume of a NIfTI image, whose values are read when indexed."""
    shape = image.shape
    if len(shape) < 2 or (len(shape) > 4 and any(side > 1 for side in shape[4:])):
        raise UnsupportedImageError(
            path, f"this NIfTI file has {len(shape)} axes. Save a volume, or a series of such."
        )
    if np.prod(shape, dtype=object) > MOST_VOXELS:
        raise TooManyPixelsError(
            path, f"a volume of more than {MOST_VOXELS:,} voxels is not read. Save a part of it."
        )
    if np.isnan(io_orientation(image.affine)).any():
        raise UnsupportedImageError(
            path, "its affine matrix has no inverse, so nobody knows where its slices lie."
        )
    times = shape[3] if len(shape) > 3 else 1
    frame = choose(path, "frame", selection.frame, times, f"a series of {times} frames")
    return Volume(_AtOneTime(image, frame), np.asarray(image.affine, dtype=np.float64))


class _AtOneTime:
    """The voxels of a NIfTI image at one point in time, (I, J, K), read as far as they are indexed."""

    def __init__(self, image: Any, frame: int) -> None:
        self._image, self._frame = image, frame
        self.shape = (*image.shape[:3], *(1,) * (3 - len(image.shape)))

    def __getitem__(self, cut: tuple[Any, ...]) -> NDArray[Any]:
        stored = self._image.shape
        rest = (self._frame, *(0,) * (len(stored) - 4)) if len(stored) > 3 else ()
        values = np.asanyarray(self._image.dataobj[(*cut[: len(stored)], *rest)])
        return values if len(stored) > 2 or not isinstance(cut[2], slice) else values[..., None]


def cut(volume: Volume, path: Path, pixel_limit: int, selection: Selection) -> Slice:
    """Cut one slice of a volume, oriented as the module says.

    Raises
    ------
    UnsupportedImageError
        If it is not said which slice, or there is no such.
    TooManyPixelsError
        If the slice is too large.
    """
    orientation = io_orientation(volume.affine)
    place_of = {int(target): place for place, (target, _) in enumerate(orientation)}
    in_ras = volume.in_ras()[0]
    across = _axis(in_ras, selection)
    whole = "a volume of {} sagittal, {} coronal and {} axial slices".format(*in_ras)
    index = choose(path, "slice", selection.slice, in_ras[across], whole, " --axis axial")
    rows, columns = (axis for axis in (2, 1, 0) if axis != across)
    require_size(path, in_ras[rows], in_ras[columns], pixel_limit)
    if orientation[place_of[across], 1] < 0:
        index = in_ras[across] - 1 - index
    chosen: list[Any] = [slice(None)] * 3
    chosen[place_of[across]] = index
    values = np.asanyarray(volume.values[tuple(chosen)])
    if place_of[columns] < place_of[rows]:
        values = values.T
    # The axes of RAS grow upwards and to the right; rows are counted downwards.
    signs = (-int(orientation[place_of[rows], 1]), int(orientation[place_of[columns], 1]))
    first = np.zeros(3)
    first[place_of[across]] = index
    for axis, sign in zip((rows, columns), signs, strict=True):
        first[place_of[axis]] = 0 if sign > 0 else in_ras[axis] - 1
    grid = volume.grid(first, place_of[rows], place_of[columns], signs)
    return Slice(values[:: signs[0], :: signs[1]], grid, (*volume.notes, *_oblique(volume)))


def _oblique(volume: Volume) -> tuple[str, ...]:
    turned = volume.turned()
    if turned < OBLIQUE:
        return ()
    return (f"its axes are turned by {turned:.0f}° against the patient's; slices are cut along its own axes",)


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


def nifti_facts(stream: BinaryIO) -> tuple[tuple[str, str], ...]:
    """Return what a NIfTI file's header says: what each is called, and what it is."""
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

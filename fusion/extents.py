"""Extents of image files, read from their headers: slices, pictures, and whether they have a place."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import tifffile
from PIL import Image

from fusion.archives import open_file, series_place
from fusion.decoders import MOST_PAGES, tiff_pages
from fusion.errors import ImageFileError
from fusion.formats import HEAD_BYTES, is_archive, is_dicom, is_nifti
from fusion.positions import Volume

SAME = 1e-4
"""Millimetres by which the affine matrices of two volumes on one grid may differ."""
_ANIMATED = (b"GIF8", b"RIFF")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class Extent:
    """The choices that a file leaves.

    Attributes
    ----------
    sides : tuple of int or None
        Sagittal, coronal and axial slices of a volume; ``None`` for what is none.
    frames : int
        Points in time of a volume, else pictures of a stack.
    placed : bool
        Whether it says where its pixels lie in a patient.
    affine : tuple of float or None
        Of a volume whose axes are those of RAS or turned from there by less than half a right angle: the first three
        rows of the matrix from slice numbers to mm.
    """

    sides: tuple[int, int, int] | None = None
    frames: int = 1
    placed: bool = False
    affine: tuple[float, ...] | None = None

    @property
    def first_frame(self) -> int:
        """The picture shown unless somebody chooses: the first point in time, the middle of a stack."""
        return 0 if self.sides is not None else self.frames // 2

    def shares_grid(self, other: Extent) -> bool:
        """Return whether two volumes have the same voxels."""
        if self.affine is None or other.affine is None or self.sides != other.sides:
            return False
        return all(abs(one - own) <= SAME for one, own in zip(self.affine, other.affine, strict=True))


SINGLE = Extent()
"""Of a file with one image."""


def extent_of(path: Path, pixel_limit: int) -> Extent:
    """Return what can be chosen of a file.

    Parameters
    ----------
    path : Path
        An image file, or a folder or ZIP archive with a series of DICOM files.
    pixel_limit : int
        The most pixels that a slice may have.

    Raises
    ------
    ImageFileError
        If a series of DICOM files is no volume, or a NIfTI file is damaged. Other files that cannot be read are found
        out when they are.
    """
    head = b""
    place = series_place(path)
    if place is None:
        try:
            with open_file(path) as stream:
                head = stream.read(HEAD_BYTES)
        except (OSError, ImageFileError):
            return SINGLE
    # Packages here and not above: who has no such file need not wait for them.
    if place is not None or is_archive(head):
        from fusion.dicom import series_volume

        return _of_volume(series_volume(path, pixel_limit), 1)
    if is_dicom(head):
        from fusion.dicom import dicom_extent

        frames, placed = dicom_extent(path)
        return Extent(frames=frames, placed=placed)
    if is_nifti(head):
        from fusion.volumes import nifti_times

        return _of_volume(*nifti_times(path))
    return Extent(frames=_pictures(path, head))


def _of_volume(volume: Volume, times: int) -> Extent:
    sides, affine = volume.in_ras()
    return Extent(sides, times, True, tuple(float(number) for number in affine[:3].ravel()))


def _pictures(path: Path, head: bytes) -> int:
    """Return how many pictures a stack or an animation has."""
    try:
        if head.startswith(_TIFF):
            with open_file(path) as stream, tifffile.TiffFile(stream) as tiff:
                return max(1, sum(1 for _ in islice(tiff_pages(tiff), MOST_PAGES + 1)))
        if head.startswith(_ANIMATED):
            with open_file(path) as stream, Image.open(stream) as image:
                return int(getattr(image, "n_frames", 1))
    except Exception:  # noqa: BLE001 - what decoders raise is not documented; reading the image will say what is wrong
        return 1
    return 1

"""DICOM: one file, of one frame or several, and a series of files in a folder or a ZIP archive, which is a volume.

The files of a series are put in the order of their positions, whatever they are called. Only the slice that is asked
for is decoded where it is one of the files. Of a header nothing is kept but what an image needs: nothing that tells who
the patient is.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pydicom
from imagecodecs import jpeg_decode
from numpy.typing import NDArray
from pydicom.encaps import get_frame
from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array
from pydicom.uid import JPEGExtended12Bit

from fusion.archives import NOT_AN_IMAGE, SERIES, files_in, open_file, series_place
from fusion.decoders import Samples, Selection, choose, require_size
from fusion.errors import ImageFileError, TooManyPixelsError, UnreadableImageError, UnsupportedImageError
from fusion.formats import HEAD_BYTES, is_dicom
from fusion.positions import Grid, Slice, Volume
from fusion.uptake import uptake
from fusion.volumes import MOST_VOXELS, cut

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

PARALLEL = 1e-3
"""Millimetres by which the steps from pixel to pixel of one series may differ."""
UNEVEN = 0.05
"""Share of the distance of two slices by which another may differ."""
TO_RAS = np.array([-1.0, -1.0, 1.0])
"""DICOM counts to the patient's left and back."""


def decode_dicom(stream: BinaryIO, path: Path, pixel_limit: int, selection: Selection) -> Slice:
    """Decode one frame of a DICOM file.

    Parameters
    ----------
    stream, path, pixel_limit
        See `fusion.volumes.decode_nifti`.
    selection : Selection
        Which frame; not needed if there is one.

    Returns
    -------
    Slice
        (H, W) or (H, W, 3), rescaled to the header's unit, such as Hounsfield units, or uptake values of PET; brighter
        is more, though it was saved inverted. Padding is masked.

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


def _dicom_frame(header: pydicom.Dataset, path: Path, pixel_limit: int, selection: Selection) -> Slice:
    if not any(name in header for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise UnreadableImageError(
            path,
            "this DICOM file has no pixels: it is a report, a plan or a directory. Choose one with an image.",
        )
    require_size(path, int(header.get("Rows") or 0), int(header.get("Columns") or 0), pixel_limit)
    frames = int(header.get("NumberOfFrames") or 1)
    frame = choose(path, "frame", selection.frame, frames, f"a series of {frames} frames")
    try:
        stored = _stored(header, frame, frames)
    except Exception as error:
        syntax = getattr(getattr(header, "file_meta", None), "TransferSyntaxUID", None)
        named = f", stored as {syntax.name}," if syntax is not None else ""
        raise UnreadableImageError(
            path, f"the pixels of this DICOM file{named} cannot be decoded. Export it again, uncompressed."
        ) from error
    values, known = _in_units(stored, header), uptake(header)
    grid = _grid(header) if values.ndim == 2 else None
    return Slice(values, grid) if known is None else Slice(values * known[0], grid, (known[1],))


def _stored(header: pydicom.Dataset, frame: int, frames: int) -> NDArray[Any]:
    """Return the numbers of a frame as they are stored."""
    try:
        return np.asarray(pixel_array(header, index=frame))
    except RuntimeError:
        # Of pydicom's decoders none reads 12 bits.
        if (
            header.file_meta.TransferSyntaxUID != JPEGExtended12Bit
            or int(header.get("BitsStored") or 0) != 12
        ):
            raise
        return np.asarray(jpeg_decode(get_frame(header.PixelData, frame, number_of_frames=frames)))


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


def _grid(header: pydicom.Dataset) -> Grid | None:
    """Return where the pixels of a file lie; ``None`` where it does not say."""
    position, cosines, spacing = (
        header.get(name) for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
    )
    if not (position and cosines and spacing) or (len(position), len(cosines), len(spacing)) != (3, 6, 2):
        return None
    numbers = np.array([*position, *cosines, *spacing], dtype=np.float64)
    if not np.isfinite(numbers).all() or (numbers[9:] <= 0).any():
        return None
    return Grid(
        numbers[:3] * TO_RAS,
        numbers[6:9] * TO_RAS * numbers[9],
        numbers[3:6] * TO_RAS * numbers[10],
        str(header.get("FrameOfReferenceUID") or ""),
    )


@dataclass(frozen=True)
class _File:
    """A file of a series: its path, and what its header says of its place."""

    path: Path
    series: str
    kind: str
    shape: tuple[int, int]
    grid: Grid | None
    notes: tuple[str, ...]


def decode_series(path: Path, pixel_limit: int, selection: Selection) -> Slice:
    """Decode one slice of a series of DICOM files in a folder or a ZIP archive.

    Parameters
    ----------
    path : Path
        The folder or the archive.
    pixel_limit : int
        The most pixels that a slice may have.
    selection : Selection
        Which slice.

    Returns
    -------
    Slice
        (H, W), in the header's unit, oriented as `fusion.volumes` says.

    Raises
    ------
    UnreadableImageError
        If there are no DICOM images, or one is damaged.
    UnsupportedImageError
        If these are several series, or no volume, or it is not said which slice.
    TooManyPixelsError
        If there are too many files or voxels.
    """
    return cut(series_volume(path, pixel_limit), path, pixel_limit, selection)


def series_volume(path: Path, pixel_limit: int, most_kept: int = 0) -> Volume:
    """Return the volume of a series of DICOM files; see `decode_series`.

    Files are decoded when indexed, and stay decoded where there are no more than `most_kept` voxels.
    """
    files = _of_one_series(path)
    first = files[0]
    require_size(path, *first.shape, pixel_limit)
    if len(files) * first.shape[0] * first.shape[1] > MOST_VOXELS:
        raise TooManyPixelsError(path, f"a series of more than {MOST_VOXELS:,} voxels is not read.")
    grids = _parallel_grids(files, path)
    normal = np.cross(grids[0].across, grids[0].down)
    normal /= np.linalg.norm(normal)
    places = np.array([grid.origin @ normal for grid in grids])
    order = np.argsort(places)
    start, end = (grids[order[place]].origin for place in (0, -1))
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 3] = grids[0].across, grids[0].down, start
    # With a tilted gantry each slice is moved along its own plane, too.
    affine[:3, 2] = (end - start) / (len(files) - 1) if len(files) > 1 else normal
    keeps = len(files) * first.shape[0] * first.shape[1] <= most_kept
    frames = _Frames([files[place] for place in order], path, pixel_limit, keeps)
    return Volume(frames, affine, grids[0].frame, (*first.notes, *_gap_notes(places[order], path)))


def _parallel_grids(files: list[_File], path: Path) -> list[Grid]:
    """Return where the slices of a series lie, which have to be parallel and of one size."""
    grids = [file.grid for file in files if file.grid is not None]
    if len(grids) < len(files):
        raise UnsupportedImageError(
            path, "its files do not say where their slices lie. Choose one file, or export the series again."
        )
    first = grids[0]
    for file, grid in zip(files, grids, strict=True):
        turned = max(
            float(np.abs(one - own).max())
            for one, own in ((grid.down, first.down), (grid.across, first.across))
        )
        if file.shape != files[0].shape or turned > PARALLEL or grid.frame != first.frame:
            raise UnsupportedImageError(
                path,
                "its slices differ in size, direction or frame of reference, so they are no volume. Leave out overview "
                "images, or choose one file.",
            )
    return grids


def _gap_notes(places: NDArray[np.float64], path: Path) -> tuple[str, ...]:
    """Return what to say of slices that lie at some sorted places, mm."""
    gaps = np.diff(places)
    if not len(gaps):
        return ()
    usual = float(np.median(gaps))
    if gaps.min() <= UNEVEN * usual:
        raise UnsupportedImageError(
            path,
            "several of its slices lie at the same place, such as points in time or echoes. Put one of each into a "
            "folder of its own.",
        )
    if (np.abs(gaps - usual) <= UNEVEN * usual).all():
        return ()
    return (
        f"slices are {gaps.min():.3g} to {gaps.max():.3g} mm apart, as if some were missing; other directions than "
        "theirs are not to scale",
    )


def _of_one_series(path: Path) -> list[_File]:
    series = _series(path)
    if len(series) > 1:
        shown = ", ".join(f"{one[0].kind or 'unknown'} of {len(one)} files" for one in series[:8])
        container = path if (place := series_place(path)) is None else place[0]
        example = f" Or name one of them, as {container / SERIES}{series[0][0].kind}."
        raise UnsupportedImageError(
            path,
            f"there are {len(series)} series in it ({shown}). Put one into a folder of its own.{example}",
        )
    return series[0]


def _series(path: Path) -> list[list[_File]]:
    """Return the images of a folder or an archive, by series."""
    found: dict[str, list[_File]] = {}
    place = series_place(path)
    for file in _headers(path):
        if place is None or place[1] in ("", file.kind, file.series):
            found.setdefault(file.series, []).append(file)
    if not found:
        if place is not None and place[1]:
            raise UnreadableImageError(path, "there is no such series of DICOM files in this folder.")
        if place is not None:
            raise UnreadableImageError(
                path, "this is a folder without DICOM images. Name one image file in it."
            )
        example = next(iter(files_in(path)), None)
        hint = f" Or name a file in it, as {example}." if example is not None else ""
        raise UnreadableImageError(path, f"this is a ZIP archive without DICOM images, {NOT_AN_IMAGE}{hint}")
    return list(found.values())


def _headers(path: Path) -> Iterator[_File]:
    """Read where the images of a folder or an archive lie; other files are passed over."""
    place = series_place(path)
    for file in files_in(path if place is None else place[0]):
        with open_file(file) as stream:
            if not is_dicom(stream.read(HEAD_BYTES)):
                continue
            stream.seek(0)
            try:
                header = pydicom.dcmread(stream, force=True, stop_before_pixels=True)
            except Exception as error:
                raise UnreadableImageError(
                    path,
                    f"one of its DICOM files is damaged ({type(error).__name__}). Export the series again.",
                ) from error
        shape = (int(header.get("Rows") or 0), int(header.get("Columns") or 0))
        if 0 in shape:  # a directory, a report
            continue
        series, kind = (str(header.get(name) or "") for name in ("SeriesInstanceUID", "Modality"))
        known = uptake(header)
        yield _File(file, series, kind, shape, _grid(header), () if known is None else (known[1],))


class _Frames:
    """The voxels of a series, (columns, rows, files), decoded as far as they are indexed."""

    def __init__(self, files: list[_File], path: Path, pixel_limit: int, keeps: bool) -> None:
        self._files, self._path, self._limit = files, path, pixel_limit
        self._known: dict[int, NDArray[Any]] | None = {} if keeps else None
        rows, columns = files[0].shape
        self.shape = (columns, rows, len(files))

    def __getitem__(self, chosen: tuple[Any, ...]) -> NDArray[Any]:
        if not isinstance(chosen[2], slice):
            return self._frame(int(chosen[2]))[chosen[:2]]
        places = range(*chosen[2].indices(self.shape[2]))
        frames = [self._frame(place)[chosen[:2]] for place in places]
        stack = np.ma.stack if any(isinstance(frame, np.ma.MaskedArray) for frame in frames) else np.stack
        return np.asanyarray(stack(frames, axis=-1))

    def _frame(self, place: int) -> NDArray[Any]:
        if self._known is None:
            return self._decoded(place)
        if place not in self._known:
            self._known[place] = self._decoded(place)
        return self._known[place]

    def _decoded(self, place: int) -> NDArray[Any]:
        with open_file(self._files[place].path) as stream:
            found = decode_dicom(stream, self._path, self._limit, Selection()).values
        if found.ndim != 2:
            raise UnsupportedImageError(self._path, "its slices are in colour. Choose one file.")
        return found.T


def dicom_extent(path: Path) -> tuple[int, bool]:
    """Return how many frames a DICOM file has, and whether it says where its pixels lie; 1 where it is damaged."""
    try:
        with open_file(path) as stream:
            header = pydicom.dcmread(stream, force=True, stop_before_pixels=True)
        return int(header.get("NumberOfFrames") or 1), _grid(header) is not None
    except Exception:  # noqa: BLE001 - as everywhere here; reading the image will say what is wrong
        return 1, False


def dicom_facts(stream: BinaryIO) -> tuple[tuple[str, str], ...]:
    """Return what a file's header says that may be shown: what each is called, and what it is."""
    header = pydicom.dcmread(stream, force=True, stop_before_pixels=True)
    found = ((label, header.get(name)) for name, label in DICOM_FACTS.items())
    return (("format", "DICOM"), *((label, str(value)) for label, value in found if value is not None))


def series_facts(path: Path) -> tuple[tuple[str, str], ...]:
    """Return what is in a folder or archive of DICOM files, without anything about the patient.

    Raises
    ------
    UnreadableImageError
        If there are no DICOM images, or one is damaged.
    """
    return (
        ("format", f"a {'folder' if Path(path).is_dir() else 'ZIP archive'} of DICOM files"),
        *(
            (
                "series",
                f"{one[0].kind or 'unknown'}, {len(one)} slices of {one[0].shape[0]}×{one[0].shape[1]}",
            )
            for one in _series(path)
        ),
    )

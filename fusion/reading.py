"""Reads one gray image from a file: the content decides the format, and every way to fail has its error."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fusion.archives import open_file, place_in_archive, require_member, series_place
from fusion.chroma import LUMA, LUMA_NOTE, Colours, kept_colours
from fusion.colour_maps import ColourMap, scalars, warning
from fusion.decoders import (
    DECODERS,
    WHOLE,
    Samples,
    Selection,
    exif_orientation,
    orient,
    plain_shape,
    require_real,
    require_size,
)
from fusion.errors import (
    EmptyFileError,
    ImageFileError,
    MissingFileError,
    NonFiniteImageError,
    TooManyPixelsError,
    UnreadableImageError,
    UnsupportedImageError,
)
from fusion.formats import HEAD_BYTES, format_name, is_archive, is_dicom, is_nifti
from fusion.positions import Grid, Slice, Volume, resample

Keep = Callable[[Path, int | None, Callable[[], Volume]], Volume]
"""Called as keep(path, frame, load): the volume of a file at a point in time, from memory or loaded."""

MOST_KEPT_VOXELS = 2**26
"""In a volume that is kept decoded; of a larger one each slice is read from its file."""

__all__ = [
    "DEFAULT_PIXEL_LIMIT",
    "LUMA",
    "Picture",
    "exif_orientation",
    "gray_picture",
    "orient",
    "read_gray",
    "read_image",
    "read_onto",
    "read_picture",
    "require_file",
    "require_gray",
    "require_real",
    "require_size",
]

DEFAULT_PIXEL_LIMIT = 16_777_216
"""The most pixels (height times width) that an image may have unless told otherwise: 4096×4096."""

_READ = "PNG, JPEG, JPEG 2000, GIF, BMP, WebP, TIFF, .npy, .npz, DICOM or NIfTI image"
_EXPORT = "Export the image as PNG, TIFF or .npy and try again."
_EXPORT_SLICE = "Export one slice or picture of it as PNG, TIFF or .npy and try again."

COLOUR_NOTE = f"colour became gray, the luma 0.2989·R + 0.5870·G + 0.1140·B; {LUMA_NOTE}"


@dataclass(frozen=True)
class Picture:
    """One gray image, and what was done to the numbers of its file.

    Attributes
    ----------
    values : ndarray, shape (H, W)
        See `read_image`.
    notes : tuple of str
        What a user should know of them, each without the file's name and without a full stop.
    grid : Grid or None
        Where its pixels lie in a patient, if the file says it.
    colours : ndarray or None, shape (H, W, 3)
        Those of a colour picture, uint8 or float32 from 0 to 1; `values` are then its luma.
    of_colours : str
        What became of the colours of a colour picture, in a sentence like one of `notes`.
    brought : str
        How it came onto the pixels of another image: ``resampled`` by positions, ``stretched``, or not at all.
    """

    values: NDArray[Any]
    notes: tuple[str, ...]
    grid: Grid | None = None
    colours: Colours | None = None
    of_colours: str = ""
    brought: str = ""


def read_image(
    path: Path | str, pixel_limit: int = DEFAULT_PIXEL_LIMIT, selection: Selection = WHOLE
) -> NDArray[Any]:
    """Read one gray image, in the file's own numbers.

    PNG, JPEG, JPEG 2000, GIF, BMP, WebP, TIFF, ``.npy``, ``.npz``, DICOM and NIfTI are recognised by their content,
    whatever the file's name. Colour
    (RGB, palette, CMYK) becomes luma, 0.2989·R + 0.5870·G + 0.1140·B; an alpha channel and colour profiles
    are ignored; the orientation that a camera wrote is applied. Pixels that a GeoTIFF declares to be without data get
    the smallest value of the others. Axes of length one are dropped. Nothing is ever unpickled.

    Parameters
    ----------
    path : Path or str
        The file, or a folder or ZIP archive with a series of DICOM files.
    pixel_limit : int
        The most pixels that it may have; found out before anything is decoded.
    selection : Selection
        Which slice or frame of a volume, a stack or an animation; others have one image.

    Returns
    -------
    ndarray, shape (H, W)
        Not scaled. Gray images keep the type of the file (unsigned, signed or floating-point, 8 to 64 bit):
        mind that differences of unsigned numbers wrap around. Luma is float64.

    Raises
    ------
    MissingFileError
        There is no such file.
    EmptyFileError
        It has no bytes, or its image no pixels.
    UnreadableImageError
        It is a folder without DICOM images, or may not be read, or is not an image in one of the formats, or is
        damaged.
    UnsupportedImageError
        It is an animation, a stack or a volume and `selection` does not say which image, or it has complex numbers or
        an unusual colour space.
    TooManyPixelsError
        It has more pixels than `pixel_limit`.
    NonFiniteImageError
        It has NaN or infinite values.
    """
    return read_picture(path, pixel_limit, selection).values


def read_picture(
    path: Path | str,
    pixel_limit: int = DEFAULT_PIXEL_LIMIT,
    selection: Selection = WHOLE,
    keep: Keep | None = None,
    colour_map: ColourMap = ColourMap.LUMA,
    nan_is_no_data: bool = False,
) -> Picture:
    """Read one gray image, and say what was done to it; see `read_image` for all else.

    Parameters
    ----------
    path, pixel_limit, selection
        See `read_image`.
    keep : callable, optional
        Keeps volumes for whoever reads many slices of one.
    colour_map : ColourMap
        How a picture in colour becomes gray: its luma, or the numbers that its colours stand for, see
        `fusion.colour_maps`.
    nan_is_no_data : bool
        Whether pixels that are NaN get the smallest value of the others.

    Raises
    ------
    UnsupportedImageError
        If the colours lie on no curve that could be learnt; for all else see `read_image`.
    """
    path = Path(path)
    try:
        found = _decoded(path, pixel_limit, selection, keep)
    except ImageFileError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixelsError(path, f"{error} Use a smaller image.") from error
    # What decoders raise on damaged content is not documented: nearly every kind of exception was seen.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise UnreadableImageError(
            path, f"the file is damaged, incomplete or cannot be read ({reason}). {_EXPORT}"
        ) from error
    if not isinstance(found, Slice):
        return _by_colour_map(_gray(found, path, nan_is_no_data), path, colour_map)
    picture = _by_colour_map(_gray(found.values, path, nan_is_no_data), path, colour_map)
    return replace(picture, notes=(*found.notes, *picture.notes), grid=found.grid)


def _decoded(path: Path, pixel_limit: int, selection: Selection, keep: Keep | None) -> Samples | Slice:
    """Decode a file, or a series of files in a folder or an archive."""
    volume = None if keep is None else _volume(path, pixel_limit, selection, keep)
    if volume is not None:
        from fusion.volumes import cut  # see `_decoder`

        return cut(volume, path, pixel_limit, selection)
    if series_place(path) is None:
        require_file(path)
        with open_file(path) as stream:
            head = stream.read(HEAD_BYTES)
            if not is_archive(head):
                decode = _decoder(head, path)
                stream.seek(0)
                return decode(stream, path, pixel_limit, selection)
    from fusion.dicom import decode_series  # see `_decoder`

    return decode_series(path, pixel_limit, selection)


def _gray(samples: Samples, path: Path, nan_is_no_data: bool) -> Picture:
    """Return samples that are gray or colour as a gray image."""
    if samples.ndim != 3 or samples.dtype.kind not in "biuf":
        return gray_picture(samples, path, nan_is_no_data)
    _require_colour(samples, path)
    red, green, blue = (samples[..., channel].astype(np.float64) for channel in range(3))
    picture = gray_picture(LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue, path, nan_is_no_data)
    if (red == green).all() and (red == blue).all():
        return picture
    return Picture(picture.values, (COLOUR_NOTE, *picture.notes), colours=kept_colours(samples))


def _by_colour_map(picture: Picture, path: Path, colour_map: ColourMap) -> Picture:
    """Return a picture in colour as the numbers that its colours stand for, if that is chosen."""
    if picture.colours is None:
        return picture
    found = scalars(picture.colours, colour_map)
    if found is not None:
        notes = [found.sentence() if note == COLOUR_NOTE else note for note in picture.notes]
        return Picture(found.values, tuple(notes), of_colours=found.sentence())
    if colour_map is ColourMap.LEARNT:
        raise UnsupportedImageError(
            path, "its colours lie on no curve, so none can be learnt. Name its colour map, or read its luma."
        )
    told = warning(picture.colours)
    shown = f"no colour map fits; {COLOUR_NOTE}" if colour_map is ColourMap.AUTO else told or COLOUR_NOTE
    return replace(picture, notes=(*picture.notes, told) if told else picture.notes, of_colours=shown)


def _decoder(head: bytes, path: Path) -> Callable[[BinaryIO, Path, int, Selection], Samples | Slice]:
    """Return what decodes a file that begins so."""
    # The first 128 bytes of DICOM are free, and some fill them with the beginning of a TIFF file.
    if is_dicom(head):
        # Here and not above: nobody else should wait for these packages or keep them in memory.
        from fusion.dicom import decode_dicom

        return decode_dicom
    if is_nifti(head):
        from fusion.volumes import decode_nifti

        return decode_nifti
    for place, magic, decoder in DECODERS:
        if head.startswith(magic, place):
            return decoder
    name = format_name(head)
    if name is None:
        raise UnreadableImageError(path, f"this is not a {_READ}. {_EXPORT}")
    raise UnreadableImageError(path, f"this is {name}, not a {_READ}. {_EXPORT_SLICE}")


def _require_colour(samples: Samples, path: Path) -> None:
    """Refuse channels that cannot be red, green and blue, such as stacked modalities."""
    if samples.dtype.kind in "if" and samples.size and samples.min() < 0:
        raise UnsupportedImageError(
            path,
            f"its {samples.shape[2]} channels have negative numbers, so they are no colours. "
            "Save the one that you want.",
        )


def gray_picture(image: NDArray[Any], name: Path | str, nan_is_no_data: bool = False) -> Picture:
    """Return an image that is gray, and what a user should know before it is scaled to [0, 1].

    Parameters
    ----------
    image, name
        See `require_gray`, which has the errors too.
    nan_is_no_data : bool
        Whether pixels that are NaN count as hidden ones of a masked array.
    """
    if nan_is_no_data and image.dtype.kind == "f" and (empty := np.isnan(np.ma.getdata(image))).any():
        image = np.ma.MaskedArray(image, empty | np.ma.getmaskarray(image))
    values = require_gray(image, name)
    notes = []
    if isinstance(image, np.ma.MaskedArray) and (hidden := int(np.ma.getmaskarray(image).sum())):
        notes.append(
            f"{hidden} of {image.size} pixels have no data; they got the smallest value of the others"
        )
    return Picture(values, tuple(notes))


def read_onto(
    path: Path | str,
    grid: Grid,
    shape: tuple[int, int],
    pixel_limit: int,
    selection: Selection,
    keep: Keep | None = None,
    nan_is_no_data: bool = False,
) -> Picture | None:
    """Resample a volume onto the pixels of another image, by their positions in the patient.

    Parameters
    ----------
    path : Path or str
        A NIfTI file, or a folder or ZIP archive with a series of DICOM files.
    grid : Grid
        Of the other image.
    shape : tuple of int
        (H, W) of the other image.
    pixel_limit : int
        See `read_image`, which has the errors too.
    selection : Selection
        Which point in time of a series.
    keep, nan_is_no_data
        See `read_picture`.

    Returns
    -------
    Picture or None
        float64, with `grid`; ``None`` for what is no volume.

    Raises
    ------
    UnsupportedImageError
        If positions belong to another frame of reference, or the two do not overlap.
    """
    path = Path(path)
    volume = _volume(path, pixel_limit, selection, keep)
    if volume is None:
        return None
    if volume.frame and grid.frame and volume.frame != grid.frame:
        raise UnsupportedImageError(
            path,
            "its frame of reference is another than the first image's, so nobody knows how their positions relate. "
            "Register the two.",
        )
    values = resample(volume, grid, shape)
    if np.ma.getmaskarray(values).all():
        raise UnsupportedImageError(
            path,
            "nothing of it lies where the first image does. Choose another slice, or register the two.",
        )
    picture = gray_picture(values, path, nan_is_no_data)
    note = "interpolated at the pixels of the other image, by their positions in the patient"
    return Picture(picture.values, (*volume.notes, note, *picture.notes), grid, brought="resampled")


def _volume(path: Path, pixel_limit: int, selection: Selection, keep: Keep | None) -> Volume | None:
    """Return the volume of a file, a folder or an archive; ``None`` for what is none."""
    head = b""
    if series_place(path) is None:
        require_file(path)
        with open_file(path) as stream:
            head = stream.read(HEAD_BYTES)
    if is_nifti(head):
        from fusion.volumes import nifti_times, read_nifti  # see `_decoder`

        voxels = 0 if keep is None else np.prod(nifti_times(path)[0].values.shape, dtype=object)
        if keep is None or voxels > MOST_KEPT_VOXELS:
            return read_nifti(path, selection)
        return keep(path, selection.frame, lambda: read_nifti(path, selection))
    if series_place(path) is not None or is_archive(head):
        from fusion.dicom import series_volume

        if keep is None:
            return series_volume(path, pixel_limit)
        return keep(path, None, lambda: series_volume(path, pixel_limit, MOST_KEPT_VOXELS))
    return None


def read_gray(path: Path | str, pixel_limit: int = DEFAULT_PIXEL_LIMIT) -> NDArray[np.float64]:
    """Read one gray image as float64.

    Parameters
    ----------
    path, pixel_limit
        See `read_image`, which has the errors too.

    Returns
    -------
    ndarray of float64, shape (H, W)
        Not scaled.
    """
    return read_image(path, pixel_limit).astype(np.float64)


def require_gray(image: NDArray[Any], name: Path | str) -> NDArray[Any]:
    """Return the image if it is (H, W), real, finite and not empty.

    Parameters
    ----------
    image : ndarray
        Anything that was read or handed over. Masked pixels get the smallest value of the others.
    name : Path or str
        The file or array that an error is about.

    Returns
    -------
    ndarray, shape (H, W)
        The same array, without axes of length one; booleans as uint8, 0 and 1.

    Raises
    ------
    UnsupportedImageError, EmptyFileError, NonFiniteImageError
    """
    require_real(image.dtype, name)
    image = image.reshape(plain_shape(image.shape))
    if image.ndim != 2:
        shape = "×".join(str(side) for side in image.shape) or "no dimension"
        raise UnsupportedImageError(
            name, f"this is an array of {shape}, not one image of height × width. Save a single slice."
        )
    if image.size == 0:
        raise EmptyFileError(name, f"the image has {image.shape[0]}×{image.shape[1]} pixels. Save it again.")
    if isinstance(image, np.ma.MaskedArray):
        image = _without_hidden(image, name)
    if not np.isfinite(image).all():
        count = image.size - np.count_nonzero(np.isfinite(image))
        raise NonFiniteImageError(
            name,
            f"{count} of {image.size} pixels are NaN or infinite. Replace them, for example by 0, or count NaN as no "
            "data (--nan-is-no-data, nan_is_no_data=True, or ▤ beside the menu of pairs on the page).",
        )
    return image.astype(np.uint8) if image.dtype.kind == "b" else image


def _without_hidden(image: np.ma.MaskedArray[Any, Any], name: Path | str) -> NDArray[Any]:
    """Fill masked pixels with the smallest value of the others, which becomes 0 when the image is scaled."""
    hidden, values = np.ma.getmaskarray(image), image.data.copy()
    if hidden.all():
        raise EmptyFileError(name, "all pixels are marked as having no data. Choose another image.")
    values[hidden] = values[~hidden].min()
    return values


def require_file(path: Path) -> None:
    """Refuse what is not a regular file with bytes: opening a pipe, for one, would wait for ever.

    Raises
    ------
    MissingFileError, EmptyFileError, UnreadableImageError
    """
    if (place := place_in_archive(path)) is not None:
        require_member(path, *place)
        return
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingFileError(path, "there is no such file. Check the name and the folder.") from error
    except (OSError, ValueError) as error:
        raise UnreadableImageError(path, f"the file cannot be reached ({error}).") from error
    if stat.S_ISDIR(found.st_mode):
        raise UnreadableImageError(path, "this is a folder. Name one image file in it.")
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableImageError(path, "this is not a regular file. Name an image file.")
    if found.st_size == 0:
        raise EmptyFileError(path, "the file is empty (0 bytes). Save or copy it again.")

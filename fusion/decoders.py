"""Decoders of image files, one a format, from an open file to gray (H, W) or colour (H, W, 3 or 4) samples.

Each finds out the number of pixels from the header and refuses too many before it decodes any.
"""

from __future__ import annotations

import io
import logging
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO

import imagecodecs
import numpy as np
import tifffile
from numpy.lib import format as npy_format
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from fusion.errors import EmptyFileError, TooManyPixelsError, UnreadableImageError, UnsupportedImageError

logger = logging.getLogger(__name__)
# A damaged file gives it thousands of lines to say; the reader says in one what is wrong.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

Samples = NDArray[Any]


class Axis(StrEnum):
    """The directions in which a volume is cut, named by the slices that they give."""

    SAGITTAL = "sagittal"
    CORONAL = "coronal"
    AXIAL = "axial"


AXES = tuple(Axis)
"""In the order of the axes of RAS."""


@dataclass(frozen=True)
class Selection:
    """Slice of a volume that is meant; images that are one slice need none.

    Attributes
    ----------
    axis : Axis
        Across which slices are counted.
    slice : int or None
        The slice, from 0.
    frame : int or None
        The point in time of a series, the frame of a DICOM file, the page of a TIFF file, or the picture of an
        animation, from 0.
    """

    axis: Axis = Axis.AXIAL
    slice: int | None = None
    frame: int | None = None


WHOLE = Selection()
"""For files of one image."""

Decoder = Callable[[BinaryIO, Path, int, Selection], Samples]

GDAL_NO_DATA = 42113
"""The TIFF tag in which GDAL keeps the value of pixels without data."""

LARGEST_INTENSITY = 1e37
"""What is beyond is meant when a file's value for no data is about the largest of its type."""

MOST_PAGES = 4096
"""In a TIFF file that is taken apart."""

MOST_CHANNELS = 5
"""Four inks and an alpha channel: no colour image has more."""

_RAISE = "raise the limit: FUSEVIS_PIXEL_LIMIT for the page, --pixel-limit on the command line"
_PHOTOMETRIC = tifffile.PHOTOMETRIC


def plain_shape(shape: tuple[int, ...], colour: bool = False) -> tuple[int, ...]:
    """Leave out axes of length one until two are left.

    Parameters
    ----------
    shape : tuple of int
        Of an array.
    colour : bool
        Whether three axes may be left, if the last has the three or four channels of colours.
    """
    if colour and len(shape) > 2 and shape[-1] in (3, 4):
        return (*plain_shape(shape[:-1]), shape[-1])
    sides = list(shape)
    while len(sides) > 2 and 1 in sides:
        sides.remove(1)
    return tuple(sides)


def require_size(path: Path, height: int, width: int, pixel_limit: int) -> None:
    """Refuse an image of no pixels, or of more than the limit.

    Raises
    ------
    EmptyFileError, TooManyPixelsError
    """
    if height < 1 or width < 1:
        raise EmptyFileError(path, f"the image has {height}×{width} pixels. Save it again.")
    if height * width > pixel_limit:
        raise TooManyPixelsError(
            path,
            f"{height}×{width} pixels are more than the limit of {pixel_limit:,}. Crop or downsample the image, or "
            f"{_RAISE}.",
        )


def require_real(dtype: np.dtype[Any] | None, name: Path | str) -> None:
    """Refuse values that are not real numbers.

    Parameters
    ----------
    dtype : numpy.dtype or None
        Of the values.
    name : Path or str
        The file or array that an error is about.

    Raises
    ------
    UnsupportedImageError
    """
    if dtype is None or dtype.kind not in "biuf":
        raise UnsupportedImageError(
            name, f"the values are of type {dtype}, not real numbers. Save a real image, such as a magnitude."
        )


def orient(samples: Samples, orientation: int) -> Samples:
    """Turn and mirror an image as its orientation tag asks.

    Parameters
    ----------
    samples : ndarray
        (H, W) or (H, W, channels).
    orientation : int
        EXIF and TIFF tag 274, 1 to 8. Any other value means that nobody knows better, and the image stays as it is.

    Returns
    -------
    ndarray
        Contiguous, of the same dtype; height and width change places for 5 to 8.
    """
    transformations: dict[int, Callable[[Samples], Samples]] = {
        2: lambda image: image[:, ::-1],
        3: lambda image: image[::-1, ::-1],
        4: lambda image: image[::-1],
        5: lambda image: image.swapaxes(0, 1),
        6: lambda image: np.rot90(image, -1),
        7: lambda image: np.rot90(image, 2).swapaxes(0, 1),
        8: lambda image: np.rot90(image, 1),
    }
    return np.ascontiguousarray(transformations.get(orientation, lambda image: image)(samples))


def exif_orientation(image: ImageFile.ImageFile, path: Path) -> int:
    """Return how a camera wants its picture turned.

    Parameters
    ----------
    image : PIL.ImageFile.ImageFile
        An open image.
    path : Path
        Its file, for the log.

    Returns
    -------
    int
        1 to 8, for `orient`; 1 where nobody knows.
    """
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    # Damaged notes of a camera are no reason to refuse the picture.
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, EOFError, struct.error) as error:
        logger.warning("%s: the EXIF notes are damaged, so the image stays as stored (%s)", path, error)
        return 1


def _pillow_decoder(open_image: Callable[[BinaryIO, str], ImageFile.ImageFile]) -> Decoder:
    """Make a decoder of one of Pillow's formats.

    The format's class is used instead of ``Image.open``, whose own pixel limit is one global number.
    """

    def decode(stream: BinaryIO, path: Path, pixel_limit: int, selection: Selection) -> Samples:
        with open_image(stream, str(path)) as image:
            require_size(path, image.height, image.width, pixel_limit)
            frames = getattr(image, "n_frames", 1)
            if frames > 1:
                image.seek(
                    choose(path, "frame", selection.frame, frames, f"an animation of {frames} pictures")
                )
            image.load()
            return orient(_pillow_samples(image, stream), exif_orientation(image, path))

    return decode


def choose(path: Path, name: str, chosen: int | None, count: int, whole: str, more: str = "") -> int:
    """Return which image of a file is meant; the only one need not be chosen.

    Parameters
    ----------
    path : Path
        The file, for messages.
    name : str
        What is chosen, as the option is called: ``frame``, ``slice``.
    chosen : int or None
        From 0.
    count : int
        How many there are.
    whole : str
        What the file is, with its article.
    more : str
        Further options that a choice may need, after a space.

    Raises
    ------
    UnsupportedImageError
        If it is not said which, or there is no such.
    """
    if count == 1:
        return 0
    if chosen is None:
        raise UnsupportedImageError(
            path,
            f"this is {whole}. Choose one, counted from 0:{more} --{name} {count // 2}, or save it as an image of its "
            "own.",
        )
    if not 0 <= chosen < count:
        raise UnsupportedImageError(path, f"there is no {name} {chosen}. Choose one from 0 to {count - 1}.")
    return chosen


def _pillow_samples(image: ImageFile.ImageFile, stream: BinaryIO) -> Samples:
    if isinstance(image, PngImagePlugin.PngImageFile):
        stream.seek(24)  # in the header chunk of every PNG file: bits a channel, then the colour type
        depth, colour_type = stream.read(2)
        if depth == 16 and colour_type in (2, 4, 6):
            # Pillow cuts 16-bit colour to 8 bits.
            stream.seek(0)
            samples = np.asarray(imagecodecs.png_decode(stream.read()))
            return samples[..., 0] if colour_type == 4 else samples[..., :3]
    if image.mode == "LA":
        return np.asarray(image.getchannel("L"))
    if image.mode in ("P", "PA"):
        # By way of RGBA, since Pillow warns of the transparency that plain RGB would lose.
        return np.asarray(image.convert("RGBA"))
    if image.mode in ("1", "L", "I", "F", "RGB", "RGBA") or image.mode.startswith("I;16"):
        return np.asarray(image)
    return np.asarray(image.convert("RGB"))


def _decode_npy(stream: BinaryIO, path: Path, pixel_limit: int, selection: Selection = WHOLE) -> Samples:
    sides, expected = _npy_header(stream, path, pixel_limit)
    size = stream.seek(0, io.SEEK_END)
    if size < expected:
        raise UnreadableImageError(
            path, f"the file is incomplete: {size} of {expected} bytes. Save or copy it again."
        )
    stream.seek(0)
    return np.asarray(np.load(stream, allow_pickle=False)).reshape(sides)


def _npy_header(stream: IO[bytes], path: Path, pixel_limit: int) -> tuple[tuple[int, ...], int]:
    """Return the shape of an array without its axes of length one, and how many bytes its file has."""
    version = npy_format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = npy_format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = npy_format.read_array_header_2_0(stream)
    else:
        raise UnsupportedImageError(
            path, f"this .npy file has version {version}, which only tables need. Save a plain array."
        )
    require_real(dtype, path)
    sides = plain_shape(shape, colour=True)
    if not (len(sides) == 2 or (len(sides) == 3 and shape[-1] in (3, 4))):
        text = "×".join(str(side) for side in shape) or "no dimension"
        raise UnsupportedImageError(
            path, f"this is an array of {text}, not one image of H×W, H×W×3 or H×W×4. Save a single slice."
        )
    require_size(path, sides[0], sides[1], pixel_limit)
    return sides, stream.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize


def _decode_tiff(stream: BinaryIO, path: Path, pixel_limit: int, selection: Selection) -> Samples:
    with tifffile.TiffFile(stream) as tiff:
        page = _tiff_page(tiff, path, selection)
        require_size(path, page.imagelength, page.imagewidth, pixel_limit)
        _require_all_segments(page, tiff.filehandle.size, path, pixel_limit)
        require_real(page.dtype, path)
        if page.samplesperpixel > MOST_CHANNELS:
            raise _unsupported_colours(page, page.samplesperpixel, path)
        samples = page.asarray()
        if page.axes == "SYX":
            samples = np.moveaxis(samples, 0, -1)
        orientation = int(page.tags.valueof(274, default=1))
        hidden = _no_data(samples, page.tags.valueof(GDAL_NO_DATA))
        image = orient(_tiff_colours(page, samples, path), orientation)
        if hidden is None:
            return image
        hidden = orient(hidden, orientation)
        channels = np.atleast_3d(hidden).repeat(image.shape[2], axis=2) if image.ndim == 3 else hidden
        return np.ma.MaskedArray(image, channels)


def tiff_pages(tiff: tifffile.TiffFile) -> Iterator[Any]:
    """Yield the pages of a TIFF file; the last is that after which one comes again, as damaged files go in circles."""
    met: set[int] = set()
    all_pages: Any = tiff.pages
    for page in all_pages:
        if page.offset in met:
            return
        met.add(page.offset)
        # A reduced copy beside the image (a thumbnail, a pyramid) does not make a stack.
        if not page.is_reduced:
            yield page


def _tiff_page(tiff: tifffile.TiffFile, path: Path, selection: Selection) -> Any:
    """Return the page that is meant."""
    pages: list[Any] = list(islice(tiff_pages(tiff), MOST_PAGES + 1))
    planes = int((tiff.imagej_metadata or {}).get("images", 1)) if tiff.is_imagej else 1
    if not pages or len(pages) > MOST_PAGES or pages[0].imagedepth > 1 or planes > len(pages):
        raise UnsupportedImageError(
            path,
            "this TIFF file is a stack in a form that cannot be taken apart. Save the image that you want.",
        )
    return pages[choose(path, "frame", selection.frame, len(pages), f"a stack of {len(pages)} images")]


def _no_data(samples: Samples, text: str | None) -> NDArray[np.bool_] | None:
    """Return which pixels have the value that a GeoTIFF declares to be no data; ``None`` where it declares none.

    The value is a text such as ``nan`` or ``-3.4e38``, which may have fewer digits than the numbers.
    """
    try:
        value = float(str(text).strip("\0 "))
    except ValueError:
        return None
    hidden: NDArray[np.bool_]
    if np.isnan(value):
        hidden = np.isnan(samples)
    elif abs(value) > LARGEST_INTENSITY:
        hidden = np.asarray(samples.astype(np.float64) * np.sign(value) > LARGEST_INTENSITY)
    else:
        hidden = np.isclose(samples.astype(np.float64), value, rtol=1e-6, atol=0)
    return hidden if hidden.ndim == 2 else np.all(hidden, axis=2)


def _require_all_segments(page: Any, file_size: int, path: Path, pixel_limit: int) -> None:
    """Refuse missing strips and tiles, which would be read as zeros, and tiles that burst the limit."""
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if not segments or any(count == 0 or offset + count > file_size for offset, count in segments):
        raise UnreadableImageError(
            path, "the file is incomplete: image data is missing. Save or copy it again."
        )
    if page.is_tiled and page.tilewidth * page.tilelength > max(pixel_limit, 1024 * 1024):
        raise TooManyPixelsError(
            path,
            f"its tiles of {page.tilelength}×{page.tilewidth} pixels are more than the limit of "
            f"{pixel_limit:,}. Save it with smaller tiles, or {_RAISE}.",
        )


def _tiff_colours(page: Any, samples: Samples, path: Path) -> Samples:
    photometric = page.photometric
    alpha = [int(kind) in (1, 2) for kind in page.extrasamples]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    if samples.dtype.kind == "b":
        samples = samples.astype(np.uint8)
    full = 2**page.bitspersample - 1 if samples.dtype.kind == "u" else 1
    if photometric in (_PHOTOMETRIC.MINISBLACK, _PHOTOMETRIC.MINISWHITE) and channels == 1 + sum(alpha):
        gray = samples if samples.ndim == 2 else samples[..., 0]
        return gray if photometric == _PHOTOMETRIC.MINISBLACK else full - gray.astype(np.float64)
    if photometric == _PHOTOMETRIC.PALETTE and channels == 1 and page.colormap is not None:
        return np.moveaxis(page.colormap[:, samples], 0, -1)
    decoded = photometric == _PHOTOMETRIC.YCBCR and page.compression == tifffile.COMPRESSION.JPEG
    if (photometric == _PHOTOMETRIC.RGB or decoded) and channels >= 3:
        return samples[..., :3]
    if photometric == _PHOTOMETRIC.SEPARATED and channels >= 4:
        inks = samples[..., :4].astype(np.float64) / full
        return (1 - inks[..., :3]) * (1 - inks[..., 3:]) * full
    raise _unsupported_colours(page, channels, path)


def _unsupported_colours(page: Any, channels: int, path: Path) -> UnsupportedImageError:
    kind = getattr(page.photometric, "name", page.photometric)
    return UnsupportedImageError(
        path,
        f"TIFF images with {channels} channels of kind {kind} are not supported. Save it as gray or RGB.",
    )


def _decode_jpeg2000(stream: BinaryIO, path: Path, pixel_limit: int, selection: Selection = WHOLE) -> Samples:
    with Jpeg2KImagePlugin.Jpeg2KImageFile(stream, str(path)) as image:
        require_size(path, image.height, image.width, pixel_limit)
    # Pillow cuts 16-bit colour to 8 bits.
    stream.seek(0)
    samples = np.asarray(imagecodecs.jpeg2k_decode(stream.read()))
    return samples[..., 0] if samples.ndim == 3 and samples.shape[2] < 3 else samples


def decode_npz(stream: BinaryIO, path: Path, pixel_limit: int, selection: Selection = WHOLE) -> Samples:
    """Decode the only array of a ``.npz`` file."""
    with zipfile.ZipFile(stream) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
        if len(members) != 1:
            names = ", ".join(member.filename.removesuffix(".npy") for member in members[:8]) or "none"
            raise UnsupportedImageError(
                path,
                f"a .npz file with one array can be read, and this has: {names}. Save the image by itself.",
            )
        with archive.open(members[0]) as packed:
            sides, expected = _npy_header(packed, path, pixel_limit)
        if members[0].file_size != expected:
            raise UnreadableImageError(path, "its array is incomplete. Save or copy it again.")
        with archive.open(members[0]) as packed:
            return np.asarray(np.load(io.BytesIO(packed.read()), allow_pickle=False)).reshape(sides)


DECODERS: tuple[tuple[int, bytes, Decoder], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", _pillow_decoder(PngImagePlugin.PngImageFile)),
    (0, b"\xff\xd8\xff", _pillow_decoder(JpegImagePlugin.JpegImageFile)),
    (0, b"GIF87a", _pillow_decoder(GifImagePlugin.GifImageFile)),
    (0, b"GIF89a", _pillow_decoder(GifImagePlugin.GifImageFile)),
    (0, b"BM", _pillow_decoder(BmpImagePlugin.BmpImageFile)),
    (8, b"WEBP", _pillow_decoder(WebPImagePlugin.WebPImageFile)),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", _decode_jpeg2000),
    (0, b"\xff\x4f\xff\x51", _decode_jpeg2000),
    (0, b"II*\x00", _decode_tiff),
    (0, b"MM\x00*", _decode_tiff),
    (0, b"II+\x00", _decode_tiff),
    (0, b"MM\x00+", _decode_tiff),
    (0, b"\x93NUMPY", _decode_npy),
    (0, b"PK\x03\x04", decode_npz),
)
"""Where each format's first bytes stand, what they are, and what decodes it."""

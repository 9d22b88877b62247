"""Reads one gray image from a file: the content decides the format, and every way to fail has its error.

There is one decoder a file format, from an open file to gray (H, W) or colour (H, W, 3 or 4) samples. Each finds out
the number of pixels from the header and refuses too many before it decodes any.
"""

from __future__ import annotations

import logging
import os
import stat
import struct
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
import tifffile
from numpy.lib import format as npy_format
from numpy.typing import NDArray
from PIL import BmpImagePlugin, ExifTags, GifImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin

from fusion.errors import (
    EmptyFileError,
    ImageFileError,
    MissingFileError,
    NonFiniteImageError,
    TooManyPixelsError,
    UnreadableImageError,
    UnsupportedImageError,
)

logger = logging.getLogger(__name__)

Samples = NDArray[Any]
Decoder = Callable[[BinaryIO, Path, int], Samples]

DEFAULT_PIXEL_LIMIT = 16_777_216
"""The most pixels (height times width) that an image may have unless told otherwise: 4096×4096."""

LUMA = (0.2989, 0.5870, 0.1140)
"""The weights of red, green and blue in the gray value of a colour image."""

MOST_CHANNELS = 5
"""Four inks and an alpha channel: no colour image has more."""

_PHOTOMETRIC = tifffile.PHOTOMETRIC
_EXPORT = "Export the image as PNG, TIFF or .npy and try again."


def read_image(path: Path | str, pixel_limit: int = DEFAULT_PIXEL_LIMIT) -> NDArray[Any]:
    """Read one gray image, in the file's own numbers.

    PNG, JPEG, GIF, BMP, TIFF and ``.npy`` are recognised by their content, whatever the file's name. Colour
    (RGB, palette, CMYK) becomes luma, 0.2989·R + 0.5870·G + 0.1140·B; an alpha channel and colour profiles
    are ignored; the orientation that a camera wrote is applied. Nothing is ever unpickled.

    Parameters
    ----------
    path : Path or str
        The file.
    pixel_limit : int
        The most pixels that it may have; found out before anything is decoded.

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
        It is a folder, or may not be read, or is not an image in one of the formats, or is damaged.
    UnsupportedImageError
        It is an animation, a stack, a volume, or has complex numbers or an unusual colour space.
    TooManyPixelsError
        It has more pixels than `pixel_limit`.
    NonFiniteImageError
        It has NaN or infinite values.
    """
    path = Path(path)
    require_file(path)
    try:
        with path.open("rb") as stream:
            start = stream.read(16)
            decode = next((decoder for magic, decoder in DECODERS if start.startswith(magic)), None)
            if decode is None:
                raise UnreadableImageError(
                    path, f"this is not a PNG, JPEG, GIF, BMP, TIFF or .npy image. {_EXPORT}"
                )
            stream.seek(0)
            samples = decode(stream, path, pixel_limit)
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
    if samples.ndim == 3 and samples.dtype.kind in "biuf":
        red, green, blue = (samples[..., channel].astype(np.float64) for channel in range(3))
        samples = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    return require_gray(samples, path)


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
        Anything that was read or handed over.
    name : Path or str
        The file or array that an error is about.

    Returns
    -------
    ndarray, shape (H, W)
        The same array; booleans as uint8, 0 and 1.

    Raises
    ------
    UnsupportedImageError, EmptyFileError, NonFiniteImageError
    """
    require_real(image.dtype, name)
    if image.ndim != 2:
        shape = "×".join(str(side) for side in image.shape) or "no dimension"
        raise UnsupportedImageError(
            name, f"this is an array of {shape}, not one image of height × width. Save a single slice."
        )
    if image.size == 0:
        raise EmptyFileError(name, f"the image has {image.shape[0]}×{image.shape[1]} pixels. Save it again.")
    if not np.isfinite(image).all():
        count = image.size - np.count_nonzero(np.isfinite(image))
        raise NonFiniteImageError(
            name, f"{count} of {image.size} pixels are NaN or infinite. Replace them, for example by 0."
        )
    return image.astype(np.uint8) if image.dtype.kind == "b" else image


def require_file(path: Path) -> None:
    """Refuse what is not a regular file with bytes: opening a pipe, for one, would wait for ever.

    Raises
    ------
    MissingFileError, EmptyFileError, UnreadableImageError
    """
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
            f"{height}×{width} pixels are more than the limit of {pixel_limit:,}. "
            "Crop or downsample the image, or raise the limit.",
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

    def decode(stream: BinaryIO, path: Path, pixel_limit: int) -> Samples:
        with open_image(stream, str(path)) as image:
            require_size(path, image.height, image.width, pixel_limit)
            frames = getattr(image, "n_frames", 1)
            if frames > 1:
                raise UnsupportedImageError(
                    path, f"this is an animation of {frames} pictures. Save the one that you want."
                )
            image.load()
            return orient(_pillow_samples(image, stream), exif_orientation(image, path))

    return decode


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


def _decode_npy(stream: BinaryIO, path: Path, pixel_limit: int) -> Samples:
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
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))):
        text = "×".join(str(side) for side in shape) or "no dimension"
        raise UnsupportedImageError(
            path, f"this is an array of {text}, not one image of H×W, H×W×3 or H×W×4. Save a single slice."
        )
    require_size(path, shape[0], shape[1], pixel_limit)
    expected = stream.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize
    size = os.fstat(stream.fileno()).st_size
    if size < expected:
        raise UnreadableImageError(
            path, f"the file is incomplete: {size} of {expected} bytes. Save or copy it again."
        )
    stream.seek(0)
    return np.asarray(np.load(stream, allow_pickle=False))


def _decode_tiff(stream: BinaryIO, path: Path, pixel_limit: int) -> Samples:
    with tifffile.TiffFile(stream) as tiff:
        # A reduced copy beside the image (a thumbnail, a pyramid) does not make a stack.
        all_pages: Any = tiff.pages
        pages: list[Any] = list(islice((page for page in all_pages if not page.is_reduced), 2))
        planes = int((tiff.imagej_metadata or {}).get("images", 1)) if tiff.is_imagej else 1
        if len(pages) != 1 or planes > 1 or pages[0].imagedepth > 1:
            raise UnsupportedImageError(
                path, "this TIFF file is a stack of several images. Save the one that you want."
            )
        page = pages[0]
        require_size(path, page.imagelength, page.imagewidth, pixel_limit)
        _require_all_segments(page, tiff.filehandle.size, path, pixel_limit)
        require_real(page.dtype, path)
        if page.samplesperpixel > MOST_CHANNELS:
            raise _unsupported_colours(page, page.samplesperpixel, path)
        samples = page.asarray()
        if page.axes == "SYX":
            samples = np.moveaxis(samples, 0, -1)
        orientation = page.tags.valueof(274, default=1)
        return orient(_tiff_colours(page, samples, path), int(orientation))


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
            f"{pixel_limit:,}. Save it with smaller tiles.",
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


DECODERS: tuple[tuple[bytes, Decoder], ...] = (
    (b"\x89PNG\r\n\x1a\n", _pillow_decoder(PngImagePlugin.PngImageFile)),
    (b"\xff\xd8\xff", _pillow_decoder(JpegImagePlugin.JpegImageFile)),
    (b"GIF87a", _pillow_decoder(GifImagePlugin.GifImageFile)),
    (b"GIF89a", _pillow_decoder(GifImagePlugin.GifImageFile)),
    (b"BM", _pillow_decoder(BmpImagePlugin.BmpImageFile)),
    (b"II*\x00", _decode_tiff),
    (b"MM\x00*", _decode_tiff),
    (b"II+\x00", _decode_tiff),
    (b"MM\x00+", _decode_tiff),
    (b"\x93NUMPY", _decode_npy),
)
"""The first bytes of each format, and what decodes it."""

"""Reads one gray image from a file: the content decides the format, and every way to fail has its error."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fusion.decoders import DECODERS, require_real
from fusion.errors import (
    EmptyFileError,
    ImageFileError,
    MissingFileError,
    NonFiniteImageError,
    TooManyPixelsError,
    UnreadableImageError,
    UnsupportedImageError,
)

DEFAULT_PIXEL_LIMIT = 16_777_216
"""The most pixels (height times width) that an image may have unless told otherwise: 4096×4096."""

LUMA = (0.2989, 0.5870, 0.1140)
"""The weights of red, green and blue in the gray value of a colour image."""

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
    """Read one gray image as float64 (H, W), not scaled; see `read_image`."""
    return read_image(path, pixel_limit).astype(np.float64)


def require_gray(image: NDArray[Any], name: Path | str) -> NDArray[Any]:
    """Return the image if it is (H, W), real, finite and not empty; booleans become 0 and 1.

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

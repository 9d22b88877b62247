"""Regions in files: PNG masks, and the masks that come with a pair."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.errors import ImageFileError, OutputError, RegionError, UnsupportedImageError
from fusion.reading import exif_orientation, orient, read_image, require_file
from fusion.statistics.regions import Region

INSIDE_ABOVE = 127
"""Gray values above this one are inside: of 8 bits, the brighter half."""

OPAQUE_ABOVE = 127
"""Pixels whose alpha is not above this one are transparent, and so outside."""
ONE_COLOUR = 2
"""Gray values this close are one: programs that write half transparent pixels round their colours."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_BYTES = 26
_GRAY = 0
_SAVE = "Save it as an 8-bit gray PNG, 255 inside and 0 outside."


def read_region(path: Path | str, shape: tuple[int, int], name: str | None = None) -> Region:
    """Read a PNG mask.

    Gray values above 127 of 255 are inside, and colour counts by its luma; masks of 1 bit are taken as they are.
    Transparent pixels are outside. Where all others have one colour, whichever it is, they are inside: such a file
    has its mask in the alpha channel.

    Parameters
    ----------
    path : Path or str
        The file.
    shape : tuple of int
        (H, W) of the images that the region belongs to.
    name : str, optional
        The region's name; without it, the file's name without its extension.

    Raises
    ------
    RegionError
        If it is not a PNG file of at most 8 bits a channel, is damaged, has another size than the images (found out
        before it is decoded), or has values that are all 127 or less without being all 0: a mask of 0 and 1, for
        instance.
    ImageFileError
        If the file cannot be read.
    """
    path = Path(path)
    header = _header(path)
    if header.depth > 8:
        raise RegionError(f"{path}: a mask has at most 8 bits, this file has {header.depth}. {_SAVE}")
    # The notes of a camera may say that the picture lies on its side.
    if shape not in (header.shape, header.shape[::-1]):
        raise _other_size(path, header.shape, shape)
    try:
        values = read_image(path, pixel_limit=shape[0] * shape[1])
        opaque = _opaque(path)
    except UnsupportedImageError:
        raise
    # What decoders raise on damaged content is not documented; a palette file without its palette is an AssertionError.
    except Exception as error:
        raise RegionError(f"{path}: the file is damaged or incomplete. {_SAVE}") from error
    region = Region(path.stem if name is None else name, _inside(path, values, opaque, header))
    if region.shape != shape:
        raise _other_size(path, region.shape, shape)
    return region


def write_region(region: Region, path: Path | str) -> None:
    """Write a region as an 8-bit gray PNG: 255 inside, 0 outside. A file that exists is replaced.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        Image.fromarray(region.mask.astype(np.uint8) * 255).save(path, format="PNG")
    except OSError as error:
        raise OutputError(f"The mask {path} cannot be written: {error}.") from error


def known_regions(catalogue: Catalogue, entry: PairEntry) -> tuple[Region, ...]:
    """Return the regions that come with a pair, such as a sample's core, rim and healthy tissue.

    Raises
    ------
    ImageFileError
        If a mask cannot be read.
    """
    return tuple(Region(name, mask) for name, mask in catalogue.regions(entry).items())


def known_region(catalogue: Catalogue, entry: PairEntry, name: str) -> Region:
    """Return one of the regions that come with a pair, by its name.

    Raises
    ------
    RegionError
        If the pair has no such region.
    ImageFileError
        If a mask cannot be read.
    """
    regions = {region.name: region for region in known_regions(catalogue, entry)}
    if name not in regions:
        raise RegionError(
            f"The pair {entry.address} has no region {name!r}. "
            f"It comes with: {', '.join(regions) or 'no regions at all'}."
        )
    return regions[name]


@dataclass(frozen=True)
class _Header:
    """Head of a PNG file: bits a channel, the colour type, and (H, W) as it is stored."""

    depth: int
    colour_type: int
    shape: tuple[int, int]


def _header(path: Path) -> _Header:
    """Return what the header chunk says that every PNG file begins with."""
    require_file(path)
    try:
        with path.open("rb") as stream:
            start = stream.read(_HEADER_BYTES)
    except OSError as error:
        raise ImageFileError(path, f"the file cannot be read ({error.strerror}).") from error
    if not start.startswith(_PNG_SIGNATURE):
        raise RegionError(f"{path}: a mask is a PNG file, and this is another format. {_SAVE}")
    if len(start) < _HEADER_BYTES:
        raise RegionError(f"{path}: the file is damaged or incomplete. {_SAVE}")
    width, height, depth, colour_type = struct.unpack(">IIBB", start[16:])
    return _Header(depth, colour_type, (height, width))


def _opaque(path: Path) -> NDArray[np.bool_] | None:
    """Return which pixels are not transparent; None where all are opaque."""
    with path.open("rb") as stream, PngImagePlugin.PngImageFile(stream, str(path)) as image:
        if not image.has_transparency_data:
            return None
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))
        opaque = orient(alpha, exif_orientation(image, path)) > OPAQUE_ABOVE
    return None if opaque.all() else opaque


def _inside(
    path: Path, values: NDArray[Any], opaque: NDArray[np.bool_] | None, header: _Header
) -> NDArray[np.bool_]:
    seen = values if opaque is None else values[opaque]
    if opaque is not None and (not seen.size or np.ptp(seen) <= ONE_COLOUR):
        return opaque
    one_bit = header.depth == 1 and header.colour_type == _GRAY
    bright = values > (0 if one_bit else INSIDE_ABOVE)
    mask = bright if opaque is None else bright & opaque
    if seen.any() and not mask.any():
        raise RegionError(
            f"{path}: nothing is inside, since no value exceeds {INSIDE_ABOVE}; the largest is {seen.max():g}. {_SAVE}"
        )
    return mask


def _other_size(path: Path, found: tuple[int, int], wanted: tuple[int, int]) -> RegionError:
    return RegionError(
        f"{path} has {found[0]}×{found[1]} pixels, the images have {wanted[0]}×{wanted[1]} (height × width). "
        "Draw the mask on these images."
    )

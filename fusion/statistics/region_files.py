"""Regions in files: PNG masks, and the masks that come with a pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.errors import ImageFileError, OutputError, RegionError
from fusion.reading import DEFAULT_PIXEL_LIMIT, read_image
from fusion.statistics.regions import Region

INSIDE_ABOVE = 127
"""Gray values above this one are inside: of 8 bits, the brighter half."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GRAY = 0
_SAVE = "Save it as an 8-bit gray PNG, 255 inside and 0 outside."


def read_region(
    path: Path | str,
    shape: tuple[int, int],
    name: str | None = None,
    pixel_limit: int = DEFAULT_PIXEL_LIMIT,
) -> Region:
    """Read a PNG mask.

    Gray values above 127 of 255 are inside. Colour counts by its luma, an alpha channel not at all; masks of
    1 bit are taken as they are.

    Parameters
    ----------
    path : Path or str
        The file.
    shape : tuple of int
        (H, W) of the images that the region belongs to.
    name : str, optional
        The region's name; without it, the file's name without its extension.
    pixel_limit : int
        The most pixels that the mask may have; found out before it is decoded.

    Raises
    ------
    RegionError
        If it is not a PNG file of at most 8 bits a channel, has another size than the images, or has values
        that are all 127 or less without being all 0: a mask of 0 and 1, for instance.
    ImageFileError
        If the file cannot be read.
    """
    path = Path(path)
    values = read_image(path, pixel_limit)
    depth, colour_type = _depth_and_colour(path)
    if depth > 8:
        raise RegionError(f"{path}: a mask has at most 8 bits, this file has {depth}. {_SAVE}")
    if depth == 1 and colour_type == _GRAY:
        mask = values > 0
    else:
        mask = values > INSIDE_ABOVE
        if values.any() and not mask.any():
            raise RegionError(
                f"{path}: nothing is inside, since no value exceeds {INSIDE_ABOVE}; the largest is "
                f"{values.max():g}. {_SAVE}"
            )
    region = Region(path.stem if name is None else name, mask)
    if region.shape != shape:
        raise RegionError(
            f"{path} has {region.shape[0]}×{region.shape[1]} pixels, the images have {shape[0]}×{shape[1]} "
            "(height × width). Draw the mask on these images."
        )
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


def _depth_and_colour(path: Path) -> tuple[int, int]:
    """Return bits a channel and the colour type, from the header chunk that every PNG file begins with."""
    try:
        with path.open("rb") as stream:
            start = stream.read(26)
    except OSError as error:
        raise ImageFileError(path, f"the file cannot be read ({error}).") from error
    if not start.startswith(_PNG_SIGNATURE):
        raise RegionError(f"{path}: a mask is a PNG file, and this is another format. {_SAVE}")
    return start[24], start[25]

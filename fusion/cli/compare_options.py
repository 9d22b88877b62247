"""How the options of the command `compare` become methods, regions, pixels and a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import typer

from fusion.cli.file_names import named_file
from fusion.cli.options import parse_pixel
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.methods.registry import method_ids, method_specification
from fusion.pair import Pair
from fusion.saliency.jacobian import checked_pixel
from fusion.saliency.window import Box, Pixel
from fusion.statistics.region_files import known_regions, read_region
from fusion.statistics.regions import Region, box_region, described_regions, inside_head, whole_image

PAPER_METHODS = 5
"""The first methods of the registry are the paper's."""


def choose_methods(wanted: Sequence[str] | None) -> list[str]:
    """Return the ids of the methods to compare, each once; the paper's five if none is named.

    Raises
    ------
    UnknownMethodError
        If there is no such method.
    """
    ids = list(dict.fromkeys(wanted or method_ids()[:PAPER_METHODS]))
    for id in ids:
        method_specification(id)
    return ids


def choose_regions(wanted: Sequence[str], entry: PairEntry, pair: Pair) -> tuple[list[Region], list[Path]]:
    """Return the regions to describe, and the mask files among them.

    The whole image, the head and what comes with the pair are always there; a region of the user takes the
    place of one of the same name.

    Raises
    ------
    RegionError, ImageFileError
        If a region cannot be used, or two of the user have the same name.
    """
    masks: list[Path] = []
    own = [_parse_region(text, pair.shape, masks) for text in wanted]
    ready = (whole_image(pair.shape), inside_head(pair), *known_regions(Catalogue(), entry))
    return described_regions(ready, own), masks


def choose_pixels(wanted: Sequence[str] | None, entry: PairEntry, pair: Pair) -> list[Pixel]:
    """Return the principal pixels, each once; that of the sample if none is named.

    Raises
    ------
    typer.BadParameter
        If one is not written as ROW,COL.
    PixelOutsideImageError
        If one is not in the image.
    """
    if wanted:
        pixels = [parse_pixel(text) for text in wanted]
    else:
        pixels = [] if entry.default_pixel is None else [entry.default_pixel]
    return list(dict.fromkeys(checked_pixel(pixel, pair.shape) for pixel in pixels))


def table_file(output: str | None, entry: PairEntry) -> Path:
    """Return the CSV file to write; nothing is looked for or made yet.

    Raises
    ------
    typer.BadParameter
        If it is a folder, or has another extension than ``.csv``.
    """
    return Path(f"{entry.address}_compare.csv") if output is None else named_file(output, ".csv")


def _parse_region(text: str, shape: tuple[int, int], masks: list[Path]) -> Region:
    name, equals, value = text.partition("=")
    # A file may have an equals sign in its own name.
    if Path(text).is_file() or (text.strip() and not equals):
        masks.append(Path(text))
        return read_region(text, shape)
    name = name.strip()
    if not name:
        raise _refused(text, "has no name before the equals sign" if equals else "is empty")
    if not value.strip():
        raise _refused(text, "has nothing after the equals sign")
    if re.fullmatch(r"\s*-?\d+\s*(,\s*-?\d+\s*){3}", value):
        top, left, bottom, right = (int(side) for side in value.split(","))
        return box_region(name, Box(top, left, bottom, right), shape)
    file = Path(value if Path(value).is_file() else value.strip())
    if "," in value and not file.is_file():
        raise _refused(text, "is no box of four whole numbers, and no such file is there")
    masks.append(file)
    return read_region(file, shape, name)


def _refused(text: str, why: str) -> typer.BadParameter:
    return typer.BadParameter(
        f"{text!r} {why}. Give FILE.png, NAME=FILE.png or NAME=TOP,LEFT,BOTTOM,RIGHT.", param_hint="--region"
    )

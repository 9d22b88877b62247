"""How the options of the command `compare` become methods, regions, pixels and a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import typer

from fusion.cli_options import parse_pixel
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.methods.registry import method_ids, method_specification
from fusion.pair import Pair
from fusion.results import prepare_files
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


def choose_table_file(output: Path | None, entry: PairEntry, masks: Sequence[Path]) -> Path:
    """Return the CSV file to write, after a check that it can be written.

    Raises
    ------
    typer.BadParameter
        If the name has another extension than ``.csv``.
    OutputError
        If it cannot be written, or would replace an input.
    """
    file = Path(f"{entry.address}_compare.csv") if output is None else output
    if file.suffix == "":
        file = file.with_name(f"{file.name}.csv")
    elif file.suffix != ".csv":
        raise typer.BadParameter(f"{file}: the name of the table ends in .csv.")
    prepare_files([file], [*entry.paths, *masks])
    return file


def _parse_region(text: str, shape: tuple[int, int], masks: list[Path]) -> Region:
    name, equals, value = text.partition("=")
    # A file may have an equals sign in its own name.
    if Path(text).is_file() or not equals:
        masks.append(Path(text))
        return read_region(text, shape)
    if not name.strip():
        raise typer.BadParameter(
            f"{text!r}: a region needs a name before the equals sign, as in core=core.png."
        )
    if re.fullmatch(r"\s*-?\d+\s*(,\s*-?\d+\s*){3}", value):
        top, left, bottom, right = (int(side) for side in value.split(","))
        return box_region(name, Box(top, left, bottom, right), shape)
    if "," in value and not Path(value).is_file():
        raise typer.BadParameter(
            f"{text!r} is neither NAME=FILE.png nor NAME=TOP,LEFT,BOTTOM,RIGHT with four whole numbers."
        )
    masks.append(Path(value))
    return read_region(value, shape, name)

"""The command that compares methods in numbers, and the methods, regions, pixels and file that its options name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import fusion
from fusion.cli.compare_tables import show_tables
from fusion.cli.options import (
    AirOption,
    DeviceOption,
    ModalitiesOption,
    MriOption,
    PetOption,
    Precision,
    PrecisionOption,
    SampleOption,
    choose_pair,
    console,
    load_images,
    name_files,
    named_file,
    parse_pixel,
    progress_bar,
    say,
)
from fusion.cli.reading import ReadingOptions, reading_options
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.errors import OutputError
from fusion.methods.base import FIRST_VARIANT, Method
from fusion.methods.registry import load_method, method_ids, method_specification
from fusion.output_files import prepare_files
from fusion.pair import Pair
from fusion.saliency.jacobian import checked_pixel
from fusion.saliency.window import Box, Pixel
from fusion.statistics.comparison import MethodComparison, cautions, compare_method
from fusion.statistics.influence import DEFAULT_LIMIT
from fusion.statistics.records import csv_text, records
from fusion.statistics.region_files import known_regions, read_region
from fusion.statistics.regions import (
    Region,
    box_region,
    described_regions,
    inside_head,
    whole_image,
    without_air,
)

MethodsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        "-m",
        metavar="ID",
        help="A method to compare, repeatable; the paper's five and the baselines unless named.",
        show_default=False,
    ),
]
RegionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--region",
        "-r",
        metavar="REGION",
        help="A region of interest, repeatable: FILE.png or NAME=FILE.png, a mask that is brighter than 127 "
        "inside, or NAME=TOP,LEFT,BOTTOM,RIGHT, a box without its last row and column. Regions named core, "
        "rim and healthy decide the checklist; samples with a lesion have them.",
        show_default=False,
    ),
]
PixelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--pixel",
        "-p",
        metavar="ROW,COL",
        help="A principal pixel, counted from 0, repeatable; samples have one of their own.",
        show_default=False,
    ),
]
LimitOption = Annotated[
    int,
    typer.Option(
        min=1, metavar="N", help="Most principal pixels that stand for a region, on a regular grid."
    ),
]
TableOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE.csv",
        help="Where the table of all numbers goes; a file that exists is replaced. Without this option, a "
        "file in the current folder that is named after the pair.",
        show_default=False,
    ),
]


@reading_options
def compare_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    modalities: ModalitiesOption = None,
    method: MethodsOption = None,
    region: RegionsOption = None,
    pixel: PixelsOption = None,
    limit: LimitOption = DEFAULT_LIMIT,
    output: TableOption = None,
    air: AirOption = False,
    dtype: PrecisionOption = Precision.FLOAT32,
    device: DeviceOption = "auto",
    *,
    reading: ReadingOptions,
) -> None:
    """Compare methods in numbers: guidance and influence by region and pixel, and the paper's requirements.

    Writes all numbers as one CSV file and prints tables of them. docs/statistics.md defines them.
    """
    entry = choose_pair(mri, pet, sample, modalities)
    file, ids = table_file(output, entry), choose_methods(method)
    with console.status("Loading"):
        pair = load_images(entry, reading)
        regions, masks = choose_regions(region or (), entry, pair)
        if not air:
            regions = without_air(regions, fusion.air_mask(pair))
        pixels = choose_pixels(pixel, entry, pair)
        # All at once: a network that cannot be used is better known before minutes of computing.
        methods = [load_method(id, device) for id in ids]
        # Last, since it makes a folder: a mistake leaves nothing behind.
        prepare_files([file], [*entry.paths, *masks])
    comparisons = [
        _compared(chosen, pair, regions, pixels, limit, dtype.value, entry.modalities) for chosen in methods
    ]
    for caution in dict.fromkeys(one for comparison in comparisons for one in cautions(comparison)):
        say(f"Warning: {caution}", warning=True)
    try:
        _write(file, csv_text(records(entry.address, pair.id, comparisons)))
    finally:
        # After the file, which takes minutes to make again, but shown even where that cannot be written.
        show_tables(comparisons, entry.modalities)
    name_files([file])


def _compared(
    method: Method,
    pair: Pair,
    regions: list[Region],
    pixels: list[Pixel],
    limit: int,
    dtype: str,
    modalities: tuple[str, str],
) -> MethodComparison:
    fused = fusion.fuse(method, pair, dtype)
    with progress_bar(f"{method.title}, guidance images") as show:
        guidance = fusion.guidance(method, pair, lambda done, total, _: show(done, total), dtype)
    with progress_bar(f"{method.title}, influence") as show:
        return compare_method(method, pair, fused, guidance, regions, pixels, limit, dtype, modalities, show)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise OutputError(f"The results cannot be written: {error}.") from error


def choose_methods(wanted: Sequence[str] | None) -> list[str]:
    """Return the ids of the methods to compare, each once; the paper's five and the baselines if none is named.

    Raises
    ------
    UnknownMethodError
        If there is no such method.
    """
    compared = (id for id in method_ids() if method_specification(id).order < FIRST_VARIANT)
    ids = list(dict.fromkeys(wanted or compared))
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
    own = [parse_region(text, pair.shape, masks) for text in wanted]
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


def parse_region(text: str, shape: tuple[int, int], masks: list[Path]) -> Region:
    """Return the region that a text describes; where that is a file of a mask, it is added to `masks`.

    Raises
    ------
    typer.BadParameter, RegionError, ImageFileError
        If it describes none, or one that cannot be used.
    """
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

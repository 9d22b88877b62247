"""The command that compares methods in numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import fusion
from fusion.cli.compare_options import choose_methods, choose_pixels, choose_regions, table_file
from fusion.cli.compare_tables import show_tables
from fusion.cli.options import (
    DeviceOption,
    MriOption,
    PetOption,
    PixelLimitOption,
    Precision,
    PrecisionOption,
    SampleOption,
    choose_pair,
    console,
    progress_bar,
    report,
    say,
)
from fusion.errors import OutputError
from fusion.methods.base import Method
from fusion.methods.registry import load_method
from fusion.output_files import prepare_files
from fusion.pair import Pair, load_pair
from fusion.reading import DEFAULT_PIXEL_LIMIT
from fusion.saliency.window import Pixel
from fusion.statistics.cautions import cautions
from fusion.statistics.comparison import MethodComparison, compare_method
from fusion.statistics.influence import DEFAULT_LIMIT
from fusion.statistics.records import csv_text, records
from fusion.statistics.regions import Region


def compare_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            "-m",
            metavar="ID",
            help="A method to compare, repeatable; the paper's five unless named.",
            show_default=False,
        ),
    ] = None,
    region: Annotated[
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
    ] = None,
    pixel: Annotated[
        list[str] | None,
        typer.Option(
            "--pixel",
            "-p",
            metavar="ROW,COL",
            help="A principal pixel, counted from 0, repeatable; samples have one of their own.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Most principal pixels that stand for a region, on a regular grid."
        ),
    ] = DEFAULT_LIMIT,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.csv",
            help="Where the table of all numbers goes; a file that exists is replaced. Without this option, a "
            "file in the current folder that is named after the pair.",
            show_default=False,
        ),
    ] = None,
    dtype: PrecisionOption = Precision.FLOAT32,
    device: DeviceOption = "auto",
    pixel_limit: PixelLimitOption = DEFAULT_PIXEL_LIMIT,
) -> None:
    """Compare methods in numbers: guidance and influence by region and pixel, and the paper's requirements.

    Writes all numbers as one CSV file and prints tables of them. docs/statistics.md defines them.
    """
    entry = choose_pair(mri, pet, sample)
    file, ids = table_file(output, entry), choose_methods(method)
    with console.status("Loading"):
        pair = load_pair(*entry.paths, pixel_limit)
        regions, masks = choose_regions(region or (), entry, pair)
        pixels = choose_pixels(pixel, entry, pair)
        # All at once: a network that cannot be used is better known before minutes of computing.
        methods = [load_method(id, device) for id in ids]
        # Last, since it makes a folder: a mistake leaves nothing behind.
        prepare_files([file], [*entry.paths, *masks])
    comparisons = [
        _compared(chosen, pair, regions, pixels, limit, dtype.value, entry.modalities) for chosen in methods
    ]
    for comparison in comparisons:
        for caution in cautions(comparison):
            say(f"Warning: {caution}", warning=True)
    try:
        _write(file, csv_text(records(entry.address, pair.id, comparisons)))
    finally:
        # After the file, which takes minutes to make again, but shown even where that cannot be written.
        show_tables(comparisons, entry.modalities)
    report([file])


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

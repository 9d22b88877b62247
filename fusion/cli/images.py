"""The commands that compute images of a pair: fused, Jacobian and guidance images, and the atlas of all Jacobians."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

import fusion
from fusion.chroma import coloured
from fusion.cli.options import (
    AirOption,
    DeviceOption,
    EndOption,
    GammaOption,
    Inputs,
    MethodOption,
    ModalitiesOption,
    MriOption,
    OutputOption,
    PetOption,
    PicturesOption,
    Precision,
    PrecisionOption,
    SampleOption,
    ScaleOption,
    checked_end,
    choose_files,
    choose_pair,
    console,
    load_inputs,
    name_files,
    named_file,
    parse_pixel,
    progress_bar,
    say,
)
from fusion.cli.reading import ReadingOptions, reading_options
from fusion.colours import Limits, Scale, counted, gradient_colours, gray_range, grays, hatched, rgb_bytes
from fusion.durations import spoken
from fusion.output_files import COLOUR_UNITS, GRADIENT_UNITS, INTENSITY_UNITS, prepare_files, write_picture
from fusion.saliency.atlas import Atlas, atlas_bytes, atlas_folder
from fusion.saliency.atlas_estimate import check_space, estimate
from fusion.saliency.atlas_store import outdated_atlas
from fusion.saliency.estimated_guidance import LEAST_ROUNDS, SPACING
from fusion.saliency.guidance import guidance_seconds
from fusion.saliency.jacobian import checked_pixel
from fusion.statistics.regions import described_air

DEFAULT_METHOD = "funfusean"
LONG_S = 60.0
"""Seconds of guidance images of which it is said beforehand how long they take."""

PixelOption = Annotated[
    str | None,
    typer.Option(
        "--pixel",
        "-p",
        metavar="ROW,COL",
        help="The principal pixel of the fused image, counted from 0; samples have one of their own.",
        show_default=False,
    ),
]
ColourOption = Annotated[
    bool,
    typer.Option(
        "--colour",
        help="Also the fused image in colour: its luma is the fused image, its chroma that of colour inputs. "
        "With --output FILE.png that picture alone.",
    ),
]
EstimateOption = Annotated[
    int | None,
    typer.Option(
        "--estimate",
        metavar="ROUNDS",
        min=LEAST_ROUNDS,
        help=f"Estimates with a standard error a pixel instead of exact values, from {SPACING**2} passes a round: for "
        "networks of which every pixel takes a pass through the whole image. Four times as many halve the error.",
        show_default=False,
    ),
]
FolderOption = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="Folder of atlases; the server reads the one that FUSEVIS_ATLAS_DIR names.",
    ),
]


@reading_options
def fuse_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    modalities: ModalitiesOption = None,
    method: MethodOption = DEFAULT_METHOD,
    output: OutputOption = None,
    pictures: PicturesOption = True,
    colour: ColourOption = False,
    dtype: PrecisionOption = Precision.FLOAT32,
    device: DeviceOption = "auto",
    *,
    reading: ReadingOptions,
) -> None:
    """Fuse a pair.

    Writes the fused image (array `fused`, H×W) and a gray picture of it; with --colour also `fused_colour` (3×H×W).
    """
    entry = choose_pair(mri, pet, sample, modalities)
    alone = named_file(output, ".png") if colour and output and output.endswith(".png") else None
    names = ("fused", "colour") if colour else ("fused",)
    with console.status("Fusing"):
        inputs = load_inputs(entry, method, device, reading)
        if alone is not None:
            prepare_files((alone,), entry.paths)
        else:
            files = choose_files(
                output, f"{entry.address}_{inputs.method.id}", names if pictures else (), entry
            )
        fused = fusion.fuse(inputs.method, inputs.pair, dtype.value)
    metadata = inputs.described(dtype, reading) | {"units": {"fused": INTENSITY_UNITS}}
    arrays, drawn = {"fused": fused}, {"fused": grays(fused, *gray_range(fused))}
    if colour:
        if not any(inputs.pair.in_colour):
            say("Note: neither image has colours, so that the fused picture in colour is gray.", warning=True)
        arrays["fused_colour"] = coloured(fused, inputs.pair.colours)
        drawn["colour"] = rgb_bytes(np.moveaxis(arrays["fused_colour"], 0, -1))
        metadata["units"]["fused_colour"] = COLOUR_UNITS
    if alone is not None:
        name_files([write_picture(alone, drawn["colour"], metadata | {"units": {"picture": COLOUR_UNITS}})])
    else:
        name_files(files.write(arrays, metadata, drawn))


@reading_options
def jacobian_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    modalities: ModalitiesOption = None,
    pixel: PixelOption = None,
    method: MethodOption = DEFAULT_METHOD,
    output: OutputOption = None,
    pictures: PicturesOption = True,
    scale: ScaleOption = Scale.PAPER,
    gamma: GammaOption = 0.3,
    vmax: EndOption = None,
    dtype: PrecisionOption = Precision.FLOAT32,
    device: DeviceOption = "auto",
    *,
    reading: ReadingOptions,
) -> None:
    """Differentiate one fused pixel with respect to every input pixel.

    Writes both Jacobian images (array `jacobian`, 2×H×W, zeros outside the support) and a picture of each,
    with the same colours for both.
    """
    end = checked_end(vmax)
    entry = choose_pair(mri, pet, sample, modalities)
    chosen = parse_pixel(pixel) if pixel is not None else entry.default_pixel
    if chosen is None:
        raise typer.BadParameter("Say which pixel: --pixel ROW,COL.")
    with console.status("Differentiating"):
        inputs = load_inputs(entry, method, device, reading)
        name = f"{entry.address}_{inputs.method.id}_jacobian_{chosen[0]}_{chosen[1]}"
        checked_pixel(chosen, inputs.pair.shape)
        files = choose_files(output, name, ("x1", "x2") if pictures else (), entry)
        window = fusion.jacobian(inputs.method, inputs.pair, chosen, dtype.value)
    if window.suspicious:
        say("Warning: some gradients here are not finite or suspiciously large.", warning=True)
    end = end if end is not None else Limits.of(window.values).end(scale)
    metadata = inputs.described(dtype, reading) | {
        "units": {"jacobian": GRADIENT_UNITS},
        "pixel": {"row": window.row, "col": window.col},
        "window": {"top": window.top, "left": window.left, "shape": window.values.shape[1:]},
        "picture": {"scale": scale, "vmax": end, "gamma": gamma},
    }
    dense = window.dense()
    x1, x2 = (gradient_colours(image, scale, end, gamma, window.box.slices) for image in dense)
    name_files(files.write({"jacobian": dense}, metadata, {"x1": x1, "x2": x2}))
    at1, at2 = window.at_principal
    say(f"At the pixel itself: dy/dx1 = {at1:.6g}, dy/dx2 = {at2:.6g}")


@reading_options
def guidance_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    modalities: ModalitiesOption = None,
    method: MethodOption = DEFAULT_METHOD,
    output: OutputOption = None,
    pictures: PicturesOption = True,
    scale: ScaleOption = Scale.PAPER,
    gamma: GammaOption = 0.5,
    vmax: EndOption = None,
    air: AirOption = False,
    estimate: EstimateOption = None,
    dtype: PrecisionOption = Precision.FLOAT32,
    device: DeviceOption = "auto",
    *,
    reading: ReadingOptions,
) -> None:
    """Differentiate every fused pixel with respect to the input pixels at the same place.

    Writes both guidance images (array `guidance`, 2×H×W), the fused image (`fused`, H×W), a picture of
    each, and guidance RGB: red is guidance of x1, green that of x2, blue the fused image. The air (array `air`, H×W) is
    hatched in these pictures, unless it counts. With --estimate the arrays `guidance_estimate` and `standard_error`
    (2×H×W) instead of `guidance`.
    """
    end = checked_end(vmax)
    entry = choose_pair(mri, pet, sample, modalities)
    names = ("x1", "x2", "fused", "rgb") if pictures else ()
    kind = "guidance" if estimate is None else "guidance_estimate"
    with console.status("Fusing"):
        inputs = load_inputs(entry, method, device, reading)
        files = choose_files(output, f"{entry.address}_{inputs.method.id}_{kind}", names, entry)
        fused = fusion.fuse(inputs.method, inputs.pair, dtype.value)
    found, said = _exact(inputs, dtype) if estimate is None else _estimated(inputs, estimate, dtype)
    there = fusion.air_mask(inputs.pair)
    without = None if air or not there.any() else there
    shown = counted(found[kind], without)
    end = end if end is not None else Limits.of(shown).end(scale)
    metadata = inputs.described(dtype, reading) | {
        "units": dict.fromkeys(found, GRADIENT_UNITS) | {"fused": INTENSITY_UNITS},
        "picture": {"scale": scale, "vmax": end, "gamma": gamma},
        **described_air(there, inputs.pair.shape, air),
    }
    x1, x2 = (hatched(gradient_colours(image, scale, end, gamma), without) for image in shown)
    drawn = {
        "x1": x1,
        "x2": x2,
        "fused": grays(fused, *gray_range(fused)),
        "rgb": hatched(rgb_bytes(fusion.guidance_rgb(shown, fused)), without),
    }
    name_files(files.write({**found, "fused": fused, "air": there}, metadata | said, drawn))


def _exact(inputs: Inputs, dtype: Precision) -> tuple[dict[str, NDArray[np.floating]], dict[str, Any]]:
    """Compute exact guidance images, and say first how long those take that need a pass for every pixel."""
    with console.status("Differentiating"):
        seconds = guidance_seconds(inputs.method, inputs.pair)
    if seconds is not None and seconds > LONG_S:
        say(
            f"Every pixel takes a pass through the whole image, about {spoken(seconds)} in all on this machine. "
            "--estimate ROUNDS takes less, with errors; Ctrl-C stops this.",
            warning=True,
        )
    with progress_bar("Guidance images") as show:
        values = fusion.guidance(
            inputs.method, inputs.pair, lambda done, total, _: show(done, total), dtype.value
        )
    return {"guidance": values}, {}


def _estimated(
    inputs: Inputs, rounds: int, dtype: Precision
) -> tuple[dict[str, NDArray[np.floating]], dict[str, Any]]:
    """Estimate guidance images; return them with their errors, and what every file says of them."""
    with progress_bar("Estimates of guidance images") as show:
        found = fusion.estimated_guidance(
            inputs.method, inputs.pair, rounds, progress=show, dtype=dtype.value
        )
    error = float(np.median(found.standard_error))
    say(
        f"These are estimates: {found.passes:,} passes instead of {found.values[0].size:,}, with a standard error of "
        f"{error:.2g} (median of all pixels)."
    )
    said = {
        "rounds": found.rounds,
        "passes": found.passes,
        "spacing": SPACING,
        "median_standard_error": error,
    }
    arrays = {"guidance_estimate": found.values, "standard_error": found.standard_error}
    return arrays, {"estimate": said}


@reading_options
def atlas_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    modalities: ModalitiesOption = None,
    method: MethodOption = DEFAULT_METHOD,
    output: FolderOption = Path("atlas"),
    device: DeviceOption = "auto",
    *,
    reading: ReadingOptions,
) -> None:
    """Compute the Jacobian images of every pixel of a fused image, and keep them.

    Says first how large they are and about how long it takes. What is computed stays when it is interrupted; the same
    command goes on. A server that finds the atlas reads windows instead of computing them.
    """
    entry = choose_pair(mri, pet, sample, modalities)
    with console.status("Loading"):
        inputs = load_inputs(entry, method, device, reading)
        folder = atlas_folder(output, inputs.method, inputs.pair)
        check_space(output, atlas_bytes(inputs.method, inputs.pair.shape))
        atlas = Atlas(folder, inputs.method, inputs.pair, mend=True)
        needs = estimate(inputs.method, inputs.pair, atlas.tiles_done, output)
    if (outdated := outdated_atlas(output, inputs.method, inputs.pair)) is not None:
        say(outdated, warning=True)
    say(needs.sentence())
    with progress_bar("Atlas") as show:
        atlas.fill(inputs.method, inputs.pair, show)
    typer.echo(folder)

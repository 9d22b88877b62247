"""The command line: fused, Jacobian and guidance images of two files; methods, comparing them, training."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

import fusion
from fusion.cli.atlas import atlas_command
from fusion.cli.benchmark import benchmark_command
from fusion.cli.compare import compare_command
from fusion.cli.group import PlainErrors
from fusion.cli.options import (
    DeviceOption,
    EndOption,
    GammaOption,
    MethodOption,
    MriOption,
    OutputOption,
    PetOption,
    PicturesOption,
    PixelLimitOption,
    Precision,
    PrecisionOption,
    SampleOption,
    ScaleOption,
    choose_files,
    choose_pair,
    console,
    load_job,
    parse_pixel,
    progress_bar,
    report,
    say,
)
from fusion.cli.report import report_app
from fusion.cli.train import train_command
from fusion.cli.tune import tune_command
from fusion.colours import Limits, Scale, gradient_colours, gray_range, grays, rgb_bytes
from fusion.data.catalogue import Catalogue
from fusion.errors import WeightsError
from fusion.methods.base import SupportRadius
from fusion.methods.registry import method_specification
from fusion.reading import DEFAULT_PIXEL_LIMIT
from fusion.results import GRADIENT_UNITS, INTENSITY_UNITS, describe
from fusion.saliency.jacobian import checked_pixel

DEFAULT_METHOD = "funfusean"

app = typer.Typer(
    name="fusion",
    help="See which input pixels made each pixel of a fused image.",
    cls=PlainErrors,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("fuse")
def fuse_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    method: MethodOption = DEFAULT_METHOD,
    output: OutputOption = None,
    pictures: PicturesOption = True,
    dtype: PrecisionOption = Precision.FLOAT32,
    device: DeviceOption = "auto",
    pixel_limit: PixelLimitOption = DEFAULT_PIXEL_LIMIT,
) -> None:
    """Fuse a pair.

    Writes the fused image (array `fused`, H×W) and a gray picture of it.
    """
    entry = choose_pair(mri, pet, sample)
    with console.status("Fusing"):
        job = load_job(entry, method, device, pixel_limit)
        files = choose_files(output, f"{entry.address}_{method}", ("fused",) if pictures else (), entry)
        fused = fusion.fuse(job.method, job.pair, dtype.value)
    metadata = describe(job.method, job.pair, entry, dtype.value) | {"units": {"fused": INTENSITY_UNITS}}
    report(files.write({"fused": fused}, metadata, {"fused": grays(fused, *gray_range(fused))}))


@app.command("jacobian")
def jacobian_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    pixel: Annotated[
        str | None,
        typer.Option(
            "--pixel",
            "-p",
            metavar="ROW,COL",
            help="The principal pixel of the fused image, counted from 0; samples have one of their own.",
            show_default=False,
        ),
    ] = None,
    method: MethodOption = DEFAULT_METHOD,
    output: OutputOption = None,
    pictures: PicturesOption = True,
    scale: ScaleOption = Scale.PAPER,
    gamma: GammaOption = 0.3,
    vmax: EndOption = None,
    dtype: PrecisionOption = Precision.FLOAT32,
    device: DeviceOption = "auto",
    pixel_limit: PixelLimitOption = DEFAULT_PIXEL_LIMIT,
) -> None:
    """Differentiate one fused pixel with respect to every input pixel.

    Writes both Jacobian images (array `jacobian`, 2×H×W, zeros outside the support) and a picture of each,
    with the same colours for both.
    """
    end = _checked_end(vmax)
    entry = choose_pair(mri, pet, sample)
    chosen = parse_pixel(pixel) if pixel is not None else entry.default_pixel
    if chosen is None:
        raise typer.BadParameter("Say which pixel: --pixel ROW,COL.")
    name = f"{entry.address}_{method}_jacobian_{chosen[0]}_{chosen[1]}"
    with console.status("Differentiating"):
        job = load_job(entry, method, device, pixel_limit)
        checked_pixel(chosen, job.pair.shape)
        files = choose_files(output, name, ("x1", "x2") if pictures else (), entry)
        window = fusion.jacobian(job.method, job.pair, chosen, dtype.value)
    if window.suspicious:
        say("Warning: some gradients here are not finite or suspiciously large.", warning=True)
    end = end if end is not None else Limits.of(window.values).end(scale)
    metadata = describe(job.method, job.pair, entry, dtype.value) | {
        "units": {"jacobian": GRADIENT_UNITS},
        "pixel": {"row": window.row, "col": window.col},
        "window": {"top": window.top, "left": window.left, "shape": window.values.shape[1:]},
        "picture": {"scale": scale, "vmax": end, "gamma": gamma},
    }
    dense = window.dense()
    x1, x2 = (gradient_colours(image, scale, end, gamma) for image in dense)
    report(files.write({"jacobian": dense}, metadata, {"x1": x1, "x2": x2}))
    at1, at2 = window.at_principal
    say(f"At the pixel itself: dy/dx1 = {at1:.6g}, dy/dx2 = {at2:.6g}")


@app.command("guidance")
def guidance_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    method: MethodOption = DEFAULT_METHOD,
    output: OutputOption = None,
    pictures: PicturesOption = True,
    scale: ScaleOption = Scale.PAPER,
    gamma: GammaOption = 0.5,
    vmax: EndOption = None,
    dtype: PrecisionOption = Precision.FLOAT32,
    device: DeviceOption = "auto",
    pixel_limit: PixelLimitOption = DEFAULT_PIXEL_LIMIT,
) -> None:
    """Differentiate every fused pixel with respect to the input pixels at the same place.

    Writes both guidance images (array `guidance`, 2×H×W), the fused image (`fused`, H×W), a picture of
    each, and guidance RGB: red is guidance of x1, green that of x2, blue the fused image.
    """
    end = _checked_end(vmax)
    entry = choose_pair(mri, pet, sample)
    names = ("x1", "x2", "fused", "rgb") if pictures else ()
    with console.status("Fusing"):
        job = load_job(entry, method, device, pixel_limit)
        files = choose_files(output, f"{entry.address}_{method}_guidance", names, entry)
        fused = fusion.fuse(job.method, job.pair, dtype.value)
    with progress_bar("Guidance images") as show:
        values = fusion.guidance(job.method, job.pair, lambda done, total, _: show(done, total), dtype.value)
    end = end if end is not None else Limits.of(values).end(scale)
    metadata = describe(job.method, job.pair, entry, dtype.value) | {
        "units": {"guidance": GRADIENT_UNITS, "fused": INTENSITY_UNITS},
        "picture": {"scale": scale, "vmax": end, "gamma": gamma},
    }
    drawn = {
        "x1": gradient_colours(values[0], scale, end, gamma),
        "x2": gradient_colours(values[1], scale, end, gamma),
        "fused": grays(fused, *gray_range(fused)),
        "rgb": rgb_bytes(fusion.guidance_rgb(values, fused)),
    }
    report(files.write({"guidance": values, "fused": fused}, metadata, drawn))


@app.command("methods")
def methods_command() -> None:
    """List the fusion methods.

    The support is how far an input pixel can lie from a fused one and still influence it. The weights are
    named by the beginning of their SHA-256.
    """
    table = Table(Column("id", no_wrap=True), "method", "support x1, x2", Column("weights", no_wrap=True))
    with console.status("Loading"):
        for id in fusion.method_ids():
            declared = method_specification(id)
            radius, note = declared.support_radius, declared.note
            try:
                weights = fusion.load_method(id, "cpu").weights_id[:12]
            except WeightsError as error:
                weights, note = "none", str(error)
            table.add_row(id, _described(declared.title, note), _shown_radius(radius), weights)
    Console().print(table)


@app.command("samples")
def samples_command() -> None:
    """List the pairs that ship."""
    table = Table(Column("slug", no_wrap=True), "pair", Column("size", no_wrap=True), "pixel")
    catalogue = Catalogue()
    for entry in catalogue.entries():
        height, width = catalogue.load(entry).shape
        simulated = entry.simulated and "simulated" not in entry.title.lower()
        title = f"{entry.title} (simulated)" if simulated else entry.title
        pixel = "" if entry.default_pixel is None else "{},{}".format(*entry.default_pixel)
        table.add_row(entry.address, _described(title, entry.about), f"{height}×{width}", pixel)
    Console().print(table)


app.command("compare")(compare_command)
app.command("atlas")(atlas_command)
app.command("benchmark")(benchmark_command)
app.command("train")(train_command)
app.add_typer(report_app, name="report")
app.command("tune")(tune_command)


def _checked_end(vmax: float | None) -> float | None:
    if vmax is not None and not 0 < vmax < float("inf"):
        raise typer.BadParameter("--vmax must be a number greater than 0.")
    return vmax


def _described(title: str, sentence: str) -> Text:
    return Text.assemble((title, "bold"), f"\n{sentence}" if sentence else "")


def _shown_radius(radius: SupportRadius) -> str:
    return "whole image" if radius is None else "{}, {}".format(*radius)

"""The command line: fused, Jacobian and guidance images of two files; methods, comparing them, training."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

import fusion
from fusion.cli.benchmark import benchmark_command
from fusion.cli.compare import compare_command
from fusion.cli.explain import explain_command, influence_command, reach_command
from fusion.cli.images import atlas_command, fuse_command, guidance_command, jacobian_command
from fusion.cli.options import console
from fusion.cli.pack import pack_command
from fusion.cli.precompute import precompute_command
from fusion.cli.reading import inspect_command
from fusion.cli.report import report_app
from fusion.cli.streams import PlainErrors
from fusion.cli.train import train_command
from fusion.cli.tune import tune_command
from fusion.cli.validate import validate_command
from fusion.data.catalogue import Catalogue
from fusion.errors import WeightsError
from fusion.methods.base import SupportRadius
from fusion.methods.registry import method_specification

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


app.command("fuse")(fuse_command)
app.command("jacobian")(jacobian_command)
app.command("guidance")(guidance_command)
app.command("explain")(explain_command)
app.command("reach")(reach_command)
app.command("influence")(influence_command)
app.command("inspect")(inspect_command)


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
app.command("precompute")(precompute_command)
app.command("validate")(validate_command)
app.command("benchmark")(benchmark_command)
app.command("pack")(pack_command)
app.command("train")(train_command)
app.add_typer(report_app, name="report")
app.command("tune")(tune_command)


def _described(title: str, sentence: str) -> Text:
    return Text.assemble((title, "bold"), f"\n{sentence}" if sentence else "")


def _shown_radius(radius: SupportRadius) -> str:
    return "whole image" if radius is None else "{}, {}".format(*radius)

"""The command line: fused, Jacobian and guidance images of two files; methods, comparing them, training."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Column, Table

from fusion.cli.benchmark import benchmark_command
from fusion.cli.check import check_command
from fusion.cli.compare import compare_command
from fusion.cli.explain import explain_command, influence_command, reach_command
from fusion.cli.images import atlas_command, fuse_command, guidance_command, jacobian_command
from fusion.cli.methods import described, methods_command
from fusion.cli.pack import pack_command
from fusion.cli.precompute import precompute_command
from fusion.cli.reading import inspect_command
from fusion.cli.report import report_app
from fusion.cli.streams import PlainErrors
from fusion.cli.train import train_command
from fusion.cli.tune import tune_command
from fusion.cli.users_methods import with_users_methods
from fusion.cli.validate import validate_command
from fusion.data.catalogue import Catalogue

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


app.command("fuse")(with_users_methods(fuse_command))
app.command("jacobian")(with_users_methods(jacobian_command))
app.command("guidance")(with_users_methods(guidance_command))
app.command("explain")(with_users_methods(explain_command))
app.command("reach")(with_users_methods(reach_command))
app.command("influence")(with_users_methods(influence_command))
app.command("inspect")(inspect_command)


app.command("methods")(with_users_methods(methods_command))


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
        table.add_row(entry.address, described(title, entry.about), f"{height}×{width}", pixel)
    Console().print(table)


app.command("compare")(with_users_methods(compare_command))
app.command("atlas")(with_users_methods(atlas_command))
app.command("precompute")(precompute_command)
app.command("validate")(with_users_methods(validate_command))
app.command("benchmark")(with_users_methods(benchmark_command))
app.command("pack")(pack_command)
app.command("check")(with_users_methods(check_command))
app.command("train")(train_command)
app.add_typer(report_app, name="report")
app.command("tune")(tune_command)

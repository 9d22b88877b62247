"""The command that measures what derivatives are worth: how well they predict changes of small patches."""

from __future__ import annotations

from typing import Annotated

import typer

from fusion.cli.compare import MethodsOption, choose_methods
from fusion.cli.compare_tables import new_table, numbers, print_whole, table_console, whole_words
from fusion.cli.options import DeviceOption, progress_bar
from fusion.data.catalogue import Catalogue
from fusion.methods.registry import load_method
from fusion.statistics.validity import error_table

PatchesOption = Annotated[
    int, typer.Option("--patches", min=1, metavar="N", help="Patches of each pair; both inputs are changed.")
]
PairsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--sample",
        "-s",
        metavar="SLUG",
        help="A pair that ships, repeatable; all simulated ones unless named.",
        show_default=False,
    ),
]
SeedOption = Annotated[int, typer.Option(help="Chooses the places of the patches.")]


def validate_command(
    method: MethodsOption = None,
    sample: PairsOption = None,
    patches: PatchesOption = 6,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
) -> None:
    """Measure how well derivatives predict what the fused image does.

    One input is changed in patches of 8×8 pixels: 0.02 is added, one gray level of 255 is added, or the patch is set to
    0. Prints ‖Δy − J·Δx‖ / ‖Δy‖, median and 90th percentile: 0 is a perfect prediction, 1 as good as predicting
    nothing. docs/validity.md says more.
    """
    catalogue, ids = Catalogue(), choose_methods(method)
    entries = [catalogue.find(slug) for slug in sample or ()]
    pairs = [catalogue.load(one) for one in entries or (one for one in catalogue.entries() if one.simulated)]
    table = new_table(
        "Error of the predicted change, median / 90th percentile",
        f"‖Δy − J·Δx‖ / ‖Δy‖, {len(pairs)} pairs, {patches} patches of 8×8 each, both inputs; path: the mean "
        "of eight Jacobians on the way.",
        whole_words("method"),
        *(numbers(name) for name in ("+0.02", "+1/255", "set to 0", "set to 0, path")),
    )
    for id in ids:
        loaded = load_method(id, device)
        with progress_bar(loaded.title) as show:
            errors = error_table(loaded, pairs, patches, seed, show)
        table.add_row(loaded.title, *(f"{median:.3f} / {high:.3f}" for median, high in errors))
    print_whole(table_console(), table)

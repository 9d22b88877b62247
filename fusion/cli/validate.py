"""The command that measures what derivatives are worth, and what the methods do with their inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from fusion.cli.compare import MethodsOption, choose_methods
from fusion.cli.compare_tables import new_table, numbers, print_whole, table_console, whole_words
from fusion.cli.options import DeviceOption, progress_bar
from fusion.data.catalogue import Catalogue
from fusion.methods.base import Method
from fusion.methods.registry import load_method
from fusion.pair import Pair, load_pair
from fusion.statistics.behaviour import LEVELS, Behaviour, ResponseCurve, measure
from fusion.statistics.validity import error_table
from fusion.training.folders import match_files

PatchesOption = Annotated[
    int,
    typer.Option(
        "--patches",
        min=0,
        metavar="N",
        help="Patches of each pair; both inputs are changed. 0 leaves them out.",
    ),
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
FoldersOption = Annotated[
    tuple[Path, Path] | None,
    typer.Option(
        "--pairs",
        metavar="FOLDER_A FOLDER_B",
        help="Registered pairs of your own instead: files of the same name in two folders.",
        show_default=False,
    ),
]
SeedOption = Annotated[int, typer.Option(help="Chooses the places of the patches.")]


def validate_command(
    method: MethodsOption = None,
    sample: PairsOption = None,
    folders: FoldersOption = None,
    patches: PatchesOption = 6,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
) -> None:
    """Measure how well derivatives predict what the fused image does, and what a method does with its inputs.

    One input is changed in patches of 8×8 pixels: 0.02 is added, one gray level of 255 is added, or the patch is set to
    0. Prints ‖Δy − J·Δx‖ / ‖Δy‖, median and 90th percentile: 0 is a perfect prediction, 1 as good as predicting
    nothing. Then it prints what is left of each input where the other is dark, in how much of the head a brighter x2
    makes a darker fused image, and how the fused intensity follows each input. docs/validity.md says more.
    """
    ids, pairs = choose_methods(method), _pairs(sample or (), folders)
    loaded = [load_method(id, device) for id in ids]
    console = table_console()
    if patches:
        print_whole(console, _errors(loaded, pairs, patches, seed))
    measured = []
    for one in loaded:
        with progress_bar(one.title) as show:
            measured.append((one.title, *measure(one, pairs, show)))
    print_whole(console, _behaviour([(title, found) for title, found, _ in measured], len(pairs)))
    for varied in (1, 0):
        curves = [(title, [one for one in found if one.varied == varied]) for title, _, found in measured]
        print_whole(console, _curves(curves, varied))


def _pairs(samples: Sequence[str], folders: tuple[Path, Path] | None) -> list[Pair]:
    if folders is not None:
        return [load_pair(files.first, files.second) for files in match_files(*folders)]
    catalogue = Catalogue()
    entries = [catalogue.find(slug) for slug in samples]
    return [catalogue.load(one) for one in entries or (one for one in catalogue.entries() if one.simulated)]


def _errors(methods: Sequence[Method], pairs: Sequence[Pair], patches: int, seed: int) -> Table:
    table = new_table(
        "Error of the predicted change, median / 90th percentile",
        f"‖Δy − J·Δx‖ / ‖Δy‖, {len(pairs)} pairs, {patches} patches of 8×8 each, both inputs; path: the mean "
        "of eight Jacobians on the way.",
        whole_words("method"),
        *(numbers(name) for name in ("+0.02", "+1/255", "set to 0", "set to 0, path")),
    )
    for method in methods:
        with progress_bar(method.title) as show:
            errors = error_table(method, pairs, patches, seed, show)
        table.add_row(method.title, *(f"{median:.3f} / {high:.3f}" for median, high in errors))
    return table


def _behaviour(found: Sequence[tuple[str, Behaviour]], pairs: int) -> Table:
    table = new_table(
        "What a method does with its inputs",
        f"Mean of {pairs} pairs. 1 − SSIM and ℓ²: mean of both inputs. x1 kept: mean y / mean x1 where x2 < 0.05 and "
        "x1 > 0.3; x2 kept: mean y / mean x2 where x1 < 0.1 and x2 > 0.15. Reversal: share of the head's pixels whose "
        "y falls when x2 rises by 0.02.",
        whole_words("method"),
        *(numbers(name) for name in ("1 − SSIM", "ℓ²", "x1 kept", "x2 kept", "reversal")),
    )
    for title, one in found:
        table.add_row(
            title,
            f"{one.dissimilarity:.4f}",
            f"{one.squared_error:.4f}",
            *(f"{value:.2f}" for value in (one.first_kept, one.second_kept, one.reversal)),
        )
    return table


def _curves(found: Sequence[tuple[str, Sequence[ResponseCurve]]], varied: int) -> Table:
    other, name = f"x{2 - varied}", f"x{varied + 1}"
    middles = found[0][1][0].intensities
    table = new_table(
        f"Response to {name}: mean fused intensity inside the head",
        f"Columns: {name}, middles of bins. At {other} within 0.05 of {', '.join(f'{level:g}' for level in LEVELS)}; "
        "– where there are fewer than 20 pixels.",
        whole_words("method"),
        numbers(other),
        *(numbers(f"{middle:.2f}") for middle in middles),
    )
    for title, curves in found:
        for index, curve in enumerate(curves):
            shown = ("–" if mean != mean else f"{mean:.2f}" for mean in curve.means)
            table.add_row(title if index == 0 else "", f"{curve.level:g}", *shown)
    return table

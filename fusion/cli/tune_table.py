"""The table that a search for the loss's weights ends with, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Column, Table

from fusion.training.tuning.choice import Choice, ranking
from fusion.training.tuning.plan import shown
from fusion.training.tuning.result import InstanceResult


def results_table(results: Iterable[InstanceResult], choice: Choice, rows: int) -> Table:
    """Return the first rows of the results, the chosen one first; dim are those with a brightness artefact."""
    # Two lines a head, so that the table fits into 80 columns.
    names = (
        "λ",
        "γ\nssim",
        "γ\nl2",
        "SSIM\nMRI",
        "\nPET",
        "l2\nMRI",
        "\nPET",
        "imbal-\nance",
        "back-\nground",
        "shift",
        "s",
    )
    columns = [Column(name, justify="right", no_wrap=True) for name in names]
    table = Table(*columns, Column("", no_wrap=True), box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.title = "1 − SSIM and l2 of MRI and PET, imbalance, brightness, seconds"
    for one in ranking(results)[:rows]:
        table.add_row(*_cells(one), _remark(one, choice), style=None if one.clean else "dim")
    return table


def _cells(one: InstanceResult) -> list[str]:
    instance = [
        shown(value) for value in (one.instance.lambda_, one.instance.gamma_ssim, one.instance.gamma_l2)
    ]
    if one.failed:
        return [*instance, *[""] * 8]
    losses = [f"{one.losses[name]:.3f}" for name in ("ssim_mri", "ssim_pet")]
    losses += [f"{one.losses[name]:.4f}" for name in ("l2_mri", "l2_pet")]
    found = (one.brightness.get(name) for name in ("background", "shift"))
    brightness = ["" if value is None else f"{value:+.3f}" for value in found]
    return [*instance, *losses, f"{one.imbalance:.3f}", *brightness, f"{one.seconds:.0f}"]


def _remark(one: InstanceResult, choice: Choice) -> str:
    if one.failed:
        return "failed"
    if one.instance == choice.result.instance:
        return "chosen"
    return "balanced" if one.clean and one.balanced else "" if one.clean else "artefact"

"""Files that a search ends with: the table of all instances, the choice, and a picture.

The picture shows the imbalance over both γ for each λ, and the brightness artefact against λ.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import OutputError
from fusion.training.tuning.instance import (
    BACKGROUND_LIMIT,
    BALANCED,
    L2_WEIGHT,
    SHIFT_LIMIT,
    InstanceResult,
    InstanceTraining,
    shown,
)
from fusion.training.tuning.plan import Choice, SearchPlan, best_balanced, ranking
from fusion.training.tuning.search import GRID, REFINEMENT
from fusion.training.tuning.store import write_whole

TABLE = "results.csv"

CHOICE = "choice.json"

LOSSES = ("ssim_mri", "ssim_pet", "l2_mri", "l2_pet")

BRIGHTNESS = ("background", "shift", "frame")

COLUMNS = (
    "rank", "chosen", "stage", "lambda", "gamma_ssim", "gamma_l2", *LOSSES,
    "dissimilarity", "imbalance", "balanced", *BRIGHTNESS, "clean", "seconds", "error",
)  # fmt: skip

PANELS_A_ROW = 3

PANEL = 3.1
"""Inches a side of a heat map."""

FILES = ("results.png", "results.svg")


def table_text(results: Iterable[InstanceResult], choice: Choice | None) -> str:
    """Return all instances as CSV, the chosen one first; numbers have six digits, what is not there is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for rank, one in enumerate(ranking(results), start=1):
        row: dict[str, Any] = {
            "rank": rank,
            "chosen": _word(choice is not None and one.instance == choice.result.instance),
            "stage": one.stage,
            "lambda": one.instance.lambda_,
            "gamma_ssim": one.instance.gamma_ssim,
            "gamma_l2": one.instance.gamma_l2,
            "error": one.error,
        }
        if not one.failed:
            row |= {name: _digits(one.losses[name]) for name in LOSSES}
            row |= {name: _digits(one.brightness.get(name)) for name in BRIGHTNESS}
            row |= {
                "dissimilarity": _digits(one.dissimilarity),
                "imbalance": _digits(one.imbalance),
                "balanced": _word(one.balanced),
                "clean": _word(one.clean),
                "seconds": f"{one.seconds:.1f}",
            }
        writer.writerow(row)
    return text.getvalue()


def choice_values(
    choice: Choice, results: Sequence[InstanceResult], training: InstanceTraining
) -> dict[str, Any]:
    """Return the choice, why it was made and how to train with it, as what JSON knows."""
    one = choice.result
    return {
        "method": training.method_id,
        **one.values(),
        "dissimilarity": one.dissimilarity,
        "imbalance": one.imbalance,
        "artefact": one.artefact,
        "rule": choice.rule,
        "limits": {
            "imbalance": BALANCED,
            "background": BACKGROUND_LIMIT,
            "shift": SHIFT_LIMIT,
            "l2_weight": L2_WEIGHT,
        },
        "instances": len(results),
        "failed": sum(each.failed for each in results),
        "training": training.values(),
        "command": training_command(training.method_id, choice),
    }


def training_command(method_id: str, choice: Choice) -> str:
    """Return the command that trains the method with the chosen weights of equation 4."""
    return f"python -m fusion train {method_id} {choice.result.instance.options}"


def write_outcome(
    folder: Path, results: Sequence[InstanceResult], choice: Choice, training: InstanceTraining
) -> list[Path]:
    """Write table and choice and return the files.

    Raises
    ------
    OutputError
        If that is not possible.
    """
    contents = {
        TABLE: table_text(results, choice),
        CHOICE: json.dumps(choice_values(choice, results, training), indent=2, ensure_ascii=False) + "\n",
    }
    try:
        for name, content in contents.items():
            write_whole(folder / name, content.encode())
    except OSError as error:
        raise OutputError(
            f"The results cannot be written into {folder} ({error.strerror or error})."
        ) from error
    return [folder / name for name in contents]


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _word(true: bool) -> str:
    return "yes" if true else "no"


def write_picture(
    folder: Path, results: Sequence[InstanceResult], choice: Choice, plan: SearchPlan
) -> list[Path]:
    """Draw a search into ``results.png`` and ``results.svg`` and return both.

    Parameters
    ----------
    folder : Path
        Where they go.
    results : sequence of InstanceResult
        All instances.
    choice : Choice
        What was chosen of them.
    plan : SearchPlan
        For the size of the cells.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    figure = draw_search(results, choice, plan)
    paths = [folder / name for name in FILES]
    try:
        for path in paths:
            figure.savefig(path, dpi=120, metadata={"Title": "Search for λ and γ"})
    except OSError as error:
        raise OutputError(
            f"The picture cannot be written into {folder} ({error.strerror or error})."
        ) from error
    return paths


def draw_search(results: Sequence[InstanceResult], choice: Choice, plan: SearchPlan) -> Figure:
    """Draw a heat map for each λ of the grid, and below them the brightness of each λ.

    A cell of the grid is a large square, a neighbour a small one, coloured by the imbalance from 0 (dark) to
    its 90th percentile; crosses failed, a star marks the chosen one.
    """
    # Here, for the command line's other commands do without the second that it takes.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    lambdas = sorted({one.instance.lambda_ for one in results if one.stage in (GRID, REFINEMENT)})
    columns = min(PANELS_A_ROW, len(lambdas))
    rows = math.ceil(len(lambdas) / columns)
    figure = Figure(figsize=(max(7.0, PANEL * columns + 1), PANEL * (rows + 1.1)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"Chosen: {choice.result.instance}", fontsize="medium")
    halves = figure.add_gridspec(2, 1, height_ratios=(rows, 1.1))
    above, below = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
    colours = ScalarMappable(Normalize(0, _upper_end(results)), "cividis")
    panels = above.subplots(rows, columns, squeeze=False).flat
    for axes in panels[len(lambdas) :]:
        axes.set_axis_off()
    shown_panels = panels[: len(lambdas)]
    for axes, lambda_ in zip(shown_panels, lambdas, strict=True):
        _heat_map(axes, [one for one in results if one.instance.lambda_ == lambda_], choice, plan, colours)
        axes.set_title(f"λ = {shown(lambda_)}", fontsize="medium")
    bar = above.colorbar(colours, ax=list(shown_panels), extend="max")
    bar.set_label(f"imbalance (dimensionless)\nbalanced up to {BALANCED:g}")
    _brightness(below.subplots(), results, choice)
    return figure


def _heat_map(
    axes: Axes,
    results: Iterable[InstanceResult],
    choice: Choice,
    plan: SearchPlan,
    colours: ScalarMappable,
) -> None:
    from matplotlib.patches import Rectangle

    sides = _cell(plan.gammas_ssim), _cell(plan.gammas_l2)
    # Large squares first: neighbours lie on top of the cells that they refine.
    for one in sorted(results, key=lambda one: one.stage != GRID):
        width, height = (side if one.stage == GRID else 0.35 * side for side in sides)
        x, y = one.instance.gamma_ssim, one.instance.gamma_l2
        colour = "lightgray" if one.failed else tuple(colours.to_rgba(np.array([one.imbalance]))[0])
        axes.add_patch(
            Rectangle((x - width / 2, y - height / 2), width, height, facecolor=colour, edgecolor="white")
        )
        if one.failed:
            axes.plot(x, y, "x", color="black")
        if one.instance == choice.result.instance:
            axes.plot(x, y, "*", color="red", markeredgecolor="white", markersize=16, label="chosen")
    for limit, values, side in (
        (axes.set_xlim, plan.gammas_ssim, sides[0]),
        (axes.set_ylim, plan.gammas_l2, sides[1]),
    ):
        limit(min(values) - side / 2, max(values) + side / 2)
    axes.set_xticks(plan.gammas_ssim)
    axes.set_yticks(plan.gammas_l2)
    axes.set_xlabel("γ_ssim")
    axes.set_ylabel("γ_l2")


def _brightness(axes: Axes, results: Sequence[InstanceResult], choice: Choice) -> None:
    lambdas = sorted({one.instance.lambda_ for one in results if not one.failed})
    # λ lie at even distances: on any scale of numbers those next to 1 would lie on each other.
    places = range(len(lambdas))
    best = [best_balanced(one for one in results if one.instance.lambda_ == value) for value in lambdas]
    if choice.result.instance.lambda_ in lambdas:
        place = lambdas.index(choice.result.instance.lambda_)
        best[place] = choice.result
        axes.axvline(place, color="red", linewidth=6, alpha=0.2, label="chosen")
    for name, marker, colour, limit in (
        ("background", "o", "tab:blue", BACKGROUND_LIMIT),
        ("shift", "s", "tab:orange", SHIFT_LIMIT),
    ):
        values = [math.nan if one is None else _magnitude(one, name) for one in best]
        axes.plot(places, values, marker=marker, color=colour, label=f"|{name}|")
        axes.axhline(limit, color=colour, linestyle="--", linewidth=1, label=f"limit of |{name}|")
    axes.set_xticks(places, [shown(value) for value in lambdas])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("λ, each at its best-balanced γ")
    axes.set_ylabel("fused intensity (of 1)")
    axes.set_title("Brightness artefact", fontsize="medium")
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))


def _magnitude(result: InstanceResult, name: str) -> float:
    value = result.brightness.get(name)
    return math.nan if value is None else abs(value)


def _upper_end(results: Iterable[InstanceResult]) -> float:
    """Return the imbalance at which the colours end, so that one bad network does not make all others dark."""
    values = sorted(one.imbalance for one in results if not one.failed)
    return max(BALANCED, values[int(0.9 * (len(values) - 1))])


def _cell(values: Sequence[float]) -> float:
    return min((after - before for before, after in itertools.pairwise(values)), default=0.2)


if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

"""The files that a search ends with: the table of all instances, and the choice."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fusion.errors import OutputError
from fusion.training.tuning.choice import Choice, ranking
from fusion.training.tuning.instance import InstanceTraining
from fusion.training.tuning.result import BACKGROUND_LIMIT, BALANCED, L2_WEIGHT, SHIFT_LIMIT, InstanceResult
from fusion.training.tuning.store import write_whole

TABLE = "results.csv"
CHOICE = "choice.json"

LOSSES = ("ssim_mri", "ssim_pet", "l2_mri", "l2_pet")
BRIGHTNESS = ("background", "shift", "frame")
COLUMNS = (
    "rank", "chosen", "stage", "lambda", "gamma_ssim", "gamma_l2", *LOSSES,
    "dissimilarity", "imbalance", "balanced", *BRIGHTNESS, "clean", "seconds", "error",
)  # fmt: skip


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


def write_report(
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

"""Loss curves (paper, Figure 3): what a training's losses were, step by step, as a CSV file beside the weights."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from fusion.training.loss import LOSS_NAMES

POINTS = 200
"""About how many training points a curve has."""

COLUMNS = ("step", "fraction", "seconds", "set", *LOSS_NAMES)


@dataclass(frozen=True)
class CurvePoint:
    """The losses at one step.

    Attributes
    ----------
    step : int
        Finished steps.
    fraction : float
        Finished share of the run, 0 to 1.
    seconds : float
        Since the first step.
    set : str
        ``training`` (patches, averaged over about 50 steps) or ``validation`` (whole images).
    losses : dict
        The five parts of equation 4 by name.
    """

    step: int
    fraction: float
    seconds: float
    set: str
    losses: dict[str, float]


def curve_file(folder: Path, method_id: str) -> Path:
    """Return where the curve of a method's training is, or would be."""
    return folder / f"{method_id}.curve.csv"


def curve_text(points: list[CurvePoint]) -> str:
    """Return a curve as CSV with a head line; numbers have six digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for point in points:
        numbers = (f"{point.losses[name]:.6g}" for name in LOSS_NAMES)
        writer.writerow((point.step, f"{point.fraction:.6g}", f"{point.seconds:.1f}", point.set, *numbers))
    return text.getvalue()


def read_curve(path: Path) -> list[CurvePoint]:
    """Read a curve; empty where there is no file.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    if not path.exists():
        return []
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        return [
            CurvePoint(
                int(row["step"]),
                float(row["fraction"]),
                float(row["seconds"]),
                row["set"],
                {name: float(row[name]) for name in LOSS_NAMES},
            )
            for row in rows
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: this is not a loss curve ({error}).") from error

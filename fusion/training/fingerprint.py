"""Whether an unfinished training is the one that is asked for: a run goes on only as it began."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from fusion.training.batches import Source
from fusion.training.options import TrainingOptions
from fusion.training.recipes import TrainingError

KEYS = ("method_id", "steps", "minutes", "seed", "recipe", "validation_slices", "balanced", "checks")


def fingerprint(options: TrainingOptions, source: Source, started_from: str | None) -> dict[str, Any]:
    """Return all that a run's course depends on, but for the machine, as JSON."""
    return {
        **{name: getattr(options, name) for name in KEYS},
        "patch": options.patch_side,
        "batch": options.batch_size,
        "learning_rate": options.peak_learning_rate,
        "balance": asdict(options.loss_balance),
        "started_from": started_from,
        "data": source.description,
    }


def check_fingerprint(path: Path, state: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Compare a checkpoint with what is asked for.

    Raises
    ------
    TrainingError
        If they differ; it names how.
    """
    found = state.get("fingerprint", {})
    differing = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    if differing:
        described = ", ".join(f"{name} {found.get(name)!r}, not {wanted.get(name)!r}" for name in differing)
        raise TrainingError(
            f"{path}: the unfinished training has {described}. Give the same options to go on with it, "
            "or remove the file to begin anew."
        )

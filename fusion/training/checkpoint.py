"""An unfinished training on disk: everything a later session needs to go on as if it had never stopped.

A checkpoint is one safetensors file: tensors, and all other state as JSON in its head. Nothing is unpickled. Its
fingerprint tells if it is the training that is asked for: a run goes on only as it began.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from fusion.training.batches import ImageSource
from fusion.training.options import TrainingError, TrainingOptions

STATE = "state"

KEYS = ("method_id", "steps", "minutes", "seed", "recipe", "validation_slices", "balanced", "checks")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a training between two steps.

    Attributes
    ----------
    tensors : dict
        Parameters, buffers, the optimizer's averages and the random generator's state, by name.
    state : dict
        All else, as JSON knows it.
    """

    tensors: dict[str, Tensor]
    state: dict[str, Any]


def checkpoint_path(folder: Path, method_id: str) -> Path:
    """Return where the unfinished training of a method is, or would be."""
    return folder / f"{method_id}.checkpoint.safetensors"


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a crash meanwhile leaves the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    try:
        save_file(tensors, draft, metadata={STATE: json.dumps(checkpoint.state)})
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    TrainingError
        If the file is damaged or something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads((file.metadata() or {})[STATE])
            return Checkpoint({name: file.get_tensor(name) for name in file.keys()}, state)  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise TrainingError(
            f"{path}: this unfinished training cannot be read ({error}). Remove the file to begin anew."
        ) from error


def network_tensors(prefix: str, network: nn.Module) -> dict[str, Tensor]:
    """Return a network's parameters and buffers, in their own shapes, as ``<prefix>.<name>``."""
    return {f"{prefix}.{name}": tensor for name, tensor in network.state_dict().items()}


def with_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with ``prefix.``, without it."""
    start = f"{prefix}."
    return {name[len(start) :]: tensor for name, tensor in tensors.items() if name.startswith(start)}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's state, ``optimizer.<parameter's number>.<name>``."""
    return {
        f"optimizer.{number}.{name}": value
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Fill an optimizer with what `optimizer_tensors` gave.

    Averages get their parameter's layout in memory: another one would be added up in another order, and the run
    would no longer be the same to the last bit.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in with_prefix("optimizer", tensors).items():
        number, name = key.split(".", 1)
        like = parameters[int(number)]
        kept = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
        state.setdefault(int(number), {})[name] = kept.detach()
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


ADDED = ("patches", "gates", "reversal")
"""Options that count where they are given: trainings that were stopped before there were any still go on."""


def fingerprint(options: TrainingOptions, source: ImageSource, started_from: str | None) -> dict[str, Any]:
    """Return all that a run's course depends on, but for the machine, as JSON."""
    return {
        **{name: getattr(options, name) for name in KEYS},
        "patch": options.patch_side,
        "batch": options.batch_size,
        "learning_rate": options.peak_learning_rate,
        "balance": asdict(options.loss_balance),
        "started_from": started_from,
        "data": source.description,
        **{name: value for name in ADDED if (value := getattr(options, name))},
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

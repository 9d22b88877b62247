"""Networks from a user's own files: a factory in a Python file, and weights that are read without unpickling.

It runs what the user has written, on the user's own machine; nothing else of this package does.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from fusion.errors import PackedMethodError
from fusion.methods.adapting import as_network

INSIDE = ("state_dict", "model_state_dict", "model", "params_ema", "params", "net", "network", "generator")
"""Under which names checkpoints hold weights."""

Brought = nn.Module | Callable[..., Any]


def from_file(text: str) -> Brought:
    """Return the network, or the function of two images, that ``file.py:name`` names.

    Parameters
    ----------
    text : str
        ``module.py:factory``. The factory is called if it needs no arguments; what takes two images is the network.

    Raises
    ------
    PackedMethodError
        If there is no such file or name, or running it fails.
    """
    file, colon, name = text.rpartition(":")
    path = Path(file)
    if not colon or not name.isidentifier() or path.suffix != ".py":
        raise PackedMethodError(
            f"{text}: say which network with the file and a name in it, as network.py:make_network."
        )
    if not path.is_file():
        raise PackedMethodError(f"{path}: there is no such file.")
    try:
        module = _run(path)
        if not hasattr(module, name):
            raise PackedMethodError(f"{path}: there is nothing called {name} in it.")
        return _made(getattr(module, name))
    except PackedMethodError:
        raise
    except (Exception, SystemExit) as error:  # whatever a user's file may raise
        raise PackedMethodError(
            f"{path}: making the network failed ({type(error).__name__}: {error})."
        ) from error


def _run(path: Path) -> Any:
    """Run a file as Python would: what lies beside it can be imported, and its classes are found again."""
    folder = str(path.absolute().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _made(named: Any) -> Brought:
    if isinstance(named, nn.Module) or not callable(named):
        return as_network(named)
    needed = [
        parameter
        for parameter in inspect.signature(named).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    made = named if needed and not inspect.isclass(named) else named()
    return as_network(made)


def load_state(network: nn.Module, path: Path) -> None:
    """Load weights into a network.

    Parameters
    ----------
    network : torch.nn.Module
        Is changed.
    path : Path
        ``.safetensors``, or what `torch.save` has made of a state_dict, alone or in a checkpoint.

    Raises
    ------
    PackedMethodError
        If the file cannot be read without unpickling, or its weights are another network's.
    """
    weights = _weights(_read(path))
    if weights is None:
        raise PackedMethodError(
            f"{path}: there is no state_dict in it. Save one: torch.save(network.state_dict(), 'weights.pth')."
        )
    weights = {name.removeprefix("module."): tensor for name, tensor in weights.items()}
    target = network
    found = getattr(network, "found", None)  # the layers that a function has from around it
    if isinstance(found, nn.ModuleDict) and len(found) == 1 and not set(weights) & set(network.state_dict()):
        target = next(iter(found.values()))
    try:
        target.load_state_dict(weights)
    except RuntimeError as error:
        said = " ".join(str(error).split())[:400]
        raise PackedMethodError(f"{path}: these are not weights of this network ({said}).") from error


def _read(path: Path) -> Any:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError) as error:
        raise PackedMethodError(f"{path}: the weights cannot be read ({error}).") from error
    except Exception as error:  # torch raises what pickle, zip files and itself raise
        raise PackedMethodError(
            f"{path}: the file is damaged, or holds more than weights, and reading that could run anything. Save the "
            "weights alone where you trust it: torch.save(network.state_dict(), 'weights.pth')."
        ) from error


def _weights(read: Any, depth: int = 3) -> dict[str, Tensor] | None:
    """Return the state_dict in a checkpoint, if there is one."""
    if not isinstance(read, Mapping) or depth == 0:
        return None
    if read and all(isinstance(value, Tensor) for value in read.values()):
        return dict(read)
    return next(
        (found for name in INSIDE if (found := _weights(read.get(name), depth - 1)) is not None), None
    )

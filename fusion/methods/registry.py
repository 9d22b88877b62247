"""Finds the methods: every file of this folder that names ``SPECIFICATIONS`` adds its own.

A new method is one new file here (and its weights in ``fusion/weights``); nothing else lists methods.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path

import fusion.methods
from fusion.device import resolve_device
from fusion.errors import UnknownMethodError
from fusion.methods.base import Method, MethodSpecification
from fusion.weights import FOLDER, load_weights


@cache
def _specifications() -> dict[str, MethodSpecification]:
    found: dict[str, MethodSpecification] = {}
    for module in pkgutil.iter_modules(fusion.methods.__path__):
        for specification in getattr(
            importlib.import_module(f"fusion.methods.{module.name}"), "SPECIFICATIONS", ()
        ):
            if specification.id in found:
                raise ValueError(f"Two methods are registered as {specification.id}")
            found[specification.id] = specification
    return dict(sorted(found.items(), key=lambda item: (item[1].order, item[0])))


def method_ids() -> tuple[str, ...]:
    """Return the ids of all methods: the paper's five first, then baselines, variants and added methods."""
    return tuple(_specifications())


def method_specification(id: str) -> MethodSpecification:
    """Return what is declared of a method, without building it.

    Raises
    ------
    UnknownMethodError
        If no method has this id.
    """
    try:
        return _specifications()[id]
    except KeyError:
        known = ", ".join(method_ids())
        raise UnknownMethodError(f"There is no method {id!r}. Choose one of: {known}.") from None


def load_method(id: str, device: str = "auto", folder: Path = FOLDER) -> Method:
    """Load a method with its trained weights.

    Parameters
    ----------
    id : str
        One of `method_ids`.
    device : str
        ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``cuda:n``.
    folder : Path
        Where ``<id>.safetensors`` is; by default the weights that ship.

    Returns
    -------
    Method

    Raises
    ------
    UnknownMethodError, WeightsError, SupportRadiusError, DeviceError
    """
    specification = method_specification(id)
    network = specification.build()
    weights_id = load_weights(network, id, folder / f"{id}.safetensors") if specification.trained else None
    return Method.from_specification(specification, network, weights_id, resolve_device(device))

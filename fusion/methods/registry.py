"""Finds the methods: every file of this folder that names ``SPECIFICATIONS`` adds its own, and folders of users theirs.

A new method is one new file here (and its weights in ``fusion/weights``); nothing else lists methods. Methods of users
are folders (`fusion.methods.packed`), each looked at by itself. Weights that shipped before are methods too, which no
list has: ``deepfuse@97c8cc58``.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import fusion.methods
from fusion.device import resolve_device
from fusion.errors import NetworkError, UnknownMethodError
from fusion.methods.base import Method, MethodSpecification
from fusion.methods.packed.elsewhere import IsolatedMethod
from fusion.methods.packed.folders import PackedMethod, packed_at, packed_methods
from fusion.methods.registered import keep_registered, registered_method, registered_methods
from fusion.weights import EARLIER_SIGN, FOLDER, earlier_ids, load_weights, newest_id, weights_path


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


PACKED_ORDER = 1000
"""Where methods of users stand in lists."""


def built_in_ids() -> tuple[str, ...]:
    """Return the ids of the methods that are files of this folder: the paper's five, baselines, variants."""
    return tuple(_specifications())


def method_ids() -> tuple[str, ...]:
    """Return the ids of all methods: files of this folder, what `register` was given, users' folders that are good."""
    own = dict.fromkeys(method.id for method in registered_methods())
    own |= dict.fromkeys(packed.id for packed, problem in users_methods() if not problem)
    return (*_specifications(), *own)


def register(method: Method) -> Method:
    """Let a method of this program be found by its id wherever methods are, also by pages of `fusevis.show`.

    Parameters
    ----------
    method : Method
        As `Method.from_module` makes one. One with the same id takes the place of the one before.

    Returns
    -------
    Method
        The same.

    Raises
    ------
    NetworkError
        If a method that ships has this id, or links could not name it by it.
    """
    if method.id in _specifications() or is_earlier(method.id):
        raise NetworkError(f"There is a method {method.id!r} that ships. Give yours another id.")
    keep_registered(method)
    return method


def users_methods(folder: Path | None = None) -> list[tuple[PackedMethod, str]]:
    """Return the methods of users, each with what is wrong with it in a sentence, or nothing.

    Parameters
    ----------
    folder : Path, optional
        Where they are; ``FUSEVIS_METHODS_DIR`` unless given.
    """
    taken = "{}: there is a method {} already. Give the folder another name."
    return [
        (packed, taken.format(packed.path, packed.id) if packed.id in _specifications() else packed.problem())
        for packed in packed_methods(folder)
    ]


def method_specification(id: str) -> MethodSpecification:
    """Return what is declared of a method, without building it.

    Parameters
    ----------
    id : str
        One of `method_ids`, earlier weights of one (`fusion.weights.earlier_ids`), or a path to a folder with a method.

    Raises
    ------
    UnknownMethodError
        If no method has this id.
    PackedMethodError
        If the description of a user's method cannot be read.
    """
    if id in _specifications():
        return _specifications()[id]
    if is_earlier(id):
        newest = _specifications()[newest_id(id)]
        return replace(
            newest, id=id, title=f"{newest.title}, earlier weights {id.partition(EARLIER_SIGN)[2]}"
        )
    if (own := registered_method(id)) is not None:
        return MethodSpecification(
            id, own.title, lambda: own.network, own.support_radius, PACKED_ORDER, trained=False, note=own.note
        )
    packed = users_method(id)
    described = packed.description()
    return MethodSpecification(
        packed.id,
        described.title,
        packed.network,
        None,
        PACKED_ORDER,
        trained=False,
        note=described.note,
    )


def is_earlier(id: str) -> bool:
    """Tell whether an id is that of weights that shipped before."""
    return EARLIER_SIGN in id and newest_id(id) in _specifications() and id in earlier_ids(newest_id(id))


def users_method(id: str) -> PackedMethod:
    """Return a user's method by its id or the path to its folder.

    Raises
    ------
    UnknownMethodError
        If there is none.
    """
    for packed in packed_methods():
        if packed.id == id:
            return packed
    if (found := packed_at(Path(id).expanduser())) is not None:
        return found
    known = ", ".join(method_ids())
    raise UnknownMethodError(f"There is no method {id!r}. Choose one of: {known}.")


def load_method(id: str, device: str = "auto", folder: Path = FOLDER) -> Method:
    """Load a method with its trained weights.

    Parameters
    ----------
    id : str
        One of `method_ids`, earlier weights of one (`fusion.weights.earlier_ids`), or a path to a folder with a method.
        What `register` was given is returned as it is, wherever it runs.
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
    PackedMethodError, NetworkError
        If a user's method cannot be used.
    """
    if (own := registered_method(id)) is not None:
        return own
    if id not in _specifications() and not is_earlier(id):
        return IsolatedMethod(users_method(id), resolve_device(device))
    specification = method_specification(id)
    network = specification.build()
    weights_id = load_weights(network, id, weights_path(id, folder)) if specification.trained else None
    return Method.from_specification(specification, network, weights_id, resolve_device(device))

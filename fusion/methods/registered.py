"""Methods of a running program, as those of a notebook: found by their ids beside those that are files and folders."""

from __future__ import annotations

import re
import threading

from fusion.errors import NetworkError
from fusion.methods.base import Method
from fusion.methods.packed.folders import NAME

_LOCK = threading.Lock()
_METHODS: dict[str, Method] = {}


def registered_methods() -> tuple[Method, ...]:
    """Return the methods of this program, in the order in which they came."""
    with _LOCK:
        return tuple(_METHODS.values())


def registered_method(id: str) -> Method | None:
    """Return the method of this program with an id, if there is one."""
    with _LOCK:
        return _METHODS.get(id)


def keep_registered(method: Method) -> None:
    """Let a method be found by its id; it takes the place of one of this program that had it before.

    Raises
    ------
    NetworkError
        If links could not name it by this id.
    """
    if not re.fullmatch(NAME, method.id):
        raise NetworkError(
            f"{method.id!r} is no id for links. Use letters, digits, _ - and . in it, up to 64, as in "
            'fusion.Method.from_module(network, "mine", "My network").'
        )
    with _LOCK:
        _METHODS[method.id] = method


def forget_registered(id: str) -> None:
    """Let a method of this program be found no more."""
    with _LOCK:
        _METHODS.pop(id, None)

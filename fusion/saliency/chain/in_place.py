"""Operations that write to their first operand, as those that return the same and do not."""

from __future__ import annotations

import copy
import inspect
import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import fx, nn

from fusion.saliency.chain.nodes import NotUnderstoodError

OPERATORS: dict[Any, Callable[..., Any]] = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
    operator.ipow: operator.pow,
    operator.iand: operator.and_,
    operator.ior: operator.or_,
}

Parts = tuple[Any, tuple[Any, ...], dict[str, Any], bool]
"""The function, layer or method's name, its arguments, those with names, and whether it has written."""


def without_writing(item: fx.Node, layer: nn.Module | None) -> Parts:
    """Return what a program's operation calls, changed to leave its operands as they are.

    Parameters
    ----------
    item : torch.fx.Node
        The operation.
    layer : torch.nn.Module or None
        The layer that it calls, if it does.

    Raises
    ------
    NotUnderstoodError
        If it writes to anything else than its first operand.
    """
    args, kwargs = tuple(item.args), dict(item.kwargs)
    if "out" in kwargs:
        raise NotUnderstoodError(f"{item.name} writes to a given tensor")
    if layer is not None:
        if not getattr(layer, "inplace", False):
            return layer, args, kwargs, False
        layer = copy.copy(layer)
        layer.inplace = False  # type: ignore[assignment]
        return layer, args, kwargs, True
    name = item.target if isinstance(item.target, str) else getattr(item.target, "__name__", "")
    if item.target in OPERATORS:
        return OPERATORS[item.target], args, kwargs, True
    if name.endswith("_") and not name.endswith("__"):
        if item.op == "call_method":
            return name[:-1], args, kwargs, True
        for module in (F, torch):
            if hasattr(module, name[:-1]):
                return getattr(module, name[:-1]), args, kwargs, True
        raise NotUnderstoodError(f"{item.name} writes to its operand")
    args, kwargs, asked = _with_option_off(item.target, args, kwargs)
    return item.target, args, kwargs, asked


def _with_option_off(
    target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], bool]:
    """Return a function's arguments without ``inplace=True``, and whether it was there."""
    asked = bool(kwargs.pop("inplace", False))
    if inspect.isfunction(target):
        names = list(inspect.signature(target).parameters)
        if "inplace" in names and len(args) > names.index("inplace"):
            position = names.index("inplace")
            asked = asked or bool(args[position])
            args = args[:position]
    return args, kwargs, asked

"""The operations of a traced program as functions, and its constants."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from fusion.saliency.chain.nodes import NotUnderstoodError


@dataclass(frozen=True)
class Constant:
    """Something in the program that does not depend on the images."""

    value: Any

    def a_channel(self, channels: int) -> Tensor | None:
        """Return it as one float64 number a channel, ``None`` where it is not that."""
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            return torch.full((channels,), float(self.value), dtype=torch.float64)
        if not isinstance(self.value, Tensor) or not self.value.is_floating_point():
            return None
        flat = self.value.detach().double().cpu().reshape(-1)
        if len(flat) == 1:
            return flat.expand(channels).clone()
        return flat if tuple(self.value.shape) in {(1, channels, 1, 1), (channels, 1, 1)} else None


Names = Mapping[fx.Node, int | Constant]
"""What each operation has become: the number of a node, or a constant."""


def attribute(network: nn.Module, path: str) -> Any:
    """Return a parameter, buffer or module by its dotted name."""
    return operator.attrgetter(path)(network)


def as_function(
    network: nn.Module, item: fx.Node, names: Names, sources: tuple[int, ...]
) -> Callable[..., Any]:
    """Return an operation as a function of the values of its sources, its constants filled in.

    Raises
    ------
    NotUnderstoodError
        If it would write to its operands.
    """
    call = _call(network, item)
    positions = {number: position for position, number in enumerate(sources)}

    def run(*values: Tensor) -> Any:
        def fill(operand: fx.Node) -> Any:
            name = names[operand]
            return name.value if isinstance(name, Constant) else values[positions[name]]

        return call(*fx.node.map_arg(item.args, fill), **fx.node.map_arg(item.kwargs, fill))

    return run


def writes_to_its_operand(network: nn.Module, item: fx.Node) -> bool:
    """Whether a layer works in place, as ``nn.ReLU(inplace=True)`` does."""
    return item.op == "call_module" and bool(getattr(attribute(network, str(item.target)), "inplace", False))


def _call(network: nn.Module, item: fx.Node) -> Callable[..., Any]:
    if "out" in item.kwargs or item.kwargs.get("inplace") or any(value is True for value in item.args):
        raise NotUnderstoodError(f"{item.name} writes to a given tensor")
    if item.op == "call_module":
        layer = attribute(network, str(item.target))
        if writes_to_its_operand(network, item):
            layer = copy.copy(layer)
            layer.inplace = False
        return layer
    if item.op == "call_method":
        name = str(item.target)
        return lambda value, *arguments, **named: getattr(value, name)(*arguments, **named)
    if item.op == "call_function":
        return item.target  # type: ignore[return-value]
    raise NotUnderstoodError(f"{item.name} is a {item.op}")

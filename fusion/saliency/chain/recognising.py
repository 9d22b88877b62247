"""Which node a single operation of a traced program becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from fusion.saliency.chain.calls import Constant, Names
from fusion.saliency.chain.layers import batch_norm_factors, dense_weight, dilation_of
from fusion.saliency.chain.nodes import (
    Convolution,
    Joined,
    Node,
    NotUnderstoodError,
    Pointwise,
    Scale,
    Sum,
    TwoSlopes,
)
from fusion.saliency.chain.operations import (
    ADDITIONS,
    CONCATENATIONS,
    DIVISIONS,
    EXTREMES_OF_TWO,
    LEAKY_DEFAULT,
    LEAKY_RECTIFIERS,
    MULTIPLICATIONS,
    NEGATIONS,
    POINTWISE_FUNCTIONS,
    POINTWISE_METHODS,
    POINTWISE_MODULES,
    RECTIFIERS,
    SUBTRACTIONS,
    leaky_slopes,
    rectifier_slopes,
)

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


@dataclass(frozen=True)
class Operation:
    """One operation of the program, run once on noise.

    Attributes
    ----------
    item : torch.fx.Node
        What the program says.
    layer : torch.nn.Module or None
        The layer that it calls, if it does.
    names : mapping
        What the operations before it have become.
    sources : tuple of int
        The nodes that it takes.
    samples : sequence of Tensor
        Their values.
    channels : int
        Of its result.
    run : callable
        Computes its result from the values of its sources.
    """

    item: fx.Node
    layer: nn.Module | None
    names: Names
    sources: tuple[int, ...]
    samples: Sequence[Tensor]
    channels: int
    run: Callable[..., Tensor]

    @property
    def kind(self) -> Any:
        """The layer's class, the function, or the method's name."""
        return self.item.target if self.layer is None else type(self.layer)


def node_of(operation: Operation) -> Node:
    """Return the node that an operation becomes.

    Raises
    ------
    NotUnderstoodError
        If it is nothing that a chain can go through.
    """
    kind, layer, name = operation.kind, operation.layer, operation.item.name
    common = (operation.sources, operation.channels, operation.run)
    if layer is not None and (layer.training or any(getattr(layer, hook, None) for hook in _HOOKS)):
        raise NotUnderstoodError(f"{name} is in training mode or has hooks")
    if type(layer) is nn.Conv2d:
        return Convolution(*common, dense_weight(layer), dilation_of(layer))
    if type(layer) is nn.BatchNorm2d:
        return Scale(*common, batch_norm_factors(layer))
    if layer is None and kind in CONCATENATIONS:
        return _joined(operation)
    if kind in EXTREMES_OF_TWO and layer is None:
        understood = len(operation.sources) == len(operation.item.args) == 2 and not operation.item.kwargs
    elif layer is not None:
        understood = kind in POINTWISE_MODULES
    else:
        understood = kind in (
            POINTWISE_METHODS if operation.item.op == "call_method" else POINTWISE_FUNCTIONS
        )
    if not understood:
        raise NotUnderstoodError(f"{name} is {kind}, which is not known to be pointwise")
    if any(sample.shape[1] not in (1, operation.channels) for sample in operation.samples):
        raise NotUnderstoodError(f"{name} changes the number of channels")
    return _linear(operation) or _pointwise(operation)


def _joined(operation: Operation) -> Node:
    item = operation.item
    parts = item.args[0] if item.args else item.kwargs.get("tensors")
    dimension = item.args[1] if len(item.args) > 1 else item.kwargs.get("dim", item.kwargs.get("axis", 0))
    if not isinstance(parts, list | tuple) or dimension not in (1, -3):
        raise NotUnderstoodError(f"{item.name} does not join channels")
    names = [operation.names[part] for part in parts if isinstance(part, fx.Node)]
    sources = tuple(name for name in names if isinstance(name, int))
    if len(sources) != len(parts):
        raise NotUnderstoodError(f"{item.name} joins constants")
    return Joined(sources, operation.channels, lambda *values: torch.cat(values, dim=1))


def _linear(operation: Operation) -> Node | None:
    """Return a node whose derivative is the same everywhere, or None."""
    kind, sources, arguments = operation.kind, operation.sources, operation.item.args
    if operation.layer is not None or operation.item.kwargs:
        return None
    if any(
        sample.shape[1] != operation.channels or not sample.is_floating_point()
        for sample in operation.samples
    ):
        return None
    common = (operation.channels, operation.run)
    if kind in NEGATIONS and len(arguments) == 1:
        return Sum(sources, *common, (-1.0,))
    if len(arguments) != 2:
        return None
    first, second = (
        operation.names[operand] if isinstance(operand, fx.Node) else Constant(operand)
        for operand in arguments
    )
    if kind in ADDITIONS | SUBTRACTIONS:
        signs = [(first, 1.0), (second, 1.0 if kind in ADDITIONS else -1.0)]
        signed = [(name, sign) for name, sign in signs if isinstance(name, int)]
        if tuple(name for name, _ in signed) == sources:  # but for x + x
            return Sum(sources, *common, tuple(sign for _, sign in signed))
        return None
    constant = second if isinstance(first, int) else first
    if not isinstance(constant, Constant):
        return None
    factors = constant.a_channel(operation.channels)
    if factors is not None and kind in MULTIPLICATIONS:
        return Scale(sources, *common, factors)
    if factors is not None and kind in DIVISIONS and isinstance(first, int):
        return Scale(sources, *common, 1 / factors)
    return None


def _pointwise(operation: Operation) -> Node:
    count = len(operation.sources)
    node = Pointwise(
        operation.sources, operation.channels, operation.run, _two_slopes(operation), (True,) * count
    )
    return with_derivatives_known(node, operation.samples)


def with_derivatives_known(node: Pointwise, samples: Sequence[Tensor]) -> Pointwise:
    """Say of which of its sources a pointwise node has a derivative, which autograd tells."""
    found = node.partial_derivatives(samples)
    return replace(node, differentiable=tuple(partial is not None for partial in found))


def _two_slopes(operation: Operation) -> TwoSlopes | None:
    kind = operation.kind
    if kind in RECTIFIERS:
        return rectifier_slopes()
    if kind not in LEAKY_RECTIFIERS:
        return None
    if operation.layer is not None:
        slope: Any = operation.layer.negative_slope
    else:
        arguments, named = operation.item.args, operation.item.kwargs
        slope = arguments[1] if len(arguments) > 1 else named.get("negative_slope", LEAKY_DEFAULT)
    return leaky_slopes(slope) if isinstance(slope, float) else None

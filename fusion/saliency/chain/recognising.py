"""What a single operation of a traced program becomes."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from fusion.saliency.chain.calls import Call
from fusion.saliency.chain.channels import joined, repeated, same, split, stacked, taken, unflattened
from fusion.saliency.chain.elementwise import elementwise
from fusion.saliency.chain.filtering import batch_norm, convolution, padding
from fusion.saliency.chain.nodes import NotUnderstoodError
from fusion.saliency.chain.operations import CONVERSIONS, COPIES, DROPOUTS, UNCHANGING_MODULES
from fusion.saliency.chain.reducing import reduced, softmax
from fusion.saliency.chain.values import Constant, Several, Value, Whole

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_OF_WEIGHTS = (SpectralNorm, WeightNorm)
"""Hooks that make the weight of other parameters before the layer is called, and do nothing else."""


def value_of(call: Call) -> Value:
    """Return what an operation becomes, its nodes added.

    Raises
    ------
    NotUnderstoodError
        If it is nothing that a chain can go through.
    """
    if call.layer is not None:
        _check_layer(call, call.layer)
    for rule in _RULES:
        value = rule(call)
        if value is not None:
            return value
    name = getattr(call.kind, "__name__", call.kind)
    raise NotUnderstoodError(f"{call.name} is {name}, of which no chain is known")


def _check_layer(call: Call, layer: nn.Module) -> None:
    if layer.training:
        raise NotUnderstoodError(f"{call.name} is in training mode")
    hooks = [hook for kind in _HOOKS for hook in (getattr(layer, kind, None) or {}).values()]
    if not all(isinstance(hook, _OF_WEIGHTS) for hook in hooks):
        raise NotUnderstoodError(f"{call.name} has hooks")
    if hooks:
        # Before its weight is read: it is made when the layer is called.
        _ = call.result


def _unchanged(call: Call) -> Value | None:
    """Return the operand where nothing is done to it."""
    if call.kind in UNCHANGING_MODULES:
        operand = call.operand
    elif call.layer is None and call.kind in DROPOUTS:
        given = {"training": True, **call.bound("input p training")}
        if given["training"] is not False:
            raise NotUnderstoodError(f"{call.name} is random")
        operand = given["input"]
    elif call.kind in CONVERSIONS and type(call.args[0]) is Constant:
        # Of the value that it is made alike only the type matters.
        return Constant(call.result)
    elif call.kind in CONVERSIONS and type(call.args[0]) is Whole:
        operand = call.args[0]
        if not _is_alike(call.result, call.samples[operand.number]):
            return None
    else:
        return None
    if not isinstance(operand, Value):
        raise NotUnderstoodError(f"{call.name} is called without an image")
    return operand


def _is_alike(result: object, operand: Tensor) -> bool:
    """Whether a conversion has had nothing to convert."""
    return isinstance(result, Tensor) and result.dtype == operand.dtype and result.shape == operand.shape


def _copied(call: Call) -> Value | None:
    """Return a node of its own for a copy: to write to it leaves the original as it is."""
    if call.layer is not None or call.kind not in COPIES:
        return None
    operand = call.args[0] if call.args else None
    if type(operand) is not Whole:
        raise NotUnderstoodError(f"{call.name} copies something else than an image")
    return same(call, operand.number, call.run)


def _part(call: Call) -> Value | None:
    """Return one of the two results of a maximum that is asked for by name."""
    if call.kind is not getattr or not isinstance(call.args[0], Several):
        return None
    places = {"values": 0, "indices": 1}
    if call.args[1] not in places:
        raise NotUnderstoodError(f"{call.name} asks for {call.args[1]!r}")
    return call.args[0].parts[places[call.args[1]]]


_RULES: tuple[Callable[[Call], Value | None], ...] = (
    _unchanged,
    _copied,
    _part,
    padding,
    convolution,
    batch_norm,
    joined,
    stacked,
    split,
    repeated,
    taken,
    unflattened,
    reduced,
    softmax,
    elementwise,
)

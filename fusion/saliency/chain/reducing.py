"""Which operations of a program make one value of several: of the channels of a node, or of stacked nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from fusion.saliency.chain.calls import Call, keeps_size
from fusion.saliency.chain.channels import CHANNELS, channel_map
from fusion.saliency.chain.nodes import (
    Convolution,
    NotUnderstoodError,
    Pointwise,
    Reduced,
    Scale,
    Sum,
    with_derivatives_known,
)
from fusion.saliency.chain.operations import MEANS, REDUCTIONS, SOFTMAXES, SUMS
from fusion.saliency.chain.values import Flat, Several, Stacked, Value, Whole


def reduced(call: Call) -> Value | None:
    """Return a sum, maximum or the like of channels or of a stack, ``None`` if the operation is something else."""
    if call.layer is not None or call.kind not in REDUCTIONS:
        return None
    given = {"keepdim": False, "dim": None, **call.bound(REDUCTIONS[call.kind])}
    operand, along = given["input"], _one_dimension(given["dim"])
    if along is None or not _takes_only(call, operand):
        return None
    if isinstance(operand, Stacked) and along % 5 == operand.dimension and not given["keepdim"]:
        return _of_parts(call.result, lambda part: _of_stack(call, part))
    if type(operand) is Whole and along in CHANNELS:
        kept = bool(given["keepdim"])
        return _of_parts(call.result, lambda part: _of_channels(call, operand.number, part, kept))
    raise NotUnderstoodError(f"{call.name} makes one number of more than the channels of a pixel")


def _takes_only(call: Call, operand: Any) -> bool:
    return isinstance(operand, Value) and set(call.sources) == set(operand.numbers)


def _one_dimension(given: Any) -> int | None:
    """Return the only dimension that is asked for, ``None`` where it is none, several or another value."""
    if isinstance(given, list | tuple) and len(given) == 1:
        given = given[0]
    return given if type(given) is int else None


def _of_parts(result: Any, part_of: Callable[[int | None], Value]) -> Value:
    """Return one value, or as many as the operation has: values and where they were found."""
    if isinstance(result, tuple):
        return Several(tuple(part_of(part) for part in range(len(result))))
    return part_of(None)


def _of_stack(call: Call, part: int | None) -> Value:
    operand = call.args[0]
    channels = call.samples[call.sources[0]].shape[1]
    run = _picked(call.run, part, flat=False)
    if call.kind in SUMS | MEANS and len(set(operand.members)) == len(operand.members):
        count = len(operand.members)
        total = call.add(Sum(call.sources, channels, _total, (1.0,) * count))
        if call.kind in SUMS:
            return Whole(total)
        factors = torch.full((channels,), 1 / count, dtype=torch.float64)
        return Whole(call.add(Scale((total,), channels, lambda value: value / count, factors)))
    return Whole(_differentiated(call, Pointwise, call.sources, channels, run))


def _total(*values: Tensor) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def _of_channels(call: Call, source: int, part: int | None, kept: bool) -> Value:
    run = _picked(call.run, part, flat=not kept)
    if call.kind in SUMS | MEANS:
        number = channel_map(call, source, run).number
    elif call.samples[source].shape[1] == 1:
        number = _differentiated(call, Pointwise, (source,), 1, run)
    else:
        number = _differentiated(call, Reduced, (source,), 1, run)
    return Whole(number) if kept else Flat(number)


def _picked(run: Callable[..., Any], part: int | None, flat: bool) -> Callable[..., Tensor]:
    """Return an operation's only result or one of several, with the dimension of the channels that it lacks."""

    def picked(*values: Tensor) -> Tensor:
        found = run(*values)
        tensor: Tensor = found if part is None else found[part]
        return tensor.unsqueeze(1) if flat else tensor

    return picked


def _differentiated(
    call: Call,
    kind: type[Pointwise] | type[Reduced],
    sources: tuple[int, ...],
    channels: int,
    run: Callable[..., Tensor],
) -> int:
    samples = [call.samples[source] for source in sources]
    if not keeps_size(run(*samples)):
        raise NotUnderstoodError(f"{call.name} does not keep the image's size")
    node = kind(sources, channels, run, None, (True,) * len(sources))
    return call.add(with_derivatives_known(node, samples))


def softmax(call: Call) -> Value | None:
    """Return a softmax over channels or a stack, ``None`` if the operation is something else.

    Over channels each result depends on all of them. It becomes what it is made of: an exponential, the sum over
    channels, a division. The exponential is of the difference to the largest, which the derivative may take for a
    constant, for adding one changes nothing.
    """
    if call.kind not in SOFTMAXES:
        return None
    if call.layer is None:
        given = call.bound("input dim _stacklevel dtype" if call.kind is F.softmax else "input dim dtype")
    else:
        given = {"input": call.operand, "dim": 1 if isinstance(call.layer, nn.Softmax2d) else call.layer.dim}
    operand, dimension = given["input"], given.get("dim")
    if given.get("dtype") is not None or not _takes_only(call, operand) or type(dimension) is not int:
        raise NotUnderstoodError(f"{call.name} is no softmax over channels")
    if isinstance(operand, Stacked) and dimension % 5 == operand.dimension:
        return _softmax_of_stack(call, operand)
    if type(operand) is Whole and dimension in CHANNELS:
        return Whole(_softmax_of_channels(call, operand.number))
    raise NotUnderstoodError(f"{call.name} is no softmax over channels")


def _softmax_of_stack(call: Call, operand: Stacked) -> Stacked:
    channels = call.samples[operand.members[0]].shape[1]
    members = tuple(
        _differentiated(call, Pointwise, call.sources, channels, _member(call.run, operand.dimension, place))
        for place in range(len(operand.members))
    )
    return Stacked(members, operand.dimension)


def _member(run: Callable[..., Tensor], dimension: int, place: int) -> Callable[..., Tensor]:
    return lambda *values: run(*values).select(dimension, place)


def _softmax_of_channels(call: Call, source: int) -> int:
    channels = call.samples[source].shape[1]
    kind = Reduced if channels > 1 else Pointwise
    largest = _differentiated(
        call, kind, (source,), 1, lambda value: value.detach().amax(dim=1, keepdim=True)
    )
    raised = _differentiated(
        call, Pointwise, (source, largest), channels, lambda value, most: torch.exp(value - most)
    )
    ones = torch.ones(1, channels, 1, 1, dtype=torch.float64)
    total = call.add(Convolution((raised,), 1, lambda value: value.sum(dim=1, keepdim=True), ones, (1, 1)))
    return _differentiated(call, Pointwise, (raised, total), channels, lambda part, whole: part / whole)

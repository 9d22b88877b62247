"""Which operations of a program join, take, repeat or add up channels, pixel by pixel."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from fusion.saliency.chain.calls import Call, keeps_size, same_memory
from fusion.saliency.chain.nodes import Convolution, Joined, NotUnderstoodError, Sum
from fusion.saliency.chain.operations import CONCATENATIONS, CUTS, REPETITIONS
from fusion.saliency.chain.values import Flat, Several, Size, Stacked, Value, Whole

CHANNELS = (1, -3)
"""What programs call the dimension of the channels."""


def channel_map(call: Call, source: int, run: Callable[[Tensor], Tensor]) -> Whole:
    """Add a node whose every pixel is linear in the channels of the same pixel; none where it is the source itself.

    Parameters
    ----------
    call : Call
        The operation.
    source : int
        The node that it takes.
    run : callable
        Computes (1, outputs, rows, columns) from the source's (1, channels, rows, columns).

    Returns
    -------
    Whole
        A convolution of one pixel, whose weights are what `run` makes of each channel alone; a copy if it is one.
    """
    sample = call.samples[source]
    columns = []
    for channel in range(sample.shape[1]):
        alone = torch.zeros(sample.shape, dtype=torch.float64, device=sample.device)
        alone[:, channel] = 1
        try:
            made = run(alone)
        except Exception as error:
            raise NotUnderstoodError(f"{call.name} cannot be run on single channels: {error}") from error
        if not keeps_size(made) or not torch.equal(made, made[..., :1, :1].expand_as(made)):
            raise NotUnderstoodError(f"{call.name} does more than to take or add channels")
        columns.append(made[0, :, 0, 0].double().cpu())
    matrix = torch.stack(columns, dim=1)
    if matrix.shape[0] == matrix.shape[1] and torch.equal(matrix, torch.eye(len(matrix)).double()):
        return same(call, source, run)
    weight = matrix[:, :, None, None]
    return Whole(call.add(Convolution((source,), len(matrix), run, weight, (1, 1))))


def same(call: Call, source: int, run: Callable[[Tensor], Tensor]) -> Whole:
    """Return a node to which nothing is done, or one for its copy, which can be written to without it."""
    sample = call.samples[source]
    if same_memory(run(sample), sample):
        return Whole(source)
    return Whole(call.add(Sum((source,), sample.shape[1], run, (1.0,))))


def joined(call: Call) -> Value | None:
    """Return the node of a concatenation along channels, ``None`` if the operation is something else."""
    if call.layer is not None or call.kind not in CONCATENATIONS:
        return None
    given = {"dim": 0, **call.bound("tensors dim")}
    if given["dim"] not in CHANNELS:
        raise NotUnderstoodError(f"{call.name} does not join channels")
    sources = _numbers(call, given["tensors"])
    channels = sum(call.samples[source].shape[1] for source in sources)
    return Whole(call.add(Joined(sources, channels, lambda *values: torch.cat(values, dim=1))))


def stacked(call: Call) -> Value | None:
    """Return several nodes along a dimension of their own, ``None`` if the operation is something else."""
    if call.kind is not torch.stack:
        return None
    given = {"dim": 0, **call.bound("tensors dim")}
    members = _numbers(call, given["tensors"])
    if len({call.samples[member].shape for member in members}) != 1 or not isinstance(given["dim"], int):
        raise NotUnderstoodError(f"{call.name} stacks values of unlike shape")
    return Stacked(members, given["dim"] % 5)


def _numbers(call: Call, tensors: Any) -> tuple[int, ...]:
    parts = tensors.parts if isinstance(tensors, Several) else tensors
    wholes = [part for part in parts if type(part) is Whole] if isinstance(parts, Sequence) else []
    if not wholes or len(wholes) != len(parts):
        raise NotUnderstoodError(f"{call.name} puts together what are not all images")
    return tuple(whole.number for whole in wholes)


def split(call: Call) -> Value | None:
    """Return the part or parts that are cut out along channels, ``None`` if the operation is something else."""
    if call.layer is not None or call.kind not in CUTS:
        return None
    given = {"dim": 0, **call.bound(CUTS[call.kind])}
    operand = given["input"]
    if type(operand) is not Whole or given["dim"] not in CHANNELS or call.sources != operand.numbers:
        raise NotUnderstoodError(f"{call.name} does not cut along channels")
    if isinstance(call.result, Tensor):
        return channel_map(call, operand.number, call.run)
    return Several(
        tuple(channel_map(call, operand.number, _part(call.run, part)) for part in range(len(call.result)))
    )


def _part(run: Callable[..., Any], part: int) -> Callable[[Tensor], Tensor]:
    return lambda value: run(value)[part]


def repeated(call: Call) -> Value | None:
    """Return the node of a value whose channels are repeated, ``None`` if the operation is something else."""
    if call.layer is not None or call.kind not in REPETITIONS:
        return None
    operand = call.args[0] if call.args else None
    if type(operand) is not Whole or not keeps_size(call.result):
        raise NotUnderstoodError(f"{call.name} repeats more than channels")
    before, channels = call.samples[operand.number].shape[1], call.result.shape[1]
    if call.sources == operand.numbers:
        return channel_map(call, operand.number, call.run)
    if before != 1:
        raise NotUnderstoodError(f"{call.name} repeats channels by another value")
    # Of the other value only the shape matters.
    return channel_map(call, operand.number, lambda value: value.expand(-1, channels, -1, -1))


def taken(call: Call) -> Value | None:
    """Return what an index takes: channels, or one of several values; ``None`` if the operation is something else."""
    if call.kind is not operator.getitem:
        return None
    operand, index = call.args
    if isinstance(operand, Several) and isinstance(index, int | slice):
        found = operand.parts[index]
        return Several(found) if isinstance(found, tuple) else found
    if isinstance(operand, Stacked) and operand.dimension == 0 and isinstance(index, int):
        return Whole(operand.members[index])
    entries = index if isinstance(index, tuple) else (index,)
    if isinstance(operand, Flat) and entries[:2] == (slice(None), None) and _all_of(entries[2:], (2, 3)):
        return Whole(operand.number)
    if type(operand) is not Whole:
        return None
    if ... in entries:
        at = entries.index(...)
        entries = (*entries[:at], *(slice(None),) * (5 - len(entries)), *entries[at + 1 :])
    first, *rest = entries
    chosen, *others = rest or [slice(None)]
    if not _all_of((first, *others), (0, 2, 3)):
        raise NotUnderstoodError(f"{call.name} takes a part of the image")
    if isinstance(chosen, int):
        one = range(call.samples[operand.number].shape[1])[chosen]
        return Flat(channel_map(call, operand.number, lambda value: value[:, one : one + 1]).number)
    if isinstance(chosen, slice | list):
        return channel_map(call, operand.number, lambda value: value[:, chosen])
    raise NotUnderstoodError(f"{call.name} does not say which channels it takes")


def _all_of(entries: Sequence[Any], axes: Sequence[int]) -> bool:
    """Whether an index takes all of these dimensions, up to their own size if it says so."""
    return len(entries) <= len(axes) and all(
        isinstance(entry, slice)
        and (entry.start is None or entry.start == 0)
        and (entry.stop is None or (isinstance(entry.stop, Size) and entry.stop.axis == axis))
        and entry.step in (None, 1)
        for entry, axis in zip(entries, axes, strict=False)
    )


def unflattened(call: Call) -> Value | None:
    """Return a value without channels with one channel again, ``None`` if the operation is something else."""
    if call.kind not in ("unsqueeze", torch.unsqueeze):
        return None
    given = call.bound("input dim")
    if not isinstance(given["input"], Flat) or given["dim"] not in CHANNELS:
        raise NotUnderstoodError(f"{call.name} makes a dimension that images do not have")
    return Whole(given["input"].number)

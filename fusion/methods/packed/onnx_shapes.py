"""ONNX's operators that arrange values, of tensors and of numbers: shapes are worked out by the latter."""

from __future__ import annotations

import functools
import math
import operator as python
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fusion.methods.packed.onnx_calls import Call, Numbers, integers, numbers_of, of_numbers, operator, scalar
from fusion.methods.packed.onnx_file import DTYPES, SMALL


@operator("Shape")
def shape(call: Call, tensor: Tensor) -> Numbers:
    """Take the sides."""
    sides = list(tensor.shape)
    return numbers_of(sides[call.get("start", 0) : call.get("end", len(sides))])


@operator("Size")
def size(call: Call, tensor: Tensor) -> Numbers:
    """Count the values."""
    return numbers_of([tensor.numel()]).reshape(())


@operator("Identity")
@of_numbers("Identity")
def identity(call: Call, value: Any) -> Any:
    """Do nothing."""
    return value


@operator("Concat")
def concat(call: Call, *tensors: Tensor) -> Tensor:
    """Put tensors behind each other."""
    return torch.cat(tensors, dim=call.get("axis", 0))


@of_numbers("Concat")
def concat_numbers(call: Call, *values: Numbers) -> Numbers:
    """Put numbers behind each other."""
    return np.concatenate(values, axis=call.get("axis", 0))


@operator("Slice", tensors=(0,))
@of_numbers("Slice")
def cut(call: Call, value: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    """Cut along axes."""
    begin, end = integers(starts), integers(ends)
    chosen = integers(axes) or list(range(len(begin)))
    places = [slice(None)] * value.ndim
    turned: list[int] = []
    for one, other, axis, step in zip(begin, end, chosen, integers(steps) or [1] * len(begin), strict=True):
        if step < 0 and isinstance(value, Tensor):  # torch has no steps backwards
            side = value.shape[axis]
            if step != -1 or not (one == -1 or one >= side - 1) or other >= -side:
                raise ValueError("steps backwards are read over a whole axis only")
            turned.append(axis)
            continue
        places[axis] = slice(one, other, step)
    found = value[tuple(places)]
    return torch.flip(found, turned) if turned else found


@operator("Split", tensors=(0,))
@of_numbers("Split")
def split(call: Call, value: Any, parts: Any = None) -> tuple[Any, ...]:
    """Cut an axis into parts, equal ones but for the last unless their sizes are given."""
    axis, count = call.get("axis", 0), len(call.node.outputs)
    sizes = integers(parts) or integers(call.get("split"))
    if not sizes:
        side = value.shape[axis]
        each = -(-side // count)
        sizes = [min(each, side - each * index) for index in range(count)]
    if isinstance(value, Tensor):
        return tuple(torch.split(value, sizes, dim=axis))
    return tuple(np.split(value, np.cumsum(sizes)[:-1].tolist(), axis=axis))


@operator("Reshape", tensors=(0,))
@of_numbers("Reshape")
def reshape(call: Call, value: Any, sides: Any) -> Any:
    """Give other sides: 0 is that which it has, -1 what is left."""
    wanted = integers(sides)
    if not call.get("allowzero", 0):
        kept = value.shape
        wanted = [
            kept[index] if type(side) is int and side == 0 else side for index, side in enumerate(wanted)
        ]
    return value.reshape(wanted)


@operator("Transpose")
@of_numbers("Transpose")
def transpose(call: Call, value: Any) -> Any:
    """Put axes into another order."""
    order = integers(call.get("perm")) or list(reversed(range(value.ndim)))
    return value.permute(order) if isinstance(value, Tensor) else value.transpose(order)


@operator("Flatten")
def flatten(call: Call, tensor: Tensor) -> Tensor:
    """Make a matrix of a tensor."""
    axis = call.get("axis", 1)
    axis = axis + tensor.dim() if axis < 0 else axis
    before = list(tensor.shape[:axis])
    return tensor.reshape(math.prod(before), -1)


@operator("Squeeze", tensors=(0,))
@of_numbers("Squeeze")
def squeeze(call: Call, value: Any, axes: Any = None) -> Any:
    """Take out axes of one."""
    chosen = integers(axes) or integers(call.get("axes"))
    if isinstance(value, Tensor):
        return torch.squeeze(value, tuple(chosen)) if chosen else torch.squeeze(value)
    return np.squeeze(value, axis=tuple(chosen) if chosen else None)


@operator("Unsqueeze", tensors=(0,))
@of_numbers("Unsqueeze")
def unsqueeze(call: Call, value: Any, axes: Any = None) -> Any:
    """Put in axes of one."""
    chosen = integers(axes) or integers(call.get("axes"))
    sides = value.ndim + len(chosen)
    for axis in sorted(axis % sides for axis in chosen):
        value = value.unsqueeze(axis) if isinstance(value, Tensor) else np.expand_dims(value, axis)
    return value


@operator("Gather", tensors=(0,))
def gather(call: Call, tensor: Tensor, indices: Any) -> Tensor:
    """Take some along an axis."""
    axis = call.get("axis", 0) % tensor.dim()
    places = indices if isinstance(indices, np.ndarray) else numbers_of(indices)
    side = tensor.shape[axis]
    if places.size == 1:
        found = tensor.select(axis, int(places.flat[0]))
        return (
            found
            if places.ndim == 0
            else found.unsqueeze(axis).reshape(*tensor.shape[:axis], *places.shape, *tensor.shape[axis + 1 :])
        )
    chosen = torch.tensor([int(place) % side for place in places.flat], device=tensor.device)
    found = tensor.index_select(axis, chosen)
    return (
        found
        if places.ndim == 1
        else found.reshape(*tensor.shape[:axis], *places.shape, *tensor.shape[axis + 1 :])
    )


@of_numbers("Gather")
def gather_numbers(call: Call, values: Numbers, indices: Numbers) -> Numbers:
    """Take some numbers."""
    found = np.take(values, np.array(indices.tolist(), dtype=np.int64), axis=call.get("axis", 0))
    return found if isinstance(found, np.ndarray) else numbers_of([found]).reshape(())


@operator("Cast", tensors=(0,))
def cast(call: Call, tensor: Tensor) -> Tensor:
    """Bring to another type of numbers; all decimals stay in the images' precision."""
    wanted = _type(call.get("to", 0))
    if not wanted.is_floating_point:
        return tensor.to(wanted)
    return tensor if tensor.is_floating_point() else tensor.to(call.precision)


@of_numbers("Cast")
def cast_numbers(call: Call, values: Numbers) -> Numbers:
    """Bring numbers to another type."""
    wanted = _type(call.get("to", 0))
    kind: Any = bool if wanted == torch.bool else float if wanted.is_floating_point else int
    # Sizes that are not to be looked at stay as they are.
    return _each(lambda value: value if isinstance(value, kind) and kind is int else kind(value), values)


def _type(number: int) -> torch.dtype:
    if number not in DTYPES:
        raise ValueError(f"a type of numbers that is not read ({number})")
    return DTYPES[number]


def _each(function: Callable[..., Any], *values: Numbers) -> Numbers:
    found = np.frompyfunc(function, len(values), 1)(*values)
    return found if isinstance(found, np.ndarray) else numbers_of([found]).reshape(())


def _divided(one: Any, other: Any) -> Any:
    if isinstance(one, float) or isinstance(other, float):
        return one / other
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) == (other < 0) else -quotient


def _power(one: Any, other: Any) -> Any:
    if abs(other) > 8:
        raise ValueError("a power of sizes is too large")
    return one**other


_OF_NUMBERS: dict[str, Callable[..., Any]] = {
    "Add": python.add, "Sub": python.sub, "Mul": python.mul, "Div": _divided, "Mod": python.mod, "Pow": _power,
    "Neg": python.neg, "Abs": abs, "Floor": lambda value: float(math.floor(value)),
    "Ceil": lambda value: float(math.ceil(value)), "Round": lambda value: float(round(value)), "Sqrt": math.sqrt,
    "Reciprocal": lambda value: 1 / value, "Equal": python.eq, "Greater": python.gt, "Less": python.lt,
    "GreaterOrEqual": python.ge, "LessOrEqual": python.le, "Not": python.not_,
    "And": lambda one, other: one and other, "Or": lambda one, other: one or other,
    "Where": lambda condition, one, other: one if condition else other,
}  # fmt: skip


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda call, *values: _each(function, *values)


for _name, _function in _OF_NUMBERS.items():
    of_numbers(_name)(_elementwise(_function))


@of_numbers("Max")
def maximum_numbers(call: Call, *values: Numbers) -> Numbers:
    """Take the largest."""
    return functools.reduce(lambda one, other: _each(max, one, other), values)


@of_numbers("Min")
def minimum_numbers(call: Call, *values: Numbers) -> Numbers:
    """Take the smallest."""
    return functools.reduce(lambda one, other: _each(min, one, other), values)


@of_numbers("ReduceProd")
def product_of_numbers(call: Call, values: Numbers, axes: Any = None) -> Numbers:
    """Multiply all."""
    product = numbers_of([math.prod(values.flat)])
    return product if call.get("keepdims", 1) else product.reshape(())


@operator("Expand", tensors=(0,))
def expand(call: Call, tensor: Tensor, sides: Any) -> Tensor:
    """Repeat along axes of one."""
    wanted = integers(sides)
    have = [1] * (len(wanted) - tensor.dim()) + list(tensor.shape)
    wanted = [1] * (len(have) - len(wanted)) + wanted
    both = zip(have, wanted, strict=True)
    return tensor.expand([one if type(other) is int and other == 1 else other for one, other in both])


@of_numbers("Expand")
def expand_numbers(call: Call, values: Numbers, sides: Numbers) -> Numbers:
    """Repeat numbers."""
    _check_count(integers(sides))
    return np.array(np.broadcast_to(values, np.broadcast_shapes(values.shape, tuple(integers(sides)))))


@operator("Tile", tensors=(0,))
def tile(call: Call, tensor: Tensor, times: Any) -> Tensor:
    """Repeat."""
    return tensor.repeat(integers(times))


@of_numbers("Tile")
def tile_numbers(call: Call, values: Numbers, times: Numbers) -> Numbers:
    """Repeat numbers."""
    _check_count([*values.shape, *integers(times)])
    return np.tile(values, integers(times))


def _check_count(sides: list[Any]) -> None:
    if any(side < 0 for side in sides) or math.prod(sides) > SMALL:
        raise ValueError(f"more than {SMALL:,} numbers of sizes")


@operator("ConstantOfShape", tensors=())
def constant_of_shape(call: Call, sides: Any) -> Tensor:
    """Make a tensor of one number."""
    value = call.get("value")
    number = 0.0 if value is None else value.flatten()[0].item()
    kind = call.precision if value is None or value.is_floating_point() else value.dtype
    return torch.full(integers(sides), number, dtype=kind, device=call.device)


@of_numbers("ConstantOfShape")
def constant_numbers(call: Call, sides: Numbers) -> Any:
    """Make numbers of one number; a tensor where they are decimals, as these stand beside images."""
    value = call.get("value")
    _check_count(integers(sides))
    return np.full(integers(sides), value.flatten()[0].item(), dtype=object)


@of_numbers("Range")
def range_of_numbers(call: Call, start: Numbers, stop: Numbers, step: Numbers) -> Numbers:
    """Count."""
    first, last, by = scalar(start), scalar(stop), scalar(step)
    count = max(0, math.ceil((last - first) / by))
    _check_count([count])
    return numbers_of([first + by * index for index in range(count)])

"""The table of ONNX's operators that are read, and how one is called.

Values are tensors, or *numbers*: NumPy arrays of Python's own numbers, which sizes and what is worked out of them are.
So sizes need no tensors, and stay what they are where a program is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.methods.packed.expressions import LARGEST
from fusion.methods.packed.onnx_file import SMALL, Node

Numbers = NDArray[np.object_]


@dataclass(frozen=True)
class Call:
    """A node that is being run.

    Attributes
    ----------
    node : Node
        Its attributes are the function's to read.
    precision : torch.dtype
        Of the images, and so of all decimals.
    device : torch.device
        Where the images are.
    """

    node: Node
    precision: torch.dtype
    device: torch.device

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute, of the default's type; a text as such."""
        value = self.node.attributes.get(name, default)
        if isinstance(value, bytes):
            value = value.decode("utf-8")
        if default is not None and type(value) is not type(default):
            raise ValueError(f"its {name} is no {type(default).__name__}")
        return value


@dataclass(frozen=True)
class Runner:
    """A node with the function that runs it.

    Attributes
    ----------
    node : Node
        Which.
    run : callable
        run(call, *values), with `None` for inputs that are left out.
    tensors : tuple of int, optional
        Which inputs are tensors; numbers are made tensors there. All of them unless given.
    """

    node: Node
    run: Callable[..., Any]
    tensors: tuple[int, ...] | None

    def __call__(self, *values: Any, dtype: torch.dtype, device: torch.device) -> Any:
        """Run it for images of a precision on a device."""
        given = [
            as_tensor(value, dtype, device)
            if isinstance(value, np.ndarray) and (self.tensors is None or index in self.tensors)
            else value
            for index, value in enumerate(values)
        ]
        try:
            return self.run(Call(self.node, dtype, device), *given)
        except torch.OutOfMemoryError:
            raise
        except (ValueError, TypeError, IndexError, KeyError, ZeroDivisionError, RuntimeError) as error:
            raise ValueError(f"{self.node.kind} (node {self.node.name!r}): {error}") from error


@dataclass(frozen=True)
class Operator:
    """One row of the table.

    Attributes
    ----------
    run : callable or None
        Of tensors.
    tensors : tuple of int, optional
        See `Runner`.
    numbers : callable or None
        The same of numbers, where it has such a form.
    since : int
        The first opset in which it is.
    """

    run: Callable[..., Any] | None
    tensors: tuple[int, ...] | None = None
    numbers: Callable[..., Any] | None = None
    since: int = 1


TABLE: dict[str, Operator] = {}
"""Operators by name; the files of operators fill it."""


def operator(
    *names: str, tensors: tuple[int, ...] | None = None, since: int = 1
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a function into the table."""

    def put(run: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            numbers = TABLE[name].numbers if name in TABLE else None
            TABLE[name] = Operator(run, tensors, numbers, since)
        return run

    return put


def of_numbers(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a function of numbers into the table."""

    def put(run: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            known = TABLE.get(name, Operator(None))
            TABLE[name] = Operator(known.run, known.tensors, _bounded(run), known.since)
        return run

    return put


def _bounded(run: Callable[..., Any]) -> Callable[..., Any]:
    def bounded(call: Call, *values: Any) -> Any:
        found = run(call, *values)
        for array in found if isinstance(found, tuple) else (found,):
            if array.size > SMALL:
                raise ValueError(f"{array.size:,} numbers of sizes are more than {SMALL:,}")
            if any(type(number) is int and abs(number) > LARGEST for number in array.flat):
                raise ValueError("a size is too large")
        return found

    return bounded


def numbers_of(values: Any) -> Numbers:
    """Return numbers, a list of numbers or a tensor's numbers as an array of Python's own."""
    if isinstance(values, Tensor):
        shape: Sequence[int] = tuple(values.shape)
        flat = values.flatten().tolist()
    else:
        flat, shape = list(values), (len(values),)
    found = np.empty(len(flat), dtype=object)
    for index, number in enumerate(flat):
        found[index] = number
    return found.reshape(shape)


def as_tensor(numbers: Numbers, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return numbers as a tensor: decimals in the images' precision."""
    kinds: set[type] = {type(number) for number in numbers.flatten().tolist()}
    kind = torch.bool if kinds == {bool} else dtype if float in kinds else torch.int64
    return torch.tensor(numbers.tolist(), dtype=kind, device=device).reshape(numbers.shape)


def integers(values: Any) -> list[Any]:
    """Return whole numbers given as numbers, a list or nothing; sizes as they are."""
    if values is None:
        return []
    if isinstance(values, Tensor):
        raise ValueError("sizes that are worked out of images' values are not read")
    return list(values.flat) if isinstance(values, np.ndarray) else list(values)


def scalar(value: Any, default: float | None = None) -> Any:
    """Return one number, or a tensor as it is."""
    if value is None:
        return default
    if not isinstance(value, np.ndarray):
        return value
    if value.size != 1:
        raise ValueError("one number is expected")
    return value.flat[0]

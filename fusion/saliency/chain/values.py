"""What the values of a traced program are: nodes, constants, and what a few operations have made of nodes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, fx

from fusion.saliency.chain.nodes import NotUnderstoodError, Reach

Known = Mapping[int, Tensor]
"""Tensors by the number of their node."""


class Value(ABC):
    """What an operation of the program has become."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The nodes that it is made of."""
        return ()

    @abstractmethod
    def filled(self, known: Known) -> Any:
        """Return what it is when the network runs."""


@dataclass(frozen=True, eq=False)
class Constant(Value):
    """Something that does not depend on the images."""

    value: Any

    def filled(self, known: Known) -> Any:
        """See `Value`."""
        return self.value


@dataclass(frozen=True)
class Whole(Value):
    """The value of a node, (1, channels, rows, columns)."""

    number: int

    @property
    def numbers(self) -> tuple[int, ...]:
        """See `Value`."""
        return (self.number,)

    def filled(self, known: Known) -> Tensor:
        """See `Value`."""
        return known[self.number]


@dataclass(frozen=True)
class Flat(Whole):
    """The value of a node of one channel without that dimension, (1, rows, columns)."""

    def filled(self, known: Known) -> Tensor:
        """See `Value`."""
        return known[self.number].squeeze(1)


@dataclass(frozen=True)
class Padded(Whole):
    """The value of a node with zeros around it.

    Attributes
    ----------
    before, after : tuple of int
        How many rows and columns of zeros at the top and left, and at the bottom and right.
    """

    before: Reach
    after: Reach

    def filled(self, known: Known) -> Tensor:
        """See `Value`."""
        (top, left), (bottom, right) = self.before, self.after
        return F.pad(known[self.number], (left, right, top, bottom))


@dataclass(frozen=True)
class Stacked(Value):
    """Nodes of as many channels, stacked along a dimension of their own.

    Attributes
    ----------
    members : tuple of int
        The nodes' numbers.
    dimension : int
        Which of the five dimensions it is, from 0.
    """

    members: tuple[int, ...]
    dimension: int

    @property
    def numbers(self) -> tuple[int, ...]:
        """See `Value`."""
        return self.members

    def filled(self, known: Known) -> Tensor:
        """See `Value`."""
        return torch.stack([known[number] for number in self.members], self.dimension)


@dataclass(frozen=True)
class Several(Value):
    """A tuple of values, as what splits a tensor returns."""

    parts: tuple[Value, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """See `Value`."""
        return tuple(number for part in self.parts for number in part.numbers)

    def filled(self, known: Known) -> tuple[Any, ...]:
        """See `Value`."""
        return tuple(part.filled(known) for part in self.parts)


@dataclass(frozen=True, eq=False)
class Size:
    """How many pairs, rows or columns there are, whatever that is when the network runs.

    It stands in the shapes that the program sees. It equals itself, so that a program may test whether two values have
    the same shape. Nothing can be computed from it and compared with a number: what a network does at one size says
    nothing of another.

    Attributes
    ----------
    axis : int
        Which dimension of an image: 0, 2 or 3.
    """

    axis: int

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Size) and other.axis == self.axis:
            return True
        raise NotUnderstoodError("what it does depends on the image's size")

    def __hash__(self) -> int:
        return hash(self.axis)

    def __fx_create_arg__(self, tracer: fx.Tracer) -> Size:
        return self


def mapped(structure: Any, change: Callable[[Any], Any]) -> Any:
    """Return an operation's arguments with everything in them changed, inside lists and slices too."""
    if isinstance(structure, tuple):
        return tuple(mapped(item, change) for item in structure)
    if isinstance(structure, list):
        return [mapped(item, change) for item in structure]
    if isinstance(structure, dict):
        return {key: mapped(item, change) for key, item in structure.items()}
    if isinstance(structure, slice):
        return slice(*(mapped(end, change) for end in (structure.start, structure.stop, structure.step)))
    return change(structure)


def leaves(structure: Any) -> list[Any]:
    """Return everything in an operation's arguments, in order."""
    found: list[Any] = []
    mapped(structure, found.append)
    return found

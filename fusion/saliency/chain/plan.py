"""What a chain does for a principal pixel, and what it needs for that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from fusion.saliency.chain.nodes import Reach
from fusion.saliency.chain.steps import Step

INSIDE = -1
"""Instead of a node's number: the map that is 1 inside the image and 0 outside."""


@dataclass(frozen=True)
class Kept:
    """One map of the forward pass that a chain multiplies by.

    Attributes
    ----------
    node : int
        Which pointwise node's derivative, or `INSIDE`.
    position : int
        With respect to which of its sources.
    reach : tuple of int
        How far from the principal pixel it is needed.
    channels : int
        Its channels.
    """

    node: int
    position: int
    reach: Reach
    channels: int


@dataclass(frozen=True)
class Plan:
    """What to do for a principal pixel, or many at once.

    Attributes
    ----------
    steps : tuple of Step
        In order; slot 0 holds ones for the fused pixels when they begin.
    slots : int
        How many slots they use.
    results : tuple
        Slot and reach of the derivative with respect to each image, ``None`` where it is 0.
    kept : tuple of Kept
        The maps that they multiply by.
    multiplications : int
        Multiplications in convolutions, a pixel.
    widest : int
        Numbers in the largest slot, a pixel.
    """

    steps: tuple[Step, ...]
    slots: int
    results: tuple[tuple[int, Reach] | None, tuple[int, Reach] | None]
    kept: tuple[Kept, ...]
    multiplications: int
    widest: int

    @cached_property
    def releases(self) -> tuple[tuple[int, ...], ...]:
        """For each step, the slots that nothing needs any more when it is done."""
        last = {slot: number for number, step in enumerate(self.steps) for slot in step.used}
        results = {result[0] for result in self.results if result is not None}
        released: list[list[int]] = [[] for _ in self.steps]
        for slot, number in last.items():
            if slot not in results:
                released[number].append(slot)
        return tuple(map(tuple, released))

"""Sizes of images that a network may take, where it takes none of those that are tried first: what it says itself.

A network for images of one size, or of multiples of a number, has that size in the shapes of what it keeps, in its
attributes, in what it returns instead, or in the words in which it refuses an image.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from torch import nn

from fusion.errors import NetworkError
from fusion.network_copies import parts, tensors_in

SIDES = range(8, 641)
"""Pixels of images that are worth a try."""
STEPS = range(2, 65)
"""Numbers whose multiples are."""
NEAR = (96, 192, 256)
"""About which sizes of these multiples."""
MOST_TRIES = 48
FEWEST_PLACES = 16

Shape = tuple[int, int]


def sizes_named(
    network: nn.Module, failures: Sequence[NetworkError], tried: Sequence[int]
) -> tuple[list[Shape], list[int]]:
    """Return shapes that a network may take, and numbers by which its stride may go.

    Parameters
    ----------
    network : torch.nn.Module
        Which has refused other images.
    failures : sequence of NetworkError
        What it said to each.
    tried : sequence of int
        Sides of the square images that it has refused.

    Returns
    -------
    list of tuple
        (H, W), those of one size that it keeps something of first, at most `MOST_TRIES`.
    list of int
        Pixels.
    """
    kept = sorted(_shapes_kept(network), key=math.prod)[:16]
    said = [number for error in failures for number in _numbers(error)]
    numbers = {*said, *_attributes(network), *(side for shape in kept for side in shape)}
    numbers |= _sides_of_places(network, said)
    common = math.gcd(*(number for number in said if number in SIDES and number not in tried))
    steps = sorted(number for number in {*numbers, common} if number in STEPS)
    sides = [number for number in sorted(numbers) if number in SIDES]
    sides += [step * math.ceil(near / step) for near in NEAR for step in steps]
    squares = [(side, side) for side in dict.fromkeys(sides) if side not in tried]
    return list(dict.fromkeys([*kept, *squares]))[:MOST_TRIES], steps


def _shapes_kept(network: nn.Module) -> list[Shape]:
    """Return the heights and widths of images among what a network keeps."""
    tensors = [*network.parameters(), *network.buffers()]
    found: list[Shape] = []
    for part in parts(network):
        tensors += tensors_in(vars(part))
        found += [
            (value[0], value[1])
            for value in vars(part).values()
            if isinstance(value, tuple | list)
            and len(value) == 2
            and all(type(side) is int for side in value)
        ]
    found += [(tensor.shape[-2], tensor.shape[-1]) for tensor in tensors if tensor.ndim >= 2]
    return [
        shape for shape in dict.fromkeys(found) if shape[0] in SIDES and shape[1] in SIDES and max(shape) > 16
    ]


def _attributes(network: nn.Module) -> list[int]:
    values = [value for part in parts(network) for value in vars(part).values()]
    return [value for value in values if type(value) is int]


def _sides_of_places(network: nn.Module, said: Sequence[int]) -> set[int]:
    """Return the sides of square images cut into as many squares as a network has places for, as transformers do."""
    tensors = [*network.parameters(), *network.buffers()]
    counts = {*said, *(tensor.shape[1] for tensor in tensors if tensor.ndim == 3 and tensor.shape[0] == 1)}
    counts |= {count - 1 for count in counts}  # beside one that is no place
    rows = {
        math.isqrt(count) for count in counts if count >= FEWEST_PLACES and math.isqrt(count) ** 2 == count
    }
    steps = {
        step
        for part in parts(network)
        for value in vars(part).values()
        for step in (value if isinstance(value, tuple | list) else (value,))
        if type(step) is int and step in STEPS
    }
    return {count * step for count in rows for step in steps}


def _numbers(error: NetworkError) -> list[int]:
    """Return the numbers in what a network said, or in what was said of its result."""
    said = str(error.__cause__ or error).split("×")[-1]
    return [int(number) for number in re.findall(r"\d+", said)]

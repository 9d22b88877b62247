"""Crops of an image, held against the whole of it.

A fused pixel's derivatives are those of a crop around it where the network treats that as it treats the whole image.
Crops and the whole image are compared here by plain autograd in float64, many pixels a pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fusion.errors import NetworkError
from fusion.network import apply_network
from fusion.network_copies import tolerance_of
from fusion.saliency.probing import close
from fusion.saliency.window import Box, Pixel, box_around, gradient, gradients_in_crops

MANY = 64
"""Pixels that are compared on the first image of a size, in at most as many passes."""
PASSES_TIMES_PIXELS = 2**17
"""How much is computed for that: this many passes through an image of one pixel, `LEAST_PASSES` through a large one."""
LEAST_PASSES = 4
PIXELS_AT_ONCE = 2**15
"""Of all crops in a batch, if that is more than one crop."""

Place = tuple[Box, Box, Pixel]
"""A pixel's support, its crop, and where the pixel lies in that."""


@dataclass(frozen=True)
class Locality:
    """The crops of an image that give the whole image's derivatives exactly.

    Attributes
    ----------
    support_radius : tuple of int or None
        (r1, r2) in pixels for x1 and x2; ``None``: the whole image.
    alignment : int
        Crops start at multiples of this many pixels (1 but for networks that stride or pool).
    least : int
        Pixels that a crop has along each side, at least, if the image has as many.
    by_program : bool
        Whether this follows from the network's program, and so holds for images of all sizes.
    """

    support_radius: tuple[int, int] | None
    alignment: int = 1
    least: int = 1
    by_program: bool = False

    @property
    def radius(self) -> int | None:
        """The larger of both radii, pixels; ``None``: the whole image."""
        return None if self.support_radius is None else max(self.support_radius)

    def holds_for(self, shape: tuple[int, int]) -> bool:
        """Tell whether nothing need be tried on an image of this shape (H, W)."""
        return self.support_radius is None or (self.by_program and min(shape) >= self.least)

    def crop(self, box: Box, shape: tuple[int, int]) -> Box:
        """Grow a box so that the network treats it as it does the whole image of this shape (H, W).

        Sides inside the image come to lie on multiples of `alignment`, where a strided network meets it in the phase
        in which it meets the whole image; sides at the border stay there.
        """
        top, bottom = self._grown(box.top, box.bottom, shape[0])
        left, right = self._grown(box.left, box.right, shape[1])
        return Box(top, left, bottom, right)

    def _grown(self, first: int, last: int, end: int) -> tuple[int, int]:
        step = self.alignment
        first -= first % step
        last = min(last + -last % step, end)
        for _ in range(2):  # at the far side as far as there is room, else at the near one
            missing = max(self.least - (last - first), 0)
            missing += -missing % step
            if last < end:
                last = min(last + missing, end)
            else:
                first = max(first - missing, 0)
        return first, last


GLOBAL = Locality(None)


def crops_agree(network: nn.Module, inputs: Tensor, locality: Locality, pixels: Iterable[Pixel]) -> bool:
    """Hold the derivatives of crops against those of the whole image, by plain autograd in float64.

    Fused pixels whose supports lie apart are differentiated in one pass. A second, different sample is in each batch,
    so that a network that mixes its batch is found out.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, float64, on the CPU, frozen.
    inputs : torch.Tensor
        (1, 2, H, W), the whole image.
    locality : Locality
        Which crops.
    pixels : iterable of (row, column)
        Where to compare.

    Returns
    -------
    bool
        Whether they agree but for rounding, and everything outside the radius is exactly 0.

    Raises
    ------
    NetworkError
        If the network cannot be run on the whole image.
    """
    shape = (inputs.shape[2], inputs.shape[3])
    leaf = inputs.clone().requires_grad_(True)
    with torch.enable_grad():
        fused = apply_network(network, leaf)[0]
    for group in _apart(pixels, locality, shape):
        with torch.enable_grad():
            total = fused[tuple(torch.tensor(group).T)].sum()
        whole = gradient(total, leaf, keep_graph=True)[0]
        places = [_placed(pixel, locality, shape) for pixel in group]
        try:
            placed = _of_crops(network, inputs, places)
        except NetworkError:
            return False
        if not close(placed, whole, tolerance_of(network)):
            return False
        for support, _, _ in places:
            whole[:, support.rows(), support.columns()] = 0
        if bool((whole != 0).any()):
            return False
    return True


def _of_crops(network: nn.Module, inputs: Tensor, places: Sequence[Place]) -> Tensor:
    """Return the sum of crops' derivatives, each where it belongs, (2, H, W)."""
    found = torch.zeros_like(inputs[0])
    for same in _batches(places):
        parts = torch.cat([inputs[:, :, crop.rows(), crop.columns()] for _, crop, _ in same])
        parts = torch.cat((parts, torch.rand_like(parts[:1])))
        inside = gradients_in_crops(network, parts, [local for *_, local in (*same, same[0])])
        for (_, crop, _), own in zip(same, inside, strict=False):
            found[:, crop.rows(), crop.columns()] += own
    return found


def _batches(places: Sequence[Place]) -> Iterator[list[Place]]:
    """Sort crops into batches of one shape."""
    alike: dict[tuple[int, int], list[Place]] = {}
    for place in places:
        alike.setdefault(place[1].shape, []).append(place)
    for shape, same in alike.items():
        many = max(PIXELS_AT_ONCE // math.prod(shape), 1)
        yield from (same[first : first + many] for first in range(0, len(same), many))


def _apart(pixels: Iterable[Pixel], locality: Locality, shape: tuple[int, int]) -> list[list[Pixel]]:
    """Sort pixels into groups whose supports lie apart; what does not fit into as many as are affordable is left out.

    Each group costs a pass through the whole image: few of a large image, many of a small one, where supports overlap.
    """
    assert locality.radius is not None
    most = min(max(PASSES_TIMES_PIXELS // math.prod(shape), LEAST_PASSES), MANY)
    apart = 2 * (locality.radius + locality.alignment)
    groups: list[list[Pixel]] = []
    for pixel in dict.fromkeys(pixels):
        for group in groups:
            if all(max(abs(pixel[0] - row), abs(pixel[1] - column)) > apart for row, column in group):
                group.append(pixel)
                break
        else:
            if len(groups) < most:
                groups.append([pixel])
    return groups


@torch.no_grad()
def values_agree(network: nn.Module, inputs: Tensor, locality: Locality, pixels: Iterable[Pixel]) -> bool:
    """Hold the fused pixels of crops against those of an image too large for its derivatives; see `crops_agree`."""
    shape = (inputs.shape[2], inputs.shape[3])
    fused = apply_network(network, inputs)[0]
    for pixel in pixels:
        _, crop, local = _placed(pixel, locality, shape)
        try:
            part = apply_network(network, inputs[:, :, crop.rows(), crop.columns()])[0]
        except NetworkError:
            return False
        if (part[local] - fused[pixel]).abs() > tolerance_of(network) * fused.abs().max():
            return False
    return True


def _placed(pixel: Pixel, locality: Locality, shape: tuple[int, int]) -> tuple[Box, Box, Pixel]:
    """Return a pixel's support, its crop, and where it lies in that."""
    assert locality.radius is not None
    support = box_around(pixel, locality.radius, shape)
    crop = locality.crop(support, shape)
    return support, crop, (pixel[0] - crop.top, pixel[1] - crop.left)


def pixels_to_compare(shape: tuple[int, int]) -> Iterator[Pixel]:
    """Yield the middle, corners and borders, middles and edges of `sample`'s parts, then pixels drawn at random.

    What a network does in a way of its own at one size may show in a few rows alone, or not where an image is dark.
    """
    height, width = shape
    shares = (
        (0.5, 0.5), (0, 1), (1, 0.34),
        (0, 0), (1, 0), (0.5, 0), (1, 1), (0.52, 0.45), (0.42, 0.53), (0.17, 0.17), (0.33, 0.3), (0.5, 0.17),
        (0.83, 0.83), (0.17, 0.83),
    )  # fmt: skip
    for down, across in shares:
        yield round(down * (height - 1)), round(across * (width - 1))
    generator = torch.Generator().manual_seed(0)
    for place in torch.randperm(height * width, generator=generator)[: 2 * MANY].tolist():
        yield place // width, place % width

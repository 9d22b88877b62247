"""The support radius of a network, found by program.

A NaN in one input pixel spreads through the forward pass to exactly those fused pixels that the input pixel
can reach, dead rectifiers or not. (Backward it does not: rectifiers and maxima turn a NaN cotangent into 0.)
What the probe finds is then held against plain autograd on a whole image, so that a network that hides NaNs,
depends on the position in the image or mixes its batch is treated as global rather than cut wrongly.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fusion.errors import NetworkError, SupportRadiusError
from fusion.network import apply_network
from fusion.saliency.window import Pixel, aligned, box_around, gradients_in_crops

PROBE_SIDES = (64, 128, 256)
STRIDES = (1, 2, 4, 8, 16, 32)
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Locality:
    """Which crops of an image give the whole image's derivatives exactly.

    Attributes
    ----------
    support_radius : tuple of int or None
        (r1, r2) in pixels for x1 and x2; ``None``: the whole image.
    alignment : int
        Crops start at multiples of this many pixels (1 but for networks that stride or pool).
    """

    support_radius: tuple[int, int] | None
    alignment: int = 1

    @property
    def radius(self) -> int | None:
        """The larger of both radii, pixels; ``None``: the whole image."""
        return None if self.support_radius is None else max(self.support_radius)


GLOBAL = Locality(None)


def declared_locality(network: nn.Module, declared: tuple[int, int] | None) -> Locality:
    """Check a declared support radius by one NaN probe an input, and return it.

    Raises
    ------
    SupportRadiusError
        If the probe finds another radius.
    """
    if declared is None:
        return GLOBAL
    side = 2 * max(declared) + 5
    probe = _double_copy(network)
    found = tuple(_reach_of_pixel(probe, index, side) for index in (0, 1))
    if found != declared:
        # The probe above is only as wide as the declaration needs; find out what is true.
        true = probe_locality(network).support_radius
        raise SupportRadiusError(
            f"the declared support radius is {declared}, but NaN probing finds {true or 'the whole image'}. "
            "Correct the declaration."
        )
    return Locality(declared)


def probe_locality(network: nn.Module) -> Locality:
    """Find the support radius of any network y = f(x1, x2), and how crops must be aligned.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode. It is not changed.

    Returns
    -------
    Locality
        Global where the support reaches the border of the largest probe, where the network is not
        equivariant to any shift of up to 32 pixels, or where crops and whole image disagree.

    Raises
    ------
    NetworkError
        If the network runs on none of the probe images, or returns another shape than its inputs'.
    """
    probe = _double_copy(network)
    last: NetworkError | None = None
    for side in PROBE_SIDES:
        try:
            reaches = [_reach_of_pixel(probe, index, side) for index in (0, 1)]
            if max(reaches) >= side // 2 - 1:
                continue
            alignment = _equivariant_shift(probe, side, max(reaches))
            if alignment is None:
                continue
            if alignment > 1:
                reaches = [_reach_of_phases(probe, index, side, alignment) for index in (0, 1)]
            if max(reaches) >= side // 2 - alignment:
                continue
        except NetworkError as error:
            last = error
            continue
        locality = Locality((reaches[0], reaches[1]), alignment)
        return locality if _crops_agree(probe, locality, side) else GLOBAL
    if last is not None and not _runs_somewhere(probe):
        raise last
    return GLOBAL


def _double_copy(network: nn.Module) -> nn.Module:
    """Copy a network to the CPU in float64, frozen."""
    return copy.deepcopy(network).cpu().double().eval().requires_grad_(False)


def _noise(side: int, seed: int) -> Tensor:
    """Make a (1, 2, side, side) float64 input, uniform in [0, 1)."""
    return torch.rand(1, 2, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def _poisoned_rows_and_columns(network: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows and the columns of the fused image in which there is any NaN."""
    poisoned = apply_network(network, inputs)[0].isnan()
    return poisoned.any(dim=1).nonzero()[:, 0], poisoned.any(dim=0).nonzero()[:, 0]


def _farthest(found: Tensor, start: int) -> int:
    return int((found - start).abs().max()) if len(found) else 0


def _reach_of_pixel(network: nn.Module, index: int, side: int) -> int:
    """Return how far a NaN in the middle pixel of one input spreads."""
    inputs = _noise(side, seed=0)
    middle = side // 2
    inputs[0, index, middle, middle] = torch.nan
    rows, columns = _poisoned_rows_and_columns(network, inputs)
    return max(_farthest(rows, middle), _farthest(columns, middle))


def _reach_of_phases(network: nn.Module, index: int, side: int, alignment: int) -> int:
    """Return how far NaNs spread over all phases of a strided network.

    A whole row (column) of NaNs at once stands for all column (row) phases, so that 2·alignment passes do.
    """
    reach = 0
    for phase in range(alignment):
        line = side // 2 - alignment // 2 + phase
        for axis in (0, 1):
            inputs = _noise(side, seed=phase)
            inputs[0, index].select(axis, line).fill_(torch.nan)
            found = _poisoned_rows_and_columns(network, inputs)[axis]
            reach = max(reach, _farthest(found, line))
    return reach


def _close(a: Tensor, b: Tensor) -> bool:
    scale = max(float(b.abs().max()), torch.finfo(torch.float64).tiny) if b.numel() else 1.0
    return bool((a - b).abs().max() <= TOLERANCE * scale) if b.numel() else True


@torch.no_grad()
def _equivariant_shift(network: nn.Module, side: int, reach: int) -> int | None:
    """Return the smallest shift under which the fused image moves with its inputs, away from the border."""
    inputs = _noise(side, seed=1)
    fused = apply_network(network, inputs)[0]
    for shift in STRIDES:
        # Strided networks reach further in some phases than in the probed one.
        margin = reach + 2 * shift
        if 2 * margin + shift >= side:
            return None
        inner = slice(margin, side - margin)
        moved = slice(margin + shift, side - margin + shift)
        if all(
            _close(
                apply_network(network, inputs.roll(shift, dims=axis + 2))[0][
                    (moved, inner) if axis == 0 else (inner, moved)
                ],
                fused[inner, inner],
            )
            for axis in (0, 1)
        ):
            return shift
    return None


def _pixels_to_check(side: int) -> Iterator[Pixel]:
    """Corners, borders and inner pixels in different phases."""
    yield from ((0, 0), (0, side - 1), (side - 1, 0), (side // 2, 0), (side - 1, side // 3))
    yield from ((side // 2, side // 2), (side // 2 + 1, side // 2 - 3), (side // 2 - 5, side // 2 + 2))


def _crops_agree(network: nn.Module, locality: Locality, side: int) -> bool:
    """Whether windows equal whole-image autograd, with a second, different sample in the batch."""
    radius = locality.radius
    if radius is None:
        return True
    inputs = _noise(side, seed=2)
    for pixel in _pixels_to_check(side):
        whole = gradients_in_crops(network, inputs, [pixel])[0]
        support = box_around(pixel, radius, (side, side))
        crop = aligned(support, locality.alignment, (side, side))
        part = inputs[:, :, crop.rows(), crop.columns()]
        local = (pixel[0] - crop.top, pixel[1] - crop.left)
        try:
            batch = torch.cat((part, torch.rand_like(part)))
            inside = gradients_in_crops(network, batch, [local, local])[0]
        except NetworkError:
            return False
        placed = torch.zeros_like(whole)
        placed[:, crop.rows(), crop.columns()] = inside
        outside = whole.clone()
        outside[:, support.rows(), support.columns()] = 0
        if not _close(placed, whole) or bool((outside != 0).any()):
            return False
    return True


def _runs_somewhere(network: nn.Module) -> bool:
    """Whether the network can be run on any of the probe images."""
    for side in PROBE_SIDES:
        try:
            with torch.no_grad():
                apply_network(network, _noise(side, seed=0))
            return True
        except NetworkError:
            continue
    return False

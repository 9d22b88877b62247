"""The support radius of a network, and which crops of an image give the whole image's derivatives.

What a network of convolutions and pointwise operations can see follows from its program. Other networks are
probed (`fusion.saliency.probing`). What is found is then held against plain autograd on a whole image, so that a
network that hides NaNs, depends on the position in the image or mixes its batch is treated as global rather than
cut wrongly.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn

from fusion.errors import NetworkError, NoDerivativeError, SupportRadiusError
from fusion.network import apply_network
from fusion.saliency.chain.graph import NotUnderstoodError, sights
from fusion.saliency.chain.rules import graph_of
from fusion.saliency.probing import (
    close,
    decides_by_values,
    double_copy,
    equivariant_shift,
    follows,
    nan_reaches,
    reach_of_phases,
    reaches_of_pixel,
    sample,
)
from fusion.saliency.window import Pixel, aligned, box_around, gradient, gradients_in_crops

logger = logging.getLogger(__name__)

PROBE_SIDES = (64, 96, 128, 192, 256)
"""Pixels. Multiples of 3 are among them for networks that divide by it."""
SPARE = 9
"""Pixels that an image has beside the support, where the program of a network says how wide that is."""
FEW = 3
"""Pixels that are compared then; its chain is held against autograd at many more before it is used."""
LARGEST_CHECK = 384
"""Pixels along a side of the largest image on which a network that strides is checked for images of odd sides."""


@dataclass(frozen=True)
class Locality:
    """The crops of an image that give the whole image's derivatives exactly.

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
    """Check a declared support radius by NaN probes and on crops, and find the alignment.

    Raises
    ------
    SupportRadiusError
        If the probe finds another radius, or crops of the declared one are wrong.
    """
    if declared is None:
        return GLOBAL
    probe = double_copy(network)
    side = 2 * max(declared) + 5
    if nan_reaches(probe, side) == declared and (
        _seen_by_program(probe) == declared or _holds(probe, Locality(declared), side)
    ):
        return Locality(declared)
    # The probe above is only as wide as the declaration needs; find out what is true.
    locality = probe_locality(network)
    if locality.support_radius != declared:
        raise SupportRadiusError(
            f"the declared support radius is {declared}, but probing finds "
            f"{locality.support_radius or 'the whole image'}. Correct the declaration."
        )
    return locality


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
        equivariant to any of `fusion.saliency.probing.SHIFTS`, looks at values to decide what to do, lets no NaN
        through, or where crops and whole image disagree.

    Raises
    ------
    NetworkError
        If the network runs on none of the probe images, returns another shape than its inputs', or another result
        each time.
    """
    probe = double_copy(network)
    known = _seen_by_program(probe)
    sides = PROBE_SIDES if known is None else (2 * max(known) + SPARE,)
    failure: NetworkError | None = None
    ran = False
    for side in sides:
        try:
            inputs = sample((side, side), seed=0)
            _check_repeats(probe, inputs)
            ran = True
            if decides_by_values(probe, inputs):
                return _global("it looks at the images' values to decide what to do")
            locality = _probed(probe, side) if known is None else Locality(known)
            if locality is None:
                continue
            if not _crops_agree(probe, locality, (side, side)):
                return _global("crops have other derivatives than the whole image")
            return locality
        except NoDerivativeError:
            raise
        except NetworkError as error:
            failure = error
    if failure is not None and not ran:
        raise failure
    return _global("its support is not found within the largest probe")


def locality_at(network: nn.Module, locality: Locality, shape: tuple[int, int]) -> Locality:
    """Return a network's locality for images of one shape.

    Networks that stride or pool treat sides which are no multiple of their stride in ways of their own: padded,
    cropped, or stretched all over the image. Crops are then checked on an image of such sides.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode. It is not changed.
    locality : Locality
        Of images of fitting sides.
    shape : tuple of int
        (H, W), pixels.
    """
    step = locality.alignment
    if locality.radius is None or step == 1 or not any(side % step for side in shape):
        return locality
    # As large as it is, or as large as need be to behave like it.
    height, width = (
        side if side <= LARGEST_CHECK else side % step + LARGEST_CHECK - LARGEST_CHECK % step
        for side in shape
    )
    try:
        agrees = _crops_agree(double_copy(network), locality, (height, width))
    except NetworkError:
        return locality  # whoever runs it on such an image is told
    return locality if agrees else _global(f"images of {shape[0]}×{shape[1]} pixels do not fit its strides")


def _global(reason: str) -> Locality:
    logger.info("The network's support is taken to be the whole image: %s.", reason)
    return GLOBAL


@torch.no_grad()
def _check_repeats(network: nn.Module, inputs: Tensor) -> None:
    first, second = (apply_network(network, inputs)[0] for _ in range(2))
    if not torch.equal(first.nan_to_num(), second.nan_to_num()):
        raise NoDerivativeError(
            "The network gives another result each time for the same images, so that it has no derivative. "
            "Switch off what is random in it, such as dropout."
        )


def _seen_by_program(network: nn.Module) -> tuple[int, int] | None:
    """Return the support radii that follow from a network's program, ``None`` where that is not understood."""
    try:
        first, second = sights(graph_of(network))
    except NotUnderstoodError:
        return None
    except Exception:  # probing can do without
        logger.exception(
            "Reading a network's program failed, which is a defect of FuseVis; it is probed instead."
        )
        return None
    return max(first), max(second)


def _probed(network: nn.Module, side: int) -> Locality | None:
    """Probe on images of one size; ``None`` where these are too small to tell."""
    reaches = reaches_of_pixel(network, side)
    if max(reaches) >= side // 2 - 1:
        return None
    alignment = equivariant_shift(network, side, max(reaches))
    if alignment is None:
        return None
    if alignment > 1:
        reaches = (
            reach_of_phases(network, 0, side, alignment),
            reach_of_phases(network, 1, side, alignment),
        )
    return None if max(reaches) >= side // 2 - alignment else Locality(reaches, alignment)


def _holds(network: nn.Module, locality: Locality, side: int) -> bool:
    """Return whether a locality that NaNs agree with holds for a network whose program is not understood."""
    radius = locality.radius
    assert radius is not None
    return (
        not decides_by_values(network, sample((side, side), seed=0))
        and follows(network, side, 1, radius)
        and reaches_of_pixel(network, side) == locality.support_radius
        and _crops_agree(network, locality, (side, side))
    )


def _crops_agree(network: nn.Module, locality: Locality, shape: tuple[int, int]) -> bool:
    assert locality.radius is not None
    images = sample(shape, seed=2)
    pixels = islice(_pixels(shape), FEW if 2 * locality.radius + SPARE >= max(shape) else None)
    return crops_agree(network, images, locality.radius, locality.alignment, pixels)


def crops_agree(
    network: nn.Module, inputs: Tensor, radius: int, alignment: int, pixels: Iterable[Pixel]
) -> bool:
    """Hold the derivatives of crops against those of the whole image, by plain autograd in float64.

    A second, different sample is in the batch, so that a network that mixes its batch is found out.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, float64, on the CPU, frozen.
    inputs : torch.Tensor
        (1, 2, H, W), the whole image.
    radius, alignment : int
        Of the crops, pixels; see `fusion.saliency.support.Locality`.
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
    for pixel in pixels:
        whole = gradient(fused[pixel], leaf, keep_graph=True)[0]
        support = box_around(pixel, radius, shape)
        crop = aligned(support, alignment, shape)
        part = inputs[:, :, crop.rows(), crop.columns()]
        local = (pixel[0] - crop.top, pixel[1] - crop.left)
        try:
            inside = gradients_in_crops(network, torch.cat((part, torch.rand_like(part))), [local, local])[0]
        except NetworkError:
            return False
        placed = torch.zeros_like(whole)
        placed[:, crop.rows(), crop.columns()] = inside
        outside = whole.clone()
        outside[:, support.rows(), support.columns()] = 0
        if not close(placed, whole) or bool((outside != 0).any()):
            return False
    return True


def _pixels(shape: tuple[int, int]) -> Iterator[Pixel]:
    """Yield the middle, corners and borders, pixels in different phases, and middles and edges of `sample`'s parts."""
    height, width = shape
    shares = (
        (0.5, 0.5), (0, 1), (1, 0.34),
        (0, 0), (1, 0), (0.5, 0), (1, 1), (0.52, 0.45), (0.42, 0.53), (0.17, 0.17), (0.33, 0.3), (0.5, 0.17),
        (0.83, 0.83), (0.17, 0.83),
    )  # fmt: skip
    for down, across in shares:
        yield round(down * (height - 1)), round(across * (width - 1))

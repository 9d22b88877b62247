"""The support radius of a network, and which crops of an image give the whole image's derivatives.

What a network of convolutions and pointwise operations can see follows from its program, which is the same for images
of all sizes. Other networks are probed (`fusion.saliency.probing`). What is found is then held against plain autograd
on a whole image, so that a network that hides NaNs, depends on the position in the image or mixes its batch is treated
as global rather than cut wrongly; and again on the first image of each size, for a probed network may treat that in a
way of its own.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Sequence
from itertools import islice

import torch
from torch import Tensor, nn

from fusion.errors import NetworkError, NoDerivativeError, PrecisionError, SupportRadiusError
from fusion.network import apply_network
from fusion.saliency.chain.graph import NotUnderstoodError, least_side, sights
from fusion.saliency.chain.rules import graph_of
from fusion.saliency.crops import GLOBAL, MANY, Locality, crops_agree, pixels_to_compare, values_agree
from fusion.saliency.probing import (
    SHIFTS,
    check_gradients,
    decides_by_values,
    double_copy,
    equivariant_shift,
    follows,
    graph_bytes_a_pixel,
    nan_reaches,
    reach_of_phases,
    reaches_of_pixel,
    sample,
)
from fusion.saliency.sizes import sizes_named
from fusion.saliency.window import Box

logger = logging.getLogger(__name__)

PROBE_SIDES = (64, 96, 128, 192, 256)
"""Pixels. Multiples of 3 are among them for networks that divide by it."""
SPARE = 9
"""Pixels that an image has beside the support, where the program of a network says how wide that is."""
FEW = 3
"""Pixels that are compared then; its chain is held against autograd at many more before it is used."""
LARGEST_CHECK = 384
"""Pixels along a side of the largest image on which a network that strides is checked first for images of odd sides."""
GRAPH_BYTES = 2 * 2**30
"""Memory for a kept forward pass; of larger images values are compared in place of derivatives."""
VALUE_BYTES = 24 * 2**30
"""What a kept forward pass would take of the largest image on which values are compared, of which one is in use at a
time."""
PROBE_BYTES = 4 * 2**30
"""What a kept forward pass may take of an image that is probed on, as far as smaller ones tell: attention between all
pixels would take 100 GB and more of the largest."""
LOUD = 32.0
"""From which value on a fused image cannot be one in [0, 1]."""


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
    if nan_reaches(probe, side) == declared:
        known = _seen_by_program(probe)
        if known is not None and known.support_radius == declared:
            return known
        held = _holds(probe, declared, side)
        if held is not None:
            return held
    # The probe above is only as wide as the declaration needs; find out what is true.
    locality = probe_locality(network)
    if locality.support_radius != declared:
        raise SupportRadiusError(
            f"the declared support radius is {declared}, but probing finds "
            f"{locality.support_radius or 'the whole image'}. Correct the declaration."
        )
    return locality


def probe_locality(network: nn.Module, fixed: tuple[int, int] | None = None) -> Locality:
    """Find the support radius of any network y = f(x1, x2), and how crops must be aligned.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode. It is not changed.
    fixed : tuple of int, optional
        (H, W) of the only images that it takes.

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
        each time; `PrecisionError` if it does not run in float64.
    NoDerivativeError
        If an image matters and no gradient comes back to it.
    """
    probe = double_copy(network)
    known = None if fixed else _seen_by_program(probe)
    sides = PROBE_SIDES if known is None else (2 * max(known.support_radius or (0, 0)) + SPARE,)
    shapes = [fixed] if fixed else [(side, side) for side in sides]
    failures: list[NetworkError] = []
    ran, found = _first_found(probe, known, shapes, SHIFTS, failures)
    last = failures[-1] if failures else None
    if last is not None and not ran and not fixed:
        shapes, steps = sizes_named(probe, failures, PROBE_SIDES)
        ran, found = _first_found(probe, known, shapes, sorted({*SHIFTS, *steps}), failures)
    if last is not None and not ran:
        precision = next((error for error in failures if isinstance(error, PrecisionError)), None)
        raise precision or (last if fixed else _with_sizes(last))
    return found or _global("its support is not found within the largest probe")


def _with_sizes(error: NetworkError) -> NetworkError:
    """Add to the last refusal of images of many sizes what to do where sizes are what it was about."""
    if type(error) is not NetworkError or not re.search(r"size of tensor|size mismatch|shape '", str(error)):
        return error
    return NetworkError(f"{error}. If it takes images of one size only, say which: sizes=(height, width).")


def _first_found(
    probe: nn.Module,
    known: Locality | None,
    shapes: Sequence[tuple[int, int]],
    shifts: Sequence[int],
    failures: list[NetworkError],
) -> tuple[bool, Locality | None]:
    """Return whether a network runs on images of any of these shapes, and what is found there, if anything."""
    ran = False
    taken: list[tuple[int, float]] = []
    for shape in shapes:
        if ran and max(shape) > max(PROBE_SIDES):
            continue
        if _expected_bytes(taken, math.prod(shape)) > PROBE_BYTES:
            logger.info("The network would take too much memory to be probed on %d×%d pixels.", *shape)
            break
        try:
            inputs = sample(shape, seed=0)
            fused = _repeated(probe, inputs)
            if not ran:
                _tell_range(fused)
            ran = True
            found = _found_on(probe, known, inputs, shifts)
        except NoDerivativeError:
            raise
        except NetworkError as error:
            failures.append(error)
            continue
        if found is not None:
            return True, found
        if shape != shapes[-1]:
            a_pixel = graph_bytes_a_pixel(probe, torch.float64, torch.device("cpu"), shape)
            taken.append((math.prod(shape), a_pixel * math.prod(shape)))
    return ran, None


def _expected_bytes(taken: Sequence[tuple[int, float]], pixels: int) -> float:
    """Return what a kept forward pass takes of so many pixels, by what it took of up to two smaller images."""
    if not taken:
        return 0.0
    last, amount = taken[-1]
    power = 1.0
    if len(taken) > 1 and last != taken[-2][0]:
        power = math.log(amount / taken[-2][1]) / math.log(last / taken[-2][0])
    return amount * (pixels / last) ** power


def _found_on(
    probe: nn.Module, known: Locality | None, inputs: Tensor, shifts: Sequence[int]
) -> Locality | None:
    height, width = inputs.shape[2:]
    check_gradients(probe, inputs)
    if decides_by_values(probe, inputs):
        return _global("it looks at the images' values to decide what to do")
    if known is None and height != width:
        return _global("it takes images of one size")
    locality = _probed(probe, height, shifts) if known is None else known
    if locality is None:
        return None
    if not _crops_agree(probe, locality, (height, width)):
        return _global("crops have other derivatives than the whole image")
    return locality


def locality_at(network: nn.Module, locality: Locality, shape: tuple[int, int]) -> Locality:
    """Return a network's locality for images of one shape.

    Networks may do something else for each size: pad or crop what is no multiple of a stride, stretch it all over the
    image, or halve large ones. Where the program does not say, crops are held against the whole of an image of this
    shape.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode. It is not changed.
    locality : Locality
        Of the images that it was probed on.
    shape : tuple of int
        (H, W), pixels.

    Returns
    -------
    Locality
        The same, or `GLOBAL`.

    Raises
    ------
    NetworkError
        If the network cannot be run on such images, or they are too large to find out.
    """
    if locality.holds_for(shape):
        return locality
    probe = double_copy(network)
    if locality.by_program:
        with torch.no_grad():
            apply_network(probe, sample(shape, seed=2))
        return locality
    step = locality.alignment
    # As large as it is, or as large as need be to behave like it.
    smaller = (
        min(shape[0], shape[0] % step + LARGEST_CHECK - LARGEST_CHECK % step),
        min(shape[1], shape[1] % step + LARGEST_CHECK - LARGEST_CHECK % step),
    )
    unfit = f"images of {shape[0]}×{shape[1]} pixels are treated in a way of their own"
    if smaller != shape and any(side % step for side in shape):
        try:
            if not _crops_agree(probe, locality, smaller):
                return _global(unfit)
        except NetworkError:  # it may take the image itself
            logger.debug("The network does not take images of %d×%d pixels.", *smaller)
    return locality if _agrees_at(probe, locality, shape) else _global(unfit)


def _agrees_at(probe: nn.Module, locality: Locality, shape: tuple[int, int]) -> bool:
    """Hold crops against the whole of an image of a shape, by derivatives or, of large images, by values."""
    small = locality.crop(Box(0, 0, min(64, shape[0]), min(64, shape[1])), shape)
    try:
        bytes_a_pixel = graph_bytes_a_pixel(probe, torch.float64, torch.device("cpu"), small.shape)
    except NetworkError:
        bytes_a_pixel = 0.0  # then crops disagree, or whoever runs it on such an image is told
    needed = bytes_a_pixel * math.prod(shape)
    if needed > VALUE_BYTES:
        raise NetworkError(
            f"Images of {shape[0]}×{shape[1]} pixels are too large to make sure that the network treats them as it "
            f"does smaller ones. Take images of up to {VALUE_BYTES / bytes_a_pixel / 1e6:.1f} million pixels."
        )
    pixels = islice(pixels_to_compare(shape), MANY)
    inputs = sample(shape, seed=2)
    if needed > GRAPH_BYTES:
        return values_agree(probe, inputs, locality, pixels)
    if crops_agree(probe, inputs, locality, pixels):
        return True
    check_gradients(probe, inputs)
    return False


def _global(reason: str) -> Locality:
    logger.info("The network's support is taken to be the whole image: %s.", reason)
    return GLOBAL


@torch.no_grad()
def _repeated(network: nn.Module, inputs: Tensor) -> Tensor:
    """Fuse twice; return the fused image, which must be the same."""
    first, second = (apply_network(network, inputs)[0] for _ in range(2))
    if not torch.equal(first.nan_to_num(), second.nan_to_num()):
        raise NoDerivativeError(
            "The network gives another result each time for the same images, so that it has no derivative. "
            "Switch off what is random in it, such as dropout: a program of TorchScript or torch.export is made after "
            ".eval(), and functional.dropout is given training=self.training."
        )
    return first


def _tell_range(fused: Tensor) -> None:
    """Warn of a fused image that cannot be one in [0, 1]."""
    if float(fused.nan_to_num().abs().max()) > LOUD:
        logger.warning(
            "Of images in [0, 1] the network makes one that reaches from %.3g to %.3g. If it was made for another "
            "range, wrap it with value_range=(0, 255) or what it takes.",
            float(fused.min()),
            float(fused.max()),
        )


def _seen_by_program(network: nn.Module) -> Locality | None:
    """Return what follows from a network's program, ``None`` where that is not understood."""
    try:
        graph = graph_of(network)
    except NotUnderstoodError:
        return None
    except Exception:  # probing can do without
        logger.exception(
            "Reading a network's program failed, which is a defect of FuseVis; it is probed instead."
        )
        return None
    if graph.regridded:  # of which squares the fused pixel is in decides how far it sees
        return None
    first, second = sights(graph)
    return Locality((max(first), max(second)), least=least_side(graph), by_program=True)


def _probed(network: nn.Module, side: int, shifts: Sequence[int] = SHIFTS) -> Locality | None:
    """Probe on images of one size; ``None`` where these are too small to tell."""
    reaches = reaches_of_pixel(network, side)
    if max(reaches) >= side // 2 - 1:
        return None
    alignment = equivariant_shift(network, side, max(reaches), shifts)
    if alignment is None:
        return None
    if alignment > 1:
        reaches = (
            reach_of_phases(network, 0, side, alignment),
            reach_of_phases(network, 1, side, alignment),
        )
    if max(reaches) >= side // 2 - alignment:
        return None
    return _with_crops_that_run(network, Locality(reaches, alignment), side, shifts)


@torch.no_grad()
def _with_crops_that_run(
    network: nn.Module, locality: Locality, side: int, shifts: Sequence[int]
) -> Locality | None:
    """Return a locality with crops of a size that the network takes; ``None`` where there is none below `side`."""
    radius = locality.radius
    assert radius is not None
    for step in (shift for shift in shifts if shift % locality.alignment == 0):
        least = 2 * radius + 1
        for tried in range(least + -least % step, side, step):
            try:
                for rows in (tried, tried + step):
                    apply_network(network, sample((rows, tried), seed=0))
            except NetworkError:
                continue
            return Locality(locality.support_radius, step, tried)
    return None


def _holds(network: nn.Module, declared: tuple[int, int], side: int) -> Locality | None:
    """Return the locality of a declared radius, for a network whose program is not understood, if it holds."""
    inputs = sample((side, side), seed=0)
    if decides_by_values(network, inputs) or not follows(network, side, 1, max(declared)):
        return None
    if reaches_of_pixel(network, side) != declared:
        return None
    check_gradients(network, inputs)
    found = _with_crops_that_run(network, Locality(declared), 2 * side, SHIFTS[:1])
    return found if found is not None and _crops_agree(network, found, (side, side)) else None


def _crops_agree(network: nn.Module, locality: Locality, shape: tuple[int, int]) -> bool:
    assert locality.radius is not None
    images = sample(shape, seed=2)
    pixels = islice(pixels_to_compare(shape), FEW if 2 * locality.radius + SPARE >= max(shape) else MANY)
    return crops_agree(network, images, locality, pixels)

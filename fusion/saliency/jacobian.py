"""Jacobian images (paper, equation 1): exact, at a cost that does not depend on the image's size.

There are four paths. The *chain* (`fusion.saliency.chain`) takes methods whose network it understands: all of
this project, and any made of convolutions, poolings, resizing by whole factors and pointwise operations. The *window*
takes other networks of limited support, by autograd on a crop. *Numbers* take those that see the whole image through a
few numbers, as global pooling does (`fusion.saliency.held`). The *whole image* takes all others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from fusion.errors import PixelOutsideImageError
from fusion.methods.base import Method
from fusion.network import apply_network, images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.chain.windows import chain_of, chain_windows, keep
from fusion.saliency.held import HeldPair, held_pair
from fusion.saliency.window import (
    Box,
    JacobianWindow,
    Pixel,
    box_around,
    gradient,
    gradients_in_crops,
)

PIXELS_A_BATCH = 40_000
"""Crop pixels computed at once; at about 10 kB of activations a pixel, some 400 MB at most."""


def jacobian(
    method: Method, pair: Pair, pixel: Pixel, dtype: str = "float32", ahead: bool = True
) -> JacobianWindow:
    """Differentiate one fused pixel with respect to every pixel of both inputs.

    Parameters
    ----------
    method : Method
        The fusion method.
    pair : Pair
        The two input images.
    pixel : tuple of int
        The principal pixel (row, col), 0-based.
    dtype : {"float32", "float64"}
        The precision of the whole computation.
    ahead : bool
        Whether to compute more of what all pixels of the pair have in common than this one needs, the more the more
        were asked for: the first few of an image then cost more, up to what `prepare` takes, and all others much
        less. ``False``: what this pixel needs, with its surroundings of 32×32 pixels.

    Returns
    -------
    JacobianWindow
        dy(i)/dx1 and dy(i)/dx2 inside the support; exactly 0 elsewhere. Its `path` says how it was computed.

    Raises
    ------
    PixelOutsideImageError
        If the pixel is not in the image.
    NetworkError
        If the network cannot be run on this image.
    """
    return jacobians(method, pair, [pixel], dtype, ahead=ahead)[0]


def jacobians(
    method: Method,
    pair: Pair,
    pixels: Iterable[Pixel],
    dtype: str = "float32",
    batch_size: int = 64,
    ahead: bool = True,
) -> list[JacobianWindow]:
    """Differentiate several fused pixels, in batches.

    The chain is taken where there is one; where its result is not finite, the window's is given, which has
    autograd's own NaN and infinities. Both agree but for rounding.

    Parameters
    ----------
    method, pair, dtype, ahead
        See `jacobian`.
    pixels : iterable of (row, col)
        The principal pixels, in any order, repeats allowed.
    batch_size : int
        How many pixels are computed at once, at most; fewer where their windows are large.

    Returns
    -------
    list of JacobianWindow
        In the order of `pixels`.

    Raises
    ------
    PixelOutsideImageError, NetworkError
        See `jacobian`.
    """
    wanted = [checked_pixel(pixel, pair.shape) for pixel in pixels]
    precision = torch_dtype(dtype)
    if method.elsewhere is not None:
        return method.elsewhere.jacobians(pair, wanted, dtype, batch_size, ahead)
    radius = method.locality_at(pair.shape).radius
    if radius is None:
        held = held_pair(method, pair, precision) if wanted else None
        if held is not None:
            return _by_numbers(held, method, pair, wanted, dtype, batch_size, ahead)
        return _whole_image_jacobians(method, images_tensor(pair, precision, method.device), wanted)
    chain = chain_of(method, precision) if wanted else None
    if chain is None:
        return _by_windows(method, pair, wanted, precision, batch_size)
    covered = [number for number, pixel in enumerate(wanted) if chain.covers(pixel, radius, pair.shape)]
    found = chain_windows(chain, pair, [wanted[number] for number in covered], radius, batch_size, ahead)
    windows = {
        number: window
        for number, window in zip(covered, found, strict=True)
        if np.isfinite(window.values).all()
    }
    others = [number for number in range(len(wanted)) if number not in windows]
    if others:
        again = _by_windows(method, pair, [wanted[number] for number in others], precision, batch_size)
        windows.update(zip(others, again, strict=True))
    return [windows[number] for number in range(len(wanted))]


def prepare_method(method: Method, dtype: str = "float32") -> None:
    """Derive the method's chain beforehand, and check it against autograd.

    Without it, the first Jacobian or guidance image of a method takes up to a second longer. Does nothing for a method
    without a chain.

    Parameters
    ----------
    method, dtype
        See `jacobian`.
    """
    chain_of(method, torch_dtype(dtype))


def prepare(
    method: Method, pair: Pair, dtype: str = "float32", progress: Callable[[float], None] | None = None
) -> None:
    """Compute beforehand what the Jacobian images of a pair have in common.

    Without it, the first looks at an image cost more. Does nothing for images of which not everything can be kept (with
    the shipped methods, of more than about a million pixels), and for a method that has neither a chain nor numbers.

    Parameters
    ----------
    method, pair, dtype
        See `jacobian`.
    progress : callable, optional
        Called with the share that is done, 0 to 1; what it raises ends the work.
    """
    if method.elsewhere is not None:
        method.elsewhere.prepare(pair, dtype, progress)
        return
    chain = chain_of(method, torch_dtype(dtype))
    radius = method.locality_at(pair.shape).radius
    if chain is not None and radius is not None:
        keep(chain, pair, radius, progress)
    held = held_pair(method, pair, torch_dtype(dtype)) if radius is None else None
    if held is not None:
        held.terms(progress or (lambda share: None))
        prepare(held.local, pair, dtype)


def checked_pixel(pixel: Sequence[int], shape: tuple[int, int]) -> Pixel:
    """Return (row, col) as plain integers, or raise `PixelOutsideImageError`."""
    row, column = (int(value) for value in pixel)
    height, width = shape
    if not (0 <= row < height and 0 <= column < width):
        raise PixelOutsideImageError(
            f"Pixel (row {row}, column {column}) is outside the image of {height}×{width} pixels. "
            f"Rows go from 0 to {height - 1}, columns from 0 to {width - 1}."
        )
    return row, column


def _by_windows(
    method: Method, pair: Pair, wanted: list[Pixel], dtype: torch.dtype, batch_size: int
) -> list[JacobianWindow]:
    """Take the path of networks that no chain was made of: crops of equal shape in batches."""
    locality = method.locality_at(pair.shape)
    radius = locality.radius
    assert radius is not None
    groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    crops: list[Box] = []
    for number, pixel in enumerate(wanted):
        support = box_around(pixel, radius, pair.shape)
        crops.append(locality.crop(support, pair.shape))
        groups[crops[-1].shape].append(number)
    results: dict[int, JacobianWindow] = {}
    for (height, width), members in groups.items():
        size = max(1, min(batch_size, PIXELS_A_BATCH // (height * width)))
        for start in range(0, len(members), size):
            batch = members[start : start + size]
            gradients = _crop_gradients(
                method, pair, dtype, [crops[n] for n in batch], [wanted[n] for n in batch]
            )
            for number, values in zip(batch, gradients, strict=True):
                results[number] = _trimmed(values, crops[number], wanted[number], radius, pair.shape)
    return [results[number] for number in range(len(wanted))]


def _crop_gradients(
    method: Method, pair: Pair, dtype: torch.dtype, crops: list[Box], pixels: list[Pixel]
) -> np.ndarray:
    # Only the crops are converted and sent to the device, so that a hover does not grow with the image.
    parts = np.stack([pair.images[:, crop.rows(), crop.columns()] for crop in crops])
    batch = torch.from_numpy(parts).to(device=method.device, dtype=dtype)
    local = [(row - crop.top, column - crop.left) for crop, (row, column) in zip(crops, pixels, strict=True)]
    return gradients_in_crops(method.network_as(dtype), batch, local).cpu().numpy()


def _trimmed(
    values: np.ndarray, crop: Box, pixel: Pixel, radius: int, shape: tuple[int, int]
) -> JacobianWindow:
    """Cut what alignment added to a crop off again."""
    support = box_around(pixel, radius, shape)
    inner = values[
        :,
        support.top - crop.top : support.bottom - crop.top,
        support.left - crop.left : support.right - crop.left,
    ]
    return JacobianWindow(
        np.ascontiguousarray(inner), support.top, support.left, *pixel, shape, path="window"
    )


def _by_numbers(
    held: HeldPair,
    method: Method,
    pair: Pair,
    wanted: list[Pixel],
    dtype: str,
    batch_size: int,
    ahead: bool,
) -> list[JacobianWindow]:
    """Take the path of methods that see the whole image through numbers; where that is not finite, the whole image."""
    terms = held.terms()
    found = []
    for local in jacobians(held.local, pair, wanted, dtype, batch_size, ahead):
        values = terms.at((local.row, local.col))
        values[:, *local.box.slices] += local.values
        if not np.isfinite(values).all():
            images = images_tensor(pair, torch_dtype(dtype), method.device)
            found += _whole_image_jacobians(method, images, [(local.row, local.col)])
            continue
        found.append(JacobianWindow(values, 0, 0, local.row, local.col, pair.shape, path="numbers"))
    return found


def _whole_image_jacobians(method: Method, images: Tensor, pixels: list[Pixel]) -> list[JacobianWindow]:
    """Take the path of global methods: one forward pass kept, one backward pass a pixel."""
    if not pixels:
        return []
    height, width = images.shape[1:]
    leaf = images[None].detach().requires_grad_(True)
    with torch.enable_grad():
        fused = apply_network(method.network_as(images.dtype), leaf)[0]
        return [
            JacobianWindow(
                gradient(fused[pixel], leaf, keep_graph=True)[0].cpu().numpy(),
                0,
                0,
                *pixel,
                (height, width),
                path="whole image",
            )
            for pixel in pixels
        ]

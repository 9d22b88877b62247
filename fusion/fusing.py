"""The fused image y = f(x1, x2), computed tile by tile; of changed inputs, only what the change can reach."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from fusion.chroma import coloured
from fusion.device import give_back
from fusion.methods.base import Method
from fusion.network import apply_network, images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.response import checked_change
from fusion.saliency.tiles import grown, tiles
from fusion.saliency.window import Box

PIXELS_A_TILE = {"cpu": 176 * 176, "cuda": 512 * 512}
"""Of a crop. A processor is as quick with small ones, and layers of 128 channels take 0.5 kB a pixel each."""
PIXELS_OF_PROBED = 1024 * 1024
"""The same of networks whose program is not understood: they may do something else at sizes in between."""


@torch.no_grad()
def fuse(method: Method, pair: Pair, dtype: str = "float32") -> NDArray[np.floating]:
    """Fuse a pair: y = f(x1, x2).

    Parameters
    ----------
    method : Method
        The fusion method.
    pair : Pair
        The two input images.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Returns
    -------
    ndarray
        (H, W), nominally in [0, 1] but not clipped: networks may leave that range.

    Raises
    ------
    NetworkError
        If the network cannot be run on this image.
    """
    precision = torch_dtype(dtype)
    if method.elsewhere is not None:
        return method.elsewhere.fuse(pair, dtype)
    images = images_tensor(pair, precision, method.device)
    return _fused(method, images, Box(0, 0, *pair.shape))


def fuse_colour(method: Method, pair: Pair, dtype: str = "float32") -> NDArray[np.floating]:
    """Fuse a pair whose pictures have colours, and colour the result with their chroma.

    The luma is what `fuse` returns, and derivatives are those of lumas: the method never sees a colour. Inputs are
    min–max scaled and chroma is not, so that a picture of low contrast becomes paler than it was.

    Parameters
    ----------
    method, pair, dtype
        As for `fuse`.

    Returns
    -------
    ndarray, shape (3, H, W)
        Red, green, blue in [0, 1], see `fusion.chroma.coloured`; of two gray images the gray fused image three times.

    Raises
    ------
    NetworkError
        If the network cannot be run on this image.
    """
    return coloured(fuse(method, pair, dtype), pair.colours)


@torch.no_grad()
def fused_around(
    method: Method, pair: Pair, change: ArrayLike, box: Box, dtype: str = "float32"
) -> tuple[Box, NDArray[np.floating]]:
    """Fuse changed inputs, as far as the fused image depends on a part of them.

    A fused pixel depends on no input farther away than the support radius r. So of inputs that differ in a part alone
    nothing farther than r from it need be fused anew, and that needs no inputs but those within 2·r.

    Parameters
    ----------
    method : Method
        The fusion method; of a global one the whole image is fused.
    pair : Pair
        The inputs x.
    change : array_like, shape (2, H, W)
        Δ, added to them, x1 first; finite numbers. x + Δ is not clipped.
    box : Box
        The part of the inputs, within the image and not empty.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Returns
    -------
    Box
        The fused pixels that depend on the part.
    ndarray, shape (h, w)
        y(x + Δ) of these, dimensionless: what the whole fused image of the changed inputs has there.

    Raises
    ------
    ValueError
        If the change has another shape or is not of finite numbers, or the part is not of the image.
    NetworkError
        If the network cannot be run on this image.
    """
    added, (height, width) = checked_change(change, pair.shape), pair.shape
    if not (0 <= box.top < box.bottom <= height and 0 <= box.left < box.right <= width):
        raise ValueError(f"{box} is no part of an image of {height}×{width} pixels")
    images = images_tensor(pair, torch_dtype(dtype), method.device)
    images += torch.tensor(added).to(images)
    radius = method.locality_at(pair.shape).radius
    seen = Box(0, 0, height, width) if radius is None else grown(box, radius, pair.shape)
    return seen, _fused(method, images, seen)


def _fused(method: Method, images: Tensor, box: Box) -> NDArray[np.floating]:
    """Return a part of the fused image of some images (2, H, W), tile by tile."""
    shape = (images.shape[1], images.shape[2])
    network = method.network_as(images.dtype)
    locality = method.locality_at(shape)
    fused: NDArray[np.floating] = np.empty(
        box.shape, dtype=np.dtype(str(images.dtype).removeprefix("torch."))
    )
    pixels = PIXELS_A_TILE[images.device.type] if locality.by_program else PIXELS_OF_PROBED
    for tile in tiles(shape, locality, pixels, box):
        part = apply_network(network, images[None, :, tile.crop.rows(), tile.crop.columns()])[0]
        fused[tile.core.within(box)] = part[tile.inner].cpu().numpy()
        del part
        # What a tile has freed would not all be used by the next: a large image took five times what a tile does.
        give_back()
    return fused

"""The fused image y = f(x1, x2), computed tile by tile."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fusion.device import give_back
from fusion.methods.base import Method
from fusion.network import apply_network, images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.tiles import tiles

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
    network = method.network_as(images.dtype)
    fused = np.empty(pair.shape, dtype=dtype)
    locality = method.locality_at(pair.shape)
    pixels = PIXELS_A_TILE[images.device.type] if locality.by_program else PIXELS_OF_PROBED
    for tile in tiles(pair.shape, locality, pixels):
        core, crop = tile.core, tile.crop
        part = apply_network(network, images[None, :, crop.rows(), crop.columns()])[0]
        fused[core.rows(), core.columns()] = part[tile.inner].cpu().numpy()
        del part
        # What a tile has freed would not all be used by the next: a large image took five times what a tile does.
        give_back()
    return fused

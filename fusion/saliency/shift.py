"""Sensitivity of the fused image to a shift of the second input: where misregistration changes the fusion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fusion.methods.base import Method
from fusion.network import images_tensor, torch_dtype
from fusion.pair import Pair, moved
from fusion.saliency.products import product_tiles, products

DIRECTIONS = ((1, 0), (0, 1))
"""One pixel down, one pixel to the right."""

Progress = Callable[[int, int], None]
"""Called as progress(done, total) after each part of the work; may raise `fusion.errors.Cancelled`."""


def shift_sensitivity(
    method: Method, pair: Pair, progress: Progress | None = None, dtype: str = "float32"
) -> NDArray[np.floating]:
    """Compute how the fused image changes when the second input is moved against the first.

    With x2 moved by d pixels in a direction e, x2(j − d·e), its derivative with d at 0 is −∂x2/∂e, and that of the
    fused image is −J2·∂x2/∂e: a product with the Jacobian (paper, equation 1), no Jacobian image of which is computed.
    ∂x2/∂e is the central difference (x2(j + e) − x2(j − e)) / 2 with 0 outside of the image, so that for a linear
    method the result is exactly (y(moved by e) − y(moved by −e)) / 2. Elsewhere it says what holds for small shifts of
    images that are smooth from pixel to pixel.

    Parameters
    ----------
    method : Method
        The fusion method, whose own derivative it is; see `fusion.saliency.response.response`.
    pair : Pair
        The two input images.
    progress : callable, optional
        Called as progress(done, total) after each tile; raise `fusion.errors.Cancelled` in it to stop.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Returns
    -------
    ndarray, shape (2, H, W)
        dy(i)/d(shift) for x2 moved down, then to the right: fused intensity, dimensionless, per pixel of shift.

    Raises
    ------
    NetworkError
        If the network cannot be run on this image; `NoDerivativeError` if its derivative cannot be had this way.
    """
    precision = torch_dtype(dtype)
    images, network = images_tensor(pair, precision, method.device), method.network_as(precision)
    directions = images.new_zeros((len(DIRECTIONS), *images.shape))
    for number, shift in enumerate(DIRECTIONS):
        directions[number, 1] = images.new_tensor(_moving(pair.images[1], shift))
    found = np.empty((len(DIRECTIONS), *pair.shape), dtype=dtype)
    parts = product_tiles(method, pair.shape, precision)
    for done, tile in enumerate(parts, start=1):
        values = products(network, images, directions, tile)
        found[:, tile.core.rows(), tile.core.columns()] = values.cpu().numpy()
        if progress is not None:
            progress(done, len(parts))
    return found


def _moving(image: NDArray[np.floating], shift: tuple[int, int]) -> NDArray[np.float64]:
    """Return the derivative of an image (H, W) with its shift by a pixel, by central differences."""
    whole = image.astype(np.float64)
    return (moved(whole, shift) - moved(whole, (-shift[0], -shift[1]))) / 2

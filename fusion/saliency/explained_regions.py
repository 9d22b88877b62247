"""Jacobian images of a region: which input pixels its mean, its contrast or its likeness to an input depends on.

Each is Jᵀ·u, one backward pass: u is the derivative of the number in question with respect to the fused image.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from fusion.errors import RegionError
from fusion.fusing import fuse
from fusion.methods.base import Method
from fusion.network import images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.products import product_tiles, transposed_product
from fusion.saliency.response import touched_box
from fusion.training.loss import WINDOW, local_similarity

NUMBERS = ("mean", "contrast", "ssim")
"""The numbers of a region that can be explained."""
WINDOWS_AT_ONCE = 8192
"""Windows of the similarity that are computed together; each has 121 pixels."""


def region_jacobian(
    method: Method,
    pair: Pair,
    mask: ArrayLike,
    of: str = "mean",
    against: ArrayLike | int | None = None,
    dtype: str = "float32",
) -> NDArray[np.floating]:
    """Differentiate a number of a region of the fused image with respect to every pixel of both inputs.

    With y the fused image, R the region and |R| its number of pixels, the number is

    - ``"mean"``: Σ_{i in R} y(i) / |R|;
    - ``"contrast"``: that mean minus the mean of y over a second region;
    - ``"ssim"``: Σ_{i in R} SSIM(x, y; i) / |R|, the similarity of y and one input x in the window around i, with the
      window and constants of the training loss (`fusion.training.loss`). x is held constant there: it is y alone that
      is differentiated. Pixels of R whose window of 11×11 leaves the image do not count, in the sum nor in |R|.

    Parameters
    ----------
    method : Method
        The fusion method, whose own derivative it is.
    pair : Pair
        The two input images.
    mask : array_like of bool, shape (H, W)
        The region.
    of : {"mean", "contrast", "ssim"}
        Which number.
    against : array_like of bool (H, W), or 0 or 1, optional
        For ``"contrast"`` the second region; for ``"ssim"`` the input, 0 for x1.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Returns
    -------
    ndarray
        (2, H, W), dimensionless: d number / dx1 and d number / dx2; exactly 0 where no pixel of the region depends on.

    Raises
    ------
    RegionError
        If a region is empty or of another size, or lies within 5 pixels of the border where its SSIM is asked for.
    ValueError
        If `of` is none of the three, or `against` is not what it needs.
    NetworkError
        If the network cannot be run on this image or has no derivative.
    """
    precision = torch_dtype(dtype)
    weights = region_weights(method, pair, mask, of, against, dtype)
    found = np.zeros((2, *pair.shape), dtype=dtype)
    touched = touched_box(weights)
    if touched is None:  # two equal regions
        return found
    images = images_tensor(pair, precision, method.device)
    network, given = method.network_as(precision), torch.from_numpy(weights).to(images)
    for tile in product_tiles(method, pair.shape, precision, touched):
        part = transposed_product(network, images, given, tile)
        found[:, tile.crop.rows(), tile.crop.columns()] += part.cpu().numpy()
    return found


def region_weights(
    method: Method, pair: Pair, mask: ArrayLike, of: str, against: ArrayLike | int | None, dtype: str
) -> NDArray[np.float64]:
    """Return the derivative of a number of a region with respect to the fused image, (H, W).

    Parameters and errors are those of `region_jacobian`.
    """
    inside = _checked(mask, pair.shape)
    if of == "mean" and against is None:
        return inside / inside.sum()
    if of == "contrast" and against is not None and not isinstance(against, int):
        other = _checked(against, pair.shape)
        return inside / inside.sum() - other / other.sum()
    if of == "ssim" and isinstance(against, int) and against in (0, 1):
        return _similarity_weights(pair.images[against], fuse(method, pair, dtype), inside)
    raise ValueError(
        f"The number is one of {', '.join(NUMBERS)}; against is a second region for contrast, 0 or 1 for ssim, and "
        "nothing for mean"
    )


def _checked(mask: ArrayLike, shape: tuple[int, int]) -> NDArray[np.bool_]:
    inside = np.asarray(mask)
    if inside.dtype != np.bool_ or inside.shape != shape:
        raise RegionError(
            f"A region is true or false for each pixel, {shape}, not {inside.dtype} {inside.shape}."
        )
    if not inside.any():
        raise RegionError("The region has no pixels. Choose one that has.")
    return inside


def _similarity_weights(
    image: NDArray[np.float32], fused: NDArray[np.floating], inside: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the derivative of the mean local similarity in a region with respect to the fused image."""
    border = WINDOW // 2
    counted = np.zeros_like(inside)
    counted[border:-border, border:-border] = inside[border:-border, border:-border]
    if not counted.any():
        raise RegionError(
            f"No window of {WINDOW}×{WINDOW} pixels around a pixel of the region lies in the image, so that there is "
            f"no similarity. Choose a region that is further than {border} pixels from the border."
        )
    leaf = torch.tensor(fused, dtype=torch.float64).requires_grad_(True)
    constant = torch.tensor(image, dtype=torch.float64)
    centres = torch.from_numpy(np.argwhere(counted))
    weights = torch.zeros_like(leaf)
    with torch.enable_grad():
        for part in centres.split(WINDOWS_AT_ONCE):
            similar = local_similarity(constant, leaf, part).sum() / len(centres)
            weights += torch.autograd.grad(similar, leaf)[0]
    found: NDArray[np.float64] = weights.numpy()
    return found

"""Response of the fused image to a change of its inputs: the true one, the linear one, and the one along the path.

A Jacobian predicts the change of the fused image that follows from a change Δ of the inputs as J·Δ. Here that is done
without the Jacobian (`fusion.saliency.products`), and held against what really changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from fusion.methods.base import Method
from fusion.network import images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.products import fused_core, product_tiles, products
from fusion.saliency.tiles import Tile, grown
from fusion.saliency.window import Box

PATH_STEPS = 8
"""Places along a change at which the Jacobian is taken for `Response.path`."""

Progress = Callable[[int, int], None]
"""Called as progress(done, total) after each part of the work; may raise `fusion.errors.Cancelled`."""


@dataclass(frozen=True, eq=False)
class Response:
    """The change of a fused image with a change Δ of its inputs x, computed and predicted.

    Each is (H, W), dimensionless, of the dtype that was asked for, and exactly 0 where no pixel of Δ is in the support.

    Attributes
    ----------
    true : ndarray
        y(x + Δ) − y(x).
    linear : ndarray
        J(x)·Δ: Σ over both inputs and all pixels j of dy(i)/dx(j) · Δ(j).
    path : ndarray
        ⅛ Σ_k J(x + (k + ½)·Δ/8)·Δ, k = 0 … 7: the same with the mean of the Jacobians on the way from x to x + Δ. With
        a method's true derivative it comes the closer to `true` the more steps there are.
    """

    true: NDArray[np.floating]
    linear: NDArray[np.floating]
    path: NDArray[np.floating]

    @property
    def linear_error(self) -> float:
        """‖true − linear‖ / ‖true‖, 2-norms over the image; NaN where nothing changes."""
        return _relative(self.linear, self.true)

    @property
    def path_error(self) -> float:
        """‖true − path‖ / ‖true‖, 2-norms over the image; NaN where nothing changes."""
        return _relative(self.path, self.true)


def response(method: Method, pair: Pair, change: ArrayLike, dtype: str = "float32") -> Response:
    """Compute and predict the change of the fused image when something is added to the inputs.

    The derivative is the method's own, the one that its Jacobian images show. Weighted averaging as the paper's tool
    has it holds its weights constant, along the path too: its `linear` and `path` are w1·Δ1 + w2·Δ2 with the weights
    of the images there, and `path` does not come to `true`, which is what the fused image does, however short its
    steps. `weighted_averaging_true` has the derivative that does.

    Parameters
    ----------
    method : Method
        The fusion method. Only the part of the image that the change can reach is computed; of a global one, all.
    pair : Pair
        The two input images x.
    change : array_like, shape (2, H, W)
        Δ, added to the scaled inputs, x1 first; any finite numbers. x + Δ is not clipped.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Returns
    -------
    Response

    Raises
    ------
    ValueError
        If the change has another shape, or is not of finite numbers.
    NetworkError
        If the network cannot be run on this image; `NoDerivativeError` if its derivative cannot be had this way.
    """
    added = checked_change(change, pair.shape)
    found = np.zeros((3, *pair.shape), dtype=dtype)
    for name, kind in zip(found, (_true, _linear, _path), strict=True):
        box, values = _computed(method, pair, added, dtype, kind)
        if box is not None:
            name[box.rows(), box.columns()] = values
    return Response(*found)


def predicted(
    method: Method, pair: Pair, change: ArrayLike, along_path: bool, dtype: str = "float32"
) -> tuple[Box | None, NDArray[np.floating]]:
    """Predict what a change does to the fused image, where it does anything.

    Parameters
    ----------
    method, pair, change, dtype
        See `response`.
    along_path : bool
        Whether with the mean of the Jacobians on the way (`Response.path`), which takes `PATH_STEPS` times as long.

    Returns
    -------
    tuple
        The part of the image that the change can reach, ``None`` for a change of nothing, and the prediction there,
        (h, w): the same numbers as `Response.linear` or `Response.path`.

    Raises
    ------
    ValueError
        See `response`; so are `NetworkError` and `NoDerivativeError`.
    """
    return _computed(
        method, pair, checked_change(change, pair.shape), dtype, _path if along_path else _linear
    )


Kind = Callable[[nn.Module, Tensor, Tensor, Tile], Tensor]
"""Called with a network, images (2, H, W), their change and a tile: the response in the core of the tile, (h, w)."""


def _computed(
    method: Method, pair: Pair, change: NDArray[np.float64], dtype: str, kind: Kind
) -> tuple[Box | None, NDArray[np.floating]]:
    """Return the part of the fused image that a change can reach, and a response there."""
    touched = touched_box(change)
    if touched is None:
        return None, np.zeros((0, 0), dtype=dtype)
    precision = torch_dtype(dtype)
    radius = method.locality_at(pair.shape).radius
    images = images_tensor(pair, precision, method.device)
    delta = torch.tensor(change).to(method.device, precision)
    network = method.network_as(precision)
    box = Box(0, 0, *pair.shape) if radius is None else grown(touched, radius, pair.shape)
    found = np.empty(box.shape, dtype=dtype)
    for tile in product_tiles(method, pair.shape, precision, box):
        found[tile.core.within(box)] = kind(network, images, delta, tile).cpu().numpy()
    return box, found


@torch.no_grad()
def _true(network: nn.Module, images: Tensor, delta: Tensor, tile: Tile) -> Tensor:
    before, after = fused_core(network, torch.stack((images, images + delta)), tile)
    return after - before


def _linear(network: nn.Module, images: Tensor, delta: Tensor, tile: Tile) -> Tensor:
    return products(network, images, delta[None], tile)[0]


def _path(network: nn.Module, images: Tensor, delta: Tensor, tile: Tile) -> Tensor:
    places = [(step + 0.5) / PATH_STEPS for step in range(PATH_STEPS)]
    return sum(
        (products(network, images + place * delta, delta[None], tile)[0] / PATH_STEPS for place in places),
        torch.zeros(tile.core.shape, dtype=images.dtype, device=images.device),
    )


def response_map(
    method: Method, pair: Pair, progress: Progress | None = None, dtype: str = "float32"
) -> NDArray[np.floating]:
    """Compute how the fused image answers when a whole input becomes brighter.

    Parameters
    ----------
    method : Method
        The fusion method, whose own derivative it is; see `response`.
    pair : Pair
        The two input images.
    progress : callable, optional
        Called as progress(done, total) after each tile; raise `fusion.errors.Cancelled` in it to stop.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Returns
    -------
    ndarray
        (2, H, W), dimensionless: J·1 by input, Σ_j dy(i)/dx1(j) and Σ_j dy(i)/dx2(j). Below 0 the fused pixel becomes
        darker where the input becomes brighter: contrast is reversed.

    Raises
    ------
    NetworkError
        See `response`.
    """
    precision = torch_dtype(dtype)
    images, network = images_tensor(pair, precision, method.device), method.network_as(precision)
    found = np.empty((2, *pair.shape), dtype=dtype)
    parts = product_tiles(method, pair.shape, precision)
    for done, tile in enumerate(parts, start=1):
        values = products(network, images, whole_inputs(images), tile)
        found[:, tile.core.rows(), tile.core.columns()] = values.cpu().numpy()
        if progress is not None:
            progress(done, len(parts))
    return found


def whole_inputs(images: Tensor) -> Tensor:
    """Return the two changes (2, 2, H, W) that are 1 on all of one image (of 2, H, W) and 0 on the other."""
    directions = images.new_zeros((2, *images.shape))
    directions[0, 0] = directions[1, 1] = 1
    return directions


def checked_change(change: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return a change as (2, H, W) float64, or raise `ValueError`."""
    added = np.asarray(change, dtype=np.float64)
    if added.shape != (2, *shape) or not np.isfinite(added).all():
        raise ValueError(f"A change is finite numbers {(2, *shape)}, x1 first, not {added.shape}")
    return added


def touched_box(change: NDArray[Any]) -> Box | None:
    """Return the smallest box around what is not 0 in any of some images (…, H, W); ``None`` where all is."""
    places = np.argwhere(np.any(change != 0, axis=tuple(range(change.ndim - 2))))
    if not len(places):
        return None
    (top, left), (bottom, right) = places.min(axis=0), places.max(axis=0)
    return Box(int(top), int(left), int(bottom) + 1, int(right) + 1)


def _relative(predicted: NDArray[np.floating], true: NDArray[np.floating]) -> float:
    size = float(np.linalg.norm(true))
    return float(np.linalg.norm(true - predicted)) / size if size else float("nan")

"""Poles of fusion rules that divide: where the denominator is nearly 0, derivatives tell of the least change."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.fusing import PIXELS_A_TILE
from fusion.methods.base import Method
from fusion.network import images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.tiles import tiles
from fusion.saliency.window import Box


@runtime_checkable
class HasPole(Protocol):
    """A network with a rule that divides.

    Attributes
    ----------
    has_pole : bool
        False where this rule of several does not divide.
    """

    has_pole: bool

    def near_pole(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return at how many features each pixel is near the pole, (B, 1, H, W)."""
        ...


def has_pole(method: Method) -> bool:
    """Tell if a method's fusion rule has a pole that it can be asked about."""
    network = method.network
    return method.elsewhere is None and isinstance(network, HasPole) and network.has_pole


@torch.no_grad()
def near_pole(method: Method, pair: Pair, dtype: str = "float32") -> NDArray[np.floating]:
    """Count at each pixel the features whose denominator is near 0.

    For FunFuseAn these are the features of the 64 with |h1 + h2| ≤ 0.05, of the rule max(h1, h2) / (h1 + h2): the sum
    changes its sign nearby, where the rule, kept 0.1 away from its pole, jumps, and no derivative tells of a jump.

    Parameters
    ----------
    method : Method
        The fusion method.
    pair : Pair
        The two input images.
    dtype : {"float32", "float64"}
        The precision of the computation.

    Returns
    -------
    ndarray, shape (H, W)
        Whole numbers ≥ 0; all 0 for a method without a pole.
    """
    precision, shape = torch_dtype(dtype), pair.shape
    found = np.zeros(shape, dtype=dtype)
    if not has_pole(method):
        return found
    images, network = images_tensor(pair, precision, method.device), method.network_as(precision)
    assert isinstance(network, HasPole)
    whole = Box(0, 0, *shape)
    for tile in tiles(shape, method.locality_at(shape), PIXELS_A_TILE[images.device.type], whole):
        x1, x2 = images[:, None, None, tile.crop.rows(), tile.crop.columns()]
        found[tile.core.rows(), tile.core.columns()] = (
            network.near_pole(x1, x2)[0, 0][tile.inner].cpu().numpy()
        )
    return found

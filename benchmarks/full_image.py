"""The baseline: derivatives by autograd over the whole image, the way the paper's tool computes them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fusion.methods.base import Method
from fusion.network import images_tensor, torch_dtype
from fusion.pair import Pair


class FullImageGradients:
    """One forward pass over the whole image whose graph is kept, then one backward pass an input and pixel.

    Shares nothing with `fusion.saliency`, so that it can also judge what that computes.

    Parameters
    ----------
    method : Method
        The fusion method.
    pair : Pair
        The two input images.
    dtype : {"float32", "float64"}
        The precision of the whole computation.
    """

    def __init__(self, method: Method, pair: Pair, dtype: str = "float32") -> None:
        precision = torch_dtype(dtype)
        images = images_tensor(pair, precision, method.device)
        self._inputs = [image[None, None].clone().requires_grad_(True) for image in images]
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            self._fused = method.network_as(precision)(*self._inputs)[0, 0]

    def jacobian(self, pixel: tuple[int, int]) -> NDArray[np.floating]:
        """Return both Jacobian images of a pixel (row, col), shape (2, H, W)."""
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            images = [
                torch.autograd.grad(self._fused[pixel], image, retain_graph=True)[0][0, 0]
                for image in self._inputs
            ]
        return torch.stack(images).cpu().numpy()

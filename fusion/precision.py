"""The two precisions of every computation, and a pair's images as a tensor of one of them."""

from __future__ import annotations

import torch
from torch import Tensor

from fusion.methods.base import Method
from fusion.pair import Pair

_DTYPES = {"float32": torch.float32, "float64": torch.float64}


def torch_dtype(name: str) -> torch.dtype:
    """Return the torch dtype of ``"float32"`` or ``"float64"``.

    Raises
    ------
    ValueError
        For any other name.
    """
    try:
        return _DTYPES[name]
    except KeyError:
        raise ValueError(f"dtype is 'float32' or 'float64', not {name!r}") from None


def images_tensor(method: Method, pair: Pair, dtype: torch.dtype) -> Tensor:
    """Return both images as a (2, H, W) tensor on the method's device; a copy, never the pair's memory."""
    return torch.tensor(pair.images, dtype=dtype, device=method.device)

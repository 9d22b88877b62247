"""Networks y = f(x1, x2): running one and checking its result's shape, its precision, and noticing its changes."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from fusion.errors import NetworkError
from fusion.pair import Pair


def apply_network(network: nn.Module, inputs: Tensor) -> Tensor:
    """Fuse a batch of pairs.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2) on (B, 1, H, W) tensors.
    inputs : torch.Tensor
        (B, 2, H, W), of the network's dtype and on its device.

    Returns
    -------
    torch.Tensor
        (B, H, W), fused intensities.

    Raises
    ------
    NetworkError
        If the network fails on images of this size or returns another shape.
    """
    batch, _, height, width = inputs.shape
    try:
        fused = network(inputs[:, :1], inputs[:, 1:])
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # whatever a user's network may raise
        raise NetworkError(
            f"The network could not be run on images of {height}×{width} pixels: {_said(error)}{_hint(inputs, error)}"
        ) from error
    if not isinstance(fused, Tensor) or fused.shape != (batch, 1, height, width):
        found = tuple(fused.shape) if isinstance(fused, Tensor) else type(fused).__name__
        raise NetworkError(
            f"The network must return a fused image of its inputs' shape {(batch, 1, height, width)}, "
            f"but returned {found}. Pad inside the network, or use images whose sides it divides."
        )
    return fused[:, 0]


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def _hint(inputs: Tensor, error: Exception) -> str:
    """Explain what is seen only in the precision that the network was not written for."""
    if inputs.dtype != torch.float64 or not re.search("float|double", str(error), re.IGNORECASE):
        return ""
    return ". Networks are run in float64 too: let them keep the precision of their inputs, without .float()."


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


def images_tensor(pair: Pair, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Bring both images of a pair to a device.

    Parameters
    ----------
    pair : Pair
        The images, in [0, 1].
    dtype : torch.dtype
        float32 or float64.
    device : torch.device
        Where to.

    Returns
    -------
    torch.Tensor
        (2, H, W); a copy, never the pair's memory.
    """
    return torch.tensor(pair.images, dtype=dtype, device=device)


class NetworkState:
    """Remembers the parts and the weights of a network, cheaply enough to ask at every hover.

    Changes in place (``add_``, an optimiser's step, ``load_state_dict``) are noticed, and other parameters, buffers or
    layers in the places of those that were there. What is written behind autograd's back, by ``.data``, is not.

    Parameters
    ----------
    network : torch.nn.Module
        Is not kept alive.
    """

    def __init__(self, network: nn.Module) -> None:
        self._places = [
            (kind, name, held)
            for module in network.modules()
            for kind in (module._parameters, module._buffers, module._modules)
            for name, held in kind.items()
        ]
        self._weights = [
            weight
            for weight in (*network.parameters(), *network.buffers())
            if not weight.is_inference()  # those made in inference mode have no version
        ]
        self._versions = self._current_versions()

    def _current_versions(self) -> list[int]:
        return [weight._version for weight in self._weights]

    def is_current(self) -> bool:
        """Return whether the network has the same parts with the same weights."""
        return self._current_versions() == self._versions and all(
            kind.get(name) is held for kind, name, held in self._places
        )

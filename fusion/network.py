"""Networks y = f(x1, x2): running one and checking its result, its precision, and noticing its changes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fusion.errors import NetworkError, NoDerivativeError, PrecisionError
from fusion.pair import Pair

USUAL_CAUSES = (
    "Usual causes are torch.no_grad() or inference_mode() in the network, .detach() or .data, .numpy(), .item() or "
    "another way out of torch, and rounding to whole numbers (round, floor, uint8). Take out what hides the image "
    "from autograd."
)


def apply_network(network: nn.Module, inputs: Tensor) -> Tensor:
    """Fuse a batch of pairs.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2) on (B, 1, H, W) tensors. It gets copies, which it may write to.
    inputs : torch.Tensor
        (B, 2, H, W), of the network's dtype and on its device.

    Returns
    -------
    torch.Tensor
        (B, H, W), fused intensities.

    Raises
    ------
    NetworkError
        If the network fails on images of this size or returns another shape; `PrecisionError` if that is because the
        images are float64, `NoDerivativeError` if it leaves torch.
    """
    height, width = inputs.shape[2:]
    try:
        fused = network(inputs[:, :1].clone(), inputs[:, 1:].clone())
    except torch.OutOfMemoryError:
        raise
    except (Exception, SystemExit) as error:  # whatever a user's network may raise
        raise _failure(inputs, error) from error
    problem = _unfit(fused, inputs)
    if problem:
        raise NetworkError(f"Of images of {height}×{width} pixels the network {problem}")
    if not fused.is_floating_point():
        raise NoDerivativeError(
            f"The network returns numbers of type {fused.dtype}, which have no derivative. {USUAL_CAUSES}"
        )
    image: Tensor = fused[:, 0]
    return image


def _failure(inputs: Tensor, error: BaseException) -> NetworkError:
    height, width = inputs.shape[2:]
    said = f"SystemExit, code {error.code}" if isinstance(error, SystemExit) else str(error)
    told = (
        f"The network could not be run on images of {height}×{width} pixels: {said or type(error).__name__}"
    )
    if re.search(r"numpy\(\)|inference tensor", said, re.IGNORECASE):
        return NoDerivativeError(f"{told}. So it has no derivative by autograd. {USUAL_CAUSES}")
    if inputs.dtype == torch.float64 and re.search(r"float|double|dtype", said, re.IGNORECASE):
        return PrecisionError(
            f"{told}. Networks are run in float64 too: let them keep the precision of their inputs, without .float(), "
            "and make tensors that they keep parameters or buffers (register_buffer), not globals."
        )
    for pattern, advice in _ADVICE:
        if re.search(pattern, said):
            return NetworkError(f"{told}. {advice}")
    return NetworkError(told)


_ADVICE = (
    (
        r"to have 3 channels, but got",
        "It takes colour images: wrap it with channels=3, which gives it each gray image three times.",
    ),
    (
        r"to have \d+ channels, but got|positional argument|unexpected keyword",
        "A network takes two images of one channel each, (B, 1, H, W). One that takes both in a single tensor is "
        "wrapped as a function: lambda x1, x2: network(torch.cat((x1, x2), 1)).",
    ),
    (r"same device|on cpu|cuda:\d", "Tensors that it keeps must be parameters or buffers (register_buffer)."),
)
"""What the words of an error tell, and what to do about it."""


def _unfit(fused: Any, inputs: Tensor) -> str:
    """Say what is wrong with a network's result; empty where it is a fused image."""
    batch, _, height, width = inputs.shape
    wanted = (batch, 1, height, width)
    if isinstance(fused, dict):
        names = ", ".join(repr(name) for name in fused)
        return f"returned a dictionary of {names}. Say which is the fused image: output={next(iter(fused), 'name')!r}."
    if isinstance(fused, tuple | list):
        return (
            f"returned a {type(fused).__name__} of {len(fused)}. Say which of them is the fused image: output=0 for "
            "the first."
        )
    if isinstance(fused, np.ndarray):
        return "returned an array of NumPy, through which autograd has no derivative. Let it return a tensor."
    if not isinstance(fused, Tensor):
        named = [name for name, value in getattr(fused, "__dict__", {}).items() if isinstance(value, Tensor)]
        advice = f" Say which of its parts is the fused image: output={named[0]!r}." if named else ""
        return f"returned a {type(fused).__name__} where a fused image {wanted} is expected.{advice}"
    found = tuple(fused.shape)
    if found == wanted:
        return ""
    if len(found) == 4 and found[0] == batch and found[2:] == wanted[2:]:
        return (
            f"returned {found[1]} channels where a gray fused image has one. Wrap it with channels={found[1]}, which "
            "takes their mean, or let it return one."
        )
    if found == (batch, height, width):
        return f"returned {found} without a dimension for the channel. Let it return {wanted}."
    return (
        f"returned {found} where {wanted} is expected. Pad inside the network, wrap it with sizes= the number that it "
        "divides sides by, or use images whose sides it divides."
    )


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
            if not isinstance(module, torch.jit.ScriptModule)  # which cannot be given other parts
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

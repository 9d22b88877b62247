"""Whether a network looks at the images' values to decide what to do, or how much of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fusion.network import apply_network

_aten = torch.ops.aten
_DECIDING = {_aten._local_scalar_dense, _aten.equal, _aten.is_nonzero, _aten.nonzero, _aten.masked_select}
"""Operations whose result, or its size, leaves the world of tensors."""


@torch.no_grad()
def decides_by_values(network: nn.Module, inputs: Tensor) -> bool:
    """Whether anything computed from the images becomes a number or a size of the program.

    A network that says ``if (x1 > 0).all()`` does one thing with the whole image and another with a part of it: no
    crop is safe, however many agree.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2), in evaluation mode.
    inputs : torch.Tensor
        (1, 2, H, W), any images that it runs on.

    Raises
    ------
    NetworkError
        If it cannot be run on them.
    """
    with _Watch(inputs) as watch:
        apply_network(network, inputs)
    return watch.decided


class _Watch(TorchDispatchMode):
    """Follows what is computed from a tensor, by the memory that it lies in."""

    def __init__(self, origin: Tensor) -> None:
        super().__init__()
        self.decided = False
        self._followed = {_memory(origin)}
        self._alive: list[Any] = [origin]  # so that no memory is given to something else meanwhile

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """See `TorchDispatchMode`."""
        kwargs = kwargs or {}
        tensors = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        followed = [tensor for tensor in tensors if _memory(tensor) in self._followed]
        result = func(*args, **kwargs)
        if not followed:
            return result
        packet = getattr(func, "overloadpacket", None)
        masked = packet is _aten.index and any(tensor.dtype == torch.bool for tensor in tensors)
        self.decided = self.decided or packet in _DECIDING or masked
        changed = tensors[:1] if func._schema.is_mutable else []  # type: ignore[attr-defined]
        for value in (*tree_leaves(result), *changed):
            if isinstance(value, Tensor):
                self._followed.add(_memory(value))
                self._alive.append(value)
        return result


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()

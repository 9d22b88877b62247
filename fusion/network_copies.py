"""Copies of networks, and bringing them to a precision and device with all that they keep."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

TOLERANCE = 1e-9
"""How far two derivatives that are equal but for rounding may be apart in float64, relative to the largest."""
SINGLE_TOLERANCE = 1e-4
"""The same for networks that run in float32 only."""


class InSingle(nn.Module):
    """A network that runs in float32 only, whatever the precision around it.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2), float32.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.float()

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        """Fuse a batch of pairs (B, 1, H, W) in float32; the result has their precision."""
        result = self.network(x1.float(), x2.float())
        return result.to(x1.dtype) if isinstance(result, Tensor) and result.is_floating_point() else result


def tolerance_of(network: nn.Module) -> float:
    """Return how far two derivatives that are equal but for rounding may be apart, relative to the largest."""
    return SINGLE_TOLERANCE if isinstance(network, InSingle) else TOLERANCE


def copied(network: nn.Module, share: bool = False) -> nn.Module:
    """Copy a network, and nothing that cannot be copied (locks, open files): copies share that.

    Parameters
    ----------
    network : torch.nn.Module
        Is not changed.
    share : bool
        Whether the copy shares the parameters, buffers and other tensors. What an earlier call has left is cut off the
        graph that it hangs on.
    """
    memo: dict[int, Any] = {}
    for module in parts(network):
        for tensor in tensors_in(_plain(module)):
            memo[id(tensor)] = tensor.detach() if share else tensor.detach().clone()
    if share:
        memo |= {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    try:
        with torch.no_grad():  # programs of TorchScript would be copied with a graph
            return copy.deepcopy(network, dict(memo))
    except Exception:  # noqa: BLE001 - anything in a user's network may refuse to be copied
        return _copied_in_parts(network, memo)


def _copied_in_parts(network: nn.Module, memo: dict[int, Any]) -> nn.Module:
    twins = {module: module.__class__.__new__(module.__class__) for module in network.modules()}
    memo |= {id(module): twin for module, twin in twins.items()}
    for module, twin in twins.items():
        for name, value in vars(module).items():
            try:
                vars(twin)[name] = copy.deepcopy(value, memo)
            except Exception:  # noqa: BLE001 - see above
                vars(twin)[name] = value
    return twins[network]


def converted(network: nn.Module, dtype: torch.dtype, device: torch.device | str) -> nn.Module:
    """Bring a network to a precision and device, in evaluation mode and frozen, with all tensors that it keeps.

    Torch does so for parameters and buffers of registered layers alone. Plain attributes, and layers in plain lists,
    follow too.

    Parameters
    ----------
    network : torch.nn.Module
        Is changed, and returned.
    dtype : torch.dtype
        float32 or float64; `InSingle` stays float32.
    device : torch.device or str
        Where to.
    """
    dtype = torch.float32 if isinstance(network, InSingle) else dtype
    registered = {id(module) for module in network.modules()}
    for part in parts(network):
        if part is network or id(part) not in registered:
            _settled(part, dtype, device)
    for part in parts(network):
        for name, value in _plain(part).items():
            moved = _moved(value, dtype, device)
            if moved is not value:
                vars(part)[name] = moved
    return network


def _settled(network: nn.Module, dtype: torch.dtype, device: torch.device | str) -> None:
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    network.to(device=device, dtype=dtype)
    try:
        network.eval()
    except NotImplementedError:  # programs of `torch.export` have one mode
        return


def parts(network: nn.Module) -> Iterator[nn.Module]:
    """Yield a network's modules, those in plain lists and dictionaries among them, each once."""
    waiting, seen = [network], {id(network)}
    while waiting:
        module = waiting.pop()
        yield module
        found = [*module.children(), *_leaves_of(_plain(module), nn.Module)]
        for child in found:
            if id(child) not in seen:
                seen.add(id(child))
                waiting.append(child)


_HELD = frozenset(vars(nn.Module()))


def _plain(module: nn.Module) -> dict[str, Any]:
    """Return a module's attributes but for what torch itself keeps there."""
    if isinstance(module, torch.jit.ScriptModule):
        return {}
    return {name: value for name, value in vars(module).items() if name not in _HELD}


def tensors_in(structure: Any) -> list[Tensor]:
    """Return all tensors in attributes, lists and dictionaries, in order."""
    return _leaves_of(structure, Tensor)


def _leaves_of(structure: Any, kind: type[Any]) -> list[Any]:
    if isinstance(structure, kind):
        return [structure]
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, list | tuple | set):
        return [leaf for item in structure for leaf in _leaves_of(item, kind)]
    return []


def _moved(value: Any, dtype: torch.dtype, device: torch.device | str) -> Any:
    """Return a value with its tensors brought to a precision and device; itself where that changes nothing."""
    if isinstance(value, Tensor):
        moved = value.to(device=device, dtype=dtype if value.is_floating_point() else value.dtype)
        return moved.detach() if moved.requires_grad else moved
    if type(value) in (list, tuple):
        items = [_moved(item, dtype, device) for item in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else type(value)(items)
    if type(value) is dict:
        changed = {key: _moved(item, dtype, device) for key, item in value.items()}
        return value if all(changed[key] is item for key, item in value.items()) else changed
    return value

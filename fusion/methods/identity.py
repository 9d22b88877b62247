"""Ids of networks: two that may be different functions never have the same.

The id of a network is the sha256 of everything that it is made of: its weights, its other attributes, and its program.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fusion.network_copies import parts

_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_PLACE = re.compile(r" *#.*|\.?___torch_mangle_\d+")
"""What is another in each process, or for each file, in a program of TorchScript."""
_ATTRIBUTE = re.compile(r'GetAttr\[name="(\w+)"\]')
_LIBRARIES = ("torch", "numpy", "builtins", "fusion")
"""Whose functions are told by their names."""
DEEPEST = 12
"""Objects inside each other that are looked into."""


def weights_digest(id: str, network: nn.Module) -> str:
    """Return the sha256 of a method's id and all parameters and buffers of its network, in name order.

    For methods of this project, each of which has one program.
    """
    digest = hashlib.sha256(f"{id}\n{network}\n".encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name}:".encode() + _tensor(tensor, newline=True))
    return digest.hexdigest()


def _tensor(tensor: Tensor, newline: bool = False) -> bytes:
    array = tensor.detach().cpu().contiguous()
    head = f"{array.dtype}:{tuple(array.shape)}" + ("\n" if newline else ";")
    return head.encode() + array.reshape(-1).view(torch.uint8).numpy().tobytes()


def network_digest(id: str, network: nn.Module) -> str:
    """Return the sha256 of a method's id and of all that its network is made of.

    That is its layers, parameters, buffers (those that are not saved too), other attributes, hooks, and the program of
    each layer and of what it calls, down to the functions of torch and NumPy.

    Parameters
    ----------
    id : str
        The method's.
    network : torch.nn.Module
        Any.
    """
    digest = hashlib.sha256(f"{id}\n".encode())
    for piece in _Described().of(network):
        digest.update(piece)
    return digest.hexdigest()


class _Described:
    """Everything as bytes that are the same in another process, each object once."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []
        self._classes: set[type] = set()

    def _of_network(self, network: nn.Module) -> Iterator[bytes]:
        """Yield the number of a network, and what all its layers are made of when it is met for the first time."""
        known = id(network) in self._numbers
        yield f"module {self._number(network)};".encode()
        if not known:
            inside = [
                module for module in parts(network) if module is network or id(module) not in self._numbers
            ]
            for module in inside:
                self._number(module)
            for module in inside:
                yield from self._of_module(module)

    def _of_module(self, module: nn.Module) -> Iterator[bytes]:
        """Yield what a module is made of, but for the layers inside it."""
        yield f"\nmodule {self._number(module)} {_name(type(module))}".encode()
        if isinstance(module, torch.jit.ScriptModule | torch.fx.GraphModule):
            yield from self._of_program(module)
            return
        for name, child in module.named_children():
            yield f"\n{name}={self._number(child)}".encode()
        for name, value in sorted(vars(module).items()):
            if name in ("_modules", "training"):
                continue
            hooks = name.endswith("_hooks") and isinstance(value, dict)
            yield f"\n{name}=".encode()
            # Hooks are counted through the whole process.
            yield from self.of(list(value.values()) if hooks else value)
        for ancestor in type(module).__mro__:
            yield from self._of_class(ancestor)

    def _of_program(self, module: nn.Module) -> Iterator[bytes]:
        """Yield what a program of TorchScript or of a graph is made of."""
        kept: dict[str, Any] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        if isinstance(module, torch.fx.GraphModule):
            yield module.code.encode()
            kept |= {name: value for name, value in vars(module).items() if isinstance(value, Tensor)}
        elif hasattr(module, "inlined_graph"):
            program = _PLACE.sub("", str(module.inlined_graph))
            yield program.encode()
            constants: Any = module.code_with_constants
            kept |= dict(constants[1].const_mapping)
            names = (name for name in _ATTRIBUTE.findall(program) if hasattr(module, name))
            kept |= {name: getattr(module, name) for name in names}
        for name, value in sorted(kept.items()):
            yield f"\n{name}=".encode()
            yield from self.of(value)

    def _number(self, thing: Any) -> int:
        if id(thing) not in self._numbers:
            self._numbers[id(thing)] = len(self._numbers)
            self._alive.append(thing)
        return self._numbers[id(thing)]

    def _of_class(self, kind: type) -> Iterator[bytes]:
        if kind in self._classes or _of_library(kind):
            return
        self._classes.add(kind)
        yield f"\nclass {_name(kind)}".encode()
        for name, value in sorted(vars(kind).items()):
            value = getattr(value, "__func__", getattr(value, "fget", value))
            if isinstance(value, types.FunctionType) or not name.startswith("__"):
                yield f"\n{name}".encode()
                yield from self.of(value)

    def of(self, value: Any, depth: int = 0) -> Iterator[bytes]:
        """Yield what any value is made of."""
        if value is None or isinstance(
            value, bool | int | float | complex | str | bytes | torch.dtype | torch.device
        ):
            yield f"{type(value).__name__}:{value!r};".encode()
        elif isinstance(value, Tensor):
            yield _tensor(value)
        elif isinstance(value, np.ndarray | np.generic):
            yield f"{value.dtype}:{value.shape};".encode() + np.ascontiguousarray(value).tobytes()
        elif isinstance(value, nn.Module):
            yield from self._of_network(value)
        elif depth > DEEPEST or id(value) in self._numbers:
            yield f"{_name(type(value))} again;".encode()
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from self.of(key, depth + 1)
                yield from self.of(item, depth + 1)
        elif isinstance(value, list | tuple):
            yield f"{type(value).__name__} {len(value)};".encode()
            for item in value:
                yield from self.of(item, depth + 1)
        elif isinstance(value, set | frozenset):
            yield from sorted(b"".join(self.of(item, depth + 1)) for item in value)
        else:
            self._number(value)
            yield from self._of_object(value, depth)

    def _of_object(self, value: Any, depth: int) -> Iterator[bytes]:
        if isinstance(value, functools.partial):
            yield from self.of([value.func, value.args, value.keywords], depth + 1)
        elif inspect.ismethod(value):
            yield from self.of([value.__func__, value.__self__], depth + 1)
        elif isinstance(value, types.FunctionType):
            yield from self._of_function(value, depth)
        elif isinstance(value, type) or (callable(value) and hasattr(value, "__name__")):
            yield f"{_name(value)};".encode()
            for ancestor in getattr(value, "__mro__", ()):
                yield from self._of_class(ancestor)
        else:
            yield f"{_name(type(value))};".encode()
            if hasattr(value, "__dict__"):
                yield from self.of(vars(value), depth + 1)
            else:
                yield _ADDRESS.sub("", repr(value)).encode()
            for ancestor in type(value).__mro__:
                yield from self._of_class(ancestor)

    def _of_function(self, function: Callable[..., Any], depth: int) -> Iterator[bytes]:
        yield f"function {_name(function)};".encode()
        if _of_library(function):
            return
        yield from _code(function.__code__)
        yield from self.of([function.__defaults__, function.__kwdefaults__], depth + 1)
        for cell in function.__closure__ or ():
            try:
                yield from self.of(cell.cell_contents, depth + 1)
            except ValueError:  # not yet filled
                yield b"empty;"
        for name in sorted(_names(function.__code__)):
            value = function.__globals__.get(name)
            if value is not None and not isinstance(value, types.ModuleType):
                yield f"{name}=".encode()
                yield from self.of(value, depth + 1)


def _of_library(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "") or "").split(".")[0] in _LIBRARIES


def _name(thing: Any) -> str:
    return (
        f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', getattr(thing, '__name__', ''))}"
    )


def _names(code: types.CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _code(code: types.CodeType) -> Iterator[bytes]:
    """Yield a function's instructions and constants."""
    yield code.co_code
    yield repr((code.co_names, code.co_varnames, code.co_freevars)).encode()
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code(constant)
        else:
            text = sorted(map(repr, constant)) if isinstance(constant, frozenset) else repr(constant)
            yield f"{text};".encode()

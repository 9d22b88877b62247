"""From a network's program, as `torch.fx` writes it down, to nodes."""

from __future__ import annotations

import copy
import operator
import threading
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.parametrize import is_parametrized

from fusion.saliency.chain.nodes import Network, NotUnderstoodError
from fusion.saliency.chain.reading import Reader
from fusion.saliency.chain.values import Constant, Flat, Several, Size, Stacked, Value, Whole, leaves


def traced(network: nn.Module) -> Network:
    """Write a network down as nodes, connected pointwise operations as one.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2), in evaluation mode.

    Raises
    ------
    NotUnderstoodError
        If there is anything in it of which no chain can be made, or its program depends on the images' values.
    """
    root = _OfTwo(with_modules_of_its_own(network))
    reader = Reader(root)
    tracer = _ThisThread(reader)
    try:
        with _tracing, torch.inference_mode(False), torch.enable_grad():
            tracer.trace(root)
    except Exception as error:
        if tracer.failure is not None:
            raise tracer.failure from None
        if isinstance(error, NotUnderstoodError):
            raise
        raise NotUnderstoodError(f"its program cannot be traced: {error}") from error
    if tracer.failure is not None:
        raise tracer.failure
    return reader.network()


def with_modules_of_its_own(network: nn.Module) -> nn.Module:
    """Copy a network, but for its parameters and buffers, which the copy shares.

    Networks that keep what they have computed, to be looked at later, keep it in the copy.
    """
    kept = [leaf for module in network.modules() for leaf in leaves(dict(vars(module)))]
    # What an earlier call has left cannot be copied with the graph that it hangs on.
    shared: dict[int, Any] = {id(leaf): leaf.detach() for leaf in kept if isinstance(leaf, Tensor)}
    shared |= {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    return copy.deepcopy(network, shared)


_tracing = threading.Lock()


class _OfTwo(nn.Module):
    """Calls a network with two images and nothing else, whatever else it could be called with."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        return self.network(x1, x2)


class _ThisThread(fx.Tracer):
    """Traces what its own thread runs, and has it read at once.

    While it traces, `torch.fx` stands between every module of the process and its callers. Other threads, which run
    networks meanwhile, are let through, and so is the reader, which runs each operation on noise.
    """

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader
        self.failure: Exception | None = None
        self._thread = threading.get_ident()
        self._reads = False

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        """See `torch.fx.Tracer`."""
        item = super().create_node(*args, **kwargs)
        self._reads = True
        try:
            self.reader.read(item, constant=not torch.is_grad_enabled())
        except Exception as error:
            # Kept, for the program may catch it.
            self.failure = self.failure or error
            raise
        finally:
            self._reads = False
        return item

    def proxy(self, node: fx.Node) -> fx.Proxy:
        """See `torch.fx.Tracer`."""
        return _Proxy(node, self)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """See `torch.fx.Tracer`. What makes the weights of a layer is part of the program."""
        return super().is_leaf_module(m, module_qualified_name) and not is_parametrized(m)

    def to_bool(self, obj: fx.Proxy) -> bool:
        """See `torch.fx.Tracer`. What does not depend on the images may decide."""
        value = self.reader.names.get(obj.node)
        return bool(value.value) if isinstance(value, Constant) else super().to_bool(obj)

    def iter(self, obj: fx.Proxy) -> Iterator[Any]:
        """See `torch.fx.Tracer`."""
        value = self.reader.names.get(obj.node)
        if not isinstance(value, Several):
            return super().iter(obj)
        parts = [
            self.create_proxy("call_function", operator.getitem, (obj, place), {})
            for place in range(len(value.parts))
        ]
        return iter(parts)

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """See `torch.fx.Tracer`."""
        if self._reads or threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """See `torch.fx.Tracer`."""
        if self._reads or threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)


class _Proxy(fx.Proxy):
    """Stands for a value while a network is traced, and knows its shape as far as that is the same for all images."""

    tracer: _ThisThread

    @property
    def shape(self) -> tuple[Any, ...]:
        value = self._value()
        if isinstance(value, Constant):
            return tuple(value.value.shape)
        if type(value) is Whole:
            return Size(0), self.tracer.reader.samples[value.number].shape[1], Size(2), Size(3)
        if type(value) is Flat:
            return Size(0), Size(2), Size(3)
        raise NotUnderstoodError(f"the shape of {self.node.name} is asked for")

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def dtype(self) -> torch.dtype:
        return self._sample().dtype

    @property
    def device(self) -> torch.device:
        return self._sample().device

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return len(self.shape)

    def __len__(self) -> int:
        value = self._value()
        if isinstance(value, Several | Stacked):
            return len(value.parts if isinstance(value, Several) else value.members)
        return super().__len__()

    def _value(self) -> Value:
        return self.tracer.reader.names[self.node]

    def _sample(self) -> Tensor:
        found = self._value().filled(dict(enumerate(self.tracer.reader.samples)))
        if not isinstance(found, Tensor):
            raise NotUnderstoodError(f"{self.node.name} is asked for its type")
        return found


def _writing(name: str) -> Callable[[_Proxy, Any], fx.Proxy]:
    target = getattr(operator, name)

    def write(self: _Proxy, other: Any) -> fx.Proxy:
        return self.tracer.create_proxy("call_function", target, (self, other), {})

    return write


# Without these Python would have `x += y` make a new value, and nothing would be known of the old one.
for _name in ("iadd", "isub", "imul", "itruediv", "ipow", "iand", "ior"):
    setattr(_Proxy, f"__{_name}__", _writing(_name))

"""One operation of a traced program, as a function of the nodes that it takes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor, fx, nn

from fusion.saliency.chain.in_place import without_writing
from fusion.saliency.chain.nodes import Node, NotUnderstoodError
from fusion.saliency.chain.values import Constant, Size, Value, leaves, mapped

SAMPLE_SHAPE = (9, 11)
"""Height and width of the noise that is sent through the network to see the shapes of its values."""

_OTHER_NAMES = {"axis": "dim", "keepdims": "keepdim", "self": "input", "tensor": "input"}


@dataclass(frozen=True, eq=False)
class Call:
    """One operation of the program.

    Attributes
    ----------
    name : str
        What the program calls its result.
    kind : Any
        The layer's class, the function, or the method's name.
    layer : torch.nn.Module or None
        The layer that it calls, if it does.
    args, kwargs
        Its arguments: a `Value` where the program has one, else what stands there.
    writes : bool
        Whether the program has it write its result over its first operand; `run` does not.
    sources : tuple of int
        The nodes that it takes, each once.
    run : callable
        Computes its result from the values of its sources.
    samples : sequence of Tensor
        A value of each node that there is.
    add : callable
        Adds a node, and returns its number.
    """

    name: str
    kind: Any
    layer: nn.Module | None
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    writes: bool
    sources: tuple[int, ...]
    run: Callable[..., Any]
    samples: Sequence[Tensor]
    add: Callable[[Node], int]

    @cached_property
    def result(self) -> Any:
        """What it makes of the samples.

        Raises
        ------
        NotUnderstoodError
            If it cannot be run.
        """
        try:
            return self.run(*(self.samples[source] for source in self.sources))
        except Exception as error:
            raise NotUnderstoodError(f"{self.name} cannot be run by itself: {error}") from error

    @property
    def knows_sizes(self) -> bool:
        """Whether the image's size is among its arguments."""
        return any(isinstance(leaf, Size) for leaf in leaves((self.args, dict(self.kwargs))))

    @property
    def operand(self) -> Any:
        """The only argument of a layer."""
        return self.bound("input")["input"]

    def bound(self, names: str) -> dict[str, Any]:
        """Return its arguments by these names, constants as what they are.

        Raises
        ------
        NotUnderstoodError
            If it has others, or lacks the first.
        """
        known = names.split()
        found = dict(zip(known, self.args, strict=False))
        found |= {_OTHER_NAMES.get(name, name): value for name, value in self.kwargs.items()}
        if len(self.args) > len(known) or not set(found) <= set(known) or known[0] not in found:
            raise NotUnderstoodError(f"{self.name} is called in a way that is not known")
        return {name: value.value if isinstance(value, Constant) else value for name, value in found.items()}


def same_memory(first: Tensor, second: Tensor) -> bool:
    """Whether what is written to one of both may be seen in the other."""
    return first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr()


def keeps_size(result: Any) -> bool:
    """Whether the result on samples is that of an image, whatever its channels."""
    return (
        isinstance(result, Tensor)
        and result.ndim == 4
        and result.shape[0] == 1
        and result.shape[2:] == SAMPLE_SHAPE
    )


def attribute(network: nn.Module, path: str) -> Any:
    """Return a parameter, buffer or module by its dotted name."""
    return operator.attrgetter(path)(network)


def call_of(
    network: nn.Module,
    item: fx.Node,
    names: Mapping[fx.Node, Value],
    samples: Sequence[Tensor],
    add: Callable[[Node], int],
) -> Call:
    """Return an operation of a program as a call.

    Parameters
    ----------
    network : torch.nn.Module
        Whose program it is.
    item : torch.fx.Node
        The operation.
    names : mapping
        What the operations before it have become.
    samples, add
        See `Call`.

    Raises
    ------
    NotUnderstoodError
        If it is none, or writes to anything else than its first operand.
    """
    layer = attribute(network, str(item.target)) if item.op == "call_module" else None
    target, plain, named, writes = without_writing(item, layer)

    def value_of(leaf: Any) -> Any:
        return names[leaf] if isinstance(leaf, fx.Node) else leaf

    # Now and not when it runs: a name stands for another value once something has been written over it.
    args, kwargs = mapped(plain, value_of), mapped(named, value_of)
    values = [leaf for leaf in leaves((args, kwargs)) if isinstance(leaf, Value)]
    sources = tuple(dict.fromkeys(number for value in values for number in value.numbers))
    return Call(
        name=item.name,
        kind=target if layer is None else type(layer),
        layer=None if layer is None else target,
        args=args,
        kwargs=kwargs,
        writes=writes,
        sources=sources,
        run=_of_sources(target, args, kwargs, sources),
        samples=samples,
        add=add,
    )


def _of_sources(
    target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], sources: tuple[int, ...]
) -> Callable[..., Any]:
    """Return an operation as a function of the values of its sources, all else filled in."""

    def run(*values: Tensor) -> Any:
        known = dict(zip(sources, values, strict=True))

        def fill(leaf: Any) -> Any:
            if isinstance(leaf, Value):
                return leaf.filled(known)
            return values[0].shape[leaf.axis] if isinstance(leaf, Size) else leaf

        filled, named = mapped(args, fill), mapped(dict(kwargs), fill)
        if isinstance(target, str):
            operand, *others = filled
            return getattr(operand, target)(*others, **named)
        return target(*filled, **named)

    return run

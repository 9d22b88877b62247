"""A network's program as a list of torch's own operations, recorded while it runs once on noise.

However a network is written (layers, functions, methods, operators), torch's dispatcher gets the same few hundred
operations of its library `aten`. They are listened to there, with real tensors, so that constants are known and
whatever Python does in between need not be understood. Three things must not be taken for granted:

- *Sizes.* What a program does at one size of images says nothing of another. It is given heights and widths that may be
  handed on to torch but not computed with or compared (`Size`).
- *Values.* A program that looks at the images' values to decide what to do is refused.
- *Writing.* What is written to in place is a new value from then on; what else lies in the same memory may not be used
  any more.

`torch.export` and `make_fx` give much the same list. docs/numerics.md says why they are not used.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from fusion.network_copies import copied
from fusion.saliency.chain.graph import NotUnderstoodError

SAMPLE_SHAPE = (9, 11)
"""Height and width of the noise that is sent through the network."""
SIZE_DEPENDENCE = "what it does depends on the image's size"

_aten = torch.ops.aten


@dataclass(frozen=True)
class Ref:
    """Stands in an operation's arguments for a value that depends on the images.

    Attributes
    ----------
    number : int
        Which value; 0 and 1 are the two images.
    """

    number: int


@dataclass(frozen=True, eq=False)
class Call:
    """One operation of a program; it writes over nothing.

    Attributes
    ----------
    op : torch._ops.OpOverload
        The operation of torch.
    args, kwargs
        Its arguments, `Ref` for what depends on the images.
    outputs : tuple of int
        The numbers of the values that it makes.
    detached : bool
        Whether no derivative passes, because gradients are switched off around it.
    """

    op: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: tuple[int, ...]
    detached: bool

    @property
    def name(self) -> str:
        """The name that torch has for it."""
        return str(self.op.overloadpacket.__name__)

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """The numbers of the values that it takes."""
        return tuple(leaf.number for leaf in leaves((self.args, self.kwargs)) if isinstance(leaf, Ref))


@dataclass(frozen=True, eq=False)
class Program:
    """A network's program.

    Attributes
    ----------
    calls : sequence of Call
        What it does, in order.
    samples : sequence of Tensor
        Each value as it was on noise.
    output : int
        The number of its result.
    """

    calls: Sequence[Call]
    samples: Sequence[Tensor]
    output: int


def record(network: nn.Module, shape: tuple[int, int] | None = None) -> Program:
    """Run a network on noise and write down what it does.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2), in evaluation mode. It is not changed.
    shape : tuple of int, optional
        (H, W) of the noise, for a network that strides. It may then compute with sizes, as it does to give one branch
        the size of another, so that what is written down holds for images of this size, and others have to be tried.

    Raises
    ------
    NotUnderstoodError
        If it fails, or does what cannot be written down so that it holds for all images.
    """
    if any(isinstance(module, torch.jit.ScriptModule) for module in network.modules()):
        raise NotUnderstoodError("it is compiled, which hides how it uses sizes")
    # Networks that keep what they have computed, to be looked at later, keep it in the copy.
    running = copied(network, share=True)
    recorder = Recorder([_noise(network, number, shape or SAMPLE_SHAPE) for number in (0, 1)])
    try:
        with torch.inference_mode(False), torch.enable_grad(), recorder, _Asking(recorder, shape is not None):
            result = running(*recorder.images)
    except (Exception, SystemExit) as error:
        if recorder.failure is not None:
            raise recorder.failure from None
        raise NotUnderstoodError(f"its program cannot be run on noise: {error}") from error
    if recorder.failure is not None:  # the program has caught it
        raise recorder.failure
    return recorder.program(result)


def mapped(structure: Any, change: Callable[[Any], Any]) -> Any:
    """Return an operation's arguments with everything in them changed, inside lists and slices too."""
    if type(structure) is tuple:
        return tuple(mapped(item, change) for item in structure)
    if isinstance(structure, list):
        return [mapped(item, change) for item in structure]
    if isinstance(structure, dict):
        return {key: mapped(item, change) for key, item in structure.items()}
    if isinstance(structure, slice):
        return slice(*(mapped(end, change) for end in (structure.start, structure.stop, structure.step)))
    return change(structure)


def leaves(structure: Any) -> list[Any]:
    """Return everything in an operation's arguments, in order."""
    found: list[Any] = []
    _gather(structure, found)
    return found


def _gather(structure: Any, found: list[Any]) -> None:
    # Not by `mapped`, which makes all anew: arguments are looked through tens of thousands of times for a network.
    if type(structure) is tuple or isinstance(structure, list):
        for item in structure:
            _gather(item, found)
    elif isinstance(structure, dict):
        _gather((*structure.values(),), found)
    elif isinstance(structure, slice):
        _gather((structure.start, structure.stop, structure.step), found)
    else:
        found.append(structure)


def _noise(network: nn.Module, number: int, shape: tuple[int, int]) -> Tensor:
    noise = torch.rand(1, 1, *shape, generator=torch.Generator().manual_seed(number))
    weights = [value for value in (*network.parameters(), *network.buffers()) if value.is_floating_point()]
    return noise.to(weights[0]) if weights else noise


class Recorder(TorchDispatchMode):
    """Writes down what its thread has torch do with two images.

    Parameters
    ----------
    images : sequence of Tensor
        Two, (1, 1, rows, columns).

    Attributes
    ----------
    images : list of Tensor
        What the program is to be called with.
    failure : Exception or None
        Why the program cannot be written down, kept because the program may catch it.
    """

    def __init__(self, images: Sequence[Tensor]) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self._calls: list[Call] = []
        self._samples: list[Tensor] = []
        # Whatever lies in the same memory has the same number here. What is detached does too, though it is a copy.
        self._memory: dict[int, int] = {}
        self._writings: dict[int, int] = {}
        self._numbers: dict[tuple[object, ...], tuple[int, int]] = {}
        self._alive: list[Tensor] = []  # so that no memory is given to something else meanwhile
        # With derivatives, so that torch notes where a program has its own; copies, for leaves cannot be written to.
        self.images = [image.requires_grad_().clone() for image in images]
        for image in self.images:
            self._add(image, len(self._memory))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Torch would load its compiler to keep it off what is below: 1.5 s and 80 MB.
        return False

    def follows(self, tensor: Any) -> bool:
        """Tell whether something is a tensor that depends on the images."""
        return isinstance(tensor, Tensor) and _storage(tensor) in self._memory

    def refuse(self, reason: str) -> NoReturn:
        """Raise `NotUnderstoodError`, and remember it."""
        error = NotUnderstoodError(reason)
        self.failure = self.failure or error
        raise error

    def program(self, result: Any) -> Program:
        """Return what was written down.

        Raises
        ------
        NotUnderstoodError
            If this result is not made of the images, or has a derivative that the program brings along.
        """
        if not self.follows(result):
            raise NotUnderstoodError("it does not make one image of two")
        if any(isinstance(function, BackwardCFunction) for function in _graph(result)):
            raise NotUnderstoodError("it has derivatives of its own")
        return Program(self._calls, self._samples, self._number(result))

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """See `TorchDispatchMode`."""
        kwargs = kwargs or {}
        packet = func.overloadpacket
        if packet is _aten.rrelu_with_noise and not any(args[4:5]):  # in evaluation mode
            func, args = _aten.leaky_relu.default, (args[0], sum((*args[2:4], 1 / 8, 1 / 3)[:2]) / 2)
        elif torch.Tag.nondeterministic_seeded in func.tags:
            self.refuse(f"{packet.__name__} is random")
        followed = [leaf for leaf in leaves((args, kwargs)) if self.follows(leaf)]
        if not followed:
            return func(*args, **kwargs)
        args_of, kwargs_of = mapped((args, kwargs), self._reference)
        if func._schema.is_mutable:
            return self._written(func, args, kwargs, args_of, kwargs_of)
        result = func(*args, **kwargs)
        detached = packet is _aten.detach or not torch.is_grad_enabled()
        outputs: list[int] = []

        def kept(leaf: Any) -> Any:
            if not isinstance(leaf, Tensor):
                self.refuse("it looks at the images' values to decide what to do")
            memory = self._memory.get(_storage(leaf), len(self._writings))
            if detached and self.follows(leaf):
                leaf = leaf.clone()  # else it could not be told from what derivatives pass through
            outputs.append(self._add(leaf, memory))
            return leaf

        found = mapped(result, kept)
        self._call(func, args_of, kwargs_of, outputs)
        return found

    def _written(
        self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], args_of: Any, kwargs_of: Any
    ) -> Any:
        """Write down a new value for the operand of what writes to it."""
        functional = self._functional(func, args)
        result = func(*args, **kwargs)
        memory = self._memory[_storage(args[0])]
        self._writings[memory] += 1
        self._call(functional, args_of, kwargs_of, [self._add(args[0], memory)])
        return result

    def _call(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: list[int]) -> None:
        self._calls.append(Call(op, args, kwargs, tuple(outputs), not torch.is_grad_enabled()))

    def _add(self, tensor: Tensor, memory: int) -> int:
        number = len(self._samples)
        # A copy, for the program may write to it.
        self._samples.append(tensor.detach().clone())
        self._alive.append(tensor)
        self._memory[_storage(tensor)] = memory
        writings = self._writings.setdefault(memory, 0)
        self._numbers[_place(tensor)] = number, writings
        return number

    def _number(self, tensor: Tensor) -> int:
        number, writings = self._numbers.get(_place(tensor), (-1, -1))
        if writings != self._writings[self._memory[_storage(tensor)]]:
            self.refuse("it uses what it has written over")
        return number

    def _reference(self, leaf: Any) -> Any:
        if self.follows(leaf):
            return Ref(self._number(leaf))
        return leaf.detach() if isinstance(leaf, Tensor) else leaf

    def _functional(self, func: Any, args: tuple[Any, ...]) -> Any:
        """Return an operation that computes what another writes over its first operand."""
        name = func.overloadpacket.__name__
        if any(argument.is_out for argument in func._schema.arguments):
            self.refuse(f"{name} writes to a given tensor")
        if not self.follows(args[0]) or self._memory[_storage(args[0])] < 2:
            self.refuse(f"{name} writes to an image or to something that does not depend on them")
        if not torch.is_grad_enabled():
            self.refuse(f"{name} writes where gradients are switched off")
        packet = getattr(_aten, name.removesuffix("_"), None)
        overload = getattr(packet, func._overloadname, None)
        if overload is None or overload is func:
            self.refuse(f"{name} writes to its operand")
        return overload


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _place(tensor: Tensor) -> tuple[object, ...]:
    """Return which part of which memory a tensor is, by which it is known again: torch wraps it anew at times."""
    return _storage(tensor), tensor.storage_offset(), tuple(tensor.shape), tensor.stride(), tensor.dtype


def _graph(result: Tensor) -> Iterator[Any]:
    """Yield everything that autograd would go through."""
    waiting, seen = [result.grad_fn], set()
    while waiting:
        function = waiting.pop()
        if function is not None and function not in seen:
            seen.add(function)
            waiting += [following for following, _ in function.next_functions]
            yield function


class Size(int):
    """A number of pairs, rows or columns, whatever that is when the network runs.

    It equals itself, so that a program may test whether two values have the same shape, and torch takes it for what it
    is on noise. Everything else that could be done with it is refused.
    """

    axis: int
    refuse: Callable[[str], NoReturn]

    @classmethod
    def of(cls, value: int, axis: int, refuse: Callable[[str], NoReturn]) -> Size:
        """Return the size of noise along a dimension: 0, 2 or 3."""
        size = cls(value)
        size.axis, size.refuse = axis, refuse
        return size

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, Size) and other.axis == self.axis) or self._refused()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((Size, self.axis))

    def _refused(self, *others: object) -> NoReturn:
        self.refuse(SIZE_DEPENDENCE)


for _name in (
    "lt", "le", "gt", "ge", "add", "radd", "sub", "rsub", "mul", "rmul", "floordiv", "rfloordiv", "truediv", "rtruediv",
    "mod", "rmod", "divmod", "rdivmod", "pow", "rpow", "neg", "pos", "abs", "int", "float", "bool", "index", "round",
    "trunc", "floor", "ceil", "and", "rand", "or", "ror", "xor", "rxor", "lshift", "rlshift", "rshift", "rrshift",
    "invert",
):  # fmt: skip
    setattr(Size, f"__{_name}__", Size._refused)


_SHAPES = {Tensor.shape.__get__, Tensor.size}  # type: ignore[attr-defined]
_COUNTING = {
    Tensor.numel, Tensor.nelement, Tensor.stride, Tensor.__len__, torch.numel, _aten.sym_size.int,
    _aten.sym_size.default, _aten.sym_numel.default,
}  # fmt: skip
_OUTSIDE = {
    Tensor.tolist, Tensor.numpy, Tensor.__array__, Tensor.__dlpack__, Tensor.data_ptr, Tensor.storage,
    Tensor.untyped_storage,
}  # fmt: skip
"""Functions that take sizes, and values, out of the world of tensors without the dispatcher's knowing."""
_OF_ANY_SIZE = {
    Tensor.__getitem__, Tensor.expand, Tensor.broadcast_to, Tensor.view, Tensor.reshape, torch.broadcast_to,
    torch.reshape,
}  # fmt: skip
"""Functions that a value's own size may be given to. That it does nothing else than to keep it is seen later."""


class _Asking(TorchFunctionMode):
    """Answers when a program asks for a shape; where it may compute with sizes, as torch does."""

    def __init__(self, recorder: Recorder, sized: bool) -> None:
        super().__init__()
        self._recorder, self._sized = recorder, sized

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """See `TorchFunctionMode`."""
        kwargs = kwargs or {}
        followed = bool(args) and self._recorder.follows(args[0])
        if followed and func in _OUTSIDE:
            self._recorder.refuse(f"{func.__name__} looks at a value or its size")
        if self._sized:
            return func(*args, **kwargs)
        if followed and func in _SHAPES:
            shape = self._shape(args[0])
            rest = (*args[1:], *kwargs.values())
            return shape[operator.index(rest[0])] if rest else shape
        if followed and func in _COUNTING:
            self._recorder.refuse(f"{func.__name__} looks at a value or its size")
        sized = any(isinstance(leaf, Size) for leaf in leaves((tuple(args), kwargs)))
        if sized and not (followed and func in _OF_ANY_SIZE):
            self._recorder.refuse(SIZE_DEPENDENCE)
        return func(*args, **kwargs)

    def _shape(self, tensor: Tensor) -> tuple[int, ...]:
        """Return a value's shape, as far as that is the same for all images."""
        batch, *channels = tensor.shape[:-2] if tensor.ndim > 2 else (0,)
        if batch != 1 or len(channels) > 1 or tensor.shape[-2:] != SAMPLE_SHAPE:
            self._recorder.refuse("the shape of something else than an image is asked for")
        sizes = [Size.of(size, axis, self._recorder.refuse) for size, axis in ((1, 0), (9, 2), (11, 3))]
        return sizes[0], *channels, sizes[1], sizes[2]

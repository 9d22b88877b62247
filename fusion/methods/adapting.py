"""Adapters that make y = f(x1, x2) of (B, 1, H, W) tensors of networks that take and return something else."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from fusion.errors import NetworkError

Output = int | str | tuple[int | str, ...] | None
"""Which of a network's results is the fused image: a place, a name, or several to go down by."""
Sizes = int | tuple[int, int] | None
"""The number that a network divides sides by, or the only height and width that it takes."""


@dataclass(frozen=True)
class Adaptation:
    """Differences of a network's inputs and result from y = f(x1, x2) of gray images in [0, 1].

    Attributes
    ----------
    channels : int
        As many times each gray image is given to it, and so many channels it may return, of which the mean is taken.
    value_range : tuple of float
        What it takes for black and white, and returns for them.
    output : int, str, tuple or None
        Which of its results is the fused image; ``None``: there is one.
    sizes : int, tuple of int or None
        An int: images are padded at the bottom and right to a multiple of it, by reflection, and the result is cut.
        Two: the height and width of the only images that it takes.
    mean, std : tuple of float, optional
        What is taken from each channel of an image in [0, 1], and what the rest is divided by; what it is given has no
        other range then. One number for all channels, or one for each.
    output_range : tuple of float, optional
        What it returns for black and white, where that is not `value_range`.
    swapped : bool
        Whether it takes x2 first.
    channel : int or str
        Which of several channels is the fused image, or ``mean`` or ``luma`` of three (Rec. 601) of them.
    least : int
        Pixels along each side of the smallest image that it takes.
    single : bool
        Whether it takes one pair at a time.
    """

    channels: int = 1
    value_range: tuple[float, float] = (0.0, 1.0)
    output: Output = None
    sizes: Sizes = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    output_range: tuple[float, float] | None = None
    swapped: bool = False
    channel: int | str = "mean"
    least: int = 1
    single: bool = False

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        low, high = self.value_range
        if self.channels < 1 or not high > low:
            raise ValueError("channels is at least 1, and value_range says black first, then white")
        if isinstance(self.sizes, int) and self.sizes < 1:
            raise ValueError("sizes is a number of pixels, or a height and a width")
        if len(self.mean) != len(self.std) or len(self.mean) not in (0, 1, self.channels):
            raise ValueError("mean and std have one number, or one for each channel, both")
        if not all(number > 0 for number in self.std):
            raise ValueError("std is above 0")
        if self.output_range is not None and not self.output_range[1] > self.output_range[0]:
            raise ValueError("the output's range says black first, then white")

    @property
    def fixed(self) -> tuple[int, int] | None:
        """The only height and width that the network takes, if there is one."""
        return None if isinstance(self.sizes, int) else self.sizes


class Adapted(nn.Module):
    """A network as y = f(x1, x2) of gray images in [0, 1].

    Parameters
    ----------
    network : torch.nn.Module
        Takes two tensors.
    adaptation : Adaptation
        What it needs.
    """

    def __init__(self, network: nn.Module, adaptation: Adaptation) -> None:
        super().__init__()
        self.network, self.adaptation = network, adaptation

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        """Fuse a batch of pairs (B, 1, H, W) in [0, 1] into (B, 1, H, W)."""
        if self.adaptation.single and x1.shape[0] > 1:
            pairs = zip(x1.split(1), x2.split(1), strict=True)
            return torch.cat([self._fused(*pair) for pair in pairs])
        return self._fused(x1, x2)

    def _fused(self, x1: Tensor, x2: Tensor) -> Any:
        chosen = self.adaptation
        # Sides that are recorded, and not to be looked at, are no plain numbers.
        if chosen.least > 1 and any(type(side) is int and side < chosen.least for side in x1.shape[2:]):
            raise ValueError(f"it takes images of at least {chosen.least} pixels along each side")
        images = [self._given(image) for image in (x1, x2)]
        fused = self.network(*(reversed(images) if chosen.swapped else images))
        for place in _path(chosen.output):
            fused = _part(fused, place)
        if not isinstance(fused, Tensor):
            return fused
        if fused.ndim == 4:
            fused = self._gray(fused)
        if isinstance(chosen.sizes, int):
            fused = fused[..., : x1.shape[2], : x1.shape[3]]
        low, high = chosen.output_range or chosen.value_range
        return fused if (low, high) == (0, 1) else (fused - low) / (high - low)

    def _given(self, image: Tensor) -> Tensor:
        """Return an image as the network takes it."""
        chosen = self.adaptation
        low, high = chosen.value_range
        if not chosen.mean and (low, high) != (0, 1):
            image = image * (high - low) + low
        if isinstance(chosen.sizes, int):
            image = _padded(image, chosen.sizes)
        if chosen.channels > 1:
            image = image.repeat(1, chosen.channels, 1, 1)
        if chosen.mean:
            mean, std = (image.new_tensor(numbers)[:, None, None] for numbers in (chosen.mean, chosen.std))
            image = (image - mean) / std
        return image

    def _gray(self, fused: Tensor) -> Tensor:
        chosen, channels = self.adaptation, fused.shape[1]
        if isinstance(chosen.channel, int):
            return fused[:, chosen.channel : chosen.channel + 1]
        if channels == 3 and chosen.channel == "luma":
            weights = fused.new_tensor(LUMA)[:, None, None]
            return (fused * weights).sum(dim=1, keepdim=True)
        return fused.mean(dim=1, keepdim=True) if channels == chosen.channels > 1 else fused


LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in brightness (Rec. 601)."""


def _path(output: Output) -> tuple[int | str, ...]:
    if output is None:
        return ()
    return output if isinstance(output, tuple) else (output,)


def _part(result: Any, place: int | str) -> Any:
    """Return one of several results: of a list or dictionary, or what a named tuple or another object has by a name."""
    if isinstance(place, str) and not isinstance(result, Mapping):
        if not hasattr(result, place):
            raise ValueError(f"its result has nothing that is called {place!r}, as output= says")
        return getattr(result, place)
    try:
        return result[place]
    except (KeyError, IndexError):
        there = ", ".join(map(repr, result)) if isinstance(result, Mapping) else f"{len(result)} results"
        raise ValueError(f"output={place!r} is not among what it returned: {there}") from None


def _padded(image: Tensor, multiple: int) -> Tensor:
    """Pad at the bottom and right, by reflection as far as there is something to reflect, then by the last pixels."""
    height, width = image.shape[2:]
    down, across = -height % multiple, -width % multiple
    if not (down or across):
        return image
    near = (min(down, height - 1), min(across, width - 1))
    image = F.pad(image, (0, near[1], 0, near[0]), mode="reflect")
    return F.pad(image, (0, across - near[1], 0, down - near[0]), mode="replicate")


class FunctionNetwork(nn.Module):
    """A plain function of two images, and the layers that it takes from around it as layers of its own.

    Parameters
    ----------
    function : callable
        y = f(x1, x2). The networks that it uses are not changed: where it is called, copies stand in their place.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function
        self.found = nn.ModuleDict(dict(_networks_around(function)))

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        """Call the function with its layers as they are here."""
        return self._bound()(x1, x2)

    def _bound(self) -> Callable[..., Any]:
        function = self.function
        if not len(self.found):
            return function
        if inspect.ismethod(function):
            method: Callable[..., Any] = getattr(self.found["self"], function.__name__)
            return method
        assert isinstance(function, types.FunctionType)
        names = function.__code__.co_freevars
        cells = tuple(
            types.CellType(self.found[name]) if name in self.found else cell
            for name, cell in zip(names, function.__closure__ or (), strict=True)
        )
        surroundings = {**function.__globals__, **{name: self.found[name] for name in self.found}}
        bound = types.FunctionType(
            function.__code__, surroundings, function.__name__, function.__defaults__, cells
        )
        bound.__kwdefaults__ = function.__kwdefaults__
        return bound


def _networks_around(function: Callable[..., Any]) -> Iterator[tuple[str, nn.Module]]:
    """Yield the networks that a function has from outside, by name."""
    if inspect.ismethod(function) and isinstance(function.__self__, nn.Module):
        yield "self", function.__self__
    if isinstance(function, types.FunctionType):
        around = inspect.getclosurevars(function)
        for name, value in {**around.globals, **around.nonlocals}.items():
            if isinstance(value, nn.Module):
                yield name, value


def as_network(given: nn.Module | Callable[..., Any]) -> nn.Module:
    """Return a network, or a function as one.

    Raises
    ------
    NetworkError
        If it is neither, or has not been made yet.
    """
    given = getattr(given, "_orig_mod", given)  # of torch.compile, which does the same
    if isinstance(given, nn.Module):
        if any(nn.parameter.is_lazy(tensor) for tensor in (*given.parameters(), *given.buffers())):
            raise NetworkError("The network has lazy layers without weights. Run it once, then wrap it.")
        return given
    if not callable(given):
        raise NetworkError(
            f"A network is a torch module or a function of two images, not a {type(given).__name__}. Weights alone (a "
            "state_dict) are loaded into a module first."
        )
    return FunctionNetwork(given)

"""Networks drawn at random from all that a chain can be made of, y = f(x1, x2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

MOST_CHANNELS = 8
FARTHEST = 10
"""Pixels that a drawn network may look away, at most."""

ACTIVATIONS: tuple[Callable[[], nn.Module], ...] = (
    nn.ReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Softplus, nn.ReLU6, nn.Hardswish, nn.PReLU,
    nn.Identity, nn.Dropout, lambda: nn.LeakyReLU(0.2), lambda: nn.LeakyReLU(0.123), lambda: nn.LeakyReLU(-0.3),
)  # fmt: skip

OF_TWO: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / (1.3 + y * y),
    torch.maximum, torch.min, lambda x, y: torch.where(x > 0.1, x * y, y - x), lambda x, y: torch.lerp(x, y, 0.3),
    lambda x, y: torch.addcmul(x, x, y, value=0.5),
)  # fmt: skip
"""Of values with as many channels, or one."""

OF_ONE: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda x: -x, lambda x: x.clamp(-0.4, 0.6), lambda x: x**2, lambda x: 0.3 - x, lambda x: 1 / (1.2 + x * x),
    lambda x: x / 1.7, lambda x: 2 * x, lambda x: x.abs(), lambda x: torch.softmax(x, 1), lambda x: x.clone(),
    lambda x: x.clone().mul_(0.7).relu_(), lambda x: F.dropout(x, 0.5, False), lambda x: x[:, : x.shape[1]],
)  # fmt: skip

TO_ONE_CHANNEL: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda x: x.sum(1, keepdim=True), lambda x: x.mean(dim=1, keepdim=True), lambda x: x.amax(1, keepdim=True),
    lambda x: torch.min(x, 1)[0].unsqueeze(1), lambda x: x[:, -1:], lambda x: x.logsumexp(1, True),
)  # fmt: skip

STACKED: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda x: x.sum(0), lambda x: x.mean(0), lambda x: x.amax(0), lambda x: x.prod(dim=0), lambda x: x.softmax(0)[1]
)  # fmt: skip


@dataclass(frozen=True)
class Value:
    """What is known of a value while a network is drawn: its channels, and how far it looks."""

    channels: int
    reach: int


class RandomNetwork(nn.Module):
    """A program of a few operations, each of values made before; the last ones are what the result is made of.

    Parameters
    ----------
    seed : int
        Draws program and weights.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        self.layers = nn.ModuleList()
        # Layers by number, or a copy of the network would call those of the original.
        self.program: list[tuple[Callable[..., Tensor], int | None, tuple[int, ...]]] = []
        self._values = [Value(1, 0), Value(1, 0)]
        draws = (
            *(self._convolution,) * 5, *(self._activation,) * 3, self._norm, *(self._of_two,) * 4, self._of_one,
            self._of_one, *(self._joined,) * 2, self._gate, self._to_one, self._halves, self._stack, self._constant,
            self._repeated,
        )  # fmt: skip
        for _ in range(int(self._rng.integers(3, 13))):
            self._choice(draws)()
        last = [len(self._values) - 1, max(0, len(self._values) - 2)]
        inputs = sum(self._values[number].channels for number in last)
        self.last = nn.Conv2d(inputs, 1, (3, 1), padding="same")
        self.final = self._choice((nn.Identity, nn.Tanh, lambda: _norm(1)))()
        self._last = tuple(last)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        values = [x1, x2]
        for operation, number, operands in self.program:
            taken = [values[operand] for operand in operands]
            values.append(operation(*taken) if number is None else operation(self.layers[number], *taken))
        result: Tensor = self.final(self.last(torch.cat([values[number] for number in self._last], dim=1)))
        return result

    def _choice(self, items: Any) -> Any:
        return items[int(self._rng.integers(len(items)))]

    def _one(self) -> int:
        """Return a value's number, more often a late one's."""
        count = len(self._values)
        return int(self._rng.integers(max(0, count - 3) if self._rng.random() < 0.6 else 0, count))

    def _add(
        self,
        operation: Callable[..., Tensor],
        operands: tuple[int, ...],
        channels: int,
        farther: int = 0,
        layer: nn.Module | None = None,
    ) -> None:
        """Add an operation, which takes its layer first if it has one."""
        if layer is not None:
            self.layers.append(layer)
        self.program.append((operation, None if layer is None else len(self.layers) - 1, operands))
        reach = max(self._values[operand].reach for operand in operands) + farther
        self._values.append(Value(channels, reach))

    def _convolution(self) -> None:
        number = self._one()
        inputs, outputs = self._values[number].channels, int(self._rng.integers(1, 5))
        size = self._choice(((1, 1), (3, 3), (3, 3), (5, 5), (1, 3), (5, 1), (2, 4)))
        dilation = self._choice((1, 1, 1, 2))
        farther = dilation * (max(size) // 2 + 1)
        if self._values[number].reach + farther > FARTHEST:
            return
        groups = self._choice([count for count in (1, 2, 3) if inputs % count == 0])
        options = {"dilation": dilation, "groups": groups, "bias": self._rng.random() < 0.6}
        odd = all(side % 2 for side in size)
        around = tuple(dilation * (side // 2) for side in size)
        way = self._choice(("layer", "function", "transposed", "zeros before", "average"))
        if way == "average" and odd:
            kernel = tuple(side // 2 for side in size)
            self._add(lambda x: F.avg_pool2d(x, size, 1, kernel), (number,), inputs, farther)
            return
        layer: nn.Module = nn.Conv2d(inputs, outputs * groups, size, padding="same", **options)
        operation: Callable[..., Tensor] = _called
        if way == "transposed" and odd:
            layer = nn.ConvTranspose2d(inputs, outputs * groups, size, padding=around, **options)
        elif way == "zeros before" and odd:
            layer = nn.Conv2d(inputs, outputs * groups, size, **options)
            rows, columns = around
            operation = lambda layer, x: layer(F.pad(x, (columns, columns, rows, rows)))  # noqa: E731
        elif way == "function":
            operation = lambda layer, x: F.relu(  # noqa: E731
                F.conv2d(x, layer.weight, layer.bias, 1, "same", dilation, groups), inplace=True
            )
        self._add(operation, (number,), outputs * groups, farther, layer)

    def _activation(self) -> None:
        number = self._one()
        layer = self._choice(ACTIVATIONS)()
        self._add(_called, (number,), self._values[number].channels, layer=layer)

    def _norm(self) -> None:
        number = self._one()
        channels = self._values[number].channels
        self._add(_called, (number,), channels, layer=_norm(channels))

    def _of_two(self) -> None:
        first = self._one()
        channels = self._values[first].channels
        fitting = [
            number
            for number, value in enumerate(self._values)
            if channels in (1, value.channels) or value.channels == 1
        ]
        second = self._choice(fitting)
        self._add(self._choice(OF_TWO), (first, second), max(channels, self._values[second].channels))

    def _of_one(self) -> None:
        number = self._one()
        self._add(self._choice(OF_ONE), (number,), self._values[number].channels)

    def _to_one(self) -> None:
        self._add(self._choice(TO_ONE_CHANNEL), (self._one(),), 1)

    def _joined(self) -> None:
        numbers = tuple(self._one() for _ in range(int(self._rng.integers(2, 4))))
        channels = sum(self._values[number].channels for number in numbers)
        if channels <= MOST_CHANNELS:
            self._add(lambda *values: torch.cat(values, 1), numbers, channels)

    def _halves(self) -> None:
        number = self._one()
        channels = self._values[number].channels
        if channels % 2 == 0:
            self._add(lambda x: _gated(*x.chunk(2, dim=1)), (number,), channels // 2)

    def _stack(self) -> None:
        first = self._one()
        channels = self._values[first].channels
        second = self._choice(
            [number for number, value in enumerate(self._values) if value.channels == channels]
        )
        reduced = self._choice(STACKED)
        self._add(lambda x, y: reduced(torch.stack((x, y))), (first, second), channels)

    def _gate(self) -> None:
        number = self._one()
        if self._values[number].reach < FARTHEST:
            channels = self._values[number].channels
            layer = nn.Sequential(nn.Conv2d(channels, 1, 3, padding=1), nn.Tanh(), _norm(1))
            self._add(lambda layer, x: x * torch.sigmoid(layer(x)), (number,), channels, 1, layer)

    def _constant(self) -> None:
        number = self._one()
        channels = self._values[number].channels if self._rng.random() < 0.5 else 3
        if self._values[number].channels not in (1, channels):
            return
        part = nn.ParameterList([torch.randn(1, channels, 1, 1)])
        name = self._choice(("add", "sub", "mul", "maximum", "minimum"))
        self._add(lambda part, x: getattr(torch, name)(x, part[0]), (number,), channels, layer=part)

    def _repeated(self) -> None:
        number = self._one()
        if self._values[number].channels == 1:
            self._add(lambda x: x.expand(-1, 3, x.shape[2], x.shape[3]), (number,), 3)


def _called(layer: nn.Module, x: Tensor) -> Tensor:
    result: Tensor = layer(x)
    return result


def _gated(first: Tensor, second: Tensor) -> Tensor:
    return first * torch.sigmoid(second)


def _norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels)
    norm.running_mean, norm.running_var = torch.randn(channels) / 10, torch.rand(channels) + 0.5
    nn.init.uniform_(norm.weight, -1.5, 1.5)
    nn.init.normal_(norm.bias, 0, 0.2)
    return norm

"""Networks as people bring them: path, support, error and speed of each beside plain autograd on the whole image.

For each the fused pixel in the middle and one in a corner are differentiated. Both ways are run in turn on one thread,
and the median of the ratios of processor times is given, so that what else the machine does falls on both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
import typer
from torch import Tensor, nn

import fusion
from benchmarks.chain_parts import ratio
from fusion.benchmark.figures import console
from fusion.benchmark.measurement import error_in_double
from fusion.benchmark.tables import machine_line
from fusion.saliency.guidance import GuidancePasses
from fusion.saliency.window import gradient

Mode = Literal["zeros", "reflect", "replicate"]
"""Of padding, as torch has it."""
Made = tuple[nn.Module | Callable[..., Any], dict[str, Any]]
"""A network, and the options that it is wrapped with."""


def _block(inputs: int, outputs: int, size: int = 3, mode: Mode = "zeros") -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, padding=size // 2, padding_mode=mode), nn.ReLU())


class DenseBlock(nn.Module):
    """An encoder with dense connections for each image, whose features are added, and a decoder.

    Parameters
    ----------
    mode : str
        Of padding.
    """

    def __init__(self, mode: Mode) -> None:
        super().__init__()
        self.first = _block(1, 16, mode=mode)
        self.dense = nn.ModuleList(_block(16 * count, 16, mode=mode) for count in (1, 2, 3))
        self.decoder = nn.Sequential(
            _block(64, 64, mode=mode), _block(64, 32, mode=mode), _block(32, 16, mode=mode),
            nn.Conv2d(16, 1, 3, padding=1, padding_mode=mode),
        )  # fmt: skip

    def encoded(self, image: Tensor) -> Tensor:
        """Return the 64 features of an image."""
        features = self.first(image)
        for layer in self.dense:
            features = torch.cat((features, layer(features)), 1)
        return features

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of pairs (B, 1, H, W)."""
        result: Tensor = self.decoder(self.encoded(x1) + self.encoded(x2))
        return result


class UNet(nn.Module):
    """Two poolings by the maximum, and back by nearest neighbours, with skip connections."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList((_block(2, 16), _block(16, 32), _block(32, 32)))
        self.up = nn.ModuleList((_block(64, 16), _block(32, 16)))
        self.last = nn.Conv2d(16, 1, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of pairs (B, 1, H, W), sides multiples of 4."""
        first = self.down[0](torch.cat((x1, x2), 1))
        second = self.down[1](F.max_pool2d(first, 2))
        deep = self.down[2](F.max_pool2d(second, 2))
        second = self.up[0](torch.cat((second, F.interpolate(deep, scale_factor=2.0)), 1))
        result: Tensor = self.last(self.up[1](torch.cat((first, F.interpolate(second, scale_factor=2.0)), 1)))
        return result


class Squeezed(nn.Module):
    """Features weighted by what their means say (squeeze and excitation)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = _block(2, 16, 5), nn.Conv2d(16, 1, 3, padding=1)
        self.weights = nn.Sequential(nn.Conv2d(16, 4, 1), nn.ReLU(), nn.Conv2d(4, 16, 1), nn.Sigmoid())

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of pairs (B, 1, H, W)."""
        features = self.first(torch.cat((x1, x2), 1))
        result: Tensor = self.last(features * self.weights(features.mean((2, 3), keepdim=True)))
        return result


class Attention(nn.Module):
    """Attention between all pixels of windows of 8×8, or of blocks of 8×8 pixels to each other.

    Parameters
    ----------
    windowed : bool
        Which of both.
    """

    def __init__(self, windowed: bool) -> None:
        super().__init__()
        self.windowed = windowed
        self.down = nn.Conv2d(2, 16, 8, stride=8) if not windowed else nn.Conv2d(2, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(16, 1, 8, stride=8) if not windowed else nn.Conv2d(16, 1, 3, padding=1)
        self.mixed = nn.Linear(16, 48)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of pairs (B, 1, H, W), sides multiples of 8."""
        features = self.down(torch.cat((x1, x2), 1))
        batch, channels, height, width = features.shape
        rows, columns = (8, 8) if self.windowed else (height, width)
        windows = features.unfold(2, rows, rows).unfold(3, columns, columns)
        tokens = windows.reshape(batch, channels, -1, rows * columns).permute(0, 2, 3, 1)
        queries, keys, values = self.mixed(tokens).chunk(3, dim=-1)
        seen = torch.softmax(queries @ keys.transpose(-1, -2) / 4, -1) @ values + tokens
        seen = seen.reshape(batch, height // rows, width // columns, rows, columns, channels)
        back = seen.permute(0, 5, 1, 3, 2, 4).reshape(batch, channels, height, width)
        result: Tensor = self.up(back)
        return result


class Normalised(nn.Module):
    """A colour network that takes images as ImageNet's are normalised."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = _block(3, 16), nn.Conv2d(16, 3, 3, padding=1)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of pairs (B, 3, H, W)."""
        first, second = (self.encoder((image - self.mean) / self.deviation) for image in (x1, x2))
        result: Tensor = self.decoder(torch.maximum(first, second))
        return result


def with_mask(network: nn.Module) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return a function that gives the fused image of a network and a mask."""
    return lambda x1, x2: (network(x1, x2), x1 > x2)


def brought() -> dict[str, Made]:
    """Return networks with the traits of public ones, by name."""
    instance = nn.Sequential(
        nn.Conv2d(2, 16, 3, padding=1), nn.InstanceNorm2d(16), nn.Conv2d(16, 1, 3, padding=1)
    )
    return {
        "dense block, zeros": (DenseBlock("zeros"), {}),
        "dense block, reflection": (DenseBlock("reflect"), {}),
        "dense block, replication": (DenseBlock("replicate"), {}),
        "U-Net with maxima": (UNet(), {}),
        "squeeze and excitation": (Squeezed(), {}),
        "instance norm": (lambda x1, x2: instance(torch.cat((x1, x2), 1)), {}),
        "attention in windows": (Attention(windowed=True), {}),
        "attention everywhere": (Attention(windowed=False), {}),
        "colour, ImageNet's norm": (Normalised(), {"channels": 3}),
        "several results": (with_mask(DenseBlock("reflect")), {"output": 0}),
    }


def by_autograd(method: fusion.Method, pair: fusion.Pair, pixel: tuple[int, int]) -> None:
    """Differentiate one fused pixel through the whole image, forwards and backwards once."""
    leaf = torch.tensor(pair.images[None], requires_grad=True)
    fused = method.network_as(torch.float32)(leaf[:, :1], leaf[:, 1:])
    gradient(fused[0, 0][pixel], leaf)


def measured(
    method: fusion.Method, pair: fusion.Pair, pixel: tuple[int, int], rounds: int
) -> tuple[float, float]:
    """Return the error of a pixel in float64, relative to its largest derivative, and how many times quicker it is."""
    error = error_in_double(method, pair, [pixel])
    fusion.prepare(method, pair)
    gain = ratio(
        lambda: by_autograd(method, pair, pixel),
        lambda: fusion.jacobian(method, pair, pixel),
        rounds,
        time.thread_time,
    )
    return error, gain


def main(
    side: Annotated[int, typer.Option(min=16, help="Pixels along the image's side, a multiple of 8.")] = 256,
    rounds: Annotated[int, typer.Option(min=1, help="Times that both are run in turn.")] = 7,
) -> None:
    """Print a line for each network: path, radius, error in float64, ratios at two pixels, passes of guidance."""
    console.print(machine_line(torch.device("cpu")))
    torch.set_num_threads(1)
    torch.manual_seed(0)
    pair = fusion.Pair(np.random.default_rng(0).random((2, side, side)).astype(np.float32))
    for name, (network, options) in brought().items():
        method = fusion.Method.from_module(network, "brought", name, **options)
        path = fusion.jacobian(method, pair, (side // 2, side // 2)).path
        radius = method.locality_at(pair.shape).support_radius or "whole image"
        passes = len(GuidancePasses(method, pair)) + 2 * (method.numbers.count if method.numbers else 0)
        both = [measured(method, pair, pixel, rounds) for pixel in ((side // 2, side // 2), (0, side - 1))]
        error, gains = max(error for error, _ in both), " ".join(f"{gain:6.1f}×" for _, gain in both)
        console.print(f"{name:26} {path:12} {radius!s:12} error {error:.1e} {gains} {passes:7} passes")


if __name__ == "__main__":
    typer.run(main)

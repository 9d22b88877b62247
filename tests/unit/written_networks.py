"""The same few layers, written in the many ways in which people write networks; a chain can be made of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from tests.unit.small_networks import conv

Program = Callable[..., Tensor]


class Written(nn.Module):
    """A network whose program is a function of itself, both images and both as two channels.

    Its layers `a`, `b` and `c` make 4 channels of 2, 4 of 4 and 1 of 4.
    """

    kernel: Tensor

    def __init__(self, program: Program, **parts: nn.Module) -> None:
        super().__init__()
        self.program = program
        self.a, self.b, self.c = conv(2, 4), conv(4, 4, 5), conv(4, 1)
        self.weight = nn.Parameter(torch.randn(1, 4, 3, 3))
        self.gain = nn.Parameter(torch.full((1, 4, 1, 1), 0.3))
        self.register_buffer("kernel", torch.randn(4, 1, 3, 3))
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return self.program(self, x1, x2, torch.cat((x1, x2), dim=1))


def convolution_by(part: nn.Module) -> nn.Module:
    """Return a network with `part` for its second layer, 4 channels of 4."""
    return Written(lambda net, x1, x2, both: net.c(torch.tanh(net.b(F.relu(net.a(both))))), b=part)


class OwnConvolution(nn.Conv2d):
    """Changes nothing."""


class Standardised(nn.Conv2d):
    """Brings its weight to mean 0 and deviation 1 whenever it is called."""

    def forward(self, input: Tensor) -> Tensor:
        mean = self.weight.mean(dim=(1, 2, 3), keepdim=True)
        weight = (self.weight - mean) / self.weight.std(dim=(1, 2, 3), keepdim=True)
        return F.conv2d(input, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class OwnNorm(nn.BatchNorm2d):
    """Changes nothing."""


class OwnRectifier(nn.LeakyReLU):
    """Changes nothing."""


class Doubled(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight


class Signature(nn.Module):
    """Can be called with more than two images."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.c = conv(2, 4), conv(4, 1)

    def forward(
        self, x1: Tensor, x2: Tensor, mask: Tensor | None = None, strength: float = 0.5, **more: object
    ) -> Tensor:
        features = self.a(torch.cat((x1, x2), 1))
        result: Tensor = self.c(features * strength if mask is None else features * mask)
        return result


class AnyNumber(nn.Module):
    """Takes any number of images."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.c = conv(1, 4), conv(4, 1)

    def forward(self, *images: Tensor) -> Tensor:
        total = sum(torch.tanh(self.a(image)) for image in images)
        result: Tensor = self.c(total) / len(images)
        return result


def _norm(norm: nn.BatchNorm2d) -> nn.BatchNorm2d:
    norm.running_mean = torch.randn(norm.num_features) / 10
    norm.running_var = torch.rand(norm.num_features) + 0.5
    return norm


def convolutions() -> dict[str, nn.Module]:
    """Return networks whose convolutions are written in many ways, by name."""
    padded = nn.Sequential(nn.ZeroPad2d(2), nn.Conv2d(4, 4, 5))
    spectral = parametrizations.spectral_norm(conv(4, 4))
    parametrised = Standardised(4, 4, 3, padding=1)
    parametrize.register_parametrization(parametrised, "weight", Doubled())
    made: dict[str, nn.Module] = {
        "functional": Written(lambda net, x1, x2, both: F.conv2d(net.a(both), net.weight, padding=1)),
        "functional, padding by name": Written(
            lambda net, x1, x2, both: torch.conv2d(
                net.a(both), weight=net.weight * 2, padding="same", dilation=(1, 3)
            )
        ),
        "functional, in groups": Written(
            lambda net, x1, x2, both: net.c(F.conv2d(net.a(both), net.kernel, None, 1, (1, 1), 1, 4))
        ),
        "functional, of the images' type": Written(
            lambda net, x1, x2, both: F.conv2d(
                net.a(both), net.kernel.sum(1, True).to(both), None, 1, 1, 1, 4
            ).sum(1, keepdim=True)
        ),
        "of an own class": convolution_by(OwnConvolution(4, 4, 3, padding=1)),
        "with a weight that it makes": convolution_by(Standardised(4, 4, 3, padding=1)),
        "weight norm": convolution_by(parametrizations.weight_norm(conv(4, 4))),
        "spectral norm": convolution_by(spectral),
        "spectral norm by a hook": convolution_by(nn.utils.spectral_norm(conv(4, 4))),
        "parametrised, of an own class": convolution_by(parametrised),
        "transposed": convolution_by(nn.ConvTranspose2d(4, 4, 3, padding=1)),
        "transposed, in groups": convolution_by(
            nn.ConvTranspose2d(4, 4, (3, 5), padding=(2, 6), dilation=(2, 3), groups=2)
        ),
        "transposed, functional": Written(
            lambda net, x1, x2, both: net.c(
                F.conv_transpose2d(net.a(both), net.kernel, padding=1, groups=4) + net.b(net.a(both))
            )
        ),
        "zeros around the image before": convolution_by(padded),
        "zeros before and more of its own": Written(
            lambda net, x1, x2, both: net.c(net.b(F.pad(F.relu(net.a(both)), (1, 1, 1, 1)))),
            b=nn.Conv2d(4, 4, 5, padding=1),
        ),
        "zeros on one side": Written(
            lambda net, x1, x2, both: net.c(net.b(F.pad(net.a(both), [0, 1, 2, 0], "constant", 0.0))),
            b=nn.Conv2d(4, 4, (3, 2)),
        ),
        "average": convolution_by(nn.AvgPool2d(3, stride=1, padding=1)),
        "average, functional": Written(
            lambda net, x1, x2, both: net.c(F.avg_pool2d(net.a(both), (1, 5), 1, (0, 2)) * net.a(both))
        ),
        "batch norm of an own class": convolution_by(_norm(OwnNorm(4))),
        "batch norm for several machines": convolution_by(_norm(nn.SyncBatchNorm(4))),  # type: ignore[arg-type]
        "random rectifier, in evaluation mode": convolution_by(nn.Sequential(conv(4, 4), nn.RReLU())),
        "rectifier of an own class": convolution_by(OwnRectifier(0.2)),
    }
    for size in (2, (4, 1), (3, 6)):
        for dilation in (1, 2, (3, 1)):
            made[f"even, {size} {dilation}"] = convolution_by(conv(4, 4, size, dilation=dilation))  # type: ignore[arg-type]
    return made


def _added_in_place(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    first = net.a(both)
    second = net.b(F.relu(first))
    second.add_(first)
    second *= 0.5
    second -= x1
    return net.c(torch.relu_(second))


def _written_over_and_used(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    features = net.a(both)
    before = features + x1
    rectified = F.leaky_relu(features, 0.2, True)
    return net.c(rectified + features + net.b(before.mul_(2)) - before)


def _copy_written_over(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    features = net.a(both)
    copied = features.clone()
    copied.relu_()
    return net.c(features - 3 * copied)


def _other_copies_written_over(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    features = net.c(net.a(both))
    mean, repeated, padded = (
        features.mean(1, True),
        features.repeat(1, 1, 1, 1),
        F.pad(features, (0, 0, 0, 0)),
    )
    mean.mul_(2)
    repeated.mul_(x1)
    padded.mul_(x2)
    return features + mean - repeated + padded


def in_place() -> dict[str, nn.Module]:
    """Return networks that write over values, by name."""
    return {
        "an option": Written(lambda net, x1, x2, both: net.c(F.relu(net.a(both), inplace=True))),
        "an option by position": Written(
            lambda net, x1, x2, both: net.c(F.leaky_relu(net.a(both), 0.2, True))
        ),
        "a method": Written(lambda net, x1, x2, both: net.c(net.a(both).relu_())),
        "a function": Written(lambda net, x1, x2, both: net.c(F.elu_(torch.relu_(net.a(both)) - 0.3))),
        "sums": Written(_added_in_place),
        "used again": Written(_written_over_and_used),
        "a copy": Written(_copy_written_over),
        "copies of other kinds": Written(_other_copies_written_over),
        "dropout": Written(lambda net, x1, x2, both: net.c(F.dropout(net.a(both), 0.5, net.training, True))),
    }


def _checked(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    assert x1.shape == x2.shape and x1.size()[2:] == x2.shape[-2:]
    if both.dim() != 4 or both.shape[1] != 2 or both.dtype != net.gain.dtype:
        raise ValueError("no images")
    batch, channels, height, width = net.a(both).shape
    assert batch == x1.size(0) and height == x2.size(-2)
    return net.c(net.a(both) / channels**0.5)[:, :, :height, :width]


def _decided_by_a_weight(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    features = net.a(both)
    return net.c(features if net.gain.mean() > 0 else net.b(features))


def _without_gradients(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    with torch.no_grad():
        weight = torch.sigmoid(net.c(net.a(both)))
        first, second = net.a(both).chunk(2, dim=1)
    return weight * x1 + (1 - weight) * x2 + net.c(torch.cat((first, second), 1) * x1)


def programs() -> dict[str, nn.Module]:
    """Return networks that look at shapes, can be called in several ways, or switch gradients off, by name."""
    return {
        "signature": Signature(),
        "any number": AnyNumber(),
        "checks": Written(_checked),
        "decided by a weight": Written(_decided_by_a_weight),
        "without gradients": Written(_without_gradients),
        "dropout switched off": Written(
            lambda net, x1, x2, both: net.c(F.dropout(net.a(both), p=0.5, training=False))
        ),
        "least with a constant": Written(
            lambda net, x1, x2, both: net.c(
                torch.min(net.a(both), net.gain).max(torch.zeros(1, dtype=x1.dtype))
            )
        ),
        "largest with itself": Written(
            lambda net, x1, x2, both: torch.max(x1, x1) + torch.minimum(x2, x2) * x1
        ),
        "clamp to constants": Written(
            lambda net, x1, x2, both: net.c(net.a(both).clamp(-net.gain, net.gain)) + x1.clamp_min(0.3)
        ),
    }


def _pooled_channels(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    features = net.a(both)
    pooled = torch.cat((torch.max(features, 1)[0].unsqueeze(1), torch.mean(features, 1).unsqueeze(1)), dim=1)
    return net.c(features * torch.sigmoid(net.d(pooled)))


def _weights_by_softmax(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    weights = torch.softmax(net.d(net.a(both)), dim=1)
    return weights[:, :1] * x1 + weights[:, 1:] * x2


def _taken_apart(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    """Nothing of the wide layer is used, and of the joined values three in two ways."""
    joined = torch.cat((both, net.wide(both), net.a(both)), dim=1)
    first, second, features = joined[:, :1], joined[:, 1:2], joined[:, 3:]
    chosen = F.conv2d(joined, torch.cat((net.weight[:, :2], 0 * net.weight[:, :1], net.weight), 1), padding=1)
    return net.c(features) * first + second + chosen


def _stack_of_two(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    first, second = net.a(both), net.b(net.a(both))
    weights = torch.stack((first, second)).softmax(0)
    return net.c(weights[0] * first - weights[1] * second)


def channels() -> dict[str, nn.Module]:
    """Return networks that add up, choose, cut and compare channels, by name."""
    made: dict[str, nn.Module] = {
        "attention by channels": Written(_pooled_channels, d=conv(2, 1, 7)),
        "weights by softmax": Written(_weights_by_softmax, d=conv(4, 2)),
        "taken apart": Written(_taken_apart, wide=conv(2, 1, 9)),
        "softmax layer": Written(
            lambda net, x1, x2, both: net.c(net.d(10 * net.a(both))), d=nn.Softmax(dim=-3)
        ),
        "softmax of pixels": Written(lambda net, x1, x2, both: net.c(net.d(net.a(both))), d=nn.Softmax2d()),
        "softmax of a stack": Written(_stack_of_two),
        "activity": Written(
            lambda net, x1, x2, both: net.c(
                net.a(both)
                * net.a(both).abs().sum(1, keepdim=True)
                / (1 + x1.abs().sum(dim=(1,), keepdim=True))
            )
        ),
        "cut in two": Written(
            lambda net, x1, x2, both: net.c(
                torch.cat([part * x1 for part in torch.split(net.a(both), [1, 3], dim=1)], dim=1)
            )
        ),
        "cut and put together": Written(
            lambda net, x1, x2, both: net.c(torch.cat(net.a(both).chunk(4, 1)[::-1], 1))
        ),
        "gated": Written(lambda net, x1, x2, both: _gated(net.a(both))),
        "one channel": Written(
            lambda net, x1, x2, both: net.a(both)[:, 2, :, :][:, None] * net.a(both)[..., 1:2, :, :]
        ),
        "every other channel": Written(
            lambda net, x1, x2, both: net.a(both)[:, ::2].narrow(1, 1, 1) - net.a(both)[:, [3]]
        ),
        "channels of what was joined": Written(
            lambda net, x1, x2, both: both[:, :1] * net.c(net.a(both)) + both[:, 1:]
        ),
        "repeated": Written(
            lambda net, x1, x2, both: net.c(
                x1.expand(-1, 4, -1, -1) * net.a(both)
                + x2.repeat(1, 4, 1, 1)
                + (x1 * x2).expand_as(net.a(both))
            )
        ),
        "products of channels": Written(
            lambda net, x1, x2, both: net.a(both).prod(1, True) + net.a(both).logsumexp(1, True)
        ),
        "median and deviation": Written(
            lambda net, x1, x2, both: (
                net.a(both).median(1, keepdim=True).values * net.a(both).std(1, keepdim=True)
                + torch.linalg.vector_norm(net.a(both), dim=1, keepdim=True)
                + net.a(both).norm(dim=1, keepdim=True)
            )
        ),
        "largest channel": Written(
            lambda net, x1, x2, both: (
                net.c(net.a(both) - net.a(both).amax(1, keepdim=True)) * net.a(both).min(1, True)[0]
            )
        ),
        "of one channel": Written(
            lambda net, x1, x2, both: x1.mean(1, True) * x2.amax(1, True) + x1.softmax(1)
        ),
    }
    for name in ("amax", "sum", "mean", "prod"):
        made[f"{name} of a stack"] = Written(
            lambda net, x1, x2, both, name=name: net.c(
                getattr(torch.stack([net.a(both), net.b(net.a(both)), net.a(both)]), name)(0)
                + torch.tanh(getattr(torch.stack([net.a(both), net.b(net.a(both))], dim=1), name)(dim=1))
            )
        )
    return made


def _gated(features: Tensor) -> Tensor:
    first, second, third, _ = features.chunk(4, dim=1)
    return first * torch.sigmoid(second) + third


def all_written() -> dict[str, nn.Module]:
    """Return all of them, by name."""
    return {
        f"{kind}: {name}": network
        for kind, networks in (
            ("convolution", convolutions()),
            ("in place", in_place()),
            ("program", programs()),
            ("channels", channels()),
        )
        for name, network in networks.items()
    }

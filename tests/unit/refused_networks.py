"""Networks of which no chain is made, each with a part of the reason that is given."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from tests.unit.written_networks import Written


def _part_written_over(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    features = net.a(both)
    features[:, 1:].relu_()
    return net.c(features)


def _written_over_where_it_was_detached(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    features = net.a(both)
    weight = features.detach()
    features.mul_(2)
    return net.c(weight * features)


def _shuffled(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    features = net.a(both)
    batch, _, height, width = features.shape
    pairs = features.reshape(batch, 2, 2, height, width).transpose(1, 2)
    return net.c(pairs.reshape(batch, 4, height, width))


def _normalised_at_each_pixel(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    return net.c(net.d(net.a(both).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


def _caught(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    try:
        features = net.a(both).flip(1)
    except Exception:  # noqa: BLE001 - as people do
        features = net.b(net.a(both))
    return net.c(features)


def _written_over_without_gradients(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    features = net.a(both)
    with torch.no_grad():
        features.mul_(2)
    return net.c(features)


class _Straight(torch.autograd.Function):
    """Rounds, with the derivative of what does nothing."""

    @staticmethod
    def forward(context: Any, value: Tensor) -> Tensor:
        return value.round()

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return gradient


class _Map(nn.Module):
    """A picture that may be cut."""

    def __init__(self) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.rand(1, 1, 40, 40))

    def __getitem__(self, index: Any) -> Tensor:
        return self.values[index]


def refused() -> dict[str, tuple[nn.Module, str]]:
    """Return networks of limited support of which no chain is made, and why, by name."""
    return {
        "a part written over": (Written(_part_written_over), "written over"),
        "written over where it was detached": (Written(_written_over_where_it_was_detached), "written over"),
        "channels shuffled": (Written(_shuffled), "view, of which no chain is known"),
        "normalised at each pixel": (
            Written(_normalised_at_each_pixel, d=nn.LayerNorm(4)),
            "permute, of which",
        ),
        "a failure caught": (Written(_caught), "flip, of which"),
        "ones around the image": (
            Written(
                lambda net, x1, x2, both: net.b(F.pad(both, (1, 1, 1, 1), value=1.0)), b=nn.Conv2d(2, 1, 3)
            ),
            "else than zeros",
        ),
        "zeros around what was mirrored": (
            Written(
                lambda net, x1, x2, both: net.c(F.pad(net.a(both), (1, 1, 1, 1), "reflect")),
                c=nn.Conv2d(4, 1, 5, padding=1),
            ),
            "puts zeros around what was padded",
        ),
        "complex numbers": (
            Written(lambda net, x1, x2, both: (net.c(net.a(both)) * (1 + 2j)).abs()),
            "has complex numbers",
        ),
        "zeros around several layers": (
            Written(
                lambda net, x1, x2, both: net.c(torch.tanh(net.a(F.pad(both, (2, 2, 2, 2))))),
                a=nn.Conv2d(2, 4, 3),
                c=nn.Conv2d(4, 1, 3),
            ),
            "changes the image's size",
        ),
        "a rectifier on zeros around": (
            Written(
                lambda net, x1, x2, both: net.a(torch.relu(F.pad(both, (1, 1, 1, 1)))), a=nn.Conv2d(2, 1, 3)
            ),
            "something else than images",
        ),
        "an average of what is there": (
            Written(lambda net, x1, x2, both: net.c(F.avg_pool2d(net.a(both), 3, 1, 1, False, False))),
            "another average at the border",
        ),
        "a part of the image": (
            Written(lambda net, x1, x2, both: F.pad(net.c(net.a(both))[:, :, 1:], (0, 0, 1, 0))),
            "a part of the image",
        ),
    }


def refused_programs() -> dict[str, tuple[nn.Module, str]]:
    """Return programs that need not have a limited support or a result, and why no chain is made, by name."""
    return {
        "decided by the size": (
            Written(lambda net, x1, x2, both: net.c(net.a(both)) if x1.shape[2] == 30 else x1),
            "depends on the image's size",
        ),
        "more than a size": (
            Written(lambda net, x1, x2, both: x1 if x1.shape[2] > 30 else x2),
            "depends on the image's size",
        ),
        "divided by the size": (
            Written(lambda net, x1, x2, both: x1 / x1.shape[3]),
            "depends on the image's size",
        ),
        "made of the size": (
            Written(lambda net, x1, x2, both: x1 * torch.zeros_like(net.gain).expand(x1.shape)),
            "depends on the image's size",
        ),
        "decided by values": (
            Written(lambda net, x1, x2, both: x1 if x1.sum() > 3 else x2),
            "looks at the images' values",
        ),
        "chance": (Written(lambda net, x1, x2, both: net.c(F.dropout(net.a(both)))), "random"),
        "both images joined as pairs": (
            Written(lambda net, x1, x2, both: torch.cat((x1, x2), 0).sum(0, True)),
            "does not join channels",
        ),
        "an image written over": (
            Written(lambda net, x1, x2, both: net.c(net.a(both)) + x1.mul_(2)),
            "writes to an image",
        ),
        "a weight of the images": (
            Written(lambda net, x1, x2, both: F.conv2d(both, torch.tanh(both), padding=(4, 5))),
            "filters with what depends on the images",
        ),
        "a constant": (Written(lambda net, x1, x2, both: net.gain), "one image of two"),
        "a constant cut to the size": (
            Written(lambda net, x1, x2, both: x1 * net.map[:, :, : x1.shape[2], : x1.size(3)], map=_Map()),
            "depends on the image's size",
        ),
        "a constant as large as the image": (
            Written(lambda net, x1, x2, both: x1 * torch.rand(x1.shape[2:])),
            "depends on the image's size",
        ),
        "as often as there are rows": (
            Written(lambda net, x1, x2, both: x1 * float(len([*range(x1.shape[2] // 2)]))),
            "depends on the image's size",
        ),
        "values that leave torch": (
            Written(lambda net, x1, x2, both: x1 * float(x2.detach().numpy().max())),
            "looks at a value or its size",
        ),
        "a derivative of its own": (
            Written(lambda net, x1, x2, both: _Straight.apply(x1) + x2),
            "of its own",
        ),
        "written over without gradients": (
            Written(_written_over_without_gradients),
            "writes where gradients are switched off",
        ),
    }

"""Networks as people bring them, y = f(x1, x2): of sizes of their own, hidden from autograd, unusual."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

Program = Callable[[Any, Tensor, Tensor, Tensor], Any]


class Own(nn.Module):
    """A network whose program is a function of itself, both images, and both as two channels.

    Its layers `near` and `far` make one channel of two, and see 1 and 2 pixels away.
    """

    def __init__(self, program: Program, **parts: Any) -> None:
        super().__init__()
        self.program = program
        self.near, self.far = nn.Conv2d(2, 1, 3, padding=1), nn.Conv2d(2, 1, 5, padding=2)
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        return self.program(self, x1, x2, torch.cat((x1, x2), dim=1))


def in_blocks(side: int) -> Own:
    """Return a network for multiples of a number of pixels."""
    return Own(
        lambda net, x1, x2, both: F.interpolate(F.avg_pool2d(net.near(both), side), scale_factor=float(side))
    )


def for_one_size(height: int, width: int) -> Own:
    """Return a network with a map of a fixed size."""
    place = nn.Parameter(torch.rand(1, 1, height, width))
    return Own(lambda net, x1, x2, both: net.near(both) + net.place, place=place)


class Places(nn.Module):
    """Cuts images into 9×9 squares of 14×14 pixels, each of which has a number of its own beside one for the image."""

    def __init__(self) -> None:
        super().__init__()
        self.cut, self.back = nn.Conv2d(2, 3, 14, 14), nn.ConvTranspose2d(3, 1, 14, 14)
        self.place = nn.Parameter(torch.randn(1, 82, 3))

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        squares = self.cut(torch.cat((x1, x2), 1))
        placed = torch.tanh(squares.flatten(2).transpose(1, 2) + self.place[:, 1:])
        result: Tensor = self.back(placed.transpose(1, 2).reshape(squares.shape))
        return result


def at_least(side: int) -> Own:
    """Return a network that mirrors so much that small images will not do."""
    return Own(
        lambda net, x1, x2, both: net.near(F.pad(both, (side - 1,) * 4, "reflect"))[
            :, :, side - 1 : 1 - side, side - 1 : 1 - side
        ]
    )


def of_sizes() -> dict[str, nn.Module]:
    """Return networks that do something else for images of another size, by name."""
    return {
        "halves large images": Own(
            lambda net, x1, x2, both: (
                F.interpolate(net.near(F.avg_pool2d(both, 2)), scale_factor=2.0)
                if max(x1.shape[2:]) > 100
                else net.near(both)
            )
        ),
        "sees farther in large images": Own(
            lambda net, x1, x2, both: net.far(both) if x1.shape[2] * x1.shape[3] > 90 * 90 else net.near(both)
        ),
        "sees less in large images": Own(
            lambda net, x1, x2, both: net.near(both) if x1.shape[3] > 100 else net.far(both)
        ),
        "another weight in wide images": Own(
            lambda net, x1, x2, both: net.near(both) * (2.0 if x1.shape[3] > 100 else 1.0)
        ),
        "global in large images": Own(
            lambda net, x1, x2, both: net.near(both) - (net.near(both).mean() if x1.shape[2] > 100 else 0.0)
        ),
        "a constant where it was a network": Own(
            lambda net, x1, x2, both: (
                net.near(both).detach() + x2 if x1.shape[2] > 100 else net.near(both) + x2
            )
        ),
        "another formula in crops": Own(
            lambda net, x1, x2, both: net.near(both) if min(x1.shape[2:]) > 9 else net.far(both)
        ),
        "of an odd height": Own(
            lambda net, x1, x2, both: net.near(both) if x1.shape[2] % 2 else net.far(both)
        ),
    }


def _through_numpy(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    first = torch.from_numpy(x1.detach().cpu().numpy().copy())
    return net.near(torch.cat((first, x2), 1))


def _inference(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    with torch.inference_mode():
        return net.near(both)


@torch.no_grad()
def _no_grad(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    return net.near(both)


def _no_grad_for_one(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    with torch.no_grad():
        weight = torch.sigmoid(net.near(x1.expand(-1, 2, -1, -1)))
    return weight * x2


def _of_either_sign(net: Any, both: Tensor) -> Tensor:
    # As they are drawn, weights and bias may give every image the same sign, which then depends on nothing.
    return net.near(both - 0.5) - net.near.bias


def hidden() -> dict[str, nn.Module]:
    """Return networks whose values depend on an image that no gradient comes back to, by name."""
    programs: dict[str, Program] = {
        "no_grad": _no_grad,
        "inference_mode": _inference,
        "no_grad for one image": _no_grad_for_one,
        "numpy": _through_numpy,
        "numpy of what has a gradient": lambda net, x1, x2, both: torch.from_numpy(both.numpy()).sum(1, True),
        "data": lambda net, x1, x2, both: net.near(both.data),
        "data of one image": lambda net, x1, x2, both: net.near(torch.cat((x1.data, x2), 1)),
        "detach": lambda net, x1, x2, both: net.near(both).detach(),
        "a new tensor": lambda net, x1, x2, both: net.near(torch.tensor(both.tolist(), dtype=both.dtype)),
        "rounded": lambda net, x1, x2, both: (net.near(both) * 255).round() / 255,
        "floor": lambda net, x1, x2, both: torch.floor(net.near(both) * 255) / 255,
        "bytes": lambda net, x1, x2, both: (both * 255).to(torch.uint8).to(both.dtype).sum(1, True) / 510,
        "one image in bytes": lambda net, x1, x2, both: (x1 * 255).byte().to(x1.dtype) / 255 + x2,
        "decisions": lambda net, x1, x2, both: (_of_either_sign(net, both) > 0).to(both.dtype),
        "labels": lambda net, x1, x2, both: both.argmax(1, keepdim=True).to(both.dtype),
        "signs": lambda net, x1, x2, both: torch.sign(_of_either_sign(net, both)),
        "bytes as a result": lambda net, x1, x2, both: (net.near(both).abs() * 255).byte(),
    }
    return {name: Own(program) for name, program in programs.items()}


def told() -> dict[str, tuple[nn.Module | Callable[..., Any], str]]:
    """Return networks that are refused, each with a part of the sentence that says why, by name."""
    return {
        "three channels": (
            Own(lambda net, x1, x2, both: net.near(both).repeat(1, 3, 1, 1)),
            r"3 channels where a gray fused image has one\. Wrap it with channels=3",
        ),
        "a tuple": (Own(lambda net, x1, x2, both: (net.near(both), x1)), r"a tuple of 2.*output=0"),
        "a list": (Own(lambda net, x1, x2, both: [net.near(both)]), r"a list of 1.*output=0"),
        "a dictionary": (
            Own(lambda net, x1, x2, both: {"fused": x1 + x2, "mask": x1}),
            r"'fused', 'mask'.*output='fused'",
        ),
        "an object": (
            Own(lambda net, x1, x2, both: SimpleNamespace(fused=net.near(both))),
            r"SimpleNamespace.*output='fused'",
        ),
        "places for one size that nothing says": (
            Own(lambda net, x1, x2, both: net.near(both) + torch.ones(300, dtype=both.dtype).reshape(15, 20)),
            r"sizes=\(height, width\)",
        ),
        "nothing": (Own(lambda net, x1, x2, both: None), "returned a NoneType"),
        "an array": (Own(lambda net, x1, x2, both: both.detach().numpy()), "an array of NumPy"),
        "no channel": (
            Own(lambda net, x1, x2, both: net.near(both)[:, 0]),
            "without a dimension for the channel",
        ),
        "smaller": (
            Own(lambda net, x1, x2, both: net.near(both)[:, :, 1:-1, 1:-1]),
            "Pad inside the network",
        ),
        "colour images": (
            Own(lambda net, x1, x2, both: net.colour(x1), colour=nn.Conv2d(3, 1, 3, padding=1)),
            "wrap it with channels=3",
        ),
        "one argument": (nn.Conv2d(2, 1, 3, padding=1), r"lambda x1, x2: network\(torch\.cat"),
        "the end of the program": (Own(lambda net, x1, x2, both: sys.exit(3)), "SystemExit, code 3"),
        "chance": (
            Own(lambda net, x1, x2, both: F.dropout(net.near(both), 0.5)),
            r"another result each time.*after \.eval\(\)",
        ),
        "single precision inside": (
            Own(lambda net, x1, x2, both: net.near(both.float()) * x2),
            r"without \.float\(\).*register_buffer",
        ),
    }


KERNEL = torch.rand(1, 2, 3, 3, generator=torch.Generator().manual_seed(5))
"""What only networks in float32 can use."""


class ExtraState(Own):
    """Saves more than tensors."""

    def get_extra_state(self) -> dict[str, int]:
        return {"epoch": 3}

    def set_extra_state(self, state: Any) -> None:
        pass


def _near(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    result: Tensor = net.near(both)
    return result


def _writing(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    x1 -= 0.5
    x2.mul_(x1)
    return net.near(torch.cat((x1, x2), 1))


def unusual() -> dict[str, nn.Module | Callable[..., Any]]:
    """Return networks that are taken, unusual as they are, by name."""
    inside = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.Dropout(0.9), nn.Conv2d(4, 1, 1))
    return {
        "a lock": Own(_near, lock=threading.Lock()),
        "a lock in a list": Own(_near, things=[threading.Lock(), {"file": sys.stdout}]),
        "a tensor of a graph": Own(
            lambda net, x1, x2, both: net.near(both) * net.gain, gain=torch.ones(1, requires_grad=True) * 2
        ),
        "a tensor that is no buffer": Own(
            lambda net, x1, x2, both: F.conv2d(both, net.kernel, padding=1), kernel=torch.rand(1, 2, 3, 3)
        ),
        "tensors in a list": Own(
            lambda net, x1, x2, both: F.conv2d(both, net.kernels[0]["k"], padding=1),
            kernels=[{"k": torch.rand(1, 2, 3, 3)}],
        ),
        "layers in a list": Own(lambda net, x1, x2, both: net.layers[0](both), layers=[inside]),
        "extra state": ExtraState(_near),
        "writes to its images": Own(_writing),
        "a function": lambda x1, x2: (x1 + x2) / 2 * x1,
        "a function with a network": lambda x1, x2: inside(torch.cat((x1, x2), 1)),
        "a method": Own(_near).forward,
    }


def of_torch() -> dict[str, nn.Module]:
    """Return programs of torch's own making, by name."""
    network, images = Own(_near).eval(), (torch.rand(1, 1, 16, 24), torch.rand(1, 1, 16, 24))
    sides = {2: torch.export.Dim("H", min=1, max=4096), 3: torch.export.Dim("W", min=1, max=4096)}
    exported = torch.export.export(network, images, dynamic_shapes=(sides, sides)).module()
    return {"TorchScript": torch.jit.trace(network, images), "torch.export": exported}


def in_single() -> dict[str, nn.Module | Callable[..., Any]]:
    """Return networks that run in float32 only, by name."""
    return {
        "casts both images": Own(lambda net, x1, x2, both: net.near(both.float())),
        "a kernel of the module": Own(
            lambda net, x1, x2, both: F.conv2d(torch.tanh(both), KERNEL, padding=1)
        ),
        "a function": lambda x1, x2: F.conv2d(torch.cat((x1, x2), 1) ** 2, KERNEL, padding=1),
    }

"""Small networks of many kinds, y = f(x1, x2): some a chain can be made of, some not."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn


def conv(inputs: int, outputs: int, size: int = 3, **options: object) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, padding="same", **options)  # type: ignore[arg-type]


class OfTwo(nn.Module):
    """A network of both images as two channels."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        result: Tensor = self.layers(torch.cat((x1, x2), dim=1))
        return result


class Quotient(nn.Module):
    """A division by a value that is used twice, beside constants on either side of operators."""

    offset: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = conv(1, 4), conv(1, 4, 5)
        self.last = conv(4, 1, 1, bias=False)
        self.register_buffer("offset", torch.rand(1, 4, 1, 1))

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        a, b = torch.sigmoid(self.first(x1)), torch.relu(self.second(x2) - 0.1)
        mixed = (2 * a - b / 3) / (1.5 + a * b) + self.offset * a
        return self.last(1 - mixed).clamp(-0.2, 0.2)


class Tied(nn.Module):
    """The same layers, batch norm among them, three times, once on what they have made themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Sequential(conv(1, 1, 5), nn.BatchNorm2d(1), nn.LeakyReLU(0.3))
        norm = self.shared[1]
        assert isinstance(norm, nn.BatchNorm2d)
        nn.init.constant_(norm.weight, 1.7)
        norm.running_var = torch.full((1,), 0.6)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        result: Tensor = self.shared(self.shared(x1) - self.shared(x2))
        return result


class Dense(nn.Module):
    """Concatenations of concatenations, one part joined twice, one used by nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = conv(2, 3), conv(5, 4), conv(12, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        both = torch.cat([x1, x2], 1)
        a = F.leaky_relu(self.a(both), 0.2)
        b = F.elu(self.b(torch.cat([a, both], dim=1)))
        joined = torch.cat([torch.cat([a, b], dim=1), both, a], dim=1)
        return self.c(torch.tanh(joined))


class Residual(nn.Module):
    """Sums of sums, and convolutions on convolutions with nothing between that would end at the border."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = conv(2, 3), conv(3, 3, 5), conv(3, 3)
        self.d = conv(3, 1, 3)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        first = self.a(torch.cat((x1, x2), dim=1))
        second = first - self.b(first)
        third = second + self.c(torch.relu(second)) + first
        return self.d(-third) + x1 - x2


class Broadcast(nn.Module):
    """One channel against many, an attention map of one channel, and two extremes of two."""

    def __init__(self) -> None:
        super().__init__()
        self.many, self.one, self.last = conv(1, 4), conv(1, 1), conv(4, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        many, one = self.many(x1), self.one(x2)
        return self.last(torch.max(many * torch.sigmoid(one), one) + many.mul(x2).minimum(many))


class Gate(nn.Module):
    """A gate of one channel with a batch norm of its own between pointwise operations."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.many, self.last = conv(2, 1), conv(2, 4), conv(4, 1)
        self.norm = nn.BatchNorm2d(1)
        self.norm.running_mean, self.norm.running_var = torch.full((1,), 0.1), torch.full((1,), 0.4)
        nn.init.constant_(self.norm.weight, -1.3)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        both = torch.cat((x1, x2), dim=1)
        gate = torch.sigmoid(self.norm(torch.tanh(self.one(both))))
        return self.last(gate * self.many(both))


class MadeMany(nn.Module):
    """One channel multiplied by, and added to, a constant that has many; the same inside a longer expression."""

    def __init__(self) -> None:
        super().__init__()
        self.factors, self.offsets = (nn.Parameter(torch.rand(1, 4, 1, 1)) for _ in range(2))
        self.a, self.b, self.c = conv(4, 1), conv(4, 1), conv(4, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        made = torch.tanh(x1 * self.factors) + torch.sigmoid(x2 * self.offsets - self.factors) * x2
        return self.a(torch.tanh(x1 * self.factors)) + self.b(x2 + self.offsets) + self.c(made)


class Kinks(nn.Module):
    """Rectifiers and a maximum exactly at their kinks, wherever both images are black."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.last = conv(1, 4, bias=False), conv(1, 4, bias=False), conv(4, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        a, b = self.a(x1), self.b(x2)
        return self.last(torch.maximum(a, b) + F.relu(a) + F.leaky_relu(b) + F.relu6(a - b) + torch.abs(b))


class OneInput(nn.Module):
    """Only the second image matters, and only through a detached weight."""

    def __init__(self) -> None:
        super().__init__()
        self.a = conv(1, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.where(x1 > 0.5, x2, 0.25 * x2) * self.a(x2).detach()


class Overwriting(nn.Module):
    """Uses a value again that a rectifier has overwritten."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(2, 3), conv(3, 1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        features = self.a(torch.cat((x1, x2), dim=1))
        result: Tensor = self.b(self.relu(features) + features)
        return result


def understood() -> dict[str, nn.Module]:
    """Return networks of which a chain can be made, by name."""
    return {
        "quotient": Quotient(),
        "pooling": OfTwo(conv(2, 3), nn.MaxPool2d(3, 1, 1), conv(3, 1)),
        "tied": Tied(),
        "dense": Dense(),
        "residual": Residual(),
        "broadcast": Broadcast(),
        "gate": Gate(),
        "made many": MadeMany(),
        "kinks": Kinks(),
        "one input": OneInput(),
        "oblong": OfTwo(
            nn.Conv2d(2, 3, (3, 7), padding=(1, 3)), nn.SiLU(), nn.Conv2d(3, 1, (5, 1), padding=(2, 0))
        ),
        "dilated": OfTwo(conv(2, 3, dilation=2), nn.GELU(), conv(3, 1, 3, dilation=(1, 3))),
        "in groups": OfTwo(
            conv(2, 4, groups=2), nn.PReLU(4), conv(4, 4, groups=4), nn.Softplus(), conv(4, 1)
        ),
        "rectifiers in place": OfTwo(conv(2, 3), nn.ReLU(inplace=True), conv(3, 1), nn.LeakyReLU(0.1, True)),
        "overwriting": Overwriting(),
        "no activation": OfTwo(conv(2, 3), conv(3, 3), nn.BatchNorm2d(3), nn.Dropout(), conv(3, 1)),
    }


class Strided(nn.Module):
    """Works on blocks of 2×2 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(2, 4, 2, stride=2), nn.ConvTranspose2d(4, 1, 2, stride=2)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        height, width = x1.shape[2:]
        both = F.pad(torch.cat((x1, x2), 1), (0, width % 2, 0, height % 2))
        result: Tensor = self.up(torch.tanh(self.down(both)))
        return result[..., :height, :width]


class Attention(nn.Module):
    """Each channel weighted by its mean."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(2, 4), conv(4, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        features = self.a(torch.cat((x1, x2), dim=1))
        result: Tensor = self.b(features * torch.sigmoid(features.mean(dim=(2, 3), keepdim=True)))
        return result


class Branching(nn.Module):
    """Looks at values to decide what to do, which cannot be traced."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 * x2 if bool((x1 >= 0).all()) else x1


def not_understood() -> dict[str, nn.Module]:
    """Return networks that need another path, by name."""
    return {
        "attention": Attention(),
        "branching": Branching(),
        "wrapping around": OfTwo(nn.Conv2d(2, 1, 3, padding=1, padding_mode="circular")),
        "normalising": OfTwo(conv(2, 3), nn.InstanceNorm2d(3), conv(3, 1)),
    }

"""The support radius by NaN probing, and what is done with networks that are not plain stride-1 convolutions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import fusion
from fusion.errors import NetworkError, SupportRadiusError
from fusion.methods.registry import method_specification
from fusion.saliency.support import declared_locality, probe_locality
from tests.unit.reference import random_pair, relative_error, whole_image_jacobian


@pytest.mark.parametrize("id", fusion.method_ids())
def test_declared_radii_are_the_probed_ones(id: str) -> None:
    specification = method_specification(id)
    network = specification.build().eval()
    if id in ("funfusean", "weighted_averaging"):  # the full probe is slow in float64; loading has its own
        assert probe_locality(network).support_radius == specification.support_radius
    assert fusion.load_method(id, "cpu").support_radius == specification.support_radius


@pytest.mark.parametrize("declared", [(8, 11), (9, 10), (10, 11), (9, 12), (0, 0)])
def test_wrong_declarations_are_refused(declared: tuple[int, int]) -> None:
    network = method_specification("funfusean").build().eval()
    with pytest.raises(SupportRadiusError, match=r"\(9, 11\)"):
        declared_locality(network, declared)


class Asymmetric(nn.Module):
    """Sees 1 pixel of x1 around, and 3 of x2."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 1, 3, padding=1)
        self.second = nn.Conv2d(1, 1, 7, padding=3)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.relu(self.first(x1)) * torch.sigmoid(self.second(x2))


class Strided(nn.Module):
    """Halves and doubles the resolution, so that what a pixel sees depends on its phase."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(2, 4, 4, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return self.up(torch.tanh(self.down(torch.cat((x1, x2), 1))))


class Pooled(nn.Module):
    """Two poolings deep, with a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 3, 3, padding=1)
        self.last = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        features = torch.relu(self.first(torch.cat((x1, x2), 1)))
        deep = nn.functional.interpolate(nn.functional.max_pool2d(features, 4), scale_factor=4)
        return self.last(features + deep)


class Reflecting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 1, 5, padding=2, padding_mode="reflect")

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.tanh(self.layer(torch.cat((x1, x2), 1)))


class Positional(nn.Module):
    """Depends on where in the image it is, so that no crop is exact."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        rows = torch.linspace(0, 1, x1.shape[2], dtype=x1.dtype)[:, None].expand_as(x1)
        return torch.tanh(self.layer(torch.cat((x1, x2, rows), 1)) ** 2)


class Hiding(nn.Module):
    """Lets no NaN through, so that the probe alone would find no support at all; its program shows what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 1, 5, padding=2)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return self.layer(torch.nan_to_num(torch.cat((x1, x2), 1)))


class Instance(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 1, 3, padding=1)
        self.norm = nn.InstanceNorm2d(1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return self.norm(self.layer(torch.cat((x1, x2), 1)))


class BatchMixing(nn.Module):
    """Batch norm without running statistics: a sample's result depends on its batch."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(2, track_running_stats=False)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return self.norm(torch.cat((x1, x2), 1)).sum(1, keepdim=True)


class FirstOnly(nn.Module):
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 * 2


class Constant(nn.Module):
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.ones_like(x1)


@pytest.mark.parametrize(
    ("network", "radius", "alignment"),
    [
        (Asymmetric(), (1, 3), 1),
        (FirstOnly(), (0, 0), 1),
        (Constant(), (0, 0), 1),
        (Reflecting(), (2, 2), 1),
        (Strided(), (3, 3), 2),
        (Pooled(), (5, 5), 4),
        (Positional(), None, 1),
        (Hiding(), (2, 2), 1),
        (Instance(), None, 1),
        (BatchMixing(), None, 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_any_module(network: nn.Module, radius: tuple[int, int] | None, alignment: int) -> None:
    torch.manual_seed(3)
    method = fusion.Method.from_module(network, "own", "Own")
    assert method.support_radius == radius
    if radius is not None:
        assert method.locality.alignment == alignment
    rng = np.random.default_rng()
    pair = random_pair(rng, (32, 40))
    pixels = [(0, 0), (31, 39), (15, 20), (16, 21), (17, 18), (31, 7), (6, 39)]
    for window in fusion.jacobians(method, pair, pixels, "float64"):
        expected = whole_image_jacobian(method, pair, (window.row, window.col))
        assert relative_error(window.dense(), expected) <= 1e-10
    guidance = fusion.guidance(method, pair, dtype="float64")
    for pixel in pixels:
        expected = whole_image_jacobian(method, pair, pixel)
        assert np.abs(guidance[:, *pixel] - expected[:, *pixel]).max() <= 1e-10 * max(
            1, np.abs(expected).max()
        )


def test_the_callers_module_is_not_changed() -> None:
    network = Asymmetric().train()
    fusion.Method.from_module(network, "own", "Own")
    assert network.training and all(parameter.requires_grad for parameter in network.parameters())
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


def test_weights_change_the_weights_id() -> None:
    network = Asymmetric()
    before = fusion.Method.from_module(network, "own", "Own").weights_id
    assert before == fusion.Method.from_module(network, "own", "Own").weights_id and len(before) == 64
    with torch.no_grad():
        network.first.weight += 1e-3
    assert fusion.Method.from_module(network, "own", "Own").weights_id != before


class Shrinking(nn.Module):
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return (x1 + x2)[:, :, 1:-1, 1:-1]


class OneInput(nn.Module):
    def forward(self, x1: Tensor) -> Tensor:
        return x1


@pytest.mark.parametrize("network", [Shrinking(), OneInput(), nn.Identity()])
def test_networks_of_another_form_are_refused(network: nn.Module) -> None:
    with pytest.raises(NetworkError):
        fusion.Method.from_module(network, "own", "Own")

"""Networks that look at values to decide what to do, hide NaNs, are random, or cannot be differentiated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import fusion
from fusion.errors import NetworkError, NoDerivativeError, SupportRadiusError
from fusion.saliency.support import declared_locality
from tests.unit.reference import random_pair
from tests.unit.small_networks import OfTwo, conv
from tests.unit.test_support import check_everywhere, dark_pair


class Choosing(nn.Module):
    """Another formula for images that are black anywhere, as crops need not be."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return 0.7 * x1 + 0.3 * x2 if bool((x1 > 0).all()) else torch.maximum(x1, x2)


class Counting(nn.Module):
    """Scales by a number that it computes of what is bright."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        bright = x1.detach()[x1 > 0.5]
        return x1 * x2 * (1.0 + len(bright) / x1.numel())


class Selecting(nn.Module):
    """Takes each pixel from the image with the stronger edge: comparisons let no NaN through."""

    def __init__(self) -> None:
        super().__init__()
        self.edge = conv(1, 1, 5)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.where(self.edge(x1).abs() > self.edge(x2).abs(), x1, x2)


class Hiding(nn.Module):
    """Replaces NaNs, and is asleep for most values."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 7, padding=3, padding_mode="circular")

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 * x2 + torch.relu(self.layer(torch.nan_to_num(x2).clamp(0, 1)) - 0.3)


def by_number(x: Tensor) -> Tensor:
    return torch.nan_to_num(x)


def by_choice(x: Tensor) -> Tensor:
    return torch.fmax(x, torch.zeros_like(x))


def by_index(x: Tensor) -> Tensor:
    filled = x.clone()
    filled[filled.isnan()] = 0
    return filled


class Asleep(nn.Module):
    """Sees three pixels in each direction, of images without holes, and nothing of the images that probing makes."""

    def __init__(self, fill: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.fill = fill
        self.layer = nn.Conv2d(1, 1, 7, padding=3)
        nn.init.constant_(self.layer.weight, 1 / 49)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 * x2 + torch.relu(self.layer(self.fill(x2)) - 2)


class Asserting(nn.Module):
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        assert x1.shape[2] < 50, "small images only"
        return x1 * x2


class Overwritten(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = conv(1, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        result = torch.sigmoid(self.layer(x1))
        result += x2
        return result


class Single(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = conv(1, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        result: Tensor = self.layer(x1.float()) * x2
        return result


class Noisy(nn.Module):
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return nn.functional.dropout(x1, 0.5, training=True) + x2


@pytest.mark.parametrize("network", [Choosing(), Counting(), Hiding()], ids=lambda one: type(one).__name__)
def test_in_doubt_the_whole_image_is_taken(network: nn.Module) -> None:
    method = fusion.Method.from_module(network, "own", "Own")
    assert method.support_radius is None
    check_everywhere(method, dark_pair((24, 31)))
    with pytest.raises(SupportRadiusError, match="whole image"):
        declared_locality(network, (0, 0))


@pytest.mark.parametrize("fill", [by_number, by_choice, by_index], ids=lambda one: one.__name__)
def test_where_holes_are_filled_the_support_is_found_though_it_is_asleep(
    fill: Callable[[Tensor], Tensor],
) -> None:
    assert fusion.Method.from_module(Asleep(fill), "own", "Own").support_radius == (0, 3)


def test_what_is_compared_is_seen_in_the_program() -> None:
    method = fusion.Method.from_module(Selecting(), "own", "Own")
    assert method.support_radius == (2, 2)
    assert declared_locality(Selecting(), (2, 2)) == method.locality
    check_everywhere(method, dark_pair((24, 31)))


def test_a_network_with_another_result_each_time_is_refused() -> None:
    with pytest.raises(NoDerivativeError, match="another result each time"):
        fusion.Method.from_module(Noisy(), "own", "Own")


def test_a_network_that_autograd_cannot_differentiate_is_refused() -> None:
    with pytest.raises(NoDerivativeError, match="cannot be differentiated"):
        fusion.Method.from_module(Overwritten(), "own", "Own")


def test_whatever_a_network_raises_is_told() -> None:
    with pytest.raises(NetworkError, match="small images only"):
        fusion.Method.from_module(Asserting(), "own", "Own")
    with pytest.raises(NetworkError, match=r"without \.float\(\)"):
        fusion.Method.from_module(Single(), "own", "Own")


def changed_in_place(network: nn.Module) -> None:
    with torch.no_grad():
        next(network.parameters()).mul_(0.5)


def loaded(network: nn.Module) -> None:
    network.load_state_dict({name: 0.5 * value for name, value in network.state_dict().items()})


def given_other_parameters(network: nn.Module) -> None:
    layer = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    layer.weight = nn.Parameter(0.5 * layer.weight.detach(), requires_grad=False)


def given_another_layer(network: nn.Module) -> None:
    assert isinstance(network, OfTwo)
    network.layers[0] = conv(2, 3).requires_grad_(False)


@pytest.mark.parametrize("change", [changed_in_place, loaded, given_other_parameters, given_another_layer])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_changed_weights_are_noticed_in_both_precisions(change: object, dtype: str) -> None:
    method = fusion.Method.from_module(OfTwo(conv(2, 3), nn.Tanh(), conv(3, 1)), "own", "Own")
    pair = random_pair(np.random.default_rng(), (20, 22))
    before = fusion.jacobian(method, pair, (9, 9), dtype)
    assert before.path == "chain"
    assert callable(change)
    change(method.network)
    after = fusion.jacobian(method, pair, (9, 9), dtype)
    other = "float64" if dtype == "float32" else "float32"
    np.testing.assert_allclose(after.values, fusion.jacobian(method, pair, (9, 9), other).values, atol=1e-5)
    assert np.abs(after.values - before.values).max() > 1e-3
    check_everywhere(method, pair)

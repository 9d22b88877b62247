"""Networks written in many ways: their chains against plain autograd on the whole image, in float64."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from torch import nn

import fusion
from fusion.saliency.chain.graph import NotUnderstoodError, Pointwise, Sum, sights
from fusion.saliency.chain.rules import graph_of
from fusion.saliency.chain.windows import chain_of
from tests.unit.reference import (
    chain_diagonal_error,
    largest_error,
    notable_pixels,
    random_pair,
    whole_image_jacobian,
)
from tests.unit.refused_networks import refused, refused_programs
from tests.unit.small_networks import conv
from tests.unit.written_networks import Written, all_written

TOLERANCE = 1e-11


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", all_written())
def test_a_chain_is_made_and_right(
    name: str, rng: np.random.Generator, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    with caplog.at_level(logging.INFO):
        method = fusion.Method.from_module(all_written()[name], "own", "Own")
        for shape in ((1, 1), (2, 14), (23, 19)):
            pair = random_pair(rng, shape)
            pixels = notable_pixels(rng, shape)
            assert largest_error(method, pair, pixels, "chain") <= TOLERANCE
            chain = chain_of(method, torch.float64)
            assert chain is not None
            assert chain_diagonal_error(method, pair, chain, pixels) <= TOLERANCE
    assert caplog.records == []


@pytest.mark.parametrize("name", refused())
def test_what_is_refused_is_said_and_takes_the_window(
    name: str, rng: np.random.Generator, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    network, reason = refused()[name]
    with caplog.at_level(logging.INFO):
        method = fusion.Method.from_module(network, "own", "Own")
        for shape in ((2, 14), (23, 19)):
            pair = random_pair(rng, shape)
            assert largest_error(method, pair, notable_pixels(rng, shape), "window") <= TOLERANCE
    assert reason in caplog.text and "wrong" not in caplog.text


@pytest.mark.parametrize("name", refused_programs())
def test_programs_are_refused_for_a_reason(name: str) -> None:
    network, reason = refused_programs()[name]
    with pytest.raises(NotUnderstoodError, match=reason):
        graph_of(network.eval())


def test_pixels_where_everything_cancels_do_not_make_a_chain_wrong(
    rng: np.random.Generator, caplog: pytest.LogCaptureFixture
) -> None:
    """There autograd has rounding of its own, and half of the pixels here are such."""

    def program(net: nn.Module, x1: torch.Tensor, x2: torch.Tensor, both: torch.Tensor) -> torch.Tensor:
        alike = (7 * x2).expand(-1, 3, -1, -1).softmax(1)
        return torch.where(x1 > 0.5, x2, alike[:, :1] + torch.sigmoid(x2) - torch.sigmoid(x2) * 1)

    method = fusion.Method.from_module(Written(program), "own", "Own")
    assert chain_of(method, torch.float64) is not None
    assert caplog.records == []
    pair = random_pair(rng, (9, 12))
    pixels = [(int(row), int(column)) for row, column in np.argwhere(pair.images[0] > 0.5)]
    assert largest_error(method, pair, pixels, "chain") <= TOLERANCE


def test_what_is_not_used_of_a_concatenation_costs_nothing() -> None:
    def program(net: nn.Module, x1: torch.Tensor, x2: torch.Tensor, both: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(both[:, :1]) + both[:, 1:]

    network = graph_of(Written(program).eval())
    assert [(type(node), node.sources) for node in network.nodes[2:]] == [(Pointwise, (0,)), (Sum, (2, 1))]


class Joined(nn.Module):
    """A network that is given both images in one tensor, as many are written."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        both = torch.cat((x1, x2), dim=1)
        result: torch.Tensor = self.network(both[:, :1], both[:, 1:])
        return result


def test_images_that_are_joined_and_taken_apart_have_a_support_each() -> None:
    network = Joined(fusion.load_method("funfusean", "cpu").network).eval()
    assert sights(graph_of(network)) == ((9, 9), (11, 11))


def test_sizes_may_be_handed_on_but_not_looked_at() -> None:
    def program(net: nn.Module, x1: torch.Tensor, x2: torch.Tensor, both: torch.Tensor) -> torch.Tensor:
        batch, _, height, width = x1.shape
        sizes.extend((batch, height, width))
        return x2.expand(batch, 1, height, width) + x1.view(x1.size(0), 1, *x1.shape[2:])

    sizes: list[int] = []
    assert len(graph_of(Written(program).eval()).nodes) == 3
    height = sizes[1]
    assert height == height and hash(height) == hash(height)
    for looked_at in (
        lambda: height < 9,
        lambda: height + 1,
        lambda: height == 9,
        lambda: 2 * height,
        lambda: bool(height),
    ):
        with pytest.raises(NotUnderstoodError, match="depends on the image's size"):
            looked_at()


class Keeping(nn.Module):
    """Keeps what it has computed, as people do who want to look at it."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.c = conv(2, 4), conv(4, 1)
        self.features: object = None
        self.steps: list[torch.Tensor] = []

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        self.features = torch.tanh(self.a(torch.cat((x1, x2), 1)))
        self.steps.append(self.c(self.features * torch.ones(1)))
        return self.steps[-1]


def test_tracing_leaves_the_network_as_it_is() -> None:
    network = Keeping().eval()
    before = dict(vars(network))
    assert len(graph_of(network).nodes) > 2
    assert vars(network) == before and network.features is None and network.steps == []


def test_what_a_network_keeps_with_its_graph_is_no_hindrance(rng: np.random.Generator) -> None:
    method, pair = fusion.Method.from_module(Keeping(), "own", "Own"), random_pair(rng, (9, 12))
    pixels = notable_pixels(rng, pair.shape)
    whole_image_jacobian(method, pair, (0, 0))
    network = method.network_as(torch.float64)
    assert isinstance(network, Keeping) and network.steps[-1].requires_grad
    assert largest_error(method, pair, pixels, "chain") <= TOLERANCE

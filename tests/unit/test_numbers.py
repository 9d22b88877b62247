"""Networks that see the whole image through a few numbers, against plain autograd on the whole image, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

import fusion
from fusion.errors import Cancelled
from fusion.saliency import held, numbers
from fusion.saliency.guidance import GuidancePasses
from tests.unit.own_networks import Own
from tests.unit.reference import (
    largest_error,
    notable_pixels,
    random_pair,
    relative_error,
    whole_image_jacobians,
)
from tests.unit.small_networks import conv

TOLERANCE = 1e-10
SHAPE = (17, 20)


def _weighted(net: Any, features: Tensor, numbers: Tensor) -> Tensor:
    """Return features weighted by what numbers say, as squeeze and excitation has it."""
    weights = torch.sigmoid(net.widen(torch.tanh(net.squeeze(numbers.flatten(1)))))
    result: Tensor = net.last(features * weights[:, :, None, None])
    return result


def _between_channels(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    features = net.first(both)
    flat = features.flatten(2)
    mixed = torch.softmax(flat @ flat.transpose(1, 2) / 50, -1) @ flat
    result: Tensor = net.last(mixed.view_as(features))
    return result


def _context(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    features = net.first(both)
    looked_at = torch.softmax(net.near(both).flatten(2), -1)
    result: Tensor = net.last(
        features + torch.einsum("bcn,bon->bc", features.flatten(2), looked_at)[..., None, None]
    )
    return result


def _stretched(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    fused = net.last(torch.tanh(net.first(both)))
    return (fused - fused.min()) / (fused.max() - fused.min())


def through_numbers() -> dict[str, tuple[nn.Module, int]]:
    """Return networks with how many numbers they see the whole image through, by name."""

    def own(program: Any, **parts: Any) -> Own:
        squeezing = {"squeeze": nn.Linear(4, 2), "widen": nn.Linear(2, 4)}
        return Own(program, first=conv(2, 4), second=conv(4, 4), last=conv(4, 1), **squeezing, **parts)

    normed = {"norm": nn.InstanceNorm2d(4, affine=True), "other": nn.InstanceNorm2d(4)}
    return {
        "instance norm twice": (
            own(
                lambda n, x1, x2, b: n.last(torch.relu(n.other(n.second(torch.relu(n.norm(n.first(b))))))),
                **normed,
            ),
            16,
        ),
        "group norm": (
            own(lambda n, x1, x2, b: n.last(torch.tanh(n.norm(n.first(b)))), norm=nn.GroupNorm(2, 4)),
            4,
        ),
        "batch norm of the image": (
            own(
                lambda n, x1, x2, b: n.last(torch.tanh(n.norm(n.first(b)))),
                norm=nn.BatchNorm2d(4, track_running_stats=False),
            ),
            8,
        ),
        "squeeze and excitation": (
            own(lambda n, x1, x2, b: (lambda f: _weighted(n, f, F.adaptive_avg_pool2d(f, 1)))(n.first(b))),
            4,
        ),
        "maxima of two kinds": (
            own(
                lambda n, x1, x2, b: (
                    lambda f: _weighted(n, f, F.adaptive_max_pool2d(f, 1) + f.amin((2, 3), keepdim=True))
                )(n.first(b))
            ),
            8,
        ),
        "a pool as large as the image": (
            own(lambda n, x1, x2, b: (lambda f: _weighted(n, f, F.avg_pool2d(f, f.shape[2:])))(n.first(b))),
            4,
        ),
        "maximum and index": (
            own(lambda n, x1, x2, b: (lambda f: _weighted(n, f, f.flatten(2).max(2).values))(n.first(b))),
            4,
        ),
        "attention between channels": (own(_between_channels), 16),
        "context": (own(_context), 4),
        "stretched to 0 and 1": (own(_stretched), 3),
        "one image in numbers alone": (
            own(lambda n, x1, x2, b: (x1 - x1.mean()) / x1.std() * x2.std() + x2.mean() + x1**2),
            4,
        ),
    }


@pytest.mark.parametrize("name", through_numbers())
def test_derivatives_are_exact_and_cost_few_passes(name: str, rng: np.random.Generator) -> None:
    torch.manual_seed(int(rng.integers(2**31)))
    network, count = through_numbers()[name]
    method, pair = fusion.Method.from_module(network, "own", "Own"), random_pair(rng, SHAPE)
    assert method.support_radius is None and method.numbers is not None
    assert method.numbers.count == count
    pixels = notable_pixels(rng, pair.shape)
    assert largest_error(method, pair, pixels, "numbers") <= TOLERANCE
    expected = np.stack(
        [
            values[:, *at]
            for values, at in zip(whole_image_jacobians(method, pair, pixels), pixels, strict=True)
        ]
    )
    radius = method.numbers.locality.radius
    assert radius is not None and len(GuidancePasses(method, pair)) <= (radius + 1) ** 2
    for dtype, tolerance in (("float64", TOLERANCE), ("float32", 1e-3)):
        guidance = fusion.guidance(method, pair, dtype=dtype)
        assert relative_error(np.stack([guidance[:, *at] for at in pixels]), expected) <= tolerance


def test_with_a_stride_the_crops_are_aligned(rng: np.random.Generator) -> None:
    network = Own(
        lambda n, x1, x2, b: n.last(n.norm(F.interpolate(F.max_pool2d(n.first(b), 2), scale_factor=2.0))),
        first=conv(2, 4), last=conv(4, 1), norm=nn.InstanceNorm2d(4),
    )  # fmt: skip
    method, pair = fusion.Method.from_module(network, "own", "Own"), random_pair(rng, (18, 22))
    assert method.numbers is not None and method.numbers.locality.alignment == 2
    assert largest_error(method, pair, notable_pixels(rng, pair.shape), "numbers") <= TOLERANCE


def _by_turns(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
    result: Tensor = net.near(both) * (2.0 if both.mean() > 0.5 else 1.0) + both.mean()
    return result


@pytest.mark.parametrize(
    "program",
    [
        lambda net, x1, x2, both: torch.cumsum(net.near(both), 2) / 20,
        lambda net, x1, x2, both: net.near(both) + F.interpolate(F.adaptive_avg_pool2d(x1, 2), x1.shape[2:]),
        _by_turns,
    ],
    ids=["sums of rows", "numbers laid out over the image", "decides by a number"],
)
def test_what_is_not_seen_through_numbers_takes_the_whole_image(
    program: Any, rng: np.random.Generator
) -> None:
    method, pair = fusion.Method.from_module(Own(program), "own", "Own"), random_pair(rng, (11, 13))
    assert method.support_radius is None and method.numbers is None
    assert largest_error(method, pair, notable_pixels(rng, pair.shape), "whole image") <= TOLERANCE


def _normalised() -> Own:
    return Own(lambda n, x1, x2, b: n.near(n.norm(b) * b), norm=nn.InstanceNorm2d(2))


def test_too_many_numbers_take_the_whole_image(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = random_pair(rng, (11, 13))
    monkeypatch.setattr(held, "MOST_BYTES", 1000)
    method = fusion.Method.from_module(_normalised(), "own", "Own")
    assert largest_error(method, pair, [(0, 0), (5, 6)], "whole image") <= TOLERANCE
    monkeypatch.setattr(numbers, "MOST_NUMBERS", 3)
    assert fusion.Method.from_module(_normalised(), "own", "Own").numbers is None


def test_a_network_that_hides_what_it_does_takes_the_whole_image(rng: np.random.Generator) -> None:
    """What holding numbers would change is held against the whole image's derivative for each pair."""

    def program(net: Any, x1: Tensor, x2: Tensor, both: Tensor) -> Tensor:
        seen = torch.ops.aten.mean.default(both) if x1.shape[2] > 100 else both.mean()
        with torch._C.DisableTorchFunction():
            hidden = torch.tanh(both).mean() if x1.shape[2] == 23 else seen
        result: Tensor = net.near(both) * seen * hidden
        return result

    method = fusion.Method.from_module(Own(program), "own", "Own")
    assert method.numbers is not None
    for shape, path in (((22, 9), "numbers"), ((23, 9), "whole image")):
        pair = random_pair(rng, shape)
        assert largest_error(method, pair, notable_pixels(rng, shape), path) <= TOLERANCE


def test_each_pair_and_each_change_of_weights_has_numbers_of_its_own(rng: np.random.Generator) -> None:
    method = fusion.Method.from_module(_normalised(), "own", "Own")
    pairs = [random_pair(rng, (9, 10)) for _ in range(4)]
    for pair in (*pairs, pairs[0]):
        assert largest_error(method, pair, [(0, 3), (5, 5)], "numbers") <= TOLERANCE
    with torch.no_grad():
        for weight in method.network.parameters():
            weight.mul_(1.5)
    assert largest_error(method, pairs[0], [(0, 3), (5, 5)], "numbers") <= TOLERANCE


def test_what_pairs_need_beforehand_can_be_given_up(rng: np.random.Generator) -> None:
    method, pair = fusion.Method.from_module(_normalised(), "own", "Own"), random_pair(rng, (12, 9))
    shares: list[float] = []

    def stop(share: float) -> None:
        shares.append(share)
        if share > 0.5:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fusion.prepare(method, pair, "float64", stop)
    assert shares == sorted(shares) and len(shares) > 4
    fusion.prepare(method, pair, "float64")
    assert largest_error(method, pair, [(3, 3)], "numbers") <= TOLERANCE

"""Pixels near the pole of a fusion rule, against sums that are made by hand, and where pages and files get them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import fusion
from fusion import Pair
from fusion.methods.funfusean import FunFuseAn
from fusion.saliency.poles import has_pole
from tests.unit.reference import drawn_method, random_pair

SHAPE = (14, 17)


class OneFeature(nn.Module):
    """A branch whose features are all the same multiple of its input."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return (image * self.factor).expand(-1, 64, -1, -1)


def test_features_count_where_their_sum_is_at_most_a_twentieth() -> None:
    network = FunFuseAn()
    network.high1, network.high2 = OneFeature(1.0), OneFeature(-1.0)  # type: ignore[assignment]
    first = torch.tensor([[[[0.5, 0.5, 0.5, 0.5]]]])
    second = torch.tensor([[[[0.5, 0.46, 0.54, 0.44]]]])
    assert network.near_pole(first, second).tolist() == [[[[64, 64, 64, 0]]]]


def test_tiles_count_what_the_whole_image_does(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fusion.saliency.poles.PIXELS_A_TILE", {"cpu": 30 * 30})
    method, pair = drawn_method("funfusean"), random_pair(rng, (40, 50))
    network = method.network_as(torch.float64)
    assert isinstance(network, FunFuseAn)
    images = [torch.tensor(image, dtype=torch.float64)[None, None] for image in pair.images]
    with torch.no_grad():
        sums = (network.high1(images[0]) + network.high2(images[1]))[0]
    found = fusion.near_pole(method, pair, "float64")
    assert found.shape == pair.shape and found.any()
    np.testing.assert_array_equal(found, (sums.abs() <= 0.05).sum(0).numpy())


@pytest.mark.parametrize("id", ["funfusean_sum", "deepfuse"])
def test_a_method_without_a_pole_is_near_none(id: str, rng: np.random.Generator) -> None:
    method = drawn_method(id)
    assert not has_pole(method)
    assert not fusion.near_pole(method, Pair(rng.random((2, *SHAPE), dtype=np.float32))).any()

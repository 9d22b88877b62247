"""Networks that stride or pool: crops must meet them in their phase, and sides that do not fit are checked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

import fusion
from fusion.errors import SupportRadiusError
from fusion.saliency.support import GLOBAL, declared_locality
from tests.unit.reference import relative_error, whole_image_jacobian
from tests.unit.small_networks import conv


class Pyramid(nn.Module):
    """One pooling, stretched back to the size of the skip connection as many networks do it."""

    def __init__(self, mode: str = "nearest") -> None:
        super().__init__()
        self.first, self.last = conv(2, 3), conv(6, 1)
        self.mode = mode

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        features = torch.relu(self.first(torch.cat((x1, x2), 1)))
        deep = F.interpolate(F.avg_pool2d(features, 2), size=features.shape[2:], mode=self.mode)
        return self.last(torch.cat((features, deep), 1))


class PaddedAround(nn.Module):
    """Pads to multiples of 4 on both sides, so that its blocks lie elsewhere in images of other sides."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = conv(2, 3), conv(3, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        both = torch.cat((x1, x2), 1)
        height, width = both.shape[2:]
        down, across = -height % 4, -width % 4
        both = F.pad(both, (across // 2, across - across // 2, down // 2, down - down // 2))
        deep = F.interpolate(F.avg_pool2d(torch.relu(self.first(both)), 4), scale_factor=4.0)
        return self.last(deep)[:, :, down // 2 : down // 2 + height, across // 2 : across // 2 + width]


class InBlocks(nn.Module):
    """Works on blocks, padded at the end where need be."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        self.down = nn.Conv2d(2, 4, side, stride=side)
        self.up = nn.ConvTranspose2d(4, 1, side, stride=side)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        height, width = x1.shape[2:]
        both = F.pad(torch.cat((x1, x2), 1), (0, -width % self.side, 0, -height % self.side))
        return self.up(torch.tanh(self.down(both)))[:, :, :height, :width]


class Asleep(nn.Module):
    """A branch in blocks that only a dark background wakes."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        height, width = x1.shape[2:]
        blocks = F.avg_pool2d(F.pad(x1, (0, width % 2, 0, height % 2)), 2)
        return x2 + torch.relu(0.05 - F.interpolate(blocks, scale_factor=2.0)[:, :, :height, :width])


def dark_pair(shape: tuple[int, int]) -> fusion.Pair:
    """Return noise with a black background in its upper left third."""
    images = np.random.default_rng().random((2, *shape))
    images[:, : shape[0] // 3, : shape[1] // 3] = 0
    return fusion.Pair.from_arrays(*images)


def check_everywhere(method: fusion.Method, pair: fusion.Pair) -> None:
    """Compare Jacobian and guidance images with plain autograd on the whole image."""
    height, width = pair.shape
    rng = np.random.default_rng()
    pixels = [(0, 0), (height - 1, width - 1), (0, width - 1), (height // 2, width // 2), (2, 3)]
    pixels += [(int(rng.integers(height)), int(rng.integers(width))) for _ in range(4)]
    guidance = fusion.guidance(method, pair, dtype="float64")
    for window in fusion.jacobians(method, pair, pixels, "float64"):
        expected = whole_image_jacobian(method, pair, (window.row, window.col))
        assert relative_error(window.dense(), expected) <= 1e-10, (pair.shape, window.row, window.col)
        own = guidance[:, window.row, window.col] - expected[:, window.row, window.col]
        assert np.abs(own).max() <= 1e-10 * max(1.0, float(np.abs(expected).max()))


@pytest.mark.parametrize(
    ("network", "alignment", "unfit"),
    [
        (Pyramid(), 2, (47, 43)),
        (Pyramid(mode="bilinear"), 2, (36, 43)),
        (PaddedAround(), 4, (46, 48)),
        (InBlocks(2), 2, None),
        (InBlocks(3), 3, None),
        (Asleep(), 2, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_sides_that_are_no_multiple_of_the_stride(
    network: nn.Module, alignment: int, unfit: tuple[int, int] | None
) -> None:
    method = fusion.Method.from_module(network, "own", "Own")
    assert method.locality.alignment == alignment
    for shape in ((36, 48), (37, 48), (47, 43), (5, 7)):
        pair = dark_pair(shape)
        check_everywhere(method, pair)
    if unfit is None:
        assert method.locality_at((47, 43)) == method.locality
    else:
        check_everywhere(method, dark_pair(unfit))
        assert method.locality_at(unfit) == GLOBAL
        large = (unfit[0] + 144_000, unfit[1] + 144_000)
        assert method.locality_at(large) == GLOBAL, "found without running it on such an image"
    assert method.locality_at((48, 36)) == method.locality


def test_a_declared_radius_is_given_its_alignment() -> None:
    found = fusion.Method.from_module(InBlocks(2), "own", "Own").locality
    assert declared_locality(InBlocks(2), found.support_radius) == found
    assert found.alignment == 2
    with pytest.raises(SupportRadiusError, match=r"\(1, 1\)"):
        declared_locality(InBlocks(2), (2, 2))

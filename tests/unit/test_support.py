"""The support radius by NaN probing, and what is done with networks that are not plain stride-1 convolutions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

import fusion
from fusion.errors import AtlasError, NetworkError, SupportRadiusError
from fusion.methods.registry import method_specification
from fusion.saliency import support
from fusion.saliency.atlas import Atlas
from fusion.saliency.crops import GLOBAL
from fusion.saliency.probing import sample
from fusion.saliency.support import declared_locality, probe_locality
from tests.unit.reference import random_pair, relative_error, whole_image_jacobian, whole_image_jacobians
from tests.unit.small_networks import conv


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
    windows = fusion.jacobians(method, pair, pixels, "float64")
    guidance = fusion.guidance(method, pair, dtype="float64")
    for pixel, window, expected in zip(
        pixels, windows, whole_image_jacobians(method, pair, pixels), strict=True
    ):
        assert relative_error(window.dense(), expected) <= 1e-10
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
    windows = fusion.jacobians(method, pair, pixels, "float64")
    for window, expected in zip(windows, whole_image_jacobians(method, pair, pixels), strict=True):
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


def test_there_is_no_atlas_of_sides_that_do_not_fit(tmp_path: Path) -> None:
    method = fusion.Method.from_module(Pyramid(), "own", "Own")
    fitting, unfit = dark_pair((12, 14)), dark_pair((13, 15))
    atlas = Atlas(tmp_path / "atlas", method, fitting)
    atlas.fill(method, fitting)
    expected = whole_image_jacobian(method, fitting, (4, 5))
    assert np.abs(atlas.window(4, 5).dense() - expected).max() <= 1e-3 * np.abs(expected).max()
    with pytest.raises(AtlasError, match="sees the whole image"):
        Atlas(tmp_path / "other", method, unfit)


@pytest.mark.parametrize("shape", [(5, 7), (37, 48)])
def test_what_is_stretched_at_one_size_is_found_out_whatever_the_weights_are(shape: tuple[int, int]) -> None:
    """Dark parts of the image and rectifiers that are off hide it at a few pixels, and at others in a few rows."""
    for seed in range(12):
        torch.manual_seed(seed)
        method = fusion.Method.from_module(Pyramid(), "own", "Own")
        assert method.support_radius == (3, 3)
        assert method.locality_at(shape) == GLOBAL, seed


def test_memory_is_bounded_while_a_network_is_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attention between all pixels takes four times as much of an image of twice as many."""
    sides: list[int] = []

    def attending(x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        tokens = F.avg_pool2d(x1 + x2, 4).flatten(2)
        seen = torch.softmax(tokens.transpose(1, 2) * tokens, -1) @ tokens.transpose(1, 2)
        few = seen.transpose(1, 2).view(*x1.shape[:2], x1.shape[2] // 4, x1.shape[3] // 4)
        return x2 + F.interpolate(few, scale_factor=4.0)

    def sampled(shape: tuple[int, int], seed: int) -> Tensor:
        sides.append(shape[0])
        return sample(shape, seed)

    monkeypatch.setattr(support, "sample", sampled)
    monkeypatch.setattr(support, "PROBE_BYTES", 6 * 2**20)
    method = fusion.Method.from_module(attending, "own", "Own")
    assert method.locality == GLOBAL
    assert max(sides) == 96, "of 128 pixels it would take 3.6 times as much as of 96"
    assert support._expected_bytes([(100, 10.0), (200, 40.0)], 400) == pytest.approx(160)
    assert support._expected_bytes([(100, 10.0)], 400) == pytest.approx(40)

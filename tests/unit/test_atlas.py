from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr
from torch import nn
from zarr.codecs import Crc32cCodec

import fusion
from fusion import Method, Pair
from fusion.errors import AtlasError, Cancelled, PixelOutsideImageError
from fusion.saliency import atlas as atlas_module
from fusion.saliency.atlas import TILE, Atlas, atlas_bytes
from fusion.saliency.chain.chain import Chain

WORST = 2.0**-11


class Weak(nn.Module):
    """Derivatives of very different size, some of them tiny, and none at all where x1 is dark."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 1, 5, padding=2)

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.layer(torch.cat((x1, x2), dim=1))
        return mixed * torch.relu(x1 - 0.5) ** 6


@pytest.fixture
def pair(rng: np.random.Generator) -> Pair:
    return Pair.from_arrays(rng.random((21, 26)), rng.random((21, 26)))


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have several tiles in a small image, whatever the method."""
    monkeypatch.setattr("fusion.saliency.atlas_store.TILE_SIDES", (TILE,))


class Dark(nn.Module):
    """No influence at all where both inputs are dark."""

    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        return torch.relu(x1 - 0.5) + torch.relu(x2 - 0.5)


@pytest.fixture(params=["deepfuse", "funfusean", "weighted_averaging", "weak"])
def method(request: pytest.FixtureRequest) -> Method:
    if request.param == "weak":
        torch.manual_seed(0)
        return Method.from_module(Weak(), "weak", "Weak")
    return fusion.load_method(request.param, "cpu")


def filled(folder: Path, method: Method, pair: Pair) -> Atlas:
    atlas = Atlas(folder, method, pair)
    atlas.fill(method, pair)
    return atlas


def test_every_window_is_there_within_half_a_thousandth(
    tmp_path: Path, method: Method, rng: np.random.Generator
) -> None:
    pair = Pair.from_arrays(rng.random((10, 19)), rng.random((10, 19)))
    atlas = filled(tmp_path / "atlas", method, pair)
    assert atlas.complete
    every = [(row, col) for row in range(10) for col in range(19)]
    for expected in fusion.jacobians(method, pair, every):
        found = atlas.window(expected.row, expected.col)
        assert (found.top, found.left, found.shape) == (expected.top, expected.left, expected.shape)
        assert found.values.dtype == np.float32
        error = np.abs(found.values - expected.values).max()
        assert error <= WORST * np.abs(expected.values).max()
    size = sum(
        file.stat().st_size
        for file in (tmp_path / "atlas").rglob("*")
        if file.is_file() and file.name != "zarr.json"
    )
    assert size == atlas_bytes(method, pair.shape)


def test_the_tiles_of_a_border_are_cut_off_with_the_image(
    tmp_path: Path, pair: Pair, small_tiles: None
) -> None:
    method = fusion.load_method("deepfuse", "cpu")
    atlas = filled(tmp_path, method, pair)
    assert (atlas.side, atlas.tiles_done) == (TILE, (12, 12))
    for pixel in [(0, 0), (7, 8), (8, 7), (20, 25), (16, 24), (20, 0), (0, 25), (10, 12)]:
        expected = fusion.jacobian(method, pair, pixel)
        error = np.abs(atlas.window(*pixel).values - expected.values).max()
        assert error <= WORST * np.abs(expected.values).max()


def test_where_nothing_has_influence_windows_are_zero_and_not_missing(
    tmp_path: Path, rng: np.random.Generator, small_tiles: None
) -> None:
    images = rng.random((2, 24, 24))
    images[:, :TILE, :TILE] = 0
    pair = Pair.from_arrays(*images)
    method = Method.from_module(Dark(), "dark", "Dark")
    atlas = filled(tmp_path, method, pair)
    assert atlas.complete
    for pixel in [(0, 0), (7, 7)]:
        np.testing.assert_array_equal(atlas.window(*pixel).values, np.zeros((2, 1, 1)))
    assert not np.isnan(atlas.stored([(0, 0)]).scales).any()
    (tmp_path / "values/c.0.0.0.0.0").unlink()
    fresh = Atlas(tmp_path, method, pair)
    assert not fresh.complete
    with pytest.raises(AtlasError, match="missing or damaged"):
        fresh.window(0, 0)
    fresh.fill(method, pair)
    np.testing.assert_array_equal(fresh.window(0, 0).values, np.zeros((2, 1, 1)))


def test_another_layer_is_another_atlas(tmp_path: Path, pair: Pair) -> None:
    torch.manual_seed(0)
    network = Weak()
    atlas = filled(tmp_path, Method.from_module(network, "weak", "Weak"), pair)
    with torch.no_grad():
        network.layer.weight[0, 0, 2, 2] += 0.1
    changed = Method.from_module(network, "weak", "Weak")
    with pytest.raises(AtlasError, match="another pair, method or version"):
        Atlas(tmp_path, changed, pair)
    row, col = np.argwhere(pair.images[0] > 0.8)[0]
    expected = fusion.jacobian(changed, pair, (int(row), int(col)))
    found = atlas.window(int(row), int(col))
    assert np.abs(found.values - expected.values).max() > WORST * np.abs(expected.values).max()


def test_an_interrupted_atlas_goes_on_where_it_was(tmp_path: Path, pair: Pair, small_tiles: None) -> None:
    method = fusion.load_method("weighted_averaging", "cpu")

    def stop(done: int, total: int) -> None:
        assert total == 12
        if done == 5:
            raise Cancelled("Enough.")

    with pytest.raises(Cancelled):
        Atlas(tmp_path, method, pair).fill(method, pair, stop)
    again = Atlas(tmp_path, method, pair)
    assert again.tiles_done == (5, 12)
    assert again.has(0, 0)
    with pytest.raises(AtlasError, match="not computed yet"):
        again.window(20, 25)
    seen: list[int] = []
    again.fill(method, pair, lambda done, total: seen.append(done))
    assert seen == list(range(5, 13))
    assert Atlas(tmp_path, method, pair).complete


@pytest.mark.parametrize("by_chain", [True, False])
def test_gradients_that_are_not_finite_stay_so(
    by_chain: bool, tmp_path: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = fusion.load_method("weighted_averaging", "cpu")
    window = fusion.jacobian(method, pair, (3, 4))
    values = np.array(window.values)
    values[0] = np.inf
    broken = fusion.JacobianWindow(values, window.top, window.left, 3, 4, pair.shape)
    asked: list[tuple[int, int]] = []
    by_the_chain = atlas_module.chain_tensors

    def jacobians(
        method: Method, pair: Pair, pixels: list[tuple[int, int]], dtype: str, ahead: bool
    ) -> list[object]:
        asked.extend(pixels)
        windows = fusion.jacobians(method, pair, pixels, dtype, ahead=ahead)
        return [broken if (one.row, one.col) == (3, 4) else one for one in windows]

    def chain_tensors(
        chain: Chain, pair: Pair, pixels: list[tuple[int, int]], radius: int, batch_size: int
    ) -> Iterator[tuple[list[int], torch.Tensor]]:
        for numbers, gradients in by_the_chain(chain, pair, pixels, radius, batch_size):
            odd = [place for place, number in enumerate(numbers) if pixels[number] == (3, 4)]
            # As in the chain: 0 times infinity, of which autograd may say something else.
            yield numbers, gradients.clone().index_fill(0, torch.tensor(odd, dtype=torch.int64), torch.nan)

    monkeypatch.setattr(atlas_module, "jacobians", jacobians)
    monkeypatch.setattr(atlas_module, "chain_tensors", chain_tensors)
    if not by_chain:
        monkeypatch.setattr(atlas_module, "chain_of", lambda *arguments: None)
    atlas = filled(tmp_path, method, pair)
    found = atlas.window(3, 4)
    assert np.isinf(found.values[0]).all()
    assert found.suspicious
    np.testing.assert_allclose(found.values[1], values[1], rtol=1e-3)
    assert asked == [(3, 4)] if by_chain else len(asked) == pair.shape[0] * pair.shape[1]
    other = fusion.jacobian(method, pair, (20, 25)).values
    np.testing.assert_allclose(atlas.window(20, 25).values, other, rtol=1e-3)


def test_any_zarr_reader_opens_it(tmp_path: Path, pair: Pair) -> None:
    method = fusion.load_method("weighted_averaging", "cpu")
    atlas = filled(tmp_path, method, pair)
    assert zarr.open_group(tmp_path, mode="r").attrs["pair"] == pair.id
    values, scales = (zarr.open_array(tmp_path / name, mode="r") for name in ("values", "scales"))
    assert (values.shape, values.chunks) == ((21, 26, 2, 1, 1), (64, 64, 2, 1, 1))
    assert values.compressors == (Crc32cCodec(),)
    assert scales.shape == (21, 26)
    value = np.asarray(values[20, 25]) * np.asarray(scales[20, 25])
    np.testing.assert_allclose(value, atlas.window(20, 25).values, rtol=1e-6)
    (tmp_path / "scales/c.0.0").unlink()
    assert np.isnan(np.asarray(scales[:])).all(), "what is not computed is no number"


def test_what_cannot_be_read_is_told(tmp_path: Path, pair: Pair) -> None:
    method = fusion.load_method("weighted_averaging", "cpu")
    atlas = filled(tmp_path, method, pair)
    with pytest.raises(PixelOutsideImageError):
        atlas.window(21, 0)
    for name in ("values/c.0.0.0.0.0", "scales/c.0.0"):
        good = (tmp_path / name).read_bytes()
        for wrong in (b"short", good + b"long", bytes(len(good)) if "scales" in name else b""):
            (tmp_path / name).write_bytes(wrong)
            with pytest.raises(AtlasError, match="missing or damaged"):
                atlas.window(0, 0)
            kept = atlas.stored([(0, 0), (1, 1)])
            assert np.isnan(kept.scales).all() and not kept.values
        (tmp_path / name).write_bytes(good)
    assert atlas.window(0, 0).values.shape == (2, 1, 1)
    (tmp_path / "zarr.json").write_text("{}")
    with pytest.raises(AtlasError, match=r"cannot be opened|another pair"):
        Atlas(tmp_path, method, pair)


class Everywhere(nn.Module):
    def forward(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        return x1 * x2.mean(dim=(2, 3), keepdim=True)


def test_a_method_that_sees_everything_has_none(tmp_path: Path, pair: Pair) -> None:
    method = Method.from_module(Everywhere(), "everywhere", "Everywhere")
    with pytest.raises(AtlasError, match="not sparse"):
        Atlas(tmp_path, method, pair)
    with pytest.raises(AtlasError, match="not sparse"):
        atlas_bytes(method, pair.shape)

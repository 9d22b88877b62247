from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

import fusion
from cache.services.atlases import AtlasFolder
from cache.services.stored_atlases import LOOK_AGAIN_S
from fusion import Method, Pair
from fusion.errors import Cancelled
from fusion.saliency.atlas import TILE, Atlas, atlas_folder
from tests.unit.moved_clock import MovedClock


@pytest.fixture(scope="module")
def method() -> Method:
    return fusion.load_method("weighted_averaging", "cpu")


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have several tiles in a small image."""
    monkeypatch.setattr("fusion.saliency.atlas_store.TILE_SIDES", (TILE,))


@pytest.fixture
def pair(rng: np.random.Generator) -> Pair:
    return Pair.from_arrays(rng.random((12, 20)), rng.random((12, 20)))


def test_an_atlas_that_is_made_meanwhile_is_found(tmp_path: Path, method: Method, pair: Pair) -> None:
    clock = MovedClock()
    shelf = AtlasFolder(tmp_path, clock)
    assert shelf.window(method, pair, 0, 0) is None

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise Cancelled("Enough.")

    maker = Atlas(atlas_folder(tmp_path, method, pair), method, pair)
    with pytest.raises(Cancelled):
        maker.fill(method, pair, stop)
    clock.now += LOOK_AGAIN_S
    found = shelf.window(method, pair, 3, 4)
    assert found is not None
    np.testing.assert_allclose(found.values, fusion.jacobian(method, pair, (3, 4)).values, rtol=1e-3)
    assert shelf.window(method, pair, 11, 19) is None
    maker.fill(method, pair)
    clock.now += LOOK_AGAIN_S
    assert shelf.window(method, pair, 11, 19) is not None


def test_damage_is_logged_and_costs_only_time(
    tmp_path: Path, method: Method, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    folder = atlas_folder(tmp_path, method, pair)
    Atlas(folder, method, pair).fill(method, pair)
    (folder / "values/c.0.0.0.0.0").unlink()
    with caplog.at_level(logging.ERROR):
        assert AtlasFolder(tmp_path).window(method, pair, 0, 0) is None
    assert "computed instead" in caplog.text
    (folder / "zarr.json").write_text("no JSON")
    caplog.clear()
    assert AtlasFolder(tmp_path).window(method, pair, 9, 9) is None
    assert "cannot be used" in caplog.text

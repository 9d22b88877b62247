"""Whatever happens to a file of any store: what it held is computed anew or told, logged, and never shown wrong."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

import fusion
from cache.services.atlases import AtlasFolder
from cache.services.named_views import NamedViews, ViewFolder
from cache.services.regions import RegionFolder
from cache.store.file_cache import BoundedFileCache
from fusion import Method, Pair
from fusion.errors import RegionError, WeightsError
from fusion.saliency.atlas import TILE, Atlas, atlas_folder
from fusion.saliency.atlas_store import CHUNK, METADATA
from fusion.statistics.region_code import encode_mask
from fusion.weights import load_weights, save_weights
from tests.unit.cache_entries import MEGABYTE, file_of, number_of, value
from tests.unit.damage import CHANGED_ON_DISK, DAMAGES, Damage, denied, hidden

VIEW = {
    "name": "Core, dark",
    "note": "See the rim.",
    "page": "explore",
    "query": "?pair=glioma-t1&pixel=12,34",
}
VALUES, SCALES = f"values/{CHUNK}0.0.0.0.0", f"scales/{CHUNK}0.0"
GROUP, ARRAY, OTHER_ARRAY = METADATA, f"values/{METADATA}", f"scales/{METADATA}"


@pytest.fixture(scope="module")
def method() -> Method:
    return fusion.load_method("weighted_averaging", "cpu")


@pytest.fixture
def pair(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> Pair:
    monkeypatch.setattr("fusion.saliency.atlas_store.TILE_SIDES", (TILE,))
    return Pair.from_arrays(*rng.random((2, TILE, 2 * TILE)))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [VALUES, SCALES, GROUP, ARRAY, OTHER_ARRAY])
def test_a_damaged_atlas_shows_nothing_and_is_mended(
    tmp_path: Path,
    method: Method,
    pair: Pair,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    damage: Damage,
) -> None:
    folder = atlas_folder(tmp_path, method, pair)
    Atlas(folder, method, pair).fill(method, pair)
    right = fusion.jacobian(method, pair, (3, 4)).values
    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        damage(folder / name, patch)
        found = AtlasFolder(tmp_path).window(method, pair, 3, 4)
    # A changed letter of the description may mean the same, such as another space.
    assert found is None or ("json" in name and np.abs(found.values - right).max() < 1e-3)
    assert found is not None or caplog.text or name == SCALES, (
        "a folder in the place of scales is no tile yet"
    )
    if damage in (denied, hidden) or "another pair" in caplog.text:
        return
    Atlas(folder, method, pair, mend=True).fill(method, pair)
    atlas = Atlas(folder, method, pair)
    assert atlas.complete
    np.testing.assert_allclose(atlas.window(3, 4).values, right, rtol=1e-3)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_of_the_cache_is_a_miss_and_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, damage: Damage
) -> None:
    store = BoundedFileCache(tmp_path / "memo", MEGABYTE)
    store.set("a", value(1))
    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        damage(file_of(store, "a"), patch)
        assert store.get("a") is None
    assert caplog.text
    assert store.set("a", value(2))
    assert number_of(store.get("a")) == 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_view_is_listed_as_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, damage: Damage
) -> None:
    views = NamedViews(ViewFolder(tmp_path / "views"), RegionFolder(tmp_path / "regions"))
    lost, kept = (views.save({**VIEW, "name": name}) for name in ("Lost", "Kept"))
    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        damage(tmp_path / "views" / f"{lost['id']}.json", patch)
        assert views.all_and_damaged() == ([kept], [lost["id"]])
        assert views.all_and_damaged() == ([kept], [lost["id"]])
    assert caplog.text.count("cannot be used") == 1, "told once"
    views.delete(lost["id"])
    assert views.all_and_damaged() == ([kept], [])


def test_any_changed_letter_of_a_view_is_damage(tmp_path: Path) -> None:
    views = NamedViews(ViewFolder(tmp_path / "views"), RegionFolder(tmp_path / "regions"))
    saved = views.save(VIEW)
    path = tmp_path / "views" / f"{saved['id']}.json"
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert views.all() in ([], [saved]), "another would be shown"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_thumbnail_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage) -> None:
    views = NamedViews(ViewFolder(tmp_path / "views"), RegionFolder(tmp_path / "regions"))
    id = views.save(VIEW)["id"]
    views.keep_thumbnail(id, b"a picture of it")
    with monkeypatch.context() as patch:
        damage(tmp_path / "views" / f"{id}.jpg", patch)
        assert views.thumbnail(id) is None
    views.keep_thumbnail(id, b"a picture of it")
    assert views.thumbnail(id) == b"a picture of it"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_region_is_told_and_can_be_kept_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, damage: Damage
) -> None:
    mask = np.zeros((9, 9), dtype=bool)
    mask[2:5, 3:7] = True
    folder, code = RegionFolder(tmp_path / "regions"), encode_mask(mask)
    id = folder.keep(code)
    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        damage(tmp_path / "regions" / f"{id}.region", patch)
        with pytest.raises(RegionError, match=r"damaged|does not keep"):
            folder.code(id)
    if damage in CHANGED_ON_DISK:
        assert "damaged" in caplog.text
    assert folder.keep(code) == id
    assert folder.code(id) == code


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_weights_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage) -> None:
    torch.manual_seed(1)
    network = torch.nn.Conv2d(2, 1, 3)
    digest = save_weights(network, "one", {}, tmp_path)
    assert load_weights(network, "one", tmp_path / "one.safetensors") == digest
    with monkeypatch.context() as patch:
        damage(tmp_path / "one.safetensors", patch)
        with pytest.raises(WeightsError):
            load_weights(network, "one", tmp_path / "one.safetensors")

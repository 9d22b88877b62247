"""Beside the menu of pairs: what should be known of the images shown, and which of the data folder are unused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from app.factory import create_server
from app.settings import Settings
from cache.services.loaded import LoadedMethods
from cache.services.services import services_of
from tests.unit.page_calls import ask

PAGES = (("", "scene", False), ("/compare", "compare-scenes", True))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder = tmp_path_factory.mktemp("page")
    data = folder / "data"
    (data / "set" / "ir").mkdir(parents=True)
    (data / "set" / "vi").mkdir()
    gray = np.arange(108, dtype=np.uint8).reshape(12, 9)
    colours = np.stack([gray, gray[::-1], gray], axis=-1)
    Image.fromarray(gray).save(data / "set" / "ir" / "01.png")
    Image.fromarray(colours).save(data / "set" / "vi" / "01.png")
    for kind in ("foo", "bar"):
        Image.fromarray(gray).save(data / f"{kind}_1.png")
    (data / "mri_1.nrrd").write_bytes(b"NRRD0004")
    (data / "pet_7.png").symlink_to(data / "gone.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LoadedMethods, "load_all", lambda self: None)
        server = create_server(Settings(cache_dir=folder / "memo", device="cpu", data_dir=data))
    yield server.test_client()
    services_of(server).close()


def scene_of(client: FlaskClient, pair: str) -> dict[str, Any]:
    values = {("pair-select", "value"): pair, ("method-select", "value"): "weighted_averaging"}
    scene: dict[str, Any] = ask(client, "", "scene.data", values, "pair-select.value")["scene"]["data"]
    return scene


@pytest.mark.parametrize(("page", "scenes", "several"), PAGES)
def test_unused_images_are_listed_with_their_reasons(
    client: FlaskClient, page: str, scenes: str, several: bool
) -> None:
    told = json.dumps(ask(client, page, "pair-notes.children", {}, "viewer.data"), ensure_ascii=False)
    for words in (
        "Not used", "bar_1.png, foo_1.png are left out: no part of their names", "mri_1.nrrd is left out",
        "pet_7.png is left out: this is a link to something that is not there",
    ):  # fmt: skip
        assert words in told
    assert str(Path("data")) + "/" not in told
    assert "These images" not in told


@pytest.mark.parametrize(("page", "scenes", "several"), PAGES)
def test_what_was_done_to_the_images_shown_is_said(
    client: FlaskClient, page: str, scenes: str, several: bool
) -> None:
    def told(address: str) -> str:
        scene = scene_of(client, address)
        values = {(scenes, "data"): [scene] if several else scene}
        return json.dumps(
            ask(client, page, "pair-notes.children", values, f"{scenes}.data"), ensure_ascii=False
        )

    assert "vi/01.png: colour became gray" in told("set_01")
    assert "These images" not in told("glioma-t2")
    failed = {(scenes, "data"): [{"method_id": "none", "error": "gone"}] if several else None}
    assert "Not used" in json.dumps(ask(client, page, "pair-notes.children", failed, f"{scenes}.data"))


def test_the_menu_has_pairs_of_nested_folders(client: FlaskClient) -> None:
    layout = client.get("/_dash-layout").get_data(as_text=True)
    assert "IR / vi set_01 (ir/01.png + vi/01.png)" in json.dumps(json.loads(layout), ensure_ascii=False)

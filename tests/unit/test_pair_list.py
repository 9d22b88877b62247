"""The list of all pairs as it is now: what is added to the data folder is in it at once, with a small picture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.unit.guarded import guarded_server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("data")
    write(data, "mri_1", "pet_1")
    return data


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[FlaskClient]:
    with guarded_server(tmp_path_factory.mktemp("server"), data_dir=folder) as server:
        yield server.test_client()


def write(folder: Path, *names: str) -> None:
    for name in names:
        image = np.random.default_rng().integers(1, 255, (40, 30), dtype=np.uint8)
        image[0, :2] = 0, 255
        Image.fromarray(image).save(folder / f"{name}.png")


def labels(client: FlaskClient) -> dict[str, str]:
    return {pair["address"]: pair["label"] for pair in client.get("/pairs").get_json()["pairs"]}


def test_a_pair_that_comes_or_goes_is_seen_without_a_restart(client: FlaskClient, folder: Path) -> None:
    before = labels(client)
    assert before["1"] == "MRI / PET 1 (mri_1.png + pet_1.png)"
    assert before["glioma-t2"] == "Glioma, T2 (simulated)"
    write(folder, "Camp_IR", "Camp_VIS", "pet_2")
    listed = client.get("/pairs").get_json()
    assert {pair["address"] for pair in listed["pairs"]} == before.keys() | {"Camp"}
    assert {
        "address": "Camp",
        "label": "IR / VIS Camp (Camp_IR.png + Camp_VIS.png)",
        "modalities": ["IR", "VIS"],
    } in (listed["pairs"])
    assert any(problem.startswith("pet_2.png is left out") for problem in listed["problems"])
    (folder / "Camp_IR.png").unlink()
    assert labels(client).keys() == before.keys()
    (folder / "Camp_VIS.png").unlink()
    (folder / "pet_2.png").unlink()


def test_small_pictures_have_both_images(client: FlaskClient, folder: Path) -> None:
    answer = client.get("/pairs/picture.jpg?pair=1")
    assert answer.mimetype == "image/jpeg"
    seen = np.asarray(Image.open(io.BytesIO(answer.data)))
    assert seen.shape == (40, 62)
    for name, part in (("mri_1", seen[:, :30]), ("pet_1", seen[:, 32:])):
        image = np.asarray(Image.open(folder / f"{name}.png"))
        assert np.corrcoef(image.ravel(), part.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("pair", ["none", "", "upload-0", "../1"])
def test_there_is_no_picture_of_what_is_not_there(client: FlaskClient, pair: str) -> None:
    assert client.get("/pairs/picture.jpg", query_string={"pair": pair}).status_code == 204

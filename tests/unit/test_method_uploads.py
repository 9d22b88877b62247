"""Networks that visitors bring: what is taken, tried and kept, whose it is and for how long, and what is refused."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from flask import Flask
from flask.testing import FlaskClient

import cache.services.loaded
import cache.services.method_uploads
from cache.services.method_uploads import (
    BROUGHT,
    MethodUploads,
    Trial,
    UploadsOffError,
)
from cache.services.owned_folder import DAY_S
from cache.services.services import services_of
from cache.services.upload_stage import UploadError, UploadTooLargeError
from cache.services.uploads import bringer_of
from cache.settings import ServiceSettings
from fusion.errors import PackedMethodError, UnknownMethodError
from fusion.methods.base import Method
from fusion.methods.packed.folders import PackedMethod
from fusion.methods.packed.onnx_graph import facts_of
from tests.unit.guarded import guarded_server
from tests.unit.onnx_files import average, model_of, node
from tests.unit.test_onnx_hostile import HOSTILE

ME, YOU = bringer_of("a" * 32), bringer_of("b" * 32)
MINE = {"Fusevis-Viewer": "a" * 32}
YOURS = {"Fusevis-Viewer": "b" * 32}
AVERAGE: bytes = average().SerializeToString()
SECRET = "patient of ward 7"


class HereAndNow:
    """Stands for the process of a network, which takes seconds to start (test_packed_isolation.py tries that)."""

    def __init__(self, packed: PackedMethod, device: torch.device, limits: object) -> None:
        assert packed.foreign and limits is cache.services.method_uploads.BROUGHT_LIMITS
        self._packed = packed

    def look(self) -> dict[str, Any]:
        return facts_of(self._packed.model())

    def close(self) -> None:
        pass


class LoadedHere(Method):
    closed = 0

    def __init__(self, packed: PackedMethod, device: torch.device, limits: object) -> None:
        HereAndNow(packed, device, limits)
        self.__dict__ = packed.load_here(device).__dict__

    def close(self) -> None:
        LoadedHere.closed += 1


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache.services.method_uploads, "ForeignProcess", HereAndNow)
    for module in (cache.services.method_uploads, cache.services.loaded):
        monkeypatch.setattr(module, "IsolatedMethod", LoadedHere)


def uploads_in(folder: Path, **settings: Any) -> MethodUploads:
    return MethodUploads(
        ServiceSettings(cache_dir=folder, device="cpu", **{"allow_uploaded_methods": True, **settings})
    )


@pytest.fixture
def uploads(tmp_path: Path) -> Iterator[MethodUploads]:
    made = uploads_in(tmp_path)
    yield made
    made.close()


def settled(uploads: MethodUploads, id: str) -> Trial:
    """Return an upload once what was begun about it is done."""
    uploads._executor.submit(lambda: None).result()
    return uploads.trial(id)


def sent(uploads: MethodUploads, content: bytes = AVERAGE) -> str:
    """Send a file in two pieces, and wait until it has been read."""
    id = uploads.begin(f"{SECRET}.onnx", len(content))
    half = len(content) // 2
    assert uploads.add(id, 0, content[:half]).stage == "sending" or half == 0
    uploads.add(id, half, content[half:])
    settled(uploads, id)
    return id


def brought(uploads: MethodUploads, owner: str = ME, **description: Any) -> str:
    """Bring a network, and return its id."""
    id = sent(uploads)
    uploads.use(id, {"title": "Mean", **description}, owner)
    trial = settled(uploads, id)
    assert trial.kept is not None, trial.problem
    return trial.kept.id


def test_a_file_is_read_described_tried_and_kept_under_its_content(
    uploads: MethodUploads, tmp_path: Path
) -> None:
    id = sent(uploads)
    facts = uploads.trial(id).facts
    assert facts == {
        "images": [["x1", ["b", 1, "h", "w"]], ["x2", ["b", 1, "h", "w"]]], "outputs": ["y"], "channels": 1,
        "fixed": None, "multiple": 1, "single": False, "nodes": 2,
    }  # fmt: skip
    uploads.use(id, {"title": "Mean", "inputs": {"range": [0, 255], "order": ["x2", "x1"]}}, ME)
    kept = settled(uploads, id).kept
    assert kept is not None and kept.id.startswith(BROUGHT)
    again = uploads_in(tmp_path)  # after a restart
    packed = again.packed(kept.id)
    assert packed is not None and packed.foreign
    described = packed.description()
    assert (described.title, described.adaptation.swapped, described.adaptation.value_range) == (
        "Mean",
        True,
        (0, 255),
    )
    method = packed.load_here(torch.device("cpu"))
    assert method.id == kept.id
    first, second = torch.rand(2, 1, 1, 4, 5)
    assert torch.allclose(method.network(first, second), (first + second) / 2, atol=1e-6)
    # The same file described alike is the same; described otherwise it is another.
    assert brought(uploads, inputs={"range": [0, 255], "order": ["x2", "x1"]}) == kept.id
    assert brought(uploads) != kept.id


def test_what_a_file_says_of_channels_sizes_and_batch(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    model = model_of([node("Add", "x1 x2")], channels=3)
    for image in model.graph.input:
        sides = image.type.tensor_type.shape.dim
        sides[0].dim_value, sides[2].dim_param, sides[3].dim_param = 1, "8*h", "12*w"
    path.write_bytes(model.SerializeToString())
    facts = facts_of(path)
    assert (facts["channels"], facts["multiple"], facts["single"], facts["fixed"]) == (3, 24, True, None)
    path.write_bytes(model_of([node("Relu", "both")], channels=2, inputs=["both"]).SerializeToString())
    assert (facts_of(path)["channels"], facts_of(path)["multiple"]) == (1, 1)


@pytest.mark.parametrize(
    ("name", "words"),
    [("own.pt2", "can hold programs"), ("own.py", "can hold programs"), ("own.pth", "can hold programs"),
     ("own.safetensors", "weights without"), ("own", r"end in \.onnx"), ("own.png", r"end in \.onnx")],
)  # fmt: skip
def test_other_files_are_refused_before_a_byte_is_sent(uploads: MethodUploads, name: str, words: str) -> None:
    with pytest.raises(UploadError, match=words):
        uploads.begin(name, 10)


def test_too_much_and_nothing_are_refused_before_a_byte_is_sent(tmp_path: Path) -> None:
    uploads = uploads_in(tmp_path, uploaded_method_max_mb=1)
    with pytest.raises(UploadTooLargeError, match="up to 1 are taken"):
        uploads.begin("own.onnx", 2**20 + 1)
    for name, size in (("own.onnx", 0), ("own.onnx", -1), ("own.onnx", True), (None, 3), ("own.onnx", "3")):
        with pytest.raises(UploadError):
            uploads.begin(name, size)
    id = uploads.begin("own.onnx", 10)
    with pytest.raises(UploadError, match="Begin again"):
        uploads.add(id, 0, b"x" * 11)
    assert not list(tmp_path.rglob("*.onnx"))


@pytest.mark.parametrize("name", [name for name, (_, words) in HOSTILE.items() if words])
def test_a_hostile_file_is_refused_in_a_sentence_without_where_it_lies(
    uploads: MethodUploads, tmp_path: Path, name: str
) -> None:
    content = HOSTILE[name][0]()
    if not content:
        return  # refused before it is sent
    trial = uploads.trial(sent(uploads, content))
    assert trial.stage == "refused" and trial.problem[0].isupper() and trial.problem.endswith(".")
    assert str(tmp_path) not in trial.problem
    assert brought(uploads).startswith(BROUGHT)  # what comes after it is taken as before


def test_a_description_that_does_not_fit_can_be_put_right(uploads: MethodUploads) -> None:
    id = sent(uploads)
    with pytest.raises(PackedMethodError, match=r"^inputs\.range is two numbers"):
        uploads.use(id, {"inputs": {"range": [1]}}, ME)
    with pytest.raises(PackedMethodError, match="did you mean title"):
        uploads.use(id, {"titel": "x"}, ME)
    with pytest.raises(UploadError, match="up to 60 letters"):
        uploads.use(id, {"title": "x" * 61}, ME)
    with pytest.raises(UploadError, match="whose network"):
        uploads.use(id, {}, "")
    uploads.use(id, {"output": {"index": 5}}, ME)
    trial = settled(uploads, id)
    assert trial.stage == "read" and trial.problem and trial.facts is not None
    uploads.use(id, {}, ME)
    assert settled(uploads, id).stage == "kept"
    with pytest.raises(UploadError):
        uploads.use(id, {}, ME)


def test_only_who_brought_it_deletes_it_and_it_stays_for_others_who_did(uploads: MethodUploads) -> None:
    gone: list[str] = []
    uploads._forget = gone.append
    id = brought(uploads)
    with pytest.raises(UploadError, match="somebody else"):
        uploads.delete(id, YOU)
    assert brought(uploads, YOU) == id
    uploads.delete(id, ME)
    assert (uploads.owned(ME), [card.id for card in uploads.owned(YOU)], gone) == ([], [id], [])
    uploads.delete(id, YOU)
    assert uploads.packed(id) is None and gone == [id]


def test_what_is_old_or_has_no_room_goes(
    uploads: MethodUploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = brought(uploads, title="One"), brought(uploads, title="Two")
    small = uploads_in(tmp_path, uploaded_methods_max_gb=1e-9)
    last = brought(small, title="Three")
    assert [small.packed(id) for id in (first, second, last)] == [None] * 3  # there is no room for any
    kept = brought(uploads)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + uploads.keep_days * DAY_S + 1)
    assert uploads.packed(kept) is None and uploads.owned(ME) == []


def test_an_upload_is_forgotten_when_it_is_discarded(uploads: MethodUploads, tmp_path: Path) -> None:
    id = sent(uploads)
    uploads.discard(id)
    with pytest.raises(UploadError, match="Begin again"):
        uploads.trial(id)
    assert not list(tmp_path.rglob("*.onnx"))


def test_ids_that_lead_elsewhere_lead_nowhere(uploads: MethodUploads, tmp_path: Path) -> None:
    kept = brought(uploads)
    for id in (f"x/../{kept}", f"../methods/{kept}", "network-" + "g" * 32, "", "..", kept[:-1]):
        assert uploads.packed(id) is None


def test_no_name_of_a_file_stays_and_none_is_logged(
    uploads: MethodUploads, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        brought(uploads)
        sent(uploads, b"no network")
    assert SECRET not in caplog.text
    assert not any(SECRET in path.name for path in tmp_path.rglob("*"))
    assert not any(SECRET.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with guarded_server(tmp_path_factory.mktemp("server"), allow_uploaded_methods=True) as made:
        yield made


@pytest.fixture
def client(server: Flask) -> FlaskClient:
    return server.test_client()


def brought_by_routes(server: Flask, client: FlaskClient) -> str:
    """Bring a network as the page does, and return its id."""
    begun = client.post("/methods/uploads", json={"name": "own.onnx", "size": len(AVERAGE)}).get_json()["id"]
    client.put(f"/methods/uploads/{begun}?at=0", data=AVERAGE)
    uploads = services_of(server).method_uploads
    assert settled(uploads, begun).stage == "read"
    description = {"title": "Mean"}
    client.post(f"/methods/uploads/{begun}", json={"description": description}, headers=MINE)
    settled(uploads, begun)
    answer = client.get(f"/methods/uploads/{begun}", headers=MINE).get_json()
    assert answer["stage"] == "kept" and answer["kept"]["label"] == "Mean (uploaded)"
    id: str = answer["kept"]["id"]
    return id


def offered(client: FlaskClient, headers: dict[str, str], shown: str = "") -> dict[str, str]:
    found = client.get("/methods", query_string={"shown": shown}, headers=headers).get_json()["options"]
    return {option["value"]: option["label"] for option in found}


def test_it_stands_in_the_menus_of_who_brought_it_and_of_who_has_the_link(
    server: Flask, client: FlaskClient
) -> None:
    id = brought_by_routes(server, client)
    assert offered(client, MINE)[id] == "Mean (uploaded)"
    assert id not in offered(client, YOURS)
    assert offered(client, YOURS, f"masknet,{id}")[id] == "Mean (uploaded)"
    scenes = services_of(server).scenes
    scene = scenes.open(scenes.entries()[0].address, id)
    pair = scenes.pair(scene)
    np.testing.assert_allclose(scenes.fused(scene), pair.images.mean(0), atol=1e-6)
    window = client.get(f"/jacobian/{scene.pair_id}/{id}/{scene.weights_id}/2/3")
    assert window.status_code == 200
    assert client.delete(f"/methods/{id}", headers=YOURS).get_json()["error"]
    assert client.delete(f"/methods/{id}", headers=MINE).get_json() == {"deleted": id}
    assert not scenes.has_method(id)
    with pytest.raises(UnknownMethodError):
        scenes.loaded_methods.get(id)


def test_processes_of_few_are_kept(
    server: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache.services.loaded, "MOST_BROUGHT", 1)
    services = services_of(server)
    ids = [brought(services.method_uploads, title=title) for title in ("One", "Two")]
    before = LoadedHere.closed
    for id in (*ids, *ids):
        services.scenes.loaded_methods.get(id)
    assert LoadedHere.closed == before + 3


def test_answers_that_are_failures_have_their_status(client: FlaskClient) -> None:
    large = client.post("/methods/uploads", json={"name": "own.onnx", "size": 2**40})
    assert large.status_code == 413 and "MiB" in large.get_json()["error"]
    piece = client.put("/methods/uploads/x?at=0", data=b"x" * (4 * 2**20 + 1))
    assert piece.status_code == 413
    assert "Begin again" in client.get("/methods/uploads/x").get_json()["error"]
    assert client.put("/methods/uploads/x?at=z").get_json()["error"].startswith("A piece")
    listed = client.get("/methods/uploads", headers=MINE).get_json()
    assert listed["keep_days"] == 30 and isinstance(listed["methods"], list)


def test_switched_off_all_routes_say_so_and_no_page_has_the_control(
    client: FlaskClient, tmp_path: Path
) -> None:
    kept = brought(uploads_in(tmp_path / "cache"))
    with guarded_server(tmp_path) as closed:
        refusing = closed.test_client()
        for method, address in (
            ("GET", ""), ("POST", ""), ("GET", "/x"), ("PUT", "/x?at=0"), ("POST", "/x"), ("DELETE", "/x"),
        ):  # fmt: skip
            answer = refusing.open(
                f"/methods/uploads{address}", method=method, json={"name": "a.onnx", "size": 1}
            )
            assert answer.status_code == 403, (method, address)
            assert "FUSEVIS_ALLOW_UPLOADED_METHODS" in answer.get_json()["error"]
        assert refusing.delete(f"/methods/{kept}", headers=MINE).status_code == 403
        assert not services_of(closed).scenes.has_method(kept)
        for page in ("", "/compare"):
            assert b"networks-open" not in refusing.get(f"{page}/_dash-layout").data
    for page in ("", "/compare"):
        assert b"networks-open" in client.get(f"{page}/_dash-layout").data
    with pytest.raises(UploadsOffError):
        uploads_in(tmp_path, allow_uploaded_methods=False).begin("a.onnx", 1)

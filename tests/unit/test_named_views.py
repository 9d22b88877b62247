"""Named views: what is saved comes back, what is wrong is refused in words, and a study holds all that is needed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

import cache.services.regions
import cache.services.view_folder
from app.routes.views import routes
from cache.services.named_views import NamedViews, SavedView, ViewFolder
from cache.services.regions import RegionFolder
from cache.services.services import EXTENSION, Services
from cache.store.sealed import bytes_on_disk
from fusion.errors import FuseVisError
from fusion.statistics.region_code import encode_mask

QUERY = "?gamma1=0.8&method=masknet&pair=glioma-t1&pixel=12,34"
VIEW = {"name": "Core, dark", "note": "See the rim.\nThen the core.", "page": "explore", "query": QUERY}


def named(folder: Path) -> NamedViews:
    return NamedViews(ViewFolder(folder / "views"), RegionFolder(folder / "regions"))


@pytest.fixture
def views(tmp_path: Path) -> NamedViews:
    return named(tmp_path / "here")


def test_a_view_comes_back_changed_or_not_at_all(views: NamedViews, tmp_path: Path) -> None:
    assert views.all() == []
    saved = views.save(VIEW)
    assert {key: saved[key] for key in VIEW} == VIEW
    assert named(tmp_path / "here").all() == [saved], "another process sees it"
    changed = views.change(saved["id"], {"name": " Rim ", "query": "?pair=other", "id": "0" * 16})
    assert datetime.fromisoformat(changed.pop("changed")) > datetime.fromisoformat(saved["saved"])
    assert changed == {**saved, "name": "Rim"}, "only name and note can be changed"
    views.delete(saved["id"])
    assert views.all() == []
    with pytest.raises(FuseVisError, match="no such view"):
        views.delete(saved["id"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "  "}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "x" * 81}, "80 characters"),
        ({"note": "x" * 2001}, "2000 characters"),
        ({"page": "training"}, "page"),
        ({"page": "../../etc"}, "page"),
        ({"query": "javascript:alert(1)"}, "query"),
        ({"query": "?a b"}, "query"),
        ({"query": "?" + "x" * 8000}, "8000 characters"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
    ],
)
def test_what_cannot_be_a_view_is_refused(views: NamedViews, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(FuseVisError, match=words):
        views.save({**VIEW, **changes})
    assert views.all() == []


def test_damaged_files_and_hostile_ids_hurt_nobody(views: NamedViews, tmp_path: Path) -> None:
    saved = views.save(VIEW)
    folder = tmp_path / "here" / "views"
    (folder / f"{'0' * 16}.json").write_text("{")
    (folder / f"{'1' * 16}.json").write_text((folder / f"{saved['id']}.json").read_text())
    assert views.all() == [saved]
    for id in ("../secret", "", "0" * 16, "g" * 16, "x/../y", saved["id"].upper() + "0"):
        with pytest.raises(FuseVisError, match="no such view"):
            views.change(id, {"name": "x"})


def test_what_is_not_seen_is_left_out_of_notes(views: NamedViews, tmp_path: Path) -> None:
    hostile = "a\x00b\x1b[31m\x7fc\u202ed\u2066e\u200ff\ud800"
    for text, kept in (
        (hostile[:-1], "ab[31mcdef"),
        ("one\r\ntwo\rthree\n\tfour\u2028five", "one\ntwo\nthree\n\tfour\nfive"),
        *[(text, text) for text in ("Größe 5 µm, \u00a0 «Ω»", "\u0645\u06cc\u200c\u062e\u0648", "👩\u200d⚕️")],
    ):
        assert views.save({**VIEW, "note": text})["note"] == kept
    with pytest.raises(FuseVisError, match="note"):
        views.save({**VIEW, "note": hostile})
    path = next((tmp_path / "here" / "views").glob("*.json"))
    before = {key: value for key, value in json.loads(path.read_text()).items() if key != "checksum"}
    path.write_text(json.dumps({**before, "note": hostile[:-1]}))
    assert "ab[31mcdef" in {view["note"] for view in views.all()}, "a file from before is not lost"


def test_a_study_of_a_newer_version_says_so(views: NamedViews) -> None:
    study = {"format": "fusevis-study", "version": 7, "views": {"changed": True}, "more": 1}
    with pytest.raises(FuseVisError, match=r"newer FuseVis \(version 7 .* reads version 1"):
        views.take(json.dumps(study).encode())
    for other in ({**study, "version": 0}, {**study, "version": "x"}, {**study, "format": "another"}):
        with pytest.raises(FuseVisError, match="not a study"):
            views.take(json.dumps(other).encode())


def test_what_a_study_is_refused_for_can_be_read(views: NamedViews) -> None:
    study = {"format": "fusevis-study", "version": 1, "views": [], "\u202e" + "x" * 5000: 1}
    with pytest.raises(FuseVisError, match="not a study") as caught:
        views.take(json.dumps(study).encode())
    assert len(str(caught.value)) < 250 and str(caught.value).isprintable()


NAIVE = "2024-01-01T00:00:00"


def test_a_time_without_a_zone_is_refused_and_hurts_nobody(views: NamedViews, tmp_path: Path) -> None:
    saved = views.save(VIEW)
    foreign = SavedView(name="x", page="explore").model_dump(mode="json") | {"saved": NAIVE}
    study = {"format": "fusevis-study", "version": 1, "views": [foreign]}
    with pytest.raises(FuseVisError, match="timezone"):
        views.take(json.dumps(study).encode())
    # As a server without this check has left it behind.
    (tmp_path / "here" / "views" / f"{foreign['id']}.json").write_text(json.dumps(foreign))
    assert views.all() == [saved]
    assert len(json.loads(views.study([]))["views"]) == 1
    assert views.take(views.study([]).encode()) == {"added": 0, "known": 1}


def test_times_are_compared_and_kept_in_utc(views: NamedViews) -> None:
    times = ["2024-01-01T02:00:00+09:00", "2024-01-01T00:00:00Z", "2023-12-31T20:00:00-05:00"]
    given = [SavedView(name=time, page="explore").model_dump(mode="json") | {"saved": time} for time in times]
    views.take(json.dumps({"format": "fusevis-study", "version": 1, "views": given}).encode())
    assert [view["name"] for view in views.all()] == times[::-1]
    assert {view["saved"][-1] for view in views.all()} == {"Z"}
    early = {**given[0], "id": "0" * 16, "saved": "0001-01-01T00:00:00+23:00"}
    with pytest.raises(FuseVisError, match="no time"):
        views.take(json.dumps({"format": "fusevis-study", "version": 1, "views": [early]}).encode())


def test_views_saved_quickly_stand_in_their_order(views: NamedViews) -> None:
    kept = [views.save({**VIEW, "name": f"view {number}"}) for number in range(20)]
    assert views.all() == kept[::-1]


def test_a_study_takes_views_and_their_regions_to_another_server(views: NamedViews, tmp_path: Path) -> None:
    code = encode_mask(np.random.default_rng().random((48, 60)) > 0.5)
    id = RegionFolder(tmp_path / "here" / "regions").keep(code)
    kept = [views.save({**VIEW, "name": f"view {number}"}) for number in range(20)]
    kept.append(views.save({**VIEW, "page": "compare", "query": f"?pair=own&regions=noise~1b9e4b~s{id}"}))
    there = named(tmp_path / "there")
    study = views.study([]).encode()
    assert there.take(study) == {"added": 21, "known": 0}
    assert sorted(there.all(), key=lambda view: view["id"]) == sorted(kept, key=lambda view: view["id"])
    assert RegionFolder(tmp_path / "there" / "regions").code(id) == code
    assert there.take(study) == {"added": 0, "known": 21}
    assert len(json.loads(views.study([kept[3]["id"], kept[5]["id"]]))["views"]) == 2


def kept_regions(folder: Path) -> list[Path]:
    return list(folder.glob("regions/*"))


@pytest.mark.parametrize("text", ["hello", "<script>", "b5.5.1.1", "rAA", "ä", "s" + "0" * 32])
def test_only_regions_are_kept_as_regions(views: NamedViews, tmp_path: Path, text: str) -> None:
    shelf = RegionFolder(tmp_path / "here" / "regions")
    with pytest.raises(FuseVisError, match="not the code of a region"):
        shelf.keep(text)
    id = hashlib.sha256(text.encode()).hexdigest()[:32]
    study = {"format": "fusevis-study", "version": 1, "views": [], "regions": {id: text}}
    with pytest.raises(FuseVisError, match="damaged"):
        views.take(json.dumps(study).encode())
    assert kept_regions(tmp_path / "here") == []
    # As a server without this check has left it behind.
    (tmp_path / "here" / "regions").mkdir(parents=True)
    (tmp_path / "here" / "regions" / f"{id}.region").write_text(text)
    with pytest.raises(FuseVisError, match="does not keep"):
        shelf.code(id)


def test_a_study_that_is_refused_leaves_no_region_behind(views: NamedViews, tmp_path: Path) -> None:
    code = "b1.2.3.5"
    id = hashlib.sha256(code.encode()).hexdigest()[:32]
    view = SavedView(name="x", page="explore", query=f"?regions=a~1b9e4b~s{id}").model_dump(mode="json")
    study = {"format": "fusevis-study", "version": 1, "views": [view]}
    with pytest.raises(FuseVisError, match="damaged"):
        views.take(json.dumps({**study, "regions": {id: code, "0" * 32: code}}).encode())
    assert kept_regions(tmp_path / "here") == []
    views.take(json.dumps({**study, "views": [], "regions": {id: code}}).encode())
    assert kept_regions(tmp_path / "here") == [], "no view needs it"
    views.take(json.dumps({**study, "regions": {id: code}}).encode())
    assert [path.stem for path in kept_regions(tmp_path / "here")] == [id]


def test_a_view_that_a_study_has_twice_is_one(views: NamedViews) -> None:
    saved = [SavedView(name=name, page="explore").model_dump(mode="json") for name in "abc"]
    study = {"format": "fusevis-study", "version": 1, "views": [*saved, *saved, {**saved[0], "name": "z"}]}
    assert views.take(json.dumps(study).encode()) == {"added": 3, "known": 0}
    assert sorted(view["name"] for view in views.all()) == ["a", "b", "c"], "the first counts"
    assert views.take(json.dumps(study).encode()) == {"added": 0, "known": 3}


def test_a_study_without_room_for_all_of_it_is_refused_whole(
    views: NamedViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache.services.view_folder, "MOST_VIEWS", 5)
    kept = [views.save(VIEW) for _ in range(4)]
    more = [SavedView(name=name, page="explore").model_dump(mode="json") for name in "ab"]
    study = {"format": "fusevis-study", "version": 1, "views": [*kept, *more]}
    with pytest.raises(FuseVisError, match="2 views are new, and there is room for 1 more"):
        views.take(json.dumps(study).encode())
    assert views.all() == kept[::-1]
    assert views.take(json.dumps({**study, "views": [*kept, more[0]]}).encode()) == {"added": 1, "known": 4}


def test_hostile_studies_are_refused_whole(views: NamedViews) -> None:
    good = SavedView(name="x", page="explore").model_dump(mode="json")
    study = {"format": "fusevis-study", "version": 1, "views": [good], "regions": {}}
    wrong: list[Any] = [
        None, [], {}, "study", {**study, "version": 2}, {**study, "format": "other"}, {**study, "more": 1},
        {**study, "views": [{**good, "id": "../../x"}]}, {**study, "views": [{**good, "saved": "yesterday"}]},
        {**study, "views": [good] * 2001}, {**study, "regions": {"x": "y"}},
        {**study, "regions": {"0" * 32: "b1.2.3.4"}}, {**study, "views": [{**good, "query": "//evil.example"}]},
    ]  # fmt: skip
    for content in (b"", b"\xff\xfe", b"[" * 100_000, *(json.dumps(one).encode() for one in wrong)):
        with pytest.raises(FuseVisError):
            views.take(content)
    assert views.all() == []


@pytest.fixture
def client(views: NamedViews) -> FlaskClient:
    services = object.__new__(Services)  # of which nothing else is asked for
    object.__setattr__(services, "views", views)
    server = Flask("test")
    server.extensions[EXTENSION] = services
    server.register_blueprint(routes)
    return server.test_client()


def test_the_routes_do_all_of_it(client: FlaskClient) -> None:
    saved = client.post("/views", json=VIEW).get_json()
    assert client.get("/views").get_json() == {"views": [saved]}
    assert client.patch(f"/views/{saved['id']}", json={"note": "new"}).get_json()["note"] == "new"
    answer = client.get(f"/views/study.json?ids={saved['id']}")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert client.delete(f"/views/{saved['id']}").get_json() == {"deleted": saved["id"]}
    assert client.post("/views/study", data=answer.data).get_json() == {"added": 1, "known": 0}
    assert client.post("/views/study.json", json={"ids": []}).data == answer.data, "all of them"
    for refused in (
        client.post("/views/study.json", json={"ids": ["nothing"]}),
        client.post("/views/study.json", json={"ids": saved["id"]}),
        client.post("/views/study.json", json={"ids": [1]}),
        client.post("/views/study.json", json={}),
        client.post("/views/study.json", data=b"{"),
        client.post("/views", json={}),
        client.post("/views", data=b"{"),
        client.post("/views", data=b"x" * 100_000, content_type="application/json"),
        client.delete("/views/nothing"),
        client.get("/views/study.json?ids=nothing"),
        client.post("/views/study", data=b"{}"),
    ):
        assert refused.status_code in (200, 413)
        assert refused.status_code == 413 or refused.get_json()["error"]


def test_who_and_when_are_told_where_they_are_known(views: NamedViews) -> None:
    saved = views.save({**VIEW, "saved_by": "nobody asked"}, "Anna\u202e\x00 Ångström")
    assert saved["saved_by"] == "Anna Ångström" and not {"changed", "changed_by"} & saved.keys()
    changed = views.change(saved["id"], {"name": "Rim", "changed_by": "x"}, "Ben")
    assert (changed["saved_by"], changed["changed_by"]) == ("Anna Ångström", "Ben")
    assert "saved_by" not in views.save(VIEW)
    study = views.study([])
    assert "Anna" not in study and "Ben" not in study, "a study goes to others"
    told = json.loads(study)
    told["views"][0] |= {"id": "f" * 16, "saved_by": "somebody else"}
    assert views.take(json.dumps(told).encode())["added"] == 1
    assert "saved_by" not in views.get("f" * 16).values()


def test_a_change_of_what_somebody_else_has_changed_is_refused(client: FlaskClient) -> None:
    saved = client.post("/views", json=VIEW).get_json()
    path, was = f"/views/{saved['id']}", {"note": saved["note"], "name": saved["name"]}
    assert client.patch(path, json={"note": "first", "was": was}).get_json()["note"] == "first"
    answer = client.patch(path, json={"note": "second", "was": was})
    assert answer.status_code == 409 and "meanwhile" in answer.get_json()["error"]
    assert "“first”" in answer.get_json()["error"]
    assert client.patch(path, json={"name": "Rim", "was": was}).get_json()["note"] == "first", "another part"
    assert client.patch(path, json={"note": "first", "was": was}).status_code == 200, "the same change"
    assert client.patch(path, json={"note": "third", "was": {"note": "first"}}).get_json()["note"] == "third"
    assert client.patch(path, json={"note": "fourth", "was": "nonsense"}).get_json()["note"] == "fourth"


def test_what_was_deleted_can_be_brought_back_for_a_while(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, other = (client.post("/views", json=VIEW).get_json() for _ in range(2))
    path = f"/views/{saved['id']}"
    assert "error" in client.post(f"{path}/restored").get_json(), "it is there"
    client.delete(path)
    assert client.get("/views").get_json() == {"views": [other]}
    assert client.post(f"{path}/restored").get_json() == saved
    assert client.get("/views").get_json() == {"views": [other, saved]}
    client.delete(path)
    (deleted,) = tmp_path.rglob("*.deleted")
    os.utime(deleted, (time.time() - cache.services.view_folder.DELETED_FOR_S - 9,) * 2)
    assert "error" in client.post(f"{path}/restored").get_json(), "too long ago"
    for id in ("x", "../" + saved["id"], "0" * 16):
        assert client.post(f"/views/{id}/restored").status_code in (200, 404)
    monkeypatch.setattr(cache.services.view_folder, "MOST_VIEWS", 1)
    client.delete(f"/views/{other['id']}")
    client.post("/views", json=VIEW)
    assert "room" in client.post(f"/views/{other['id']}/restored").get_json()["error"]


def test_views_have_a_limit_on_the_disk(
    views: NamedViews, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = [views.save(VIEW) for _ in range(3)]
    views.keep_thumbnail(saved[0]["id"], b"x" * 9000)
    views.delete(saved[2]["id"])
    used = bytes_on_disk(tmp_path / "here" / "views")
    assert used >= 4 * 4096, "small files take a page each"
    monkeypatch.setattr(cache.services.view_folder, "MOST_BYTES", used - 1)
    views.save(VIEW)
    assert not [*tmp_path.rglob("*.deleted"), *tmp_path.rglob("*.jpg")], "these go first"
    monkeypatch.setattr(cache.services.view_folder, "MOST_BYTES", bytes_on_disk(tmp_path / "here" / "views"))
    with pytest.raises(FuseVisError, match="MB"):
        views.save(VIEW)
    views.keep_thumbnail(saved[0]["id"], b"x" * 9000)
    assert views.thumbnail(saved[0]["id"]) is None


def test_regions_have_a_limit_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RegionFolder(tmp_path)
    monkeypatch.setattr(cache.services.regions, "MOST_BYTES", 3 * 4096)
    codes = [f"b1.2.3.{right}" for right in range(4, 8)]
    for code in codes[:3]:
        folder.keep(code)
    with pytest.raises(FuseVisError, match="No room"):
        folder.keep(codes[3])
    assert folder.keep(codes[0]), "it is there already"


def test_the_list_says_which_views_are_damaged(client: FlaskClient, tmp_path: Path) -> None:
    lost, kept = (client.post("/views", json=VIEW).get_json() for _ in range(2))
    next(tmp_path.rglob(f"{lost['id']}.json")).write_text("{")
    assert client.get("/views").get_json() == {"views": [kept], "damaged": [lost["id"]]}
    assert client.delete(f"/views/{lost['id']}").get_json() == {"deleted": lost["id"]}
    assert client.get("/views").get_json() == {"views": [kept]}

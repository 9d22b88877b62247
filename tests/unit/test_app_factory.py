"""The page put together: its callbacks through Dash's own route, and what a visitor reads when one fails."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.assets import ASSETS, STYLES, modules
from app.factory import UNEXPECTED, create_server
from app.guard.request_ids import HEADER
from app.ids import Id, Panel
from app.routes.catalogue import menu_label
from app.settings import Settings
from cache.services.loaded import LoadedMethods
from cache.services.services import Services, services_of
from tests.unit.page_calls import call, on_server
from tests.unit.page_services import SHAPE, finished_guidance, write_pair

PAIR, METHOD = "3", "weighted_averaging"
UPDATE = "/_dash-update-component"


@dataclasses.dataclass(frozen=True)
class Page:
    """A server, and what a browser knows of it."""

    server: Flask
    client: FlaskClient
    callbacks: list[dict[str, Any]]

    @property
    def services(self) -> Services:
        return services_of(self.server)

    def send(self, *values: Any, triggered: str = "", state: tuple[Any, ...] = ()) -> TestResponse:
        """Call the callback whose first input is the first value's key; the rest are values in order."""
        first, *inputs = values
        (called,) = [one for one in on_server(self.callbacks) if one["inputs"][0]["id"] == first]
        return call(self.client, "", called, inputs, state, [triggered] if triggered else [])

    def changes(
        self, *values: Any, triggered: str = "", state: tuple[Any, ...] = ()
    ) -> dict[str, dict[str, Any]]:
        """Return what a callback changes on the page, notices of errors too."""
        answer = self.send(*values, triggered=triggered, state=state)
        assert answer.status_code == 200
        content = answer.get_json()
        return {**content["response"], **content.get("sideUpdate", {})}

    def scene(self) -> dict[str, Any]:
        """Choose the small pair."""
        data: dict[str, Any] = self.changes("pair-select", PAIR, METHOD, True, state=(None,))[Id.SCENE][
            "data"
        ]
        return data


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        # Weighted averaging, which these tests use, has no weights to load.
        patch.setattr(LoadedMethods, "load_all", lambda self: None)
        server = create_server(Settings(cache_dir=folder / "memo", device="cpu"), [write_pair(folder)])
    client = server.test_client()
    yield Page(server, client, client.get("/_dash-dependencies").get_json())
    services_of(server).close()


def notice_texts(changes: dict[str, dict[str, Any]]) -> list[str]:
    return [toast["props"]["children"] for toast in changes.get(Id.NOTICES, {}).get("children", [])]


@pytest.mark.parametrize(("query", "pair"), [("", PAIR), ("?v=1", "glioma-t2")])
def test_the_first_view_is_ones_own_pair_and_that_of_version_1_a_glioma_by_funfusean(
    page: Page, query: str, pair: str
) -> None:
    changes = page.changes("location", query)
    assert changes[Id.PAIR_SELECT]["value"] == pair
    assert changes[Id.METHOD_SELECT]["value"] == "funfusean"
    assert changes[Id.START_PIXEL]["data"] is None
    assert not notice_texts(changes)


def test_a_link_sets_the_controls_and_names_what_it_cannot(page: Page) -> None:
    query = f"?pair={PAIR}&method={METHOD}&pixel=8,10&gamma1=0.8&gamma2=9&x=1"
    changes = page.changes("location", query)
    assert changes[Id.PAIR_SELECT]["value"] == PAIR
    assert changes[Id.METHOD_SELECT]["value"] == METHOD
    assert changes[Id.START_PIXEL]["data"] == {"row": 8, "col": 10}
    assert (changes["gamma1"]["value"], changes["gamma2"]["value"]) == (0.8, 0.5)
    assert sorted("gamma2" in text for text in notice_texts(changes)) == [False, True]


@pytest.mark.parametrize(
    "query", ["?pair=\ud800", "?\ud800=1", "?pair=%00<b>", "?" + "&" * 10_000, "?pixel=" + "9" * 99_999]
)
def test_hostile_links_open_the_first_view(page: Page, query: str) -> None:
    """A first view of version 1, where there is a key that links have, else today's."""
    first = "glioma-t2" if query.startswith(("?pair", "?pixel")) else PAIR
    assert page.changes("location", query)[Id.PAIR_SELECT]["value"] == first


def test_choosing_draws_inputs_once_a_pair(page: Page) -> None:
    first = page.changes("pair-select", PAIR, METHOD, True, state=(None,))
    assert {Panel.MRI, Panel.PET, Panel.FUSED, Id.SCENE, Id.METHOD_NOTE} <= set(first)
    scene = first[Id.SCENE]["data"]
    assert (scene["height"], scene["width"]) == SHAPE
    assert first[Panel.FUSED]["figure"]["layout"]["meta"]["key"] == scene["key"]
    again = page.changes("pair-select", PAIR, METHOD, True, state=(scene,))
    assert Panel.FUSED in again and not {Panel.MRI, Panel.PET} & set(again)
    # The same images under another address may be called something else.
    elsewhere = page.changes("pair-select", PAIR, METHOD, True, state=(scene | {"pair_address": "copy"},))
    assert {Panel.MRI, Panel.PET} <= set(elsewhere)


def test_nothing_chosen_changes_nothing(page: Page) -> None:
    answer = page.send("pair-select", None, METHOD, True, state=(None,))
    assert answer.status_code in (200, 204) and not (answer.get_json(silent=True) or {}).get("response")


def test_guidance_is_followed_to_its_end_and_drawn_once(page: Page) -> None:
    scene = page.scene()
    finished_guidance(page.services, page.services.scenes.open(PAIR, METHOD), "viewer")
    controls = (0.5, "paper", "Cancel")
    done = page.changes(
        "scene", scene, 0, None, False, True, triggered="scene.data", state=("viewer", None, *controls)
    )
    assert done[Id.GUIDANCE_STATUS]["children"] == "Guidance complete"
    assert done[Id.GUIDANCE_PROGRESS]["value"] == 100
    assert (done[Id.GUIDANCE_BUTTON]["disabled"], done[Id.GUIDANCE_POLL]["disabled"]) == (True, True)
    limits = done[Id.GUIDANCE_LIMITS]["data"]
    assert limits["revision"].startswith(scene["key"]) and limits["revision"].endswith("complete")
    assert done[Panel.SCATTER]["figure"]["layout"]["meta"]["revision"] == limits["revision"]
    now = ("viewer", limits, *controls)
    again = page.changes(
        "scene", scene, 1, None, False, True, triggered="guidance-poll.n_intervals", state=now
    )
    assert Panel.SCATTER not in again and Id.GUIDANCE_LIMITS not in again
    assert again[Id.GUIDANCE_STATUS]["children"] == "Guidance complete"


def test_guidance_of_a_pair_that_is_gone_is_told_once(page: Page) -> None:
    scene = page.scene() | {"pair_address": "gone"}
    told = page.changes(
        "scene",
        scene,
        3,
        None,
        False,
        True,
        triggered="guidance-poll.n_intervals",
        state=("viewer", None, 0.5, "paper", "Cancel"),
    )
    assert told[Id.GUIDANCE_STATUS]["children"].startswith("Guidance failed: ")
    assert "gone" in told[Id.GUIDANCE_STATUS]["children"]
    assert told[Id.GUIDANCE_POLL]["disabled"] is True
    assert Panel.SCATTER not in told
    limits = told[Id.GUIDANCE_LIMITS]["data"]
    assert (limits["stage"], limits["known"]) == ("failed", False) and "gone" in limits["error"]


def test_a_rest_draws_its_scene_and_no_other(page: Page) -> None:
    scene = page.scene()
    data = {"key": scene["key"], "row": 4, "col": 5, "half": 2, "gamma1": 0.3, "gamma2": 0.5, "scale": "signed",
            "state": "s", "display": "d"}  # fmt: skip
    changes = page.changes("rested-pixel", data, triggered="rested-pixel.data", state=(scene,))
    assert changes["panel-mri-zoom"]["figure"]["data"][0]["z"]["shape"] == "5, 5"
    assert changes[Panel.JACOBIAN_PET]["figure"]["layout"]["meta"]["row"] == 4
    other = page.send("rested-pixel", data | {"key": "gone"}, triggered="rested-pixel.data", state=(scene,))
    assert not (other.get_json(silent=True) or {}).get("response")


@pytest.mark.parametrize("triggered", ["", "pair-select.value"])
def test_a_users_error_is_a_notice_in_its_own_words(
    page: Page, triggered: str, caplog: pytest.LogCaptureFixture
) -> None:
    changes = page.changes("pair-select", "no-such-pair", METHOD, True, triggered=triggered, state=(None,))
    (text,) = notice_texts(changes)
    assert "no-such-pair" in text and "glioma-t2" in text
    assert set(changes) == {Id.NOTICES}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_an_answer_that_brings_nothing_says_why_in_a_header(page: Page) -> None:
    """Dash tells the browser of no failure, and the panels that wait for an answer have to know."""
    failed = page.send(
        "pair-select", "no-süch-pair", METHOD, True, triggered="pair-select.value", state=(None,)
    )
    assert [unquote(failed.headers["Fusevis-Failure"])] == notice_texts(failed.get_json()["sideUpdate"])
    fine = page.send("pair-select", PAIR, METHOD, True, triggered="pair-select.value", state=(None,))
    assert "Fusevis-Failure" not in fine.headers


@pytest.mark.parametrize("triggered", ["", "pair-select.value"])
def test_an_unexpected_error_is_logged_and_told_plainly(
    page: Page, triggered: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("a secret of the server")

    monkeypatch.setattr(page.services.scenes, "open", fail)
    answer = page.send("pair-select", PAIR, METHOD, True, triggered=triggered, state=(None,))
    assert answer.status_code == 200
    assert notice_texts(answer.get_json()["sideUpdate"]) == [
        f"{UNEXPECTED} (Request {answer.headers[HEADER]}.)"
    ]
    sent = answer.get_data(as_text=True)
    assert not any(word in sent for word in ("secret", "ZeroDivisionError", "Traceback", ".py"))
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info and record.exc_info[0] is ZeroDivisionError
    assert "a secret of the server" in caplog.text and "Traceback" in caplog.text


@pytest.mark.parametrize("pair", [["list"], {"a": 1}, 7, True, 1e308])
def test_values_of_other_types_are_no_500(page: Page, pair: Any) -> None:
    assert notice_texts(page.changes("pair-select", pair, METHOD, True, state=(None,)))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b"null", b'{"output": 1}', b'{"output": "x.y", "changedPropIds": [], "inputs": []}',
     b'{"output": "..notices.children..", "inputs": "x"}', b"\xff\x00", b"[" * 100_000],
)  # fmt: skip
def test_requests_that_no_page_sends_are_refused(page: Page, body: bytes) -> None:
    answer = page.client.post(UPDATE, data=body, content_type="application/json")
    assert answer.status_code == 400
    assert "Traceback" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("address", "named"),
    [("nobody/{method}/{weights}/1/1", "content id"), ("{pair}/nothing/{weights}/1/1", "nothing"),
     ("{pair}/{method}/" + "0" * 64 + "/1/1", "other weights"), ("{pair}/{method}/{weights}/9/0", "9"),
     ("{pair}/{method}/{weights}/-1/0", "whole numbers"), ("{pair}/{method}/{weights}/0/999999999", "999999999")],
)  # fmt: skip
def test_windows_that_are_not_to_be_had_are_404_in_json(page: Page, address: str, named: str) -> None:
    scene = page.services.scenes.open(PAIR, METHOD)
    path = address.format(pair=scene.pair_id, method=METHOD, weights=scene.weights_id)
    answer = page.client.get(f"/jacobian/{path}")
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    if named != "content id":
        assert named in answer.get_json()["error"]


def test_the_browser_finds_windows_where_the_scene_says(page: Page) -> None:
    answer = page.client.get(f"/{page.scene()['jacobian_path']}/4/5")
    assert answer.status_code == 200 and len(answer.data) == 32 + 2 * 4, "weighted averaging sees one pixel"


def test_health(page: Page) -> None:
    assert page.client.get("/healthz").status_code == 200
    answer = page.client.get("/readyz")
    assert answer.status_code == 503, "networks are not loaded in this test"
    assert any("FunFuseAn" in problem for problem in answer.get_json()["problems"])


@pytest.mark.parametrize("address", ["/", "/compare"])
def test_the_html_does_not_have_the_page_a_second_time(page: Page, address: str) -> None:
    html = page.client.get(address).get_data(as_text=True)
    config = json.loads(re.findall(r'id="_dash-config"[^>]*>(.*?)</script>', html)[0])
    assert "validation_layout" not in config and not config["suppress_callback_exceptions"]


def test_the_page_and_its_assets_are_served(page: Page) -> None:
    html = page.client.get("/").get_data(as_text=True)
    assert "<title>FuseVis</title>" in html
    assets = [path for path in ASSETS.rglob("*.*") if path.suffix in (".mjs", ".css")]
    assert {".mjs", ".css"} == {path.suffix for path in assets}
    own = {f"{page}.mjs" for page in STYLES}
    loaded = {
        name: [f"styles/{style}.css" for style in styles] + modules(name) for name, styles in STYLES.items()
    }
    loaded["jobs"] = modules("jobs")  # a plain document, whose style is its own
    for path in assets:
        name = path.relative_to(ASSETS).as_posix()
        with page.client.get(f"/assets/{name}") as answer:
            assert answer.status_code == 200 and answer.data == path.read_bytes()
            assert path.suffix != ".mjs" or str(answer.mimetype).endswith("javascript"), (
                "else no browser runs it"
            )
        assert (f'href="/assets/{name}"' in html) is (name in loaded["explore"])
        assert any(name in files for files in loaded.values()), f"no page loads {name}"
        assert f"{name}?" not in html, "with a query it would be another module"
    imported = {name for files in loaded.values() for name in files[:-1]}
    assert not imported & own, "an entry is not imported by any module"
    layout = page.client.get("/_dash-layout").get_data(as_text=True)
    assert '"pair-select"' in layout and "(simulated)" in layout


def test_simulated_pairs_say_so_in_the_menu() -> None:
    assert menu_label("Glioma", True) == "Glioma (simulated)"
    assert menu_label("Simulated glioma", True) == "Simulated glioma"
    assert menu_label("My patient", False) == "My patient"


def test_sessions_are_signed_with_a_key_of_ones_own_or_a_random_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoadedMethods, "load_all", lambda self: None)
    keys = []
    for secret in (None, None, "x" * 20):
        server = create_server(Settings(cache_dir=tmp_path, device="cpu", secret_key=secret))
        keys.append(server.secret_key)
        services_of(server).close()
    assert keys[2] == "x" * 20
    assert keys[0] != keys[1] and all(key and len(key) >= 20 for key in keys)

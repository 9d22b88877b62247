"""Other web pages cannot change anything on a server that a visitor's browser reaches; the page and scripts can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.factory import create_server
from app.settings import Settings
from cache.services.loaded import LoadedMethods
from cache.services.services import services_of

HERE = "127.0.0.1:8050"
STUDY = {"format": "fusevis-study", "version": 1, "views": []}
FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://127.0.0.1:9000"},
    {"Origin": f"http://{HERE}.evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://[half"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://127.0.0.1:9000", "Sec-Fetch-Site": "same-site"},
]
OWN: list[dict[str, str]] = [
    {},
    {"Origin": f"http://{HERE}"},
    {"Origin": f"HTTP://{HERE}", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "https://fusevis.example", "X-Forwarded-Host": "fusevis.example, inner"},
    {"Origin": "https://fusevis.example", "Sec-Fetch-Site": "same-origin"},
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("server")
    folders = {name: folder / name for name in ("cache_dir", "view_dir", "region_dir")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LoadedMethods, "load_all", lambda self: None)
        made = create_server(Settings(**folders, device="cpu"))  # type: ignore[arg-type]
    yield made
    services_of(made).close()


@pytest.fixture
def client(server: Flask) -> FlaskClient:
    return server.test_client()


def changing(server: Flask) -> list[tuple[str, str]]:
    """Return (method, address) of every route that changes something, whatever it is."""
    filled = {
        "id": "0" * 16,
        "pair": "own",
        "path": "x",
        "method": "masknet",
        "weights": "1" * 8,
        "kind": "reach",
    }
    adapter = server.url_map.bind("x")
    return [
        (method, adapter.build(rule.endpoint, {key: filled[key] for key in rule.arguments}, method))
        for rule in server.url_map.iter_rules()
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        if not rule.rule.endswith("/_dash-update-component")
    ]


@pytest.mark.parametrize("headers", FOREIGN)
def test_other_pages_change_nothing(server: Flask, client: FlaskClient, headers: dict[str, str]) -> None:
    routes = changing(server)
    assert {("POST", "/views/study"), ("POST", "/regions/codes"), ("DELETE", f"/views/{'0' * 16}")} <= set(
        routes
    )
    for method, path in routes:
        answer = client.open(path, method=method, data="b1.2.3.4", headers={"Host": HERE, **headers})
        assert answer.status_code == 403, path
        assert "another web page" in answer.get_json()["error"]


@pytest.mark.parametrize("headers", OWN)
def test_the_page_and_scripts_are_served(client: FlaskClient, headers: dict[str, str]) -> None:
    sent: dict[str, Any] = {"headers": {"Host": HERE, **headers}}
    assert client.post("/views/study", data=json.dumps(STUDY), **sent).get_json() == {"added": 0, "known": 0}
    assert "id" in client.post("/regions/codes", data="b1.2.3.4", **sent).get_json()
    assert client.delete(f"/views/{'0' * 16}", **sent).status_code == 200


def test_reading_is_left_alone(client: FlaskClient) -> None:
    assert client.get("/views", headers={"Host": HERE, **FOREIGN[0]}).get_json() == {"views": []}


@pytest.mark.parametrize("path", ["/_dash-update-component", "/compare/_dash-update-component"])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_dash_takes_only_what_no_other_page_may_send(client: FlaskClient, path: str, kind: str) -> None:
    answer = client.post(
        path, data='{"output": "x"}', content_type=kind, headers={"Host": HERE, **FOREIGN[0]}
    )
    assert answer.status_code == 415
    leave = client.options(path, headers={"Host": HERE, "Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in leave.headers

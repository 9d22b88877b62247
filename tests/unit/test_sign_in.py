"""Sign-in: nothing of a server that asks for one is shown to others, whatever they ask for."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError

from app.guard.sign_in import OPEN
from app.settings import Settings, describe_problems
from tests.unit.guarded import asked_everywhere, guarded_server

TOKEN = secrets.token_urlsafe(16)
PAGE = {"Accept": "text/html,*/*;q=0.8"}
HEADER = "X-Forwarded-User"
LINK = "/compare?pair=own&regions=%23a%2Cb&columns=fused"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with guarded_server(tmp_path_factory.mktemp("token"), token=TOKEN) as made:
        yield made


@pytest.fixture
def client(server: Flask) -> FlaskClient:
    return server.test_client()


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A server behind another one that knows its users."""
    settings = {"user_header": HEADER, "trusted_proxies": "10.1.0.0/16, ::1"}
    with guarded_server(tmp_path_factory.mktemp("proxy"), **settings) as made:
        yield made


@pytest.mark.parametrize(
    "headers",
    [
        {},
        PAGE,
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic x"},
        {HEADER: "ada"},
        {"Cookie": "fusevis=1"},
    ],
)
def test_every_route_asks_for_the_token(server: Flask, headers: dict[str, str]) -> None:
    passed = set()
    for answer in asked_everywhere(server, headers):
        if answer.request.path in ("/healthz", "/readyz") and answer.status_code != 401:
            passed.add(answer.request.path)
            continue
        assert answer.status_code == 401, answer.request
        assert answer.request.method == "HEAD" or "token" in answer.text
        assert "Set-Cookie" not in answer.headers
    assert passed == {f"/{endpoint}" for endpoint in OPEN}


def test_a_link_with_the_token_opens_without_it(client: FlaskClient) -> None:
    answer = client.get(f"{LINK}&token={TOKEN}&gamma1=0.5", headers=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{LINK}&gamma1=0.5")
    cookie = answer.headers["Set-Cookie"]
    assert TOKEN not in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get(answer.headers["Location"], headers=PAGE).status_code == 200
    assert client.get("/views").status_code == 200, "the cookie is enough for whatever a page asks"


def test_the_form_opens_the_link_that_was_asked_for(client: FlaskClient) -> None:
    asked = client.get(LINK, headers=PAGE)
    assert asked.status_code == 401 and '<form method="post">' in asked.text, (
        "which a browser sends to this address"
    )
    wrong = client.post(LINK, data={"token": "wrong" * 5}, headers=PAGE)
    assert wrong.status_code == 401 and "not its token" in wrong.text
    answer = client.post(LINK, data={"token": TOKEN}, headers=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, LINK)
    assert client.get(LINK, headers=PAGE).status_code == 200


@pytest.mark.parametrize(
    "path", ["//evil.example/", "/\t/evil.example", "///evil.example", "/\\evil.example"]
)
def test_a_sign_in_leads_to_no_other_server(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/?token={TOKEN}", environ_overrides={"PATH_INFO": path})
    where = answer.headers["Location"]
    assert where.startswith("/") and where[1] not in "/\\"


def test_scripts_send_the_token_with_every_request(client: FlaskClient) -> None:
    for scheme in ("Bearer", "bearer", "token"):
        headers = {"Authorization": f"{scheme} {TOKEN}"}
        assert client.get("/views", headers=headers).status_code == 200
        form = {"data": "b1.2.3.4", "content_type": "application/x-www-form-urlencoded"}
        assert "id" in client.post("/regions/codes", headers=headers, **form).get_json(), (
            "the body is the route's"
        )
    assert client.get("/views").status_code == 401


def test_another_token_ends_all_sign_ins(client: FlaskClient, tmp_path: Path) -> None:
    cookie = client.get(f"/views?token={TOKEN}").headers["Set-Cookie"].split(";")[0]
    assert client.get("/views").status_code == 200
    with guarded_server(tmp_path, token=TOKEN + "2") as other:
        asked = other.test_client().get("/views", headers={"Cookie": cookie})
    assert asked.status_code == 401


def test_a_token_is_made_and_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with guarded_server(tmp_path, token="auto") as server:
        made = capsys.readouterr().out.split("?token=")[1].strip()
        client = server.test_client()
        assert len(made) >= 32
        assert client.get("/views?token=auto").status_code == 401
        assert client.get("/views", headers={"Authorization": f"Bearer {made}"}).status_code == 200


def test_a_users_name_is_believed_only_from_the_web_server_in_front(behind: Flask) -> None:
    client = behind.test_client()

    def status(address: str, name: str | None = "ada") -> int:
        headers = {} if name is None else {HEADER: name}
        return client.get("/views", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code

    assert [status(address) for address in ("10.1.2.3", "::1", "::ffff:10.1.2.3")] == [200, 200, 200]
    assert [status(address) for address in ("10.2.2.3", "127.0.0.1", "", "x", "fe80::1")] == [401] * 5
    assert [status("10.1.2.3", name) for name in (None, "")] == [401, 401]


def test_a_users_name_stands_in_the_views_that_they_save_and_change(behind: Flask) -> None:
    client, view = behind.test_client(), {"name": "Core", "page": "explore"}

    def asked(method: str, path: str, who: bytes, **sent: str) -> dict[str, str]:
        headers = {HEADER: who.decode("latin-1")}
        answer = client.open(
            path, method=method, json=sent, headers=headers, environ_base={"REMOTE_ADDR": "10.1.2.3"}
        )
        found: dict[str, str] = answer.get_json()
        return found

    saved = asked("POST", "/views", "Ådne".encode(), **view)
    assert saved["saved_by"] == "Ådne"
    assert asked("PATCH", f"/views/{saved['id']}", b"ada", note="x")["changed_by"] == "ada"


def test_every_route_asks_for_a_name(behind: Flask) -> None:
    for answer in asked_everywhere(behind, {HEADER: "ada"}, ("GET", "POST")):
        assert answer.status_code == 401 or answer.request.path in ("/healthz", "/readyz"), answer.request


def test_without_a_setting_nobody_is_asked(tmp_path: Path) -> None:
    with guarded_server(tmp_path) as server:
        assert server.test_client().get("/views").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "fusevis.example"])
def test_other_machines_are_served_only_where_that_was_decided(host: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(host=host)
    told = describe_problems(caught.value)
    assert len(told.splitlines()) == 1 and "FUSEVIS_TOKEN" in told and "FUSEVIS_ALLOW_ANYONE=1" in told
    header = {"user_header": HEADER, "trusted_proxies": "127.0.0.1"}
    for decided in ({"token": TOKEN}, {"token": "auto"}, {"allow_anyone": True}, header):
        assert Settings(host=host, **decided).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_this_machine_needs_none(host: str) -> None:
    assert Settings(host=host).host == host


@pytest.mark.parametrize(
    "wrong",
    [{"token": "short"}, {"user_header": HEADER}, {"trusted_proxies": "127.0.0.1"}, {"trusted_proxies": "all"},
     {"user_header": "X: y", "trusted_proxies": "::1"}],
)  # fmt: skip
def test_settings_that_do_not_protect_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)  # type: ignore[arg-type]

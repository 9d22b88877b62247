"""What stands before the routes: each test asks every address of the server, known or not, by every method."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.guard.hosts import host_name, is_own
from tests.unit.guarded import addresses, asked_everywhere, guarded_server

NAME = "fusevis.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with guarded_server(tmp_path_factory.mktemp("server"), allowed_hosts=NAME) as made:
        yield made


@pytest.fixture
def client(server: Flask) -> FlaskClient:
    return server.test_client()


OWN = ["localhost", "LocalHost:8050", "localhost.", "127.0.0.1", "127.0.0.1:1", "127.3.2.1:8050", "[::1]", "[::1]:8050",
       "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]:80", NAME, f"{NAME}:443", NAME.upper()]  # fmt: skip
OTHERS = ["", "evil.example", "evil.example:8050", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.5:8050",
          "0.0.0.0", "[::]", "[fe80::1]:8050", f"x.{NAME}", f"{NAME}.evil.example", "localhost:8050@evil.example",
          "localhost, evil.example", "localhost/x", "[::1", "[127.0.0.1]x", "localhost:x", "lo calhost",
          "l\u03bfcalhost", "127.1", "2130706433", "[::1%25lo]", "localhost..", "<b>"]  # fmt: skip


@pytest.mark.parametrize("host", OWN)
def test_own_names_are_known(host: str) -> None:
    assert is_own(host, {host_name(NAME)})


@pytest.mark.parametrize("host", OTHERS)
def test_other_names_are_not(host: str) -> None:
    assert not is_own(host, {host_name(NAME)})


@pytest.mark.parametrize("host", ["evil.example:8050", "127.0.0.1.evil.example", ""])
def test_another_name_is_refused_everywhere(server: Flask, host: str) -> None:
    """A page whose name leads here would else read everything with its visitor's browser."""
    for answer in asked_everywhere(server, {"Host": host}):
        assert answer.status_code == 421, answer.request
        assert "evil" not in answer.get_data(as_text=True) and "evil" not in str(answer.headers)


def test_names_that_were_told_are_answered(client: FlaskClient) -> None:
    for host in ("localhost:9", "[::1]:8050", NAME):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200


CROSS = {"Sec-Fetch-Site": "cross-site"}
LINK = CROSS | {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    "more",
    [{}, {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Mode": "navigate"},
     {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Dest": "document"}],
)  # fmt: skip
def test_pages_of_other_sites_start_no_work(server: Flask, more: dict[str, str]) -> None:
    for answer in asked_everywhere(server, CROSS | more, ("GET", "HEAD")):
        assert answer.status_code == 403, answer.request
        assert answer.request.method == "HEAD" or "another web page" in answer.get_json()["error"]


@pytest.mark.parametrize("headers", [{}, LINK, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
def test_links_scripts_and_the_page_are_answered(client: FlaskClient, headers: dict[str, str]) -> None:
    for path in ("/", "/compare", "/training", "/views", "/assets/explore.mjs"):
        with client.get(path, headers=headers) as answer:
            assert answer.status_code == 200, path


def test_a_frame_of_another_site_opens_where_it_is_allowed(tmp_path: Path) -> None:
    framed = LINK | {"Sec-Fetch-Dest": "iframe"}
    with guarded_server(tmp_path, frame_ancestors="https://notes.example") as other:
        assert other.test_client().get("/compare", headers=framed).status_code == 200
        assert other.test_client().get("/views", headers=CROSS).status_code == 403


def test_every_address_is_among_those_asked(server: Flask) -> None:
    assert {"/healthz", "/assets/explore.mjs", "/no/such/page", "/views", "/"} <= set(addresses(server))

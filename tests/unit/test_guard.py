"""What stands before the routes: each test asks every address of the server, known or not, by every method."""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import plotly
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError
from werkzeug.test import TestResponse

from app.guard.addresses import host_name
from app.guard.headers import content_policy
from app.guard.hosts import is_own
from app.plotly_file import STRICT
from app.settings import Settings
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


@pytest.mark.parametrize(
    "headers",
    [{}, {"Host": "evil.example"}, CROSS, {"Content-Length": "9999999", "Content-Type": "text/plain"}],
)
def test_every_answer_tells_the_browser_what_it_may_do(server: Flask, headers: dict[str, str]) -> None:
    for answer in asked_everywhere(server, headers, ("GET", "POST")):
        told = answer.headers
        assert told["X-Content-Type-Options"] == "nosniff", answer.request
        assert told["Cross-Origin-Opener-Policy"] == told["Cross-Origin-Resource-Policy"] == "same-origin"
        assert told["Referrer-Policy"] == "same-origin" and "camera=()" in told["Permissions-Policy"]
        policy = policy_of(answer)
        assert policy["frame-ancestors"] == ["'self'"] and policy["object-src"] == ["'none'"]
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "data:"} & set(policy["script-src"])


def policy_of(answer: TestResponse) -> dict[str, list[str]]:
    directives = answer.headers["Content-Security-Policy"].split("; ")
    return {name: sources for name, *sources in map(str.split, directives)}


@pytest.mark.parametrize("path", ["/", "/compare", "/training"])
def test_scripts_in_a_page_are_those_that_it_names(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    scripts = re.findall(
        r"<script([^>]*)>(.*?)</script>", answer.text.split("<body>")[1].split("<![endif]-->")[1], re.S
    )
    inline = [
        text
        for attributes, text in scripts
        if "src=" not in attributes and "application/json" not in attributes
    ]
    hashes = {f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in inline}
    assert inline and {"'self'", *hashes} == set(policy_of(answer)["script-src"])


@pytest.mark.parametrize("ancestors", ["'none'", "'self' https://notes.example:8888"])
def test_who_may_show_the_page_in_a_frame_is_a_setting(ancestors: str) -> None:
    assert content_policy(Settings(frame_ancestors=ancestors).frame_ancestors).endswith(
        f"frame-ancestors {ancestors}"
    )


@pytest.mark.parametrize(
    "ancestors", ["*; script-src *", "'self'\r\nX: y", "a, b", "'unsafe-inline'", "'self'  x"]
)
def test_a_setting_says_nothing_else(ancestors: str) -> None:
    with pytest.raises(ValidationError):
        Settings(frame_ancestors=ancestors)


@pytest.mark.parametrize("page", ["", "/compare", "/training"])
def test_plotly_is_the_one_that_needs_no_eval(client: FlaskClient, page: str) -> None:
    address = f"{page}/_dash-component-suites/plotly/package_data/plotly.min.js"
    plain = client.get(address)
    assert (
        plain.text.startswith("/**\n* plotly.js (strict - minified) v")
        and "Content-Encoding" not in plain.headers
    )
    packed = client.get(address, headers={"Accept-Encoding": "gzip, br"})
    assert gzip.decompress(packed.data) == plain.data and packed.headers["Content-Encoding"] == "gzip"
    again = client.get(address, headers={"If-None-Match": packed.headers["ETag"], "Accept-Encoding": "gzip"})
    assert again.status_code == 304


def test_plotly_is_of_the_version_that_figures_are_made_for() -> None:
    theirs = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")[
        :200
    ]
    ours = gzip.decompress(STRICT.read_bytes())[:200].decode()
    versions = [re.findall(r"v(\d+)\.\d+", text)[0] for text in (theirs, ours)]
    assert versions[0] == versions[1], (
        "make the file of plotly.js of the package's version (app/vendor/plotly.mjs)"
    )


def test_plotly_has_the_traces_that_figures_have() -> None:
    figures = Path(__file__).parents[2] / "app" / "figures"
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(figures.glob("*.py")))
    drawn = set(re.findall(r'"type": "(\w+)"', text)) - {"path", "rect"}  # those are shapes
    (named,) = re.findall(
        r"^\* Traces: (.+)$", gzip.decompress(STRICT.read_bytes())[:300].decode(), re.MULTILINE
    )
    assert len(drawn) > 3 and drawn == set(named.split(", ")), "app/vendor/plotly.mjs has the list"


def test_every_promise_names_tests_that_are_there() -> None:
    root = Path(__file__).parents[2]
    named = re.findall(
        r"`(tests/\S+\.py)::(\w+)`", (root / "docs" / "security.md").read_text(encoding="utf-8")
    )
    assert len(named) > 15
    assert [
        name for file, name in named if f"def {name}(" not in (root / file).read_text(encoding="utf-8")
    ] == []

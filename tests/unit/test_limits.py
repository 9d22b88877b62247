"""Whatever is sent to whatever address is refused in words and one line of the log, before any work is done."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from gunicorn.http.errors import InvalidChunkSize
from hypothesis import given, settings
from hypothesis import strategies as st

from app.guard.limits import DEEPEST, MOST_BYTES, depth
from tests.unit.guarded import METHODS, guarded_server

JSON: Any = {"content_type": "application/json"}


class Lines(logging.Handler):
    """What the server logs."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def take(self) -> list[str]:
        """Return the lines since this was called last; none may have a traceback or be long."""
        records, self.records = self.records, []
        assert not [record for record in records if record.exc_info], records
        lines = [record.getMessage() for record in records if record.levelno >= logging.WARNING]
        assert all(len(line) < 300 and "\n" not in line for line in lines), lines
        return lines


@pytest.fixture(scope="module")
def log() -> Iterator[Lines]:
    lines = Lines()
    logging.getLogger().addHandler(lines)
    yield lines
    logging.getLogger().removeHandler(lines)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with guarded_server(tmp_path_factory.mktemp("server")) as made:
        yield made


def in_chunks(stream: object) -> dict[str, object]:
    """Return what gunicorn says of a body in chunks."""
    return {
        "wsgi.input": stream,
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": "",
        "HTTP_TRANSFER_ENCODING": "chunked",
    }


@pytest.fixture
def client(server: Flask, log: Lines) -> FlaskClient:
    log.take()
    return server.test_client()


@pytest.mark.parametrize(
    "path", ["/_dash-update-component", "/compare/_dash-update-component", "/views", "/healthz"]
)
def test_a_body_that_says_it_is_too_large_is_not_read(client: FlaskClient, log: Lines, path: str) -> None:
    class Untouched:
        def read(self, *_: int) -> bytes:
            raise AssertionError("nothing of it may be read")

        readline = readinto = read

    answer = client.post(
        path, environ_overrides={"wsgi.input": Untouched(), "CONTENT_LENGTH": str(MOST_BYTES + 1)}, **JSON
    )
    assert answer.status_code == 413 and "up to" in answer.get_json()["error"]
    assert log.take() == []


def test_a_body_in_chunks_ends_at_the_limit(client: FlaskClient, log: Lines) -> None:
    read = []

    class Endless:
        def read(self, most: int = -1) -> bytes:
            read.append(most)
            return b" " * most

    for path in ("/_dash-update-component", "/views", "/healthz"):
        answer = client.post(path, environ_overrides=in_chunks(Endless()), **JSON)
        assert answer.status_code == 413, path
    assert sum(read) <= 3 * (MOST_BYTES + 1)
    assert log.take() == []


def test_a_body_in_chunks_is_read(client: FlaskClient) -> None:
    answer = client.post("/regions/codes", environ_overrides=in_chunks(BytesIO(b"b1.2.3.4")))
    assert answer.status_code == 200 and len(answer.get_json()["id"]) == 32


def test_files_have_limits_of_their_own(client: FlaskClient) -> None:
    assert client.post("/regions/png/own", data=b"x" * (MOST_BYTES + 1)).status_code != 413
    for path, most, words in (
        ("/regions/png/own", 64 * 2**20, "64 MiB"),
        ("/regions/codes", 2_000_000, "fewer"),
        ("/views/study", 64 * 2**20, "64 MiB"),
        ("/views", 2**16, "64 KiB"),
    ):
        answer = client.post(path, environ_overrides={"CONTENT_LENGTH": str(most + 1)})
        assert answer.status_code == 413 and words in answer.get_json()["error"], path


DEEP = [b"[" * 30_000, b'{"a":' * 6_000, b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), b'["",' * 9_000]


@pytest.mark.parametrize("body", DEEP)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/views"), ("PATCH", f"/views/{'0' * 16}"), ("POST", "/views/study.json"), ("POST", "/views/study"),
     ("POST", "/_dash-update-component"), ("POST", "/training/_dash-update-component")],
)  # fmt: skip
def test_deep_json_is_refused(client: FlaskClient, log: Lines, method: str, path: str, body: bytes) -> None:
    answer = client.open(path, method=method, data=body, **JSON)
    assert answer.status_code == 400 or answer.get_json()["error"]
    assert len(log.take()) <= 1


@settings(max_examples=20)
@given(st.recursive(st.text() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_depth_is_that_of_what_is_read(value: object) -> None:
    def levels(part: object) -> int:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else None
        return 0 if inner is None else 1 + max(map(levels, inner), default=0)

    wrapped: object = value
    for _ in range(DEEPEST):
        wrapped = [wrapped]
    for ascii_only in (True, False):
        text = json.dumps(wrapped, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        assert depth(text) in ({levels(wrapped)} if levels(value) else {0, DEEPEST})


def test_a_chunk_without_a_length_is_refused(client: FlaskClient, log: Lines) -> None:
    """As gunicorn says it, while a route reads."""

    class Broken:
        def read(self, *_: int) -> bytes:
            raise InvalidChunkSize("zz")

    for path in ("/_dash-update-component", "/views", "/regions/codes", "/views/study"):
        answer = client.post(path, environ_overrides=in_chunks(Broken()), **JSON)
        assert answer.status_code == 400, path
        (line,) = log.take()
        assert "InvalidChunkSize" in line and "zz" not in line


@pytest.mark.parametrize(
    "name", ["os/x.js", "dash/nope.js", "%00/x.js", "dash/%00", "plotly/../x.js", "x/.", "sys/x"]
)
@pytest.mark.parametrize("home", ["", "/compare", "/training"])
def test_files_of_packages_that_are_not_there(client: FlaskClient, log: Lines, home: str, name: str) -> None:
    answer = client.get(f"{home}/_dash-component-suites/{name}")
    assert answer.status_code == 404
    assert "egistered" not in answer.get_data(as_text=True), "what is there is nobody's business"
    assert log.take() == []


ODD = ["", ".", "..", "../../etc/passwd", "\0", "1", "0", "-1", "9" * 400, "own", "weighted_averaging", "b1.2.3.4",
       "~s" + "0" * 32, "a:b,c:d", "0.0.9999999", "\U0001f600", "\ud800", "con", "<b>", "%s%n", "x.js"]  # fmt: skip
TEXTS = st.sampled_from(ODD) | st.text(max_size=20)
KEYS = st.sampled_from(["v", "pair", "method", "methods", "pixel", "pin", "regions", "area", "columns", "scale",
                        "gamma1", "zoom", "ids", "viewer", "name", "swap"]) | st.text(max_size=8)  # fmt: skip
NAMES = st.sampled_from(["output", "outputs", "inputs", "state", "changedPropIds", "id", "property", "value", "name",
                         "page", "query", "note", "ids", "views", "format", "version"]) | TEXTS  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)
BODIES = st.binary(max_size=40) | VALUES.map(lambda value: json.dumps(value).encode()) | st.sampled_from(DEEP)
KINDS = st.sampled_from(
    ["application/json", "text/plain", "multipart/form-data; boundary=x", "image/png", "", "\xff"]
)


@st.composite
def requests(draw: st.DrawFn, rules: list[str]) -> dict[str, Any]:
    """Draw a request to one of these rules."""
    path = re.sub(
        "<[^>]*>",
        lambda _: quote(draw(TEXTS).encode("utf-8", "replace"), safe=""),
        draw(st.sampled_from(rules)),
    )
    query = draw(st.lists(st.tuples(KEYS, TEXTS), max_size=4))
    pairs = [
        f"{quote(key.encode('utf-8', 'replace'))}={quote(text.encode('utf-8', 'replace'))}"
        for key, text in query
    ]
    return {
        "path": path,
        "query_string": "&".join(pairs),
        "method": draw(st.sampled_from(METHODS)),
        "data": draw(BODIES),
        "content_type": draw(KINDS),
    }


def test_no_request_is_an_error_of_the_server(server: Flask, log: Lines) -> None:
    rules = [
        rule.rule.replace("<any(compare, explore):page>", "explore") for rule in server.url_map.iter_rules()
    ]
    client = server.test_client()
    log.take()

    @settings(max_examples=60)
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        asked = data.draw(requests(rules))
        answer = client.open(**asked)
        # Its methods are not loaded here.
        ready = asked["path"] == "/readyz" and answer.status_code == 503
        assert answer.status_code < 500 or ready, answer.get_data(as_text=True)
        answer.close()
        log.take()

    ask()

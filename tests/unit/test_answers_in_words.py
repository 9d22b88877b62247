"""What is told of a request: a name in its answer and in the log, and nothing of where the server's files lie."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.guard.folders import Told
from app.guard.request_ids import HEADER, WithRequestId, request_id, request_id_of
from cache.jobs.manager import Jobs, Stage
from tests.unit.guarded import addresses, asked_everywhere, guarded_server
from tests.unit.job_tasks import WAIT_S, named
from tests.unit.page_calls import call, on_server

ID = "0123456789abcdef-of.a_1"
MADE = re.compile("[0-9a-f]{16}")
SECRET = "patients of ward 7"
ABSOLUTE = re.compile(r"(?<![\w/.:<-])/(?:tmp|home|root|usr|var|srv|opt|work|proc|etc)/[^\s\"'<]*")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Make a server all of whose folders and files are in disorder."""
    root = tmp_path_factory.mktemp("server") / SECRET
    root.mkdir()
    for name in ("view", "region", "atlas", "cache"):
        (root / name).write_text("a file where a folder should be")
    data = root / "data"
    data.mkdir()
    for name in ("mri_damaged.png", "pet_damaged.png", "mri_cut.nii", "pet_cut.nii"):
        (data / name).write_bytes(b"\x89PNG\r\n\x1a\nno image")
    methods = root / "methods"
    (methods / "broken").mkdir(parents=True)
    (methods / "broken" / "method.toml").write_text("[")
    with guarded_server(root, data_dir=data, methods_dir=methods) as made:
        yield made


@pytest.fixture
def client(server: Flask) -> FlaskClient:
    return server.test_client()


def test_a_well_formed_id_is_taken_and_every_answer_has_one(server: Flask, client: FlaskClient) -> None:
    assert client.get("/healthz", headers={HEADER: ID}).headers[HEADER] == ID
    seen = set()
    for answer in asked_everywhere(server, {HEADER: "no\tid"}, ("GET",)):
        assert MADE.fullmatch(answer.headers[HEADER]), answer.request
        seen.add(answer.headers[HEADER])
        if answer.is_json and "error" in (answer.get_json() or {}) and answer.status_code != 200:
            assert answer.get_json()["request"] == answer.headers[HEADER]
    assert len(seen) == len(addresses(server))


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "12345678\n", "1234567 8", "<script>x</script>", "é" * 9]
)
def test_another_id_is_not_taken(given: str) -> None:
    assert MADE.fullmatch(request_id_of(given))


def test_a_line_of_the_log_names_its_request(server: Flask) -> None:
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(WithRequestId("[%(request_id)s] %(message)s"))
    logger = logging.getLogger("test of request ids")
    logger.addHandler(handler)
    logger.error("of nobody")
    with server.test_request_context("/healthz", headers={HEADER: ID}):
        server.preprocess_request()
        logger.error("of somebody")
        assert request_id() == ID
        ended = threading.Event()

        def work(*_: object) -> None:
            logger.error("of a job")
            ended.set()

        jobs: Jobs[None] = Jobs({"lane": 1})
        jobs.submit(named("job"), lambda: (Stage(work, "lane"),), "ann")
    assert ended.wait(WAIT_S)
    jobs.close()
    logger.error("of nobody again")
    expected = ["[-] of nobody", f"[{ID}] of somebody", f"[{ID}] of a job", "[-] of nobody again"]
    assert written.getvalue().splitlines() == expected


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_what_goes_wrong_inside_names_the_request_and_nothing_else(
    server: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    def fail(**_: str) -> str:
        raise RuntimeError("/srv/secret/place")

    monkeypatch.setitem(server.view_functions, "views.list_views", fail)
    answer = server.test_client().get("/views", headers={HEADER: ID, "Accept": accept})
    assert answer.status_code == 500 and answer.mimetype == accept
    assert ID in answer.text and "secret" not in answer.text and "RuntimeError" not in answer.text
    assert "/srv/secret/place" in caplog.text


def require_no_folder(text: str, asked: object) -> None:
    text = text.replace("\\u002f", "/")
    found = re.findall(f".{{60}}(?:{SECRET}|pytest-of).{{60}}", text)
    assert not found, (asked, found)
    assert not ABSOLUTE.findall(text), (asked, ABSOLUTE.findall(text))


def test_no_answer_of_any_route_names_a_folder(server: Flask, client: FlaskClient) -> None:
    for answer in asked_everywhere(server, {}):
        if answer.mimetype in ("text/html", "application/json", "text/plain"):
            require_no_folder(answer.get_data(as_text=True), answer.request)
    told = []
    for path, body in (
        ("/views", json.dumps({"name": "a", "note": "", "page": "explore", "query": ""})),
        ("/regions/codes", "b1.2.3.4"),
    ):
        answer = client.post(path, data=body, content_type="application/json")
        told.append(answer.get_json()["error"])
        require_no_folder(answer.text, path)
    assert "cannot be kept in view:" in told[0] and "cannot be kept in region:" in told[1]


def test_no_answer_of_a_callback_names_a_folder(client: FlaskClient) -> None:
    listed = client.get("/_dash-layout").text
    assert "damaged" in listed
    refused = failures = ""
    for page in ("", "/compare", "/training"):
        require_no_folder(client.get(f"{page}/_dash-layout").text, page)
        known: Any = client.get(f"{page}/_dash-dependencies").json
        # Those that get to the files of a pair; others would only compute what they are given.
        for callback in on_server(known):
            if not {"location", "pair-select", "compare-pair"} & {one["id"] for one in callback["inputs"]}:
                continue
            for value in ("?pair=damaged", "cut"):
                inputs, state = ([value] * len(callback[kind]) for kind in ("inputs", "state"))
                changed = [f"{one['id']}.{one['property']}" for one in callback["inputs"]]
                answer = call(client, page, callback, inputs, state, changed)
                require_no_folder(answer.text, callback["output"])
                failure = unquote(answer.headers.get("Fusevis-Failure", ""))
                require_no_folder(f"{failure:>60}{'':60}", callback["output"])
                refused, failures = refused + answer.text, failures + failure
    assert "mri_damaged.png: " in refused, "some answer says what is wrong with the file"
    assert "mri_cut.nii: " in failures, "so does the header of some"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/srv/a b/x.png: damaged.", "a b/x.png: damaged."),
        ('{"error": "In \\"/srv/a b/deep/y\\""}', '{"error": "In \\"deep/y\\""}'),
        ("see\\n/srv/a b.", "see\\na b."),
        ("see\\n/srv/a b/c", "see\\na b/c"),
        ("https://host/srv/a b/x", "https://host/srv/a b/x"),
        ("/srv/a bc/x", "/srv/a bc/x"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_only_the_last_part_of_a_folder_is_told(text: str, told: str) -> None:
    folders = Told([Path("/srv/a b"), Path("/srv/a b/deep"), Path("/")])
    assert folders.without_folders(text.encode()).decode() == told

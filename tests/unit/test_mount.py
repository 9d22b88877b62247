"""A server below a part of an address: all that a page names lies below it, whether the server in front hands it on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError

from app.assets import ASSETS
from app.settings import Settings
from tests.unit.guarded import addresses, guarded_server

PREFIX = "/user/a.b/proxy/8050"
TOKEN = "a-token-of-this-test"
PAGES = ("/", "/compare", "/training")
NAMED = re.compile(r"""(?:href|src)="([^"]*)"|import "([^"]*)";""")
LITERAL = re.compile(r"""["'`](/[A-Za-z_][^"'`\n]*)["'`]""")
"""In JavaScript: a text that begins as an absolute address does."""
BELOW = {"named-views.mjs": ("/study.json", "/study"), "dialog.mjs": ("/pairs/${id}",)}
"""By module, such that are put behind another address (`ask` of views/named-views.mjs and of uploads/server.mjs)."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with guarded_server(tmp_path_factory.mktemp("server"), prefix=f"{PREFIX}/") as made:
        yield made


@pytest.fixture
def client(server: Flask) -> FlaskClient:
    return server.test_client()


def test_all_that_a_page_names_lies_below_the_prefix(client: FlaskClient) -> None:
    asked = set()
    # Handed on as it is, and with the prefix taken away.
    for page, handed_on in zip(PAGES, (PREFIX, "", PREFIX), strict=True):
        html = client.get(f"{handed_on}{page}").text
        named = {one or other for one, other in NAMED.findall(html)} - {""}
        named = {address for address in named if not address.startswith("data:")}
        assert len(named) > 20 and all(address.startswith(f"{PREFIX}/") for address in named), page
        asked |= {
            handed_on + address.removeprefix(PREFIX).split("?")[0] for address in named if "_dash" in address
        }
        asked.add(f"{PREFIX}/assets/{page.strip('/') or 'explore'}.mjs")
        config = json.loads(re.findall(r'id="_dash-config"[^>]*>(.*?)</script>', html)[0])
        place = "" if page == "/" else page
        assert config["requests_pathname_prefix"] == f"{PREFIX}{place}/"
        layout = client.get(f"{handed_on}{place}/_dash-layout").json
        for address in hrefs(layout):
            assert address.startswith(f"{PREFIX}/") or not address.startswith("/"), address
    for address in asked:
        with client.get(address) as answer:
            assert answer.status_code == 200, address


def hrefs(part: Any) -> Iterator[str]:
    """Yield the addresses that a layout names, of links and in its data."""
    if isinstance(part, list):
        for one in part:
            yield from hrefs(one)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key in ("href", "src", "data-home") and isinstance(value, str):
                yield value
            else:
                yield from hrefs(value)


def test_the_prefix_alone_leads_to_the_page_with_its_query(client: FlaskClient) -> None:
    answer = client.get(f"{PREFIX}?pair=own&zoom=4")
    assert answer.status_code == 308 and answer.headers["Location"] == f"{PREFIX}/?pair=own&zoom=4"


def test_every_address_is_the_same_below_the_prefix(server: Flask, client: FlaskClient) -> None:
    for address in addresses(server):
        with client.get(address) as plain, client.get(PREFIX + address) as below:
            assert plain.status_code == below.status_code, address
    with client.get(f"{PREFIX}x/views") as other:
        assert other.status_code == 404, "not below it"


def test_a_missing_page_leads_back_below_the_prefix(client: FlaskClient) -> None:
    for path in ("/no/such", f"{PREFIX}/compare/no"):
        answer = client.get(path)
        assert answer.status_code == 404 and f'href="{PREFIX}/compare"' in answer.text


def test_a_sign_in_stays_below_the_prefix(tmp_path: Path) -> None:
    with guarded_server(tmp_path, prefix=PREFIX, token=TOKEN) as server:
        client = server.test_client()
        for handed_on in (PREFIX, ""):
            answer = client.get(f"{handed_on}/compare?pair=own&token={TOKEN}")
            assert answer.status_code == 303 and answer.headers["Location"] == f"{PREFIX}/compare?pair=own"
            assert f"Path={PREFIX};" in answer.headers["Set-Cookie"] + ";"
        assert server.test_client().get(f"{PREFIX}/healthz").status_code == 200
        assert server.test_client().get(f"{PREFIX}/metrics").status_code == 401


def test_no_module_names_an_absolute_address() -> None:
    found = {
        (path.name, text)
        for path in ASSETS.rglob("*.mjs")
        for line in path.read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith(("*", "/*", "//"))
        for text in LITERAL.findall(line)
        if text not in BELOW.get(path.name, ())
    }
    assert not found, "an address begins with the home that the page was told"


@pytest.mark.parametrize(
    "prefix", ["fusevis", "/a b", "/a/../b", "//host", "/a//b", "/<x>", "http://host/a", "/a?b", "/\n"]
)
def test_what_is_no_part_of_an_address_is_refused(prefix: str) -> None:
    with pytest.raises(ValidationError):
        Settings(prefix=prefix)

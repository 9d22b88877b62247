"""A whole server without networks, and requests to all of its addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.factory import create_server
from app.settings import Settings
from cache.services.loaded import LoadedMethods
from cache.services.services import services_of
from tests.unit.page_services import write_pair

# Nothing of this starts a computation that outlives the test.
FILLED = {"filename": "explore.mjs", "package_name": "dash", "fingerprinted_path": "x.js", "path": "no/such/page",
          "page": "explore", "form": "x", "row": "0", "col": "0", "pixels": "0.0.1", "kind": "fused"}  # fmt: skip
"""What is put into the addresses of routes; anything else is an ``x``."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@contextmanager
def guarded_server(folder: Path, **settings: Any) -> Iterator[Flask]:
    """Make a server with a small pair and these settings, its folders in `folder`, its methods not loaded."""
    folders = {f"{name}_dir": folder / name for name in ("cache", "view", "region", "atlas")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LoadedMethods, "load_all", lambda self: None)
        server = create_server(Settings(**(folders | {"device": "cpu"} | settings)), [write_pair(folder)])
    yield server
    services_of(server).close()


def addresses(server: Flask) -> list[str]:
    """Return an address of every route."""
    adapter = server.url_map.bind("x")
    return sorted(
        {
            adapter.build(rule.endpoint, {key: FILLED.get(key, "x") for key in rule.arguments}, method)
            for rule in server.url_map.iter_rules()
            for method in rule.methods or ()
        }
    )


def asked_everywhere(
    server: Flask, headers: Mapping[str, str], methods: tuple[str, ...] = METHODS
) -> Iterator[TestResponse]:
    """Send a request with these headers to every address by every method, and return the answers."""
    client = server.test_client()
    for address in addresses(server):
        for method in methods:
            answer = client.open(address, method=method, headers=headers)
            yield answer
            answer.close()

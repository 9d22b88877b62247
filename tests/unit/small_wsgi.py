"""An application for tests of the server before it: it says what it was sent, and answers at length or never."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

LARGE = 64 * 2**20
go_on = threading.Event()


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the body's length; at /large with many bytes; at /gate once somebody has been at /open."""
    body = environ["wsgi.input"].read()
    path = environ["PATH_INFO"]
    if path == "/gate":
        go_on.wait(300)
    elif path == "/open":
        go_on.set()
    content = bytes(LARGE) if path == "/large" else b"%d" % len(body)
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]

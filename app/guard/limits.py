"""Limits that hold before any work is done: the size of what is sent, the depth of JSON, and what cannot be read."""

from __future__ import annotations

import logging
import re
from io import BytesIO
from typing import Any

from dash.exceptions import DependencyException
from flask import Flask, Response, request
from flask.json.provider import DefaultJSONProvider
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import RequestEntityTooLarge

from app.routes import regions, views
from app.routes.answers import MALFORMED, problem_answer
from app.settings import Settings
from cache.services.upload_stage import LARGEST_PIECE

MOST_BYTES = 2**20
"""What a request may bring, as the callbacks' do; routes that take files have limits of their own."""
LARGE_VIEW = f"A view may have up to {views.LARGEST_VIEW // 2**10} KiB."
MOST_BYTES_OF: dict[str, tuple[int, str]] = {
    "regions.png": (regions.LARGEST_PNG, f"A mask may have up to {regions.LARGEST_PNG // 2**20} MiB."),
    "regions.codes": (
        regions.LARGEST_CODE,
        "The region is too large to be kept. Select fewer, or less scattered, pixels.",
    ),
    "uploads.add": (LARGEST_PIECE, f"A piece of a file may have up to {LARGEST_PIECE // 2**20} MiB."),
    "methods.add": (LARGEST_PIECE, f"A piece of a file may have up to {LARGEST_PIECE // 2**20} MiB."),
    "views.save_view": (views.LARGEST_VIEW, LARGE_VIEW),
    "views.change_view": (views.LARGEST_VIEW, LARGE_VIEW),
    "views.take_study": (views.LARGEST_STUDY, f"A study may have up to {views.LARGEST_STUDY // 2**20} MiB."),
}
"""By endpoint, bytes and the words for more."""
TOO_LARGE = f"A request may bring up to {MOST_BYTES // 2**20} MiB."
DEEPEST = 64
"""Levels of lists and objects in JSON; a page's have about twenty."""

_STRUCTURE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)

logger = logging.getLogger(__name__)


def register(server: Flask, settings: Settings) -> None:
    """Set the limits, and answer what goes beyond them or cannot be read in words and one line of the log."""
    server.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    server.json = ShallowJSON(server)
    server.before_request(limit_body)
    server.register_error_handler(RequestEntityTooLarge, refuse_large)
    server.register_error_handler(ParseException, refuse_unreadable)
    server.register_error_handler(
        DependencyException, lambda error: problem_answer(404, "There is no such file.")
    )


class ShallowJSON(DefaultJSONProvider):
    """JSON whose lists and objects lie in each other at most `DEEPEST` deep, as Python gives up somewhere too."""

    def loads(self, s: str | bytes, **options: Any) -> Any:
        """Read a text.

        Raises
        ------
        ValueError
            If it is no JSON, or too deep.
        """
        if depth(s.encode("utf-8", "replace") if isinstance(s, str) else s) > DEEPEST:
            raise ValueError(f"the JSON is more than {DEEPEST} levels deep")
        return super().loads(s, **options)


def depth(text: bytes) -> int:
    """Return how deep lists and objects lie in each other in a JSON text, without reading it as such."""
    if text.count(b"[") + text.count(b"{") <= DEEPEST:
        return 0
    deepest = level = 0
    for found in _STRUCTURE.finditer(text):
        token = found.group()
        if token in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif token in b"]}":
            level -= 1
    return deepest


def limit_body() -> None:
    """Refuse a request that says it is too large before a byte of it is read, one in chunks where it becomes so."""
    most, _ = MOST_BYTES_OF.get(request.endpoint or "", (MOST_BYTES, ""))
    request.max_content_length = most
    if (request.content_length or 0) > most:
        raise RequestEntityTooLarge
    if "Transfer-Encoding" in request.headers:
        # Werkzeug would cut it off at the limit and say nothing.
        content = request.environ["wsgi.input"].read(most + 1)
        if len(content) > most:
            raise RequestEntityTooLarge
        request.environ["wsgi.input"] = BytesIO(content)


def refuse_large(error: RequestEntityTooLarge) -> Response:
    """Answer 413 with how much the route takes."""
    _, words = MOST_BYTES_OF.get(request.endpoint or "", (0, TOO_LARGE))
    return problem_answer(413, words)


def refuse_unreadable(error: ParseException) -> Response:
    """Answer 400 to a body whose form is broken, such as a chunk without a length."""
    logger.warning("The body of a request to %s cannot be read: %s", request.endpoint, type(error).__name__)
    return problem_answer(400, MALFORMED)

"""Answers that the server's worker gives by itself, to requests that never reach Flask.

They are too long, too large, too slow, or cannot be read. The answers have the headers of all others, and words.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask, json

from app.connections import LONGEST_LINE
from app.guard.headers import HEADERS, content_policy, policy_of
from app.guard.request_ids import FAILED, HEADER, request_id_of
from app.routes.plain_pages import plain_page

WORDS = {
    HTTPStatus.BAD_REQUEST: "This request cannot be read.",
    HTTPStatus.REQUEST_TIMEOUT: "This request took too long to arrive.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "This request is too large.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The head of this request is too large.",
    HTTPStatus.INTERNAL_SERVER_ERROR: FAILED,
    HTTPStatus.SERVICE_UNAVAILABLE: "The server has too much to do just now. Ask again in a moment.",
}
TOO_LONG = (
    f"FuseVis reads addresses of up to about {LONGEST_LINE // 100 * 100:,} letters. What its pages write is "
    'shorter: large regions are kept on the server and have short names in links. <a href="{home}">The saliency '
    "pictures</a> open without a link too."
)

logger = logging.getLogger(__name__)


class OwnAnswers:
    """Complete answers as bytes, each of which ends its connection.

    Parameters
    ----------
    application : object
        What the worker serves: of our Flask server, its headers and its place are taken.
    """

    def __init__(self, application: object = None) -> None:
        own = application if isinstance(application, Flask) else None
        policy = content_policy("'self'") if own is None else policy_of(own)
        self._home = "/" if own is None else str(own.config["APPLICATION_ROOT"])
        self._headers = HEADERS | {"Content-Security-Policy": policy}

    def of(self, status: HTTPStatus) -> bytes:
        """Return the answer of a status; a link that is too long gets a page, everything else words in JSON."""
        id = request_id_of("")
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.error("Answered %d to request %s before it was read", status, id)
        if status is HTTPStatus.REQUEST_URI_TOO_LONG:
            page = plain_page("Too long", "This link is too long", TOO_LONG.format(home=self._home))
            return self._written(status, id, page, {"Content-Type": "text/html; charset=utf-8"})
        words = WORDS.get(status, f"{status.phrase}.").format(id=id)
        more = {"Content-Type": "application/json"}
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            more["Retry-After"] = "1"
        return self._written(status, id, json.dumps({"error": words, "request": id}), more)

    def _written(self, status: HTTPStatus, id: str, text: str, more: dict[str, str]) -> bytes:
        body = text.encode()
        headers = self._headers | more | {HEADER: id, "Connection": "close", "Content-Length": str(len(body))}
        lines = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            *(f"{name}: {text}" for name, text in headers.items()),
        ]
        return "\r\n".join((*lines, "", "")).encode("latin-1") + body

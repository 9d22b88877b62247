"""A name for each request, in its answer, in what the log says of it and in the words about what went wrong.

A web server in front may give it (``X-Request-ID``, as nginx's ``$request_id``), so that its log and this one agree.
"""

from __future__ import annotations

import logging
import re
import secrets

from flask import Flask, Response, g, has_request_context, request

from app.settings import Settings
from cache.jobs.origin import NOBODY, origin

HEADER = "X-Request-ID"
NONE = NOBODY
FAILED = "Something went wrong on the server; its log says what, under request {id}."
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
"""Nothing that could end a line of the log or a header."""


def register(server: Flask, settings: Settings) -> None:
    """Name all requests, before anything can refuse them."""

    def name_request() -> None:
        g.request_id = request_id_of(request.headers.get(HEADER, ""))
        # For the jobs that it begins.
        origin.set(g.request_id)

    def forget(_: BaseException | None) -> None:
        origin.set(NOBODY)

    def tell(answer: Response) -> Response:
        answer.headers[HEADER] = g.request_id
        return answer

    server.before_request(name_request)
    server.after_request(tell)
    server.teardown_request(forget)


def request_id_of(given: str) -> str:
    """Return the id that was given where it is well-formed, else a new one of 16 hexadecimal digits."""
    return given if WELL_FORMED.fullmatch(given) else secrets.token_hex(8)


def request_id() -> str:
    """Return the id of the request that is being answered, or has begun the job at work; `NONE` outside of both."""
    return str(g.get("request_id", NONE)) if has_request_context() else origin.get()


class WithRequestId(logging.Formatter):
    """Lines of a log with the request that they are of, or that has begun the job at work: ``[id]``; else ``[-]``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        record.request_id = request_id()
        return super().format(record)


def write_log() -> None:
    """Have this process write its log to the standard error stream, unless it writes one already."""
    handler = logging.StreamHandler()
    handler.setFormatter(WithRequestId("%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"))
    logging.basicConfig(handlers=[handler])

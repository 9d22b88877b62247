"""Whose browser it is, without asking anybody's name: a random cookie, or who a web server in front says it is.

What a page asks for in the background is known by the page's own name. That begins with its visitor's, so that all
pages of one visitor take one turn among others, and the page “Jobs” can tell which jobs are whose.
"""

from __future__ import annotations

import hmac
import re
import secrets
import uuid

from flask import Flask, Response, current_app, g, has_request_context, request

from app.guard.users import user
from app.settings import Settings

COOKIE = "fusevis-visitor"
WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{22,64}")
DIGITS = 16
YEAR_S = 365 * 24 * 3600


def register(server: Flask, settings: Settings) -> None:
    """Give a browser that opens a page its cookie."""

    def remember(answer: Response) -> Response:
        new = g.get("new_visitor")
        if new and answer.mimetype == "text/html" and answer.status_code == 200:
            answer.set_cookie(
                COOKIE,
                new,
                max_age=YEAR_S,
                path=request.root_path or "/",
                httponly=True,
                samesite="Lax",
                secure=request.is_secure,
            )
        return answer

    server.before_request(_recognize)
    server.after_request(remember)


def _recognize() -> None:
    given = request.cookies.get(COOKIE, "")
    known = WELL_FORMED.fullmatch(given) is not None
    g.new_visitor = None if known else secrets.token_urlsafe(16)
    g.visitor = given if known else g.new_visitor


def visitor() -> str:
    """Return the name of whoever sends the request under way, 16 hexadecimal digits that say nothing of the cookie."""
    who = f"user {user()}" if user() else f"browser {g.get('visitor', '')}"
    key = str(current_app.secret_key).encode()
    return hmac.new(key, who.encode(), "sha256").hexdigest()[:DIGITS]


def new_viewer() -> str:
    """Return a name, which nobody can guess, for a page that is being made for the visitor."""
    page = uuid.uuid4().hex
    return f"{visitor()}-{page}" if has_request_context() else page

"""Cookies by which a browser is known again: no script reads them, and they stay below the prefix."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

YEAR_S = 365 * 24 * 3600


def keep_for_a_year(answer: Response, name: str, value: str) -> None:
    """Let the browser that the answer goes to keep a cookie."""
    answer.set_cookie(
        name,
        value,
        max_age=YEAR_S,
        path=request.root_path or "/",
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )

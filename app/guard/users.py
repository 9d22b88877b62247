"""The user as far as the server knows: the name that a web server in front has found out, else nothing."""

from __future__ import annotations

from flask import g


def remember_user(name: str) -> None:
    """Keep the name of whoever sends the request under way."""
    # A header's bytes come as Latin-1; who has other letters in the name sends UTF-8.
    g.user = name.encode("latin-1", "replace").decode("utf-8", "replace")


def user() -> str:
    """Return the name of whoever sends the request under way; empty where nobody knows."""
    return str(g.get("user", ""))

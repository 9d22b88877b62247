"""The part of the address below which everything lies (``FUSEVIS_PREFIX``), where another web server hands requests on.

Some such servers hand an address on as it is, others take the prefix away, as a notebook's proxy does. Both are
answered: what begins with the prefix is taken without it, and whatever the pages name begins with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from app.settings import Settings

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
BARE = "fusevis.bare"
"""In a request's environment: the prefix was asked for without the slash behind it, so that what a page names by a
relative address would lie elsewhere."""


def register(server: Flask, settings: Settings) -> None:
    """Serve everything below the prefix, if there is one."""
    prefix = settings.prefix.rstrip("/")
    server.config["APPLICATION_ROOT"] = f"{prefix}/"
    if not prefix:
        return
    server.wsgi_app = below(server.wsgi_app, prefix)  # type: ignore[assignment, method-assign]  # as Flask's manual has it

    def add_slash() -> Response | None:
        if BARE not in request.environ:
            return None
        query = request.query_string.decode("latin-1")
        return redirect(f"{prefix}/" + (f"?{query}" if query else ""), 308)

    server.before_request(add_slash)


def below(application: Application, prefix: str) -> Application:
    """Return the application as it is below a prefix.

    Parameters
    ----------
    application : callable
        A WSGI application.
    prefix : str
        Begins with a slash and ends with none.
    """

    def mounted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == prefix:
            environ[BARE] = True
            environ["PATH_INFO"] = "/"
        elif path.startswith(f"{prefix}/"):
            environ["PATH_INFO"] = path[len(prefix) :]
        environ["SCRIPT_NAME"] = prefix
        return application(environ, start_response)

    return mounted

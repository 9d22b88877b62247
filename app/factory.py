"""Puts the whole together: settings, services, layout, routes and callbacks. The only place that knows them all."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from pathlib import Path

from dash import Dash, set_props
from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

import callbacks.display
import callbacks.guidance
import callbacks.hover
import callbacks.link
import callbacks.selection
from app import routes
from app.ids import Id
from app.layout.page import notice, page
from app.settings import Settings
from cache.building import build_services
from cache.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
CALLBACKS = (callbacks.link, callbacks.selection, callbacks.guidance, callbacks.hover, callbacks.display)
UNEXPECTED = "Something went wrong on the server; its log says what. Reload the page to go on."

logger = logging.getLogger(__name__)


def create_server(settings: Settings | None = None, user_pairs: Sequence[tuple[Path, Path]] = ()) -> Flask:
    """Make the WSGI application.

    Parameters
    ----------
    settings : Settings, optional
        Read from the environment unless given.
    user_pairs : sequence of (Path, Path)
        Files of pairs that stand beside the samples.

    Returns
    -------
    flask.Flask
        Ready to be served.
    """
    settings = settings or Settings()
    server = Flask("fusevis", static_folder=None)
    server.secret_key = (
        settings.secret_key.get_secret_value() if settings.secret_key else secrets.token_urlsafe(32)
    )
    services = build_services(server, settings, user_pairs)
    app = Dash(
        "fusevis",
        server=server,  # type: ignore[arg-type]  # dash takes a Flask server; its stub does not say so
        title="FuseVis",
        update_title="",
        assets_folder=str(ROOT / "assets"),
        on_error=show_error,
        suppress_callback_exceptions=False,
    )
    app.layout = lambda: page(
        [(entry.address, menu_label(entry.title, entry.simulated)) for entry in services.entries()],
        services.methods(),
    )
    for module in CALLBACKS:
        module.register(app)
    routes.register(server, services, UserError)
    server.register_error_handler(Exception, refuse_malformed)
    return server


def menu_label(title: str, simulated: bool) -> str:
    """Return a pair's name in the menu; simulated ones say so."""
    return f"{title} (simulated)" if simulated and "simulated" not in title.lower() else title


def refuse_malformed(error: Exception) -> ResponseReturnValue:
    """Answer a request to Dash's own route that no page would send, at which Dash itself stumbles.

    Errors inside callbacks never come here: `show_error` has them.
    """
    if isinstance(error, HTTPException):
        return error
    if not request.path.endswith("/_dash-update-component"):
        raise error
    logger.warning("A request could not be read", exc_info=error)
    return {"error": "This is not a request of the page."}, 400


def show_error(error: Exception) -> None:
    """Tell the visitor what went wrong in a callback, in words that are meant for visitors."""
    if isinstance(error, UserError):
        message = str(error)
    else:
        logger.error("A callback failed", exc_info=error)
        message = UNEXPECTED
    set_props(Id.NOTICES, {"children": [notice(message, "danger")]})

"""Puts the whole together: settings, services, layout, routes and callbacks. The only place that knows them all."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from dash import Dash, set_props
from dash.development.base_component import Component
from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

import callbacks.atlas
import callbacks.compare
import callbacks.compare_link
import callbacks.compare_numbers
import callbacks.display
import callbacks.guidance
import callbacks.hover
import callbacks.link
import callbacks.regions
import callbacks.selection
import callbacks.training
from app.assets import left_out
from app.explore_page import ExplorePage
from app.icon import add_icon
from app.ids import Id
from app.layout.compare import compare_page
from app.layout.notices import notice
from app.layout.page import page
from app.routes import atlas, compare, regions, same_origin, views, windows
from app.routes import export as takeaway_routes
from app.routes.missing import missing_page
from app.settings import Settings
from cache.errors import UserError
from cache.services.services import Services, build_services
from callbacks.first_view import first_view

ROOT = Path(__file__).resolve().parent.parent
CALLBACKS = (
    callbacks.link,
    callbacks.selection,
    callbacks.guidance,
    callbacks.hover,
    callbacks.display,
    callbacks.regions,
    callbacks.atlas,
)
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
    app = ExplorePage(
        lambda search: first_view(services, search),
        "fusevis",
        server=server,
        title="FuseVis",
        update_title="",
        assets_folder=str(ROOT / "assets"),
        assets_ignore=left_out("explore"),
        on_error=show_error,
        suppress_callback_exceptions=False,
    )
    add_icon(app)
    app.layout = lambda: page(pair_choices(services), services.scenes.methods())
    for module in CALLBACKS:
        module.register(app)
    _add_pages(server, services, app.config.requests_pathname_prefix)
    same_origin.register(server)
    windows.register(server, services, UserError)
    atlas.register(server, services, services.atlases, UserError)
    compare.register(server, services, UserError)
    regions.register(server, services.regions, UserError)
    views.register(server, services.views, UserError)
    takeaway_routes.register(server, services)
    server.register_error_handler(Exception, refuse_malformed)
    return server


def _add_pages(server: Flask, services: Services, home: str) -> None:
    """Serve the other pages at their names, and a plain page where there is none."""
    training = _add_page(server, "training", home, lambda: callbacks.training.layout(services, home))
    callbacks.training.register(training, home)
    compare = _add_page(
        server, "compare", home, lambda: compare_page(pair_choices(services), services.scenes.methods(), home)
    )
    callbacks.compare.register(compare)
    callbacks.compare_link.register(compare)
    callbacks.regions.register(compare)
    callbacks.compare_numbers.register(compare)
    # Dash would answer every other address with its page.
    server.view_functions["/<path:path>"] = lambda path: missing_page(home)


def _add_page(server: Flask, name: str, home: str, layout: Callable[[], Component]) -> Dash:
    """Serve a page at ``name``.

    It is a Dash application of its own: Dash asks for a layout without saying for which address, and no
    page should load, or answer for, what belongs to another.
    """
    prefix = f"/{name}/"
    app = Dash(
        f"fusevis-{name}",
        server=server,  # type: ignore[arg-type]  # dash takes a Flask server; its stub does not say so
        routes_pathname_prefix=prefix,
        requests_pathname_prefix=f"{home}{name}/",
        title=f"{name.capitalize()} · FuseVis",
        update_title="",
        assets_folder=str(ROOT / "assets"),
        assets_ignore=left_out(name),
        on_error=show_error,
        suppress_callback_exceptions=False,
    )
    add_icon(app)
    app.layout = layout
    server.add_url_rule(f"/{name}", name, server.view_functions[prefix])
    server.view_functions[f"{prefix}<path:path>"] = lambda path: missing_page(home)
    return app


def pair_choices(services: Services) -> list[tuple[str, str]]:
    """Return (address, label) of all pairs, for a menu."""
    return [(entry.address, menu_label(entry.title, entry.simulated)) for entry in services.scenes.entries()]


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

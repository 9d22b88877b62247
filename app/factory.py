"""Puts the whole together: settings, services, layout, routes and callbacks. The only place that knows them all."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from dash import set_props
from dash.development.base_component import Component
from flask import Flask, Response, after_this_request

import callbacks.atlas
import callbacks.compare
import callbacks.compare_numbers
import callbacks.display
import callbacks.guidance
import callbacks.hover
import callbacks.link
import callbacks.pair_notes
import callbacks.selection
import callbacks.training
import callbacks.weights
from app.assets import ModulePage
from app.explore_page import ExplorePage
from app.guard import folders, headers, hosts, limits, mount, origins, request_ids, sign_in, visitors
from app.guard.request_ids import request_id
from app.ids import Id
from app.layout.compare import compare_page
from app.layout.explore import explore_page
from app.layout.parts import notice
from app.routes import (
    answers,
    binary,
    catalogue,
    explain,
    export,
    jobs,
    maps,
    methods,
    metrics,
    regions,
    uploads,
    views,
    what_pictures_tell,
)
from app.routes.catalogue import pair_choices
from app.routes.plain_pages import add_icon, missing_page
from app.settings import Settings
from cache.errors import TooBusyError, UserError
from cache.services.services import Services, build_services
from callbacks.first_view import first_view

CALLBACKS = (
    callbacks.selection,
    callbacks.pair_notes,
    callbacks.weights,
    callbacks.guidance,
    callbacks.hover,
    callbacks.display,
    callbacks.atlas,
)
GUARDS = (request_ids, headers, hosts, origins, sign_in, visitors, mount, limits)
"""In the order in which a request passes them."""
ROUTES = (
    binary,
    catalogue,
    explain,
    maps,
    methods,
    regions,
    uploads,
    views,
    export,
    jobs,
    what_pictures_tell,
)
UNEXPECTED = "Something went wrong on the server; its log says what. Reload the page to go on."
"""Before the id of the request."""

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
    for guard in GUARDS:
        guard.register(server, settings)
    services = build_services(server, settings, user_pairs)
    app = ExplorePage(
        lambda search: first_view(services, search),
        "fusevis",
        server=server,
        routes_pathname_prefix="/",
        requests_pathname_prefix=f"{settings.prefix.rstrip('/')}/",
        title="FuseVis",
        update_title="",
        on_error=show_error,
        suppress_callback_exceptions=False,
    )
    add_icon(app)
    app.show(
        lambda: explore_page(
            pair_choices(services), services.scenes.method_choices(), services.method_uploads.on
        )
    )
    callbacks.link.register_explore(app)
    for module in CALLBACKS:
        module.register(app)
    _add_pages(server, services, app.config.requests_pathname_prefix)
    answers.register(server)
    metrics.register(server)
    for module in ROUTES:
        server.register_blueprint(module.routes)
    own = {path.expanduser().absolute().parent for pair in user_pairs for path in pair}
    folders.register(server, folders.folders_of(settings) | own)
    return server


def _add_pages(server: Flask, services: Services, home: str) -> None:
    """Serve the other pages at their names, and a plain page where there is none."""
    training = _add_page(server, "training", home, lambda: callbacks.training.layout(services, home))
    callbacks.training.register(training, home)
    compare = _add_page(
        server,
        "compare",
        home,
        lambda: compare_page(
            pair_choices(services), services.scenes.method_choices(), home, services.method_uploads.on
        ),
    )
    callbacks.compare.register(compare)
    callbacks.link.register_compare(compare)
    callbacks.pair_notes.register_compare(compare)
    callbacks.compare_numbers.register(compare)
    callbacks.weights.register_compare(compare)
    # Dash would answer every other address with its page.
    server.view_functions["/<path:path>"] = lambda path: missing_page(home)


def _add_page(server: Flask, name: str, home: str, layout: Callable[[], Component]) -> ModulePage:
    """Serve a page at ``name``.

    It is a Dash application of its own: Dash asks for a layout without saying for which address, and no
    page should load, or answer for, what belongs to another.
    """
    prefix = f"/{name}/"
    app = ModulePage(
        name,
        home,
        f"fusevis-{name}",
        server=server,
        routes_pathname_prefix=prefix,
        requests_pathname_prefix=f"{home}{name}/",
        title=f"{name.capitalize()} · FuseVis",
        update_title="",
        on_error=show_error,
        suppress_callback_exceptions=False,
    )
    add_icon(app)
    app.show(layout)
    server.add_url_rule(f"/{name}", name, server.view_functions[prefix])
    server.view_functions[f"{prefix}<path:path>"] = lambda path: missing_page(home)
    return app


def show_error(error: Exception) -> None:
    """Tell the visitor what went wrong in a callback, in words that are meant for visitors.

    What is only too much at the moment is asked for again by the browser (``assets/core/patience.mjs``).
    """
    if isinstance(error, TooBusyError):
        after_this_request(lambda answer: _with_pause(_with_failure(answer, str(error)), error.retry_after_s))
        return
    if isinstance(error, UserError):
        message = str(error)
    else:
        logger.error("A callback failed", exc_info=error)
        message = f"{UNEXPECTED} (Request {request_id()}.)"
    set_props(Id.NOTICES, {"children": [notice(message, "danger")]})
    # Dash tells the browser of no failure; what waits for this answer has to know.
    after_this_request(lambda answer: _with_failure(answer, message))


def _with_pause(answer: Response, seconds: int) -> Response:
    answer.status_code = 503
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _with_failure(answer: Response, message: str) -> Response:
    answer.headers[folders.FAILURE] = quote(message)
    return answer

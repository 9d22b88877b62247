"""Around all routes: refusals in words for the user, requests of other web pages, and the server's health."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from cache.errors import UserError
from cache.services.services import services_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
DASH = "/_dash-update-component"
FOREIGN = (
    "This request comes from another web page than this server's own, so nothing was changed. Where a web server "
    "stands in front of this one, it has to pass on the header Host."
)

logger = logging.getLogger(__name__)


def register(server: Flask) -> None:
    """Refuse what comes from elsewhere before any route, answer errors in words, and say how the server is."""
    server.before_request(refuse_foreign)
    server.register_error_handler(UserError, refused)
    server.register_error_handler(Exception, refuse_malformed)
    server.add_url_rule("/healthz", "healthz", lambda: jsonify(status="alive"))
    server.add_url_rule("/readyz", "readyz", readiness)


def refused(problem: str | Exception) -> Response:
    """Answer with an error that is meant for the user, as JSON.

    An error that passes has ``retry_after_s``, the seconds after which asking again is worth while.
    """
    seconds = getattr(problem, "retry_after_s", None)
    if seconds is None:
        return problem_answer(404, str(problem))
    return problem_answer(503, str(problem), {"Retry-After": str(seconds)})


def problem_answer(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Answer with this status and ``{"error": message}``."""
    answer = jsonify(error=message)
    answer.status_code = status
    answer.headers.update(headers or {})
    return answer


def told(problem: str | Exception) -> Response:
    """Answer with an error of which a browser makes no entry in its console: what a person did wrong is no failure."""
    return problem_answer(200, str(problem))


def is_foreign(asked: Request) -> bool:
    """Tell whether a request comes from a page of another origin, as the browser that sends it says.

    Scripts say nothing of the kind. Where a web server in front gives the page another name, a browser that sends
    ``Sec-Fetch-Site`` still knows, and ``X-Forwarded-Host`` has the name: no page can set either of them.
    """
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = asked.headers.get("Origin")
    if origin is None:
        return False
    try:
        named = urlsplit(origin).netloc.lower()
    except ValueError:
        return True
    own = [asked.headers.get("Host", ""), *asked.headers.get("X-Forwarded-Host", "").split(",")]
    return not named or named not in [name.strip().lower() for name in own]


def refuse_foreign() -> Response | None:
    """Refuse a request of another web page that would change something.

    A browser lets any page send some forms of POST to any server that it reaches, one on the visitor's own machine
    too. Dash's own route is left to Dash, which takes nothing but JSON: a browser asks this server before it sends
    that for another page, and gets no leave.
    """
    if request.method in SAFE or request.path.endswith(DASH) or not is_foreign(request):
        return None
    return problem_answer(403, FOREIGN)


def refuse_malformed(error: Exception) -> ResponseReturnValue:
    """Answer a request to Dash's own route that no page would send, at which Dash itself stumbles.

    Errors inside callbacks never come here: `app.factory.show_error` has them.
    """
    if isinstance(error, HTTPException):
        return error
    if not request.path.endswith(DASH):
        raise error
    logger.warning("A request could not be read", exc_info=error)
    return problem_answer(400, "This is not a request of the page.")


def readiness() -> Response:
    """Say whether the device is up and the weights are loaded, for a load balancer."""
    found = services_of(current_app).ready()
    answer = jsonify(ready=found.ready, problems=list(found.problems))
    answer.status_code = 200 if found.ready else 503
    return answer

"""Around all routes: refusals in words for the user, and the server's health."""

from __future__ import annotations

import logging

from flask import Flask, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, InternalServerError

from app.guard.request_ids import FAILED, NONE, request_id
from app.routes.plain_pages import plain_page
from cache.errors import UserError
from cache.services.services import services_of

DASH = "/_dash-update-component"
MALFORMED = "This is not a request of the page."

logger = logging.getLogger(__name__)


def register(server: Flask) -> None:
    """Answer errors in words, and say how the server is."""
    server.register_error_handler(UserError, refused)
    server.register_error_handler(Exception, refuse_malformed)
    server.register_error_handler(InternalServerError, failed)
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
    """Answer with this status and ``{"error": message}``, with the id of the ``request`` where it has one."""
    id = request_id()
    answer = jsonify({"error": message} if id == NONE else {"error": message, "request": id})
    answer.status_code = status
    answer.headers.update(headers or {})
    return answer


def told(problem: str | Exception) -> Response:
    """Answer with an error of which a browser makes no entry in its console: what a person did wrong is no failure."""
    return problem_answer(200, str(problem))


def refuse_malformed(error: Exception) -> ResponseReturnValue:
    """Answer a request to Dash's own route that no page would send, at which Dash itself stumbles.

    Errors inside callbacks never come here: `app.factory.show_error` has them.
    """
    if isinstance(error, HTTPException):
        return error
    if not request.path.endswith(DASH):
        raise error
    # One line without what was sent: anybody can send it, as often and as long as they like.
    logger.warning("A request to %s could not be read: %s", request.endpoint, type(error).__name__)
    return problem_answer(400, MALFORMED)


def failed(error: InternalServerError) -> Response:
    """Answer 500: with a page to those who read pages, else with words; what went wrong is in the log."""
    message = FAILED.format(id=request_id())
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html":
        return problem_answer(500, message)
    page = plain_page("Failed", "This did not work", message)
    return Response(page, status=500, mimetype="text/html", headers={"Cache-Control": "no-store"})


def readiness() -> Response:
    """Say whether the device is up and the weights are loaded, for a load balancer."""
    found = services_of(current_app).ready()
    answer = jsonify(ready=found.ready, problems=list(found.problems))
    answer.status_code = 200 if found.ready else 503
    return answer

"""Routes of the maps: how far one is, beginning one, stopping it. Their numbers come by ``/images``."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, current_app, jsonify, request

from app.routes.answers import refused, told
from app.routes.binary import VIEWER_LENGTH
from cache.errors import TooBusyError, UserError
from cache.services.maps import MapState
from cache.services.scenes import Scene
from cache.services.services import services_of
from fusion.saliency.maps import MapKind

routes = Blueprint("maps", __name__, url_prefix="/maps")

WHERE = "/<pair>/<method>/<weights>/<kind>"
KINDS = f"There are maps of these kinds: {', '.join(MapKind)}."


@routes.get(WHERE)
def state(pair: str, method: str, weights: str, kind: str) -> Response:
    """Say how far a map is, and how long it will take where nobody computes it: nothing is started."""
    if kind not in list(MapKind):
        return refused(KINDS)
    services, which = services_of(current_app), MapKind(kind)
    try:
        scene = _scene(pair, method, weights)
        found = services.maps.state(scene, which, _viewer())
        idle = not (found.complete or found.running)
        if not idle:
            return _answer(found)
        with services.scenes.slow.place():
            return _answer(found, services.maps.expected_seconds(scene, which))
    except TooBusyError as error:
        return refused(error)
    except UserError as error:
        return told(error)


@routes.post(f"{WHERE}/start")
def start(pair: str, method: str, weights: str, kind: str) -> Response:
    """Begin to compute a map, or join those for whom it is computed."""
    if kind not in list(MapKind):
        return refused(KINDS)
    try:
        scene = _scene(pair, method, weights)
        return _answer(services_of(current_app).maps.state(scene, MapKind(kind), _viewer(), start=True))
    except UserError as error:
        return told(error)


@routes.post(f"{WHERE}/stop")
def stop(pair: str, method: str, weights: str, kind: str) -> Response:
    """Take the interest of a viewer in a map back; what is computed stays."""
    if kind not in list(MapKind):
        return refused(KINDS)
    maps = services_of(current_app).maps
    try:
        scene = _scene(pair, method, weights)
        maps.cancel(scene, MapKind(kind), _viewer())
        return _answer(maps.state(scene, MapKind(kind), _viewer()))
    except UserError as error:
        return told(error)


def _scene(pair: str, method: str, weights: str) -> Scene:
    # With the weights that the address names, so that the services refuse those that are gone.
    return replace(services_of(current_app).scenes.open(pair, method), weights_id=weights)


def _viewer() -> str:
    return request.args.get("viewer", "")[:VIEWER_LENGTH]


def _answer(found: MapState, seconds: float | None = None) -> Response:
    answer = jsonify(
        fraction=found.fraction,
        complete=found.complete,
        running=found.running,
        cancelled=found.cancelled,
        problem=found.error,
        revision=found.revision if found.values is not None else 0,
        seconds=seconds,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer

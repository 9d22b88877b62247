"""Routes of methods: all that can be chosen, what is known of one, and networks that visitors bring."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from app.layout.parts import options
from app.routes.answers import problem_answer, refused, told
from app.routes.uploads import bringer
from cache.errors import TooBusyError, UserError
from cache.services.method_uploads import MethodUploads, Trial, UploadsOffError
from cache.services.owned_folder import DAY_S, OwnedCard
from cache.services.services import services_of
from cache.services.upload_stage import LARGEST_PIECE, UploadTooLargeError

MOST_SHOWN = 16
"""Ids of methods that are named in one request."""

routes = Blueprint("methods", __name__, url_prefix="/methods")
routes.register_error_handler(UserError, told)
routes.register_error_handler(TooBusyError, refused)


@routes.errorhandler(UploadTooLargeError)
def too_large(error: UploadTooLargeError) -> Response:
    """Answer 413: it is refused before it is read."""
    return problem_answer(413, str(error))


@routes.errorhandler(UploadsOffError)
def switched_off(error: UploadsOffError) -> Response:
    """Answer 403: whoever runs the server has not allowed this."""
    return problem_answer(403, str(error))


@routes.get("")
def listed() -> Response:
    """Answer with a menu's options: all methods, those of ``shown`` that no list has, and those of whoever asks."""
    scenes = services_of(current_app).scenes
    shown = request.args.get("shown", "").split(",")[:MOST_SHOWN]
    own = [card.id for card in _uploads().owned(bringer())]
    return _unkept(jsonify(options=options(scenes.choices_with(dict.fromkeys((*shown, *own))))))


@routes.get("/<id>/card")
def card(id: str) -> Response:
    """Answer with what is known of a method, or that it is measured just now."""
    services = services_of(current_app)
    with services.scenes.slow.place():
        found = services.method_cards.card(id)
    if found is None:
        return _unkept(jsonify(ready=False))
    return _unkept(jsonify(ready=True, title=found.title, note=found.note, facts=found.facts))


@routes.get("/uploads")
def uploads() -> Response:
    """Answer with what is taken, for how long, and with the networks of whoever asks."""
    found, owner = _uploads(), bringer()
    found.require_on()
    return _unkept(
        jsonify(
            on=found.on,
            most_bytes=found.most_bytes,
            most_bytes_kept=found.most_bytes_kept,
            piece=LARGEST_PIECE,
            keep_days=found.keep_days,
            methods=[_shown(card, owner, found.keep_days) for card in found.owned(owner)],
        )
    )


@routes.post("/uploads")
def begin() -> Response:
    """Begin an upload of a file of this name and size, and answer with its id."""
    values = _values()
    return jsonify(id=_uploads().begin(values.get("name"), values.get("size")))


@routes.put("/uploads/<id>")
def add(id: str) -> Response:
    """Take the next piece of the file; the last one begins its reading."""
    try:
        at = int(request.args.get("at", ""))
    except ValueError:
        return told("A piece says where it begins.")
    return _told_of(_uploads().add(id, at, request.get_data()))


@routes.get("/uploads/<id>")
def trial(id: str) -> Response:
    """Answer with how far an upload is."""
    return _told_of(_uploads().trial(id))


@routes.post("/uploads/<id>")
def use(id: str) -> Response:
    """Begin to try a file as it is described, to keep it if it can be used."""
    return _told_of(_uploads().use(id, _values().get("description"), bringer()))


@routes.delete("/uploads/<id>")
def discard(id: str) -> Response:
    """Forget an upload."""
    _uploads().discard(id)
    return jsonify(discarded=id)


@routes.delete("/<id>")
def delete(id: str) -> Response:
    """Delete a network of whoever asks."""
    _uploads().delete(id, bringer())
    return jsonify(deleted=id)


def _uploads() -> MethodUploads:
    return services_of(current_app).method_uploads


def _values() -> dict[str, Any]:
    values = request.get_json(silent=True)
    return values if isinstance(values, dict) else {}


def _told_of(trial: Trial) -> Response:
    uploads, owner = _uploads(), bringer()
    kept = None if trial.kept is None else _shown(trial.kept, owner, uploads.keep_days)
    return _unkept(jsonify(stage=trial.stage, facts=trial.facts, problem=trial.problem, kept=kept))


def _shown(card: OwnedCard, owner: str, keep_days: int) -> dict[str, Any]:
    return {
        "id": card.id,
        "label": f"{card.owners.get(owner, 'Network')} (uploaded)",
        "bytes": card.bytes,
        "days": max(round((card.brought - time.time()) / DAY_S + keep_days), 0),
    }


def _unkept(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer

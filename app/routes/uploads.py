"""Routes of images that visitors bring: sent in pieces, looked at before they are used, listed, deleted."""

from __future__ import annotations

import base64
import io
import time
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from app.guard.users import user
from app.routes.answers import problem_answer, refused, told
from app.routes.binary import binary, image_bytes
from cache.errors import TooBusyError, UserError
from cache.services.images import SceneImages
from cache.services.services import services_of
from cache.services.upload_folder import DAY_S, Card
from cache.services.upload_stage import LARGEST_PIECE, MOST_FILES, UploadError, UploadTooLargeError
from cache.services.uploads import Uploads, bringer_of
from fusion.data.preview import Preview
from fusion.pair import pixel_aspect

KEY = "Fusevis-Viewer"
"""Header with the secret name of a browser: in an address it would stand in logs."""
LONGEST_CODE = 200
"""Letters of how files are read."""

routes = Blueprint("uploads", __name__, url_prefix="/uploads")
routes.register_error_handler(UserError, told)
routes.register_error_handler(TooBusyError, refused)


@routes.errorhandler(UploadTooLargeError)
def too_large(error: UploadTooLargeError) -> Response:
    """Answer 413: it is refused before it is read."""
    return problem_answer(413, str(error))


@routes.get("")
def listed() -> Response:
    """Answer with what is taken, for how long, and with the pairs of whoever asks."""
    uploads = _uploads()
    owner = bringer()
    answer = jsonify(
        on=uploads.on,
        most_bytes=uploads.most_bytes,
        most_files=MOST_FILES,
        piece=LARGEST_PIECE,
        keep_days=uploads.keep_days,
        pairs=[_shown(card, owner, uploads.keep_days) for card in uploads.owned(owner)],
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@routes.post("")
def begin() -> Response:
    """Begin an upload, whose files have these names and sizes, and answer with its id."""
    values = _values()
    return jsonify(id=_uploads().begin(values.get("files")))


@routes.put("/<id>")
def add(id: str) -> Response:
    """Take the next piece of a file."""
    try:
        file, at = (int(request.args.get(name, "")) for name in ("file", "at"))
    except ValueError:
        return told("A piece says of which file it is, and where it begins.")
    return jsonify(here=_uploads().add(id, file, at, request.get_data()))


@routes.get("/<id>")
def found(id: str) -> Response:
    """Answer with the pairs of an upload by their names, and with what is in none; no image is decoded."""
    with services_of(current_app).scenes.slow.place():
        sorted_ = _uploads().found(id)
    pairs = [
        {
            "name": entry.address,
            "modalities": entry.modalities,
            "files": [unit.name for unit in units],
            "named": entry.modalities != ("x1", "x2"),
        }
        for entry, units in sorted_.pairs
    ]
    return _unkept(jsonify(pairs=pairs, problems=sorted_.problems))


@routes.get("/<id>/pair")
def look(id: str) -> Response:
    """Answer with what is to be seen of a pair before it is used."""
    place = _place()
    with services_of(current_app).scenes.slow.place():
        seen = _uploads().look(id, place)
    images = [image and _facts(image) for image in seen.images]
    aspects = [pixel_aspect(image.spacing) if image else 1.0 for image in seen.images]
    return _unkept(
        jsonify(images=images, notes=seen.notes, problem=seen.problem, unequal=seen.unequal, aspects=aspects)
    )


@routes.get("/<id>/inputs")
def inputs(id: str) -> Response:
    """Answer with both images of a pair, as `app.routes.binary` encodes them, before it is used."""
    started = time.perf_counter()
    place = _place()
    swap, code = request.args.get("swap") == "1", request.args.get("code", "")[:LONGEST_CODE]
    with services_of(current_app).scenes.slow.place():
        pair = _uploads().inputs(id, place, swap, code)
    return _unkept(binary(image_bytes(SceneImages(pair.images, 1.0, True)), started, final=False))


@routes.post("/<id>/pairs")
def use(id: str) -> Response:
    """Keep chosen pairs, and answer with them."""
    uploads, owner = _uploads(), bringer()
    with services_of(current_app).scenes.slow.place():
        cards = uploads.use(id, _values().get("pairs"), owner)
    return jsonify(pairs=[_shown(card, owner, uploads.keep_days) for card in cards])


@routes.delete("/<id>")
def discard(id: str) -> Response:
    """Forget an upload."""
    _uploads().discard(id)
    return jsonify(discarded=id)


@routes.delete("/pairs/<id>")
def delete(id: str) -> Response:
    """Delete a pair of whoever asks."""
    _uploads().delete(id, bringer())
    return jsonify(deleted=id)


def _place() -> int:
    place = request.args.get("place", type=int)
    if place is None:
        raise UploadError("A pair is asked for by its place.")
    return place


def _uploads() -> Uploads:
    return services_of(current_app).uploads


def bringer() -> str:
    """Return the name of whoever sends the request under way, as that of one who brings images."""
    return bringer_of(request.headers.get(KEY, "")[:200], user())


def _values() -> dict[str, Any]:
    values = request.get_json(silent=True)
    return values if isinstance(values, dict) else {}


def _unkept(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _shown(card: Card, owner: str, keep_days: int) -> dict[str, Any]:
    return {
        "id": card.id,
        "address": card.address_of(owner),
        "label": card.label(owner),
        "bytes": card.bytes,
        "days": max(round((card.brought - time.time()) / DAY_S + keep_days), 0),
    }


def _facts(image: Preview) -> dict[str, Any]:
    from PIL.Image import fromarray

    stream = io.BytesIO()
    fromarray(image.thumbnail).save(stream, "PNG")
    return {
        "size": image.shape,
        "spacing": image.spacing,
        "ends": image.ends,
        "histogram": image.histogram,
        "picture": f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}",
    }

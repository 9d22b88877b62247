"""Routes of the named views: list, save, change, delete, their thumbnails, and studies as files."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, request

from app.export.thumbnail import view_thumbnail
from app.guard.users import user
from app.routes.answers import problem_answer, refused, told
from cache.errors import TooBusyError, UserError
from cache.services.named_views import NamedViews, ViewConflict
from cache.services.services import services_of

LARGEST_VIEW = 64 * 2**10
LARGEST_STUDY = 64 * 2**20
"""Bytes that a request may bring; `app.guard.limits` holds both."""

routes = Blueprint("views", __name__, url_prefix="/views")
routes.register_error_handler(UserError, told)
routes.register_error_handler(TooBusyError, refused)


@routes.get("")
def list_views() -> Response:
    """Answer with all views, the newest first, and with the ids of those whose files are damaged, if there are any."""
    views, damaged = _views().all_and_damaged()
    return jsonify({"views": views, **({"damaged": damaged} if damaged else {})})


@routes.post("")
def save_view() -> Response:
    """Save a view and answer with it."""
    return jsonify(_views().save(request.get_json(silent=True), user()))


@routes.patch("/<id>")
def change_view(id: str) -> Response:
    """Give a view another name or note and answer with it; 409 where somebody else was faster."""
    try:
        return jsonify(_views().change(id, request.get_json(silent=True), user()))
    except ViewConflict as conflict:
        return problem_answer(409, str(conflict))


@routes.delete("/<id>")
def delete_view(id: str) -> Response:
    """Remove a view."""
    _views().delete(id)
    return jsonify(deleted=id)


@routes.post("/<id>/restored")
def restore_view(id: str) -> Response:
    """Bring a view back that was deleted lately, and answer with it."""
    return jsonify(_views().restore(id))


@routes.get("/<id>/thumbnail.jpg")
def thumbnail(id: str) -> Response:
    """Answer with the small picture of a view, drawn when it is first asked for; with nothing where there can be none.

    An error would stand in the browser's console, and a view whose pair is not here is none.
    """
    views = _views()
    view = views.get(id)
    drawn = views.thumbnail(id)
    if drawn is None:
        services = services_of(current_app)
        with services.scenes.slow.place():
            drawn = view_thumbnail(services, view.page, view.query)
        if drawn is None:
            return Response(status=204, headers={"Cache-Control": "no-store"})
        views.keep_thumbnail(id, drawn)
    return Response(drawn, mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


@routes.get("/study.json")
def study() -> Response:
    """Answer with the views of these ids as one file; without any, all of them."""
    return _study([id for id in request.args.get("ids", "").split(",") if id])


@routes.post("/study.json")
def study_of_many() -> Response:
    """Answer as `study` does: the ids of all views that a server keeps are too many for an address."""
    values = request.get_json(silent=True)
    ids = values.get("ids") if isinstance(values, dict) else None
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
        return told('Views are asked for as {"ids": ["…", "…"]}; without any, all of them.')
    return _study(ids)


@routes.post("/study")
def take_study() -> Response:
    """Take the views of a study over."""
    return jsonify(_views().take(request.get_data()))


def _views() -> NamedViews:
    return services_of(current_app).views


def _study(ids: list[str]) -> Response:
    headers = {
        "Content-Disposition": 'attachment; filename="fusevis-study.json"',
        "Cache-Control": "no-store",
    }
    return Response(_views().study(ids), mimetype="application/json", headers=headers)

"""Routes of the named views: list, save, change, delete, and studies as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flask import Flask, Response, jsonify, request

LARGEST_VIEW = 64 * 2**10
LARGEST_STUDY = 64 * 2**20


class Views(Protocol):
    """Where views are kept."""

    def all(self) -> list[dict[str, Any]]:
        """Return all views."""

    def save(self, values: Any) -> dict[str, Any]:
        """Save a new view."""

    def change(self, id: str, values: Any) -> dict[str, Any]:
        """Give a view another name or note."""

    def delete(self, id: str) -> None:
        """Remove a view."""

    def study(self, ids: list[str]) -> str:
        """Return views as one JSON file."""

    def take(self, content: bytes) -> dict[str, int]:
        """Take a study's views over."""


def register(server: Flask, views: Views, user_error: type[Exception]) -> None:
    """Add the routes.

    Parameters
    ----------
    server : flask.Flask
        The server that Dash uses.
    views : Views
        Where views are kept.
    user_error : type of Exception
        The family of errors whose message is for the user.
    """

    def answer(act: Callable[[], Any]) -> Response:
        try:
            return jsonify(act())
        except user_error as error:
            # What a person did wrong is an answer, not a failure that a browser would write into its console.
            return jsonify(error=str(error))

    def body() -> Any:
        request.max_content_length = LARGEST_VIEW
        return request.get_json(silent=True)

    @server.get("/views")
    def list_views() -> Response:
        return answer(lambda: {"views": views.all()})

    @server.post("/views")
    def save_view() -> Response:
        return answer(lambda: views.save(body()))

    @server.patch("/views/<id>")
    def change_view(id: str) -> Response:
        return answer(lambda: views.change(id, body()))

    @server.delete("/views/<id>")
    def delete_view(id: str) -> Response:
        def act() -> dict[str, str]:
            views.delete(id)
            return {"deleted": id}

        return answer(act)

    def study_of(ids: list[str]) -> Response:
        try:
            text = views.study(ids)
        except user_error as error:
            return jsonify(error=str(error))
        name = {
            "Content-Disposition": 'attachment; filename="fusevis-study.json"',
            "Cache-Control": "no-store",
        }
        return Response(text, mimetype="application/json", headers=name)

    @server.get("/views/study.json")
    def study() -> Response:
        return study_of([id for id in request.args.get("ids", "").split(",") if id])

    @server.post("/views/study.json")
    def study_of_many() -> Response:
        # The ids of all views that a server keeps are too many for an address.
        values = body()
        ids = values.get("ids") if isinstance(values, dict) else None
        if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
            return jsonify(error='Views are asked for as {"ids": ["…", "…"]}; without any, all of them.')
        return study_of(ids)

    @server.post("/views/study")
    def take_study() -> Response:
        if (request.content_length or 0) > LARGEST_STUDY:
            return jsonify(error=f"A study may have up to {LARGEST_STUDY // 2**20} MiB.")
        request.max_content_length = LARGEST_STUDY
        return answer(lambda: views.take(request.get_data()))

"""Routes of the regions of interest: masks that come with a pair, PNG masks of users, codes for links."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, request

from app.routes.answers import told
from cache.errors import UserError
from cache.services.services import services_of

LARGEST_PNG = 64 * 2**20
LARGEST_CODE = 2_000_000
"""Bytes that a request may bring; `app.guard.limits` holds both."""

routes = Blueprint("regions", __name__, url_prefix="/regions")


@routes.get("/known/<pair>")
def known(pair: str) -> Response:
    """Answer with the regions that come with a pair."""
    found = services_of(current_app).regions.known(pair)
    return jsonify(regions=[{"name": name, "code": code} for name, code in found])


@routes.post("/png/<pair>")
def png(pair: str) -> Response:
    """Read a PNG mask of the pair's size and answer with its name and code."""
    given = request.args.get("name", "mask.png")[:200]
    try:
        name, code = services_of(current_app).regions.read_png(pair, given, request.get_data())
    except UserError as error:
        return told(error)
    return jsonify(name=name, code=code)


@routes.post("/codes")
def codes() -> Response:
    """Keep the code of a region that is too large for a link and answer with its id."""
    return jsonify(id=services_of(current_app).regions.keep(request.get_data().decode("ascii", "replace")))

"""Routes of the regions of interest: masks that come with a pair, PNG masks of users, codes for links."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, request

from app.routes.answers import refused, told
from cache.errors import UserError
from cache.services.services import services_of

LARGEST_PNG = 64 * 2**20
LARGEST_CODE = 2_000_000

routes = Blueprint("regions", __name__, url_prefix="/regions")


@routes.get("/known/<pair>")
def known(pair: str) -> Response:
    """Answer with the regions that come with a pair."""
    found = services_of(current_app).regions.known(pair)
    return jsonify(regions=[{"name": name, "code": code} for name, code in found])


@routes.post("/png/<pair>")
def png(pair: str) -> Response:
    """Read a PNG mask of the pair's size and answer with its name and code."""
    if (request.content_length or 0) > LARGEST_PNG:
        return refused(f"A mask may have up to {LARGEST_PNG // 2**20} MiB.")
    request.max_content_length = LARGEST_PNG
    given = request.args.get("name", "mask.png")[:200]
    try:
        name, code = services_of(current_app).regions.read_png(pair, given, request.get_data())
    except UserError as error:
        return told(error)
    return jsonify(name=name, code=code)


@routes.post("/codes")
def codes() -> Response:
    """Keep the code of a region that is too large for a link and answer with its id."""
    if (request.content_length or 0) > LARGEST_CODE:
        return refused("The region is too large to be kept. Select fewer, or less scattered, pixels.")
    request.max_content_length = LARGEST_CODE
    return jsonify(id=services_of(current_app).regions.keep(request.get_data().decode("ascii", "replace")))

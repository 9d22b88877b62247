"""Answers that explain a number of a region: its Jacobian images, as images are."""

from __future__ import annotations

import time

from flask import Blueprint, Response, current_app, request

from app.routes.binary import binary, image_bytes
from cache.services.explanations import Question
from cache.services.images import SceneImages
from cache.services.services import services_of

routes = Blueprint("explain", __name__)


@routes.get("/explain/<pair>/<method>/<weights>/<of>/<region>")
def explain(pair: str, method: str, weights: str, of: str, region: str) -> Response:
    """Answer with the derivative of a region's number with respect to both inputs; ``against`` is in the query."""
    started = time.perf_counter()
    asked = Question(of, region, request.args.get("against", ""))
    found = services_of(current_app).explanations.at(pair, method, weights, asked)
    return binary(image_bytes(SceneImages(found, 1.0, True)), started, final=True)

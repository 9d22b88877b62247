"""Routes of the compare page: the windows of all methods in one answer, and images one by one."""

from __future__ import annotations

import struct
import time

import numpy as np
from flask import Flask, Response, request

from app.link.compare_state import MOST_METHODS
from app.routes.windows import binary, is_pixel, refused, window_bytes
from cache.services.images import SceneImages, images_at
from cache.services.services import Services

KINDS = ("inputs", "fused", "guidance", "rgb")
COUNT = struct.Struct("<i")
"""How many windows follow."""
IMAGE_HEADER = struct.Struct("<8i")
"""bands, height, width, 1 if the images are final, parts of 1,000 that are done, 0, 0, 0 (kept free)."""
VIEWER_LENGTH = 64


def image_bytes(pictures: SceneImages) -> bytes:
    """Encode images: the header, then little-endian float32, image by image and row by row."""
    bands, height, width = pictures.values.shape
    done = int(1000 * pictures.fraction)
    header = IMAGE_HEADER.pack(bands, height, width, int(pictures.complete), done, 0, 0, 0)
    return header + np.ascontiguousarray(pictures.values, dtype="<f4").tobytes()


def chosen_methods(text: str) -> list[tuple[str, str]] | None:
    """Read ``id:weights,id:weights…``; ``None`` where it is something else, or too much."""
    parts = [part.split(":") for part in text.split(",")]
    if len(parts) > MOST_METHODS or not all(len(part) == 2 and all(part) for part in parts):
        return None
    return [(method, weights) for method, weights in parts]


def register(server: Flask, services: Services, user_error: type[Exception]) -> None:
    """Add the routes.

    Parameters
    ----------
    server : flask.Flask
        The server that Dash uses.
    services : Services
        Where windows and images come from.
    user_error : type of Exception
        The family of errors whose message is for the user.
    """

    @server.get("/jacobians/<pair>/<row>/<col>")
    def jacobians(pair: str, row: str, col: str) -> Response:
        if not is_pixel(row, col):
            return refused("The row and the column of a pixel are whole numbers from 0.")
        methods = chosen_methods(request.args.get("methods", ""))
        if methods is None:
            return refused(f"Methods are asked for as id:weights,id:weights…, up to {MOST_METHODS} at once.")
        started = time.perf_counter()
        try:
            # One after the other: on two busy cores, threads for them brought nothing (measured).
            windows = [
                services.windows.at(pair, method, weights, int(row), int(col)) for method, weights in methods
            ]
        except user_error as error:
            return refused(error)
        body = COUNT.pack(len(windows)) + b"".join(map(window_bytes, windows))
        return binary(body, started, final=True)

    @server.get("/images/<pair>/<method>/<weights>/<kind>")
    def images(pair: str, method: str, weights: str, kind: str) -> Response:
        if kind not in KINDS:
            return refused(f"There are images of these kinds: {', '.join(KINDS)}.")
        viewer = request.args.get("viewer", "")[:VIEWER_LENGTH]
        started = time.perf_counter()
        try:
            pictures = images_at(services, pair, method, weights, kind, viewer)
        except user_error as error:
            return refused(error)
        return binary(image_bytes(pictures), started, pictures.complete)

"""The binary answers: Jacobian windows, images, and windows of an atlas as they lie on disk.

Each begins with a header of eight little-endian int32. `assets/core/channel.mjs` and `assets/explore/read-ahead.mjs`
read them.
"""

from __future__ import annotations

import re
import struct
import time

import numpy as np
from flask import Blueprint, Response, current_app, jsonify, request
from numpy.typing import NDArray

from app.link.view_state import MOST_METHODS
from app.routes.answers import refused
from cache.services.changes import PREDICTIONS, ImagePart
from cache.services.images import AIR, COLOUR_KINDS, POLE, SceneImages, images_at
from cache.services.pyramids import KINDS as TILED_KINDS
from cache.services.pyramids import TILE_SIDE, Pyramid
from cache.services.services import services_of
from fusion.saliency.atlas import StoredWindows
from fusion.saliency.maps import MapKind
from fusion.saliency.window import PATHS, Box, JacobianWindow

INDEX = re.compile("[0-9]{1,9}")
WINDOW_HEADER = struct.Struct("<8i")
"""row, col, top, left, window height, window width, 1 if any gradient is suspicious, number of the path."""
IMAGE_HEADER = struct.Struct("<8i")
"""bands, height, width, 1 if the images are final, parts of 1,000 that are done, 0, 0, 0 (kept free)."""
ATLAS_HEADER = struct.Struct("<8i")
"""Support radius, windows asked for, and six zeros that are kept free."""
REACH = struct.Struct("<4i")
"""Gray levels: for a change of the pixel alone by input, then for a change of its whole support."""
PART_HEADER = struct.Struct("<8i")
"""top, left, height, width of a part of an image, and four zeros that are kept free."""
COUNT = struct.Struct("<i")
"""Number of windows that follow."""

KINDS = ("inputs", "fused", "guidance", "known", "rgb", "shift", POLE, AIR, *COLOUR_KINDS, *MapKind)
TRUE = "true"
BOX = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})\.(\d{1,9})", re.ASCII)
NO_BOX = "The part of the inputs that has changed is box=top.left.bottom.right, whole numbers from 0."
VIEWER_LENGTH = 64
MOST_WINDOWS = 256
"""Of an atlas in one answer."""
NO_KIND = f"There are tiles of images of these kinds: {', '.join(TILED_KINDS)}."
NO_TILE = "A tile is asked for by its level, its row and its column, whole numbers from 0."
NO_PIXEL = "The row and the column of a pixel are whole numbers from 0."
MALFORMED = (
    "Windows are asked for as row.column.count, for so many pixels of the row from that column on, "
    f"with “-” between; {MOST_WINDOWS} at most."
)

routes = Blueprint("binary", __name__)


@routes.get("/jacobian/<pair>/<method>/<weights>/<row>/<col>")
def jacobian(pair: str, method: str, weights: str, row: str, col: str) -> Response:
    """Answer with the window of a principal pixel."""
    # A converter of Flask would pass what is not a number on to Dash, which answers with the page.
    if not is_pixel(row, col):
        return refused(NO_PIXEL)
    started = time.perf_counter()
    window = services_of(current_app).windows.at(pair, method, weights, int(row), int(col))
    return binary(window_bytes(window), started, final=True)


@routes.get("/reach/<pair>/<method>/<weights>/<row>/<col>")
def reach(pair: str, method: str, weights: str, row: str, col: str) -> Response:
    """Answer with how far the derivative at a principal pixel reaches."""
    if not is_pixel(row, col):
        return refused(NO_PIXEL)
    started = time.perf_counter()
    found = services_of(current_app).reaches.at(pair, method, weights, int(row), int(col))
    return binary(REACH.pack(*found.own_pixel, *found.whole_support), started, final=True)


@routes.get("/change/<pair>/<method>/<weights>/<kind>/<code>")
def change(pair: str, method: str, weights: str, kind: str, code: str) -> Response:
    """Answer with what a painted change does to a part of the fused image, or what the derivative predicts of it."""
    started = time.perf_counter()
    changes = services_of(current_app).changes
    if kind in PREDICTIONS:
        return binary(part_bytes(changes.predicted(pair, method, weights, code, kind)), started, final=True)
    box = BOX.fullmatch(request.args.get("box", ""))
    if kind != TRUE:
        return refused(f"Of a change there is {', '.join((TRUE, *PREDICTIONS))}.")
    if box is None:
        return refused(NO_BOX)
    part = changes.true(pair, method, weights, code, Box(*map(int, box.groups())))
    return binary(part_bytes(part), started, final=True)


@routes.get("/jacobians/<pair>/<row>/<col>")
def jacobians(pair: str, row: str, col: str) -> Response:
    """Answer with the windows of several methods at one pixel, after their number."""
    if not is_pixel(row, col):
        return refused(NO_PIXEL)
    methods = chosen_methods(request.args.get("methods", ""))
    if methods is None:
        return refused(f"Methods are asked for as id:weights,id:weights…, up to {MOST_METHODS} at once.")
    services = services_of(current_app)
    started = time.perf_counter()
    # One after the other: on two busy cores, threads for them brought nothing (measured).
    windows = [services.windows.at(pair, method, weights, int(row), int(col)) for method, weights in methods]
    body = COUNT.pack(len(windows)) + b"".join(map(window_bytes, windows))
    return binary(body, started, final=True)


@routes.get("/images/<pair>/<method>/<weights>/<kind>")
def images(pair: str, method: str, weights: str, kind: str) -> Response:
    """Answer with the images of one kind, as far as they are computed."""
    if kind not in KINDS:
        return refused(f"There are images of these kinds: {', '.join(KINDS)}.")
    viewer = request.args.get("viewer", "")[:VIEWER_LENGTH]
    started = time.perf_counter()
    pictures = images_at(services_of(current_app), pair, method, weights, kind, viewer)
    return binary(image_bytes(pictures), started, pictures.complete)


@routes.get("/pyramid/<pair>/<method>/<weights>/<kind>")
def pyramid(pair: str, method: str, weights: str, kind: str) -> Response:
    """Answer with what tiles there are of the images of one kind, and their ranges."""
    found = _pyramid(pair, method, weights, kind)
    if found is None:
        return refused(NO_KIND)
    answer = jsonify(
        side=TILE_SIDE,
        levels=len(found.levels),
        bands=found.levels[0].shape[0],
        ranges=found.ranges,
        fraction=found.fraction,
        complete=found.complete,
    )
    answer.headers["Cache-Control"] = kept(found.complete)
    return answer


@routes.get("/pyramid/<pair>/<method>/<weights>/<kind>/<level>/<row>/<col>")
def tile(pair: str, method: str, weights: str, kind: str, level: str, row: str, col: str) -> Response:
    """Answer with one tile of all images of a kind."""
    if not (is_pixel(row, col) and INDEX.fullmatch(level)):
        return refused(NO_TILE)
    started = time.perf_counter()
    found = _pyramid(pair, method, weights, kind)
    if found is None:
        return refused(NO_KIND)
    values = found.tile(int(level), int(row), int(col))
    return binary(
        image_bytes(SceneImages(values, found.fraction, found.complete)), started, final=found.complete
    )


def _pyramid(pair: str, method: str, weights: str, kind: str) -> Pyramid | None:
    """Return a pyramid, ``None`` where there is none of this kind."""
    if kind not in TILED_KINDS:
        return None
    viewer = request.args.get("viewer", "")[:VIEWER_LENGTH]
    return services_of(current_app).pyramids.at(pair, method, weights, kind, viewer)


@routes.get("/atlas/<pair>/<method>/<weights>/<pixels>")
def atlas(pair: str, method: str, weights: str, pixels: str) -> Response:
    """Answer with windows of an atlas, for the browser to read ahead."""
    wanted = pixels_of(pixels)
    if wanted is None:
        return refused(MALFORMED)
    found = services_of(current_app).atlases.windows_at(pair, method, weights, wanted)
    complete = found is not None and not np.isnan(found.scales).any()
    # Nothing is an answer too: where an atlas ends is no error, and it may have grown by the next time.
    return Response(
        kept_bytes(found),
        mimetype="application/octet-stream",
        headers={"Cache-Control": "private, max-age=300" if complete else "no-store"},
    )


@routes.get("/atlas/<pair>/<method>/<weights>/<row>/<col>/<pixels>")
def window_and_ahead(pair: str, method: str, weights: str, row: str, col: str, pixels: str) -> Response:
    """Answer with the window of a principal pixel and, after it, windows of an atlas."""
    wanted = pixels_of(pixels)
    if wanted is None or not is_pixel(row, col):
        return refused(MALFORMED)
    started = time.perf_counter()
    window = services_of(current_app).windows.at(pair, method, weights, int(row), int(col))
    ahead = services_of(current_app).atlases.windows_at(pair, method, weights, wanted)
    return binary(window_bytes(window) + kept_bytes(ahead), started, final=False)


def window_bytes(window: JacobianWindow) -> bytes:
    """Encode a window.

    Parameters
    ----------
    window : JacobianWindow
        Its values are (2, h, w), dimensionless gradients of any float dtype.

    Returns
    -------
    bytes
        `WINDOW_HEADER`, then both gradient images as little-endian float32, row by row.
    """
    _, height, width = window.values.shape
    header = WINDOW_HEADER.pack(
        window.row,
        window.col,
        window.top,
        window.left,
        height,
        width,
        int(window.suspicious),
        PATHS.index(window.path),
    )
    return header + _bytes(window.values, "<f4")


def image_bytes(pictures: SceneImages) -> bytes:
    """Encode images.

    Parameters
    ----------
    pictures : SceneImages
        Its values are (bands, H, W), NaN where nothing is known yet.

    Returns
    -------
    bytes
        `IMAGE_HEADER`, then little-endian float32, image by image and row by row.
    """
    bands, height, width = pictures.values.shape
    done = int(1000 * pictures.fraction)
    header = IMAGE_HEADER.pack(bands, height, width, int(pictures.complete), done, 0, 0, 0)
    return header + _bytes(pictures.values, "<f4")


def part_bytes(part: ImagePart) -> bytes:
    """Encode a part of an image.

    Parameters
    ----------
    part : ImagePart
        Its values are (h, w) of float32.

    Returns
    -------
    bytes
        `PART_HEADER`, then the values as little-endian float32, row by row.
    """
    header = PART_HEADER.pack(part.box.top, part.box.left, *part.values.shape, *[0] * 4)
    return header + _bytes(part.values, "<f4")


def kept_bytes(windows: StoredWindows | None) -> bytes:
    """Encode windows of an atlas.

    Parameters
    ----------
    windows : StoredWindows or None
        Scales of all pixels asked for, NaN where a window is not there, and the windows that are there.

    Returns
    -------
    bytes
        `ATLAS_HEADER`, the scales as little-endian float32, the values as float16, row by row; nothing for ``None``.
    """
    if windows is None:
        return b""
    header = ATLAS_HEADER.pack(windows.radius, len(windows.scales), *[0] * 6)
    return header + _bytes(windows.scales, "<f4") + b"".join(_bytes(one, "<f2") for one in windows.values)


def _bytes(values: NDArray[np.floating], dtype: str) -> bytes:
    return np.ascontiguousarray(values, dtype=dtype).tobytes()


def is_pixel(row: str, col: str) -> bool:
    """Tell whether both are whole numbers from 0, of a sane length."""
    return bool(INDEX.fullmatch(row) and INDEX.fullmatch(col))


def pixels_of(text: str) -> list[tuple[int, int]] | None:
    """Read pixels, ``row.first column.how many`` with ``-`` between; ``None`` for anything else or too many."""
    pixels: list[tuple[int, int]] = []
    for run in text.split("-"):
        parts = run.split(".")
        if len(parts) != 3 or not all(INDEX.fullmatch(part) for part in parts):
            return None
        row, first, count = map(int, parts)
        if not 0 < count <= MOST_WINDOWS - len(pixels):
            return None
        pixels += [(row, first + number) for number in range(count)]
    return pixels


def chosen_methods(text: str) -> list[tuple[str, str]] | None:
    """Read ``id:weights,id:weights…``; ``None`` where it is something else, or too much."""
    parts = [part.split(":") for part in text.split(",")]
    if len(parts) > MOST_METHODS or not all(len(part) == 2 and all(part) for part in parts):
        return None
    return [(method, weights) for method, weights in parts]


def binary(body: bytes, started: float, final: bool) -> Response:
    """Answer with numbers, and with the time that they took.

    Parameters
    ----------
    body : bytes
        The numbers.
    started : float
        `time.perf_counter` when their computation began, seconds.
    final : bool
        True where they stay so for ever, so that the browser may keep them.
    """
    # What is final is at an address of content ids and never changes; no shared cache may keep a patient's image.
    headers = {
        "Cache-Control": kept(final),
        "Server-Timing": f"compute;dur={(time.perf_counter() - started) * 1e3:.2f}",
    }
    return Response(body, mimetype="application/octet-stream", headers=headers)


def kept(final: bool) -> str:
    """Return how long a browser may keep an answer: what is final stays so for ever."""
    return "private, max-age=300" if final else "no-store"

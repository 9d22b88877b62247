"""The routes of an atlas: windows as they lie on disk, for the browser to read ahead."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from flask import Flask, Response
from numpy.typing import NDArray

from app.routes.windows import INDEX, binary, is_pixel, refused, window_bytes
from cache.services.services import Services

HEADER = struct.Struct("<8i")
"""Support radius, windows asked for, and six zeros that are kept free."""
MOST_WINDOWS = 256
"""Of one answer."""
MALFORMED = (
    "Windows are asked for as row.column.count, for so many pixels of the row from that column on, "
    f"with “-” between; {MOST_WINDOWS} at most."
)


class Kept(Protocol):
    """Windows as an atlas keeps them."""

    @property
    def radius(self) -> int:
        """Of the windows."""

    @property
    def scales(self) -> NDArray[np.float32]:
        """One a pixel; NaN where its window is not there."""

    @property
    def values(self) -> list[NDArray[np.float16]]:
        """(2, 2·radius + 1, 2·radius + 1) for each window that is there."""


class Atlases(Protocol):
    """Where windows come from."""

    def windows_at(
        self, pair: str, method: str, weights: str, pixels: Sequence[tuple[int, int]]
    ) -> Kept | None:
        """Return the windows of some pixels, if there is an atlas."""


def kept_bytes(windows: Kept | None) -> bytes:
    """Encode windows: the header, the scales as little-endian float32, the values as float16, row by row."""
    if windows is None:
        return b""
    return b"".join(
        [
            HEADER.pack(windows.radius, len(windows.scales), *[0] * 6),
            np.ascontiguousarray(windows.scales, dtype="<f4").tobytes(),
            *(np.ascontiguousarray(values, dtype="<f2").tobytes() for values in windows.values),
        ]
    )


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


def register(server: Flask, services: Services, atlases: Atlases, user_error: type[Exception]) -> None:
    """Add the routes.

    Parameters
    ----------
    server : flask.Flask
        The server that Dash uses.
    services : Services
        Where the window of a principal pixel comes from.
    atlases : Atlases
        Where windows come from that are read ahead.
    user_error : type of Exception
        The family of errors whose message is for the user.
    """

    @server.get("/atlas/<pair>/<method>/<weights>/<pixels>")
    def atlas(pair: str, method: str, weights: str, pixels: str) -> Response:
        wanted = pixels_of(pixels)
        if wanted is None:
            return refused(MALFORMED)
        try:
            found = atlases.windows_at(pair, method, weights, wanted)
        except user_error as error:
            return refused(error)
        complete = found is not None and not np.isnan(found.scales).any()
        # Nothing is an answer too: where an atlas ends is no error, and it may have grown by the next time.
        return Response(
            kept_bytes(found),
            mimetype="application/octet-stream",
            headers={"Cache-Control": "private, max-age=300" if complete else "no-store"},
        )

    @server.get("/atlas/<pair>/<method>/<weights>/<row>/<col>/<pixels>")
    def window_and_ahead(pair: str, method: str, weights: str, row: str, col: str, pixels: str) -> Response:
        wanted = pixels_of(pixels)
        if wanted is None or not is_pixel(row, col):
            return refused(MALFORMED)
        started = time.perf_counter()
        try:
            window = services.windows.at(pair, method, weights, int(row), int(col))
            ahead = atlases.windows_at(pair, method, weights, wanted)
        except user_error as error:
            return refused(error)
        return binary(window_bytes(window) + kept_bytes(ahead), started, final=False)

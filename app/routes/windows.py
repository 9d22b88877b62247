"""Routes beside Dash's own: the binary answer to a hover, and what a load balancer asks."""

from __future__ import annotations

import re
import struct
import time
from typing import Protocol

import numpy as np
from flask import Flask, Response, jsonify
from numpy.typing import NDArray

from cache.services.services import Services

INDEX = re.compile("[0-9]{1,9}")
HEADER = struct.Struct("<8i")
"""row, col, top, left, window height, window width, 1 if any gradient is suspicious, number of the path."""

PATHS = ("", "chain", "window", "whole image", "atlas")
"""How a window was computed; the browser's 15-channel.js has words for these numbers."""


class Window(Protocol):
    """A Jacobian window, as ``fusion`` gives it."""

    @property
    def values(self) -> NDArray[np.floating]:
        """(2, h, w) gradients."""

    @property
    def top(self) -> int:
        """Row of the window's first row."""

    @property
    def left(self) -> int:
        """Column of the window's first column."""

    @property
    def row(self) -> int:
        """Row of the principal pixel."""

    @property
    def col(self) -> int:
        """Column of the principal pixel."""

    @property
    def suspicious(self) -> bool:
        """Whether any gradient is not finite or absurdly large."""

    @property
    def path(self) -> str:
        """How it was computed, one of `PATHS`."""


def window_bytes(window: Window) -> bytes:
    """Encode a window: the header, then both gradient images as little-endian float32, row by row."""
    _, height, width = window.values.shape
    header = HEADER.pack(
        window.row,
        window.col,
        window.top,
        window.left,
        height,
        width,
        int(window.suspicious),
        PATHS.index(window.path),
    )
    return header + np.ascontiguousarray(window.values, dtype="<f4").tobytes()


def register(server: Flask, services: Services, user_error: type[Exception]) -> None:
    """Add the routes.

    Parameters
    ----------
    server : flask.Flask
        The server that Dash uses.
    services : Services
        Where windows come from.
    user_error : type of Exception
        The family of errors whose message is for the user.
    """

    @server.get("/jacobian/<pair>/<method>/<weights>/<row>/<col>")
    def jacobian(pair: str, method: str, weights: str, row: str, col: str) -> Response:
        # A converter of Flask would pass what is not a number on to Dash, which answers with the page.
        if not is_pixel(row, col):
            return refused("The row and the column of a pixel are whole numbers from 0.")
        started = time.perf_counter()
        try:
            window = services.windows.at(pair, method, weights, int(row), int(col))
        except user_error as error:
            return refused(error)
        return binary(window_bytes(window), started, final=True)

    @server.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="alive")

    @server.get("/readyz")
    def readyz() -> Response:
        readiness = services.ready()
        answer = jsonify(ready=readiness.ready, problems=list(readiness.problems))
        answer.status_code = 200 if readiness.ready else 503
        return answer


def is_pixel(row: str, col: str) -> bool:
    """Whether both are whole numbers from 0, of a sane length."""
    return bool(INDEX.fullmatch(row) and INDEX.fullmatch(col))


def binary(body: bytes, started: float, final: bool) -> Response:
    """Answer with numbers, and with how long they took.

    Parameters
    ----------
    body : bytes
        The numbers.
    started : float
        `time.perf_counter` when their computation began, seconds.
    final : bool
        Whether they stay so for ever, so that the browser may keep them.
    """
    # What is final is at an address of content ids and never changes; no shared cache may keep a patient's image.
    headers = {
        "Cache-Control": "private, max-age=300" if final else "no-store",
        "Server-Timing": f"compute;dur={(time.perf_counter() - started) * 1e3:.2f}",
    }
    return Response(body, mimetype="application/octet-stream", headers=headers)


def refused(problem: str | Exception) -> Response:
    """Answer with an error that is meant for the user, as JSON.

    An error that passes has ``retry_after_s``, the seconds after which asking again is worth while.
    """
    answer = jsonify(error=str(problem))
    answer.status_code = 404
    seconds = getattr(problem, "retry_after_s", None)
    if seconds is not None:
        answer.status_code = 503
        answer.headers["Retry-After"] = str(seconds)
    return answer

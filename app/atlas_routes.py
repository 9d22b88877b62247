"""The route of an atlas: a tile of windows as it lies on disk, for the browser to read ahead."""

from __future__ import annotations

import struct
from typing import Protocol

import numpy as np
from flask import Flask, Response
from numpy.typing import NDArray

from app.routes import is_pixel, refused

HEADER = struct.Struct("<8i")
"""Row and column of the first pixel, rows, columns, support radius, pixels along a chunk's side, 0, 0 (kept free)."""


class Part(Protocol):
    """A part of an image."""

    @property
    def top(self) -> int:
        """Row of its first row."""

    @property
    def left(self) -> int:
        """Column of its first column."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""


class Tile(Protocol):
    """Windows as an atlas keeps them."""

    @property
    def box(self) -> Part:
        """Its pixels."""

    @property
    def radius(self) -> int:
        """Of the windows."""

    @property
    def scales(self) -> NDArray[np.float32]:
        """One a pixel of the box."""

    @property
    def values(self) -> NDArray[np.float16]:
        """(side, side, 2, 2·radius + 1, 2·radius + 1), to be multiplied by the scales."""


class Tiles(Protocol):
    """Where tiles come from."""

    def tile_at(self, pair: str, method: str, weights: str, row: int, col: int) -> Tile | None:
        """Return the tile at an address, if it is there."""


def tile_bytes(tile: Tile) -> bytes:
    """Encode a tile: the header, the scales as little-endian float32, the values as float16, both row by row."""
    header = HEADER.pack(
        tile.box.top, tile.box.left, *tile.box.shape, tile.radius, tile.values.shape[0], 0, 0
    )
    scales = np.ascontiguousarray(tile.scales, dtype="<f4").tobytes()
    return header + scales + np.ascontiguousarray(tile.values, dtype="<f2").tobytes()


def register(server: Flask, atlases: Tiles, user_error: type[Exception]) -> None:
    """Add the route.

    Parameters
    ----------
    server : flask.Flask
        The server that Dash uses.
    atlases : Tiles
        Where tiles come from.
    user_error : type of Exception
        The family of errors whose message is for the user.
    """

    @server.get("/atlas/<pair>/<method>/<weights>/<row>/<col>")
    def atlas(pair: str, method: str, weights: str, row: str, col: str) -> Response:
        if not is_pixel(row, col):
            return refused("The row and the column of a tile are whole numbers from 0.")
        try:
            tile = atlases.tile_at(pair, method, weights, int(row), int(col))
        except user_error as error:
            return refused(str(error))
        # Nothing is an answer too: where an atlas ends is no error, and it may have grown by the next time.
        body, cached = (b"", "no-store") if tile is None else (tile_bytes(tile), "private, max-age=300")
        return Response(body, mimetype="application/octet-stream", headers={"Cache-Control": cached})

"""The routes of an atlas: tiles of windows as they lie on disk, for the browser to read ahead."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from flask import Flask, Response
from numpy.typing import NDArray

from app.routes import is_pixel, refused

HEADER = struct.Struct("<8i")
"""Row and column of the first pixel, rows, columns, support radius, pixels along a chunk's side, 0, 0 (kept free)."""
LENGTH = struct.Struct("<i")
"""Before each of several tiles: its bytes, to which zeros are added up to a multiple of four; 0: it is not there."""
MOST_TILES = 8
"""Of one answer."""


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


def tiles_bytes(tiles: Sequence[Tile | None]) -> bytes:
    """Encode several tiles, each after its `LENGTH`."""
    parts = []
    for tile in tiles:
        body = b"" if tile is None else tile_bytes(tile)
        parts += [LENGTH.pack(len(body)), body, bytes(-len(body) % 4)]
    return b"".join(parts)


def places_of(text: str) -> list[tuple[int, int]] | None:
    """Read the rows and columns of tiles, ``3.4-3.5``; ``None`` where it is something else or too many."""
    pairs = [place.split(".") for place in text.split("-")]
    if len(pairs) > MOST_TILES or not all(len(pair) == 2 and is_pixel(*pair) for pair in pairs):
        return None
    return [(int(row), int(col)) for row, col in pairs]


def register(server: Flask, atlases: Tiles, user_error: type[Exception]) -> None:
    """Add the routes.

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
        return _binary(b"" if tile is None else tile_bytes(tile), complete=tile is not None)

    @server.get("/atlas/<pair>/<method>/<weights>/tiles/<places>")
    def several(pair: str, method: str, weights: str, places: str) -> Response:
        wanted = places_of(places)
        if wanted is None:
            return refused(f"Tiles are asked for as row.column, up to {MOST_TILES} with “-” between them.")
        try:
            tiles = [atlases.tile_at(pair, method, weights, *place) for place in wanted]
        except user_error as error:
            return refused(str(error))
        return _binary(tiles_bytes(tiles), complete=None not in tiles)


def _binary(body: bytes, complete: bool) -> Response:
    # Nothing is an answer too: where an atlas ends is no error, and it may have grown by the next time.
    cached = "private, max-age=300" if complete else "no-store"
    return Response(body, mimetype="application/octet-stream", headers={"Cache-Control": cached})

"""Routes of the regions of interest: masks that come with a pair, PNG masks of users, codes for links."""

from __future__ import annotations

from typing import Protocol

from flask import Flask, Response, jsonify, request

from app.routes.windows import refused

LARGEST_PNG = 64 * 2**20
LARGEST_CODE = 2_000_000


class Regions(Protocol):
    """Where regions come from."""

    def known(self, pair: str) -> list[tuple[str, str]]:
        """Return (name, code) of the regions that come with a pair."""

    def read_png(self, pair: str, name: str, content: bytes) -> tuple[str, str]:
        """Read a PNG mask; return its name and code."""

    def keep(self, code: str) -> str:
        """Keep a code and return its id."""


def register(server: Flask, regions: Regions, user_error: type[Exception]) -> None:
    """Add the routes.

    Parameters
    ----------
    server : flask.Flask
        The server that Dash uses.
    regions : Regions
        Where regions come from.
    user_error : type of Exception
        The family of errors whose message is for the user.
    """

    @server.get("/regions/known/<pair>")
    def known(pair: str) -> Response:
        try:
            found = regions.known(pair)
        except user_error as error:
            return refused(str(error))
        return jsonify(regions=[{"name": name, "code": code} for name, code in found])

    @server.post("/regions/png/<pair>")
    def png(pair: str) -> Response:
        if (request.content_length or 0) > LARGEST_PNG:
            return refused(f"A mask may have up to {LARGEST_PNG // 2**20} MiB.")
        request.max_content_length = LARGEST_PNG
        try:
            name, code = regions.read_png(
                pair, request.args.get("name", "mask.png")[:200], request.get_data()
            )
        except user_error as error:
            # A file that is no mask is an answer, not a failure, which browsers would write into their console.
            return jsonify(error=str(error))
        return jsonify(name=name, code=code)

    @server.post("/regions/codes")
    def codes() -> Response:
        if (request.content_length or 0) > LARGEST_CODE:
            return refused("The region is too large to be kept. Select fewer, or less scattered, pixels.")
        request.max_content_length = LARGEST_CODE
        try:
            id = regions.keep(request.get_data().decode("ascii", "replace"))
        except user_error as error:
            return refused(str(error))
        return jsonify(id=id)

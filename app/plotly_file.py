"""Plotly's JavaScript, in the form that a strict content security policy lets run.

The one that Dash serves makes programs for WebGL out of texts while it runs, which a browser does only where pages may
run any text (``unsafe-eval``). Plotly publishes the same with these programs written out; it is served in its place.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, request

STRICT = Path(__file__).parent / "vendor" / "plotly-strict.min.js.gz"
ADDRESS = "_dash-component-suites/plotly/package_data/plotly.min.js"


def serve_strict_plotly(server: Flask, prefix: str) -> None:
    """Serve the file at the address, after a page's prefix, at which Dash has the page load Plotly."""
    server.add_url_rule(f"{prefix}{ADDRESS}", f"plotly {prefix}", strict_plotly)


def strict_plotly() -> Response:
    """Answer with the file: compressed, as it is kept, to those who take it so."""
    packed = request.accept_encodings["gzip"] > 0
    answer = Response(_packed() if packed else _unpacked(), mimetype="text/javascript")
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Vary"] = "Accept-Encoding"
    answer.headers["Cache-Control"] = "no-cache"
    answer.set_etag(_name(packed))
    answer.make_conditional(request)
    return answer


@cache
def _packed() -> bytes:
    return STRICT.read_bytes()


@cache
def _unpacked() -> bytes:
    return gzip.decompress(_packed())


@cache
def _name(packed: bool) -> str:
    """Return a text that the file has as long as it stays as it is."""
    return hashlib.sha256(_packed() if packed else _unpacked()).hexdigest()[:32]

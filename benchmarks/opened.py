"""A page that is opened by HTTP, without a browser: the scene is prepared as for a visitor."""

from __future__ import annotations

import urllib.request

import fusion
from benchmarks.walking import Walk
from fusion.pair import Pair

OPEN_SECONDS = 300


def opened(url: str, pair: Pair, method: str, gap: float) -> Walk:
    """Open the page of a pair and a method, and return a walk over its fused image.

    Parameters
    ----------
    url : str
        Of the server.
    pair : Pair
        One that the server has.
    method : str
        Its id.
    gap : float
        Seconds from one move to the next.
    """
    weights = fusion.load_method(method, "cpu").weights_id
    scene = f"{pair.id}/{method}/{weights}"
    for path in (f"?pair={pair.id}&method={method}", f"images/{scene}/fused?viewer=benchmark"):
        with urllib.request.urlopen(url + path, timeout=OPEN_SECONDS) as answer:
            answer.read()
    return Walk(url, f"/jacobian/{scene}", pair.shape, gap)

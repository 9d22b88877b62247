"""A pointer that walks over the image of an opened page, each of its pixels a request by HTTP, without a browser."""

from __future__ import annotations

import http.client
import random
import time
import urllib.request
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import fusion
from fusion.pair import Pair

USER_GAP_S = 0.1
"""From one move to the next of a user among many."""

POINTER_GAP_S = 0.016
"""The same of a pointer that moves as fast as a browser tells of it."""

STEP = 3
"""Pixels of the image from one move to the next, at most, in each direction."""

OPEN_SECONDS = 300


@dataclass
class User:
    """One user's answers: seconds each took, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


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


@dataclass(frozen=True)
class Walk:
    """Way of a pointer.

    Attributes
    ----------
    url : str
        Of the server.
    path : str
        Of the scene's windows, without the pixel.
    shape : tuple of int
        Height and width of the image.
    gap : float
        Seconds from one move to the next.
    """

    url: str
    path: str
    shape: tuple[int, int]
    gap: float

    def go(self, user: User, seed: int, seconds: float) -> None:
        """Walk at random for some seconds; a move that was due while an answer was awaited is skipped."""
        generator = random.Random(seed)
        row, column = generator.randrange(self.shape[0]), generator.randrange(self.shape[1])
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        started = time.monotonic()
        due = started + generator.random() * self.gap
        while due < started + seconds:
            time.sleep(max(0.0, due - time.monotonic()))
            sent = time.monotonic()
            try:
                connection.request("GET", f"{self.path}/{row}/{column}")
                answer = connection.getresponse()
                content = answer.read()
                if answer.status != 200 or not content:
                    user.errors.append(f"status {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                user.errors.append(f"{type(error).__name__}: {error}")
                connection.close()
            user.seconds.append(time.monotonic() - sent)
            while due <= time.monotonic():
                due += self.gap
                row = min(max(row + generator.randint(-STEP, STEP), 0), self.shape[0] - 1)
                column = min(max(column + generator.randint(-STEP, STEP), 0), self.shape[1] - 1)
        connection.close()

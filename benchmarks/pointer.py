"""The way of a pointer over a picture in the browser, and its moves along it."""

from __future__ import annotations

import math
import time

from playwright.sync_api import Page

MOVES = 200
STEP_PIXELS = 2.5
STEP_SECONDS = 0.016


def path_of_the_pointer(box: dict[str, float], moves: int = MOVES) -> list[tuple[float, float]]:
    """Return points along a spiral around the picture's middle, each 2.5 px from the one before."""
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    largest = 0.38 * min(box["width"], box["height"])
    points: list[tuple[float, float]] = []
    angle = 0.0
    while len(points) <= moves:
        radius = max(6.0, largest * (len(points) / moves))
        points.append((middle[0] + radius * math.cos(angle), middle[1] + radius * math.sin(angle)))
        angle += STEP_PIXELS / radius
    return points


def move_along(page: Page, points: list[tuple[float, float]]) -> float:
    """Move the pointer from point to point, one every 16 ms; return how many seconds it took."""
    started = time.monotonic()
    for number, (x, y) in enumerate(points[1:], start=1):
        page.mouse.move(x, y)
        time.sleep(max(0.0, started + number * STEP_SECONDS - time.monotonic()))
    return time.monotonic() - started

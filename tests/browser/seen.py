"""Pictures as they stand on the screen, read without the page's own code: places of plots, colours of their cells."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, Route

from tests.browser.pictures import WAIT_MILLISECONDS, at_rest

TOLERANCE = 8
"""Of one band of a colour. Colour scales have 96 stops in Plotly and 1,024 on canvases; neighbouring colours of the
drawn pairs are further apart than 30."""
ATTEMPTS = WAIT_MILLISECONDS // 100
LEAST_SIDE = 30
"""Of a picture on the compare page, pixels of the screen: what is narrower is a letter or a line."""

DASH = "**/_dash-update-component*"
"""What Dash sends to its callbacks."""

# The plot area: of the picture that comes before Plotly, else Plotly's own element that takes the pointer.
PLOT = """(panel) => {
  const section = document.querySelector(`section[data-panel="${panel}"]`);
  const { x, y, width, height } = (section.querySelector(".first-view") || section.querySelector(".nsewdrag"))
    .getBoundingClientRect();
  return [x, y, width, height];
}"""
POINT = f"""([panel, across, down]) => {{
  const [left, top, width, height] = ({PLOT})(panel);
  return [left + across * width, top + down * height];
}}"""
CANVAS = "() => document.querySelector('.compare-canvas').toDataURL()"


@dataclass(frozen=True)
class Rectangle:
    """A part of the screen or of a canvas, pixels."""

    left: float
    top: float
    width: float
    height: float

    def at(self, across: float, down: float) -> tuple[float, float]:
        """Return the place at these parts of the width, from the left, and of the height, from the top."""
        return self.left + across * self.width, self.top + down * self.height


def rgb(data: bytes) -> NDArray[np.int64]:
    """Decode a PNG file as (h, w, 3)."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.int64)


def screen(page: Page) -> NDArray[np.int64]:
    """Return what is on the screen, (h, w, 3)."""
    return rgb(page.screenshot())


def plot(page: Page, panel: str) -> Rectangle:
    """Return where a panel of the explore page has its picture on the screen."""
    return Rectangle(*page.evaluate(PLOT, panel))


def point(page: Page, panel: str, across: float, down: float) -> tuple[float, float]:
    """Return the place at these parts of the width and the height of a panel's picture, once it stays."""
    return at_rest(page, POINT, [panel, across, down])


def table(page: Page) -> NDArray[np.int64]:
    """Return the canvas of the compare page, (h, w, 3)."""
    return rgb(base64.b64decode(page.evaluate(CANVAS).partition(",")[2]))


def pictures(canvas: NDArray[np.int64]) -> list[Rectangle]:
    """Return where the pictures of the compare page's last row are, from left to right, by the ground around them."""
    other = (canvas != canvas[0, 0]).any(axis=2)
    top, bottom = _runs(other.any(axis=1))[-1]
    columns = _runs(other[top:bottom].any(axis=0))
    found = []
    for left, right in columns:
        if right - left < LEAST_SIDE:
            continue
        first, last = _runs(other[top:bottom, left:right].any(axis=1))[0]
        found.append(Rectangle(left, top + first, right - left, last - first))
    return found


def _runs(some: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return start and end of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], some.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def cells(image: NDArray[np.int64], place: Rectangle, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the colours (H, W, 3) in the middles of the H × W cells of a picture that lies at this place."""
    rows, columns = shape[:2]
    found = np.empty((rows, columns, 3))
    for row, col in np.ndindex(rows, columns):
        x, y = place.at((col + 0.5) / columns, (row + 0.5) / rows)
        patch = image[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2]
        found[row, col] = np.median(patch.reshape(-1, 3), axis=0)
    return found


def require_colours(found: NDArray[np.float64], expected: NDArray[np.float64], what: str) -> None:
    """Compare colours where something is expected; the message has the first ones that are other than that."""
    known = np.isfinite(expected).all(axis=-1)
    wrong = known & (np.abs(found - np.nan_to_num(expected)).max(axis=-1) > TOLERANCE)
    first: list[Any] = [
        (tuple(at), found[*at].tolist(), expected[*at].round().tolist()) for at in np.argwhere(wrong)[:3]
    ]
    assert not wrong.any(), (
        f"{what}: {wrong.sum()} of {known.sum()} cells, as (cell, colour, expected): {first}"
    )


def eventually(page: Page, check: Callable[[], None]) -> None:
    """Repeat a check until it holds: pictures come a moment after what they depend on. The last failure counts."""
    for _ in range(ATTEMPTS):
        try:
            check()
            return
        except AssertionError:
            page.wait_for_timeout(100)
    check()


def near(
    image: NDArray[np.int64], place: tuple[float, float], colour: tuple[int, ...], reach: int = 2
) -> bool:
    """Whether a colour is within `reach` pixels of a place."""
    x, y = round(place[0]), round(place[1])
    patch = image[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
    return bool((np.abs(patch - np.array(colour)).max(axis=-1) <= TOLERANCE).any())


class Held:
    """Requests that a test keeps from the server until it lets them go.

    Parameters
    ----------
    page : Page
        The page that sends them.
    pattern : str
        Of their addresses.
    """

    def __init__(self, page: Page, pattern: str) -> None:
        self._page, self._pattern = page, pattern
        self._open = False
        self.routes: list[Route] = []
        page.route(pattern, self._take)

    def _take(self, route: Route) -> None:
        if self._open:
            route.continue_()
        else:
            self.routes.append(route)

    def wait(self, count: int = 1) -> None:
        """Wait until so many are held."""
        for _ in range(WAIT_MILLISECONDS // 50):
            if len(self.routes) >= count:
                return
            self._page.wait_for_timeout(50)
        raise AssertionError(f"{len(self.routes)} of {count} requests like {self._pattern} were sent")

    def release_first(self) -> None:
        """Let the oldest one go, and wait until its answer has been dealt with."""
        route = self.routes.pop(0)
        with self._page.expect_response(route.request.url):
            route.continue_()
        self._page.wait_for_timeout(200)

    def release(self) -> None:
        """Let all go, and hold no more."""
        self._open = True
        for route in self.routes:
            route.continue_()
        self.routes.clear()

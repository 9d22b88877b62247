"""Air on both pages: hatched and left out at first, in colours that were worked out by hand, and back by a switch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from tests import drawn_pairs as drawn
from tests.browser.conftest import Known, Opener, Server, wait_until_settled
from tests.browser.seen import DASH, Held, cells, eventually, pictures, plot, require_colours, screen, table
from tests.browser.test_colours_by_hand import FIRST_PICTURES
from tests.browser.test_compare_page import SETTLED

ADDRESS = "headed"
HEAD = np.zeros(drawn.SHAPE, dtype=bool)
HEAD[1:5, 2:6] = True
"""Sixteen pixels, among them all ten numbers; around them both images are 0."""
PIXEL, STEPPED = (2, 3), (2, 4)
AT = "(text) => document.querySelector('#pixel-readout [data-field=col]').textContent === text"
NUMBERS = """() => [...document.querySelectorAll('[data-table="guidance"] tbody tr')].map((row) =>
  [...row.children].slice(0, 3).map((cell) => cell.textContent))"""

Colours = NDArray[np.float64]


@pytest.fixture
def pair(server: Server) -> Iterator[str]:
    """Lay a head in air into the server's folder of pairs while a test looks at it."""
    folder = server.pair_paths[0].parent / "data"
    paths = [folder / f"{name}_{ADDRESS}.npy" for name in ("mri", "pet")]
    for path, image in zip(paths, drawn.images(drawn.ADDRESSES[0]), strict=True):
        np.save(path, np.where(HEAD, image, 0))
    yield ADDRESS
    for path in paths:
        path.unlink()


def guidance_pictures(air: bool) -> dict[str, Colours]:
    """Return the colours of both guidance images with gamma 0.5 and of guidance RGB, hatched around the head or not."""
    row, col = np.indices(drawn.SHAPE)
    stripe = ((row + col) % 6 < 2)[..., None]
    hatching = np.where(stripe, (112, 116, 122), (52, 55, 60))
    first, second = drawn.images(drawn.ADDRESSES[0])
    fused = np.where(HEAD, drawn.fused(drawn.ADDRESSES[0]), 0)
    red, green = (np.where(HEAD, image, 0.5) for image in (first, second))
    whole = {
        "guidance-mri": drawn.gradient_colours(red, 0.5),
        "guidance-pet": drawn.gradient_colours(green, 0.5),
        "guidance-rgb": 255 * np.stack([red, green, fused], axis=-1),
    }
    return {
        name: image if air else np.where(HEAD[..., None], image, hatching) for name, image in whole.items()
    }


def require_panels(page: Page, pixel: tuple[int, int], air: bool, what: str) -> None:
    image = screen(page)
    for name, whole in guidance_pictures(air).items():
        for panel, expected in ((name, whole), (f"{name}-zoom", drawn.cut(whole, pixel, 2))):
            found = cells(image, plot(page, f"panel-{panel}"), expected.shape)
            require_colours(found, expected, f"{what}, panel {panel}")


def test_the_explore_page_hatches_it_and_shows_it_again(open_page: Opener, known: Known, pair: str) -> None:
    known(pair, "weighted_averaging")
    held: list[Held] = []
    page = open_page(
        f"?pair={pair}&method=weighted_averaging&pixel=2,3&zoom=2&v=4", height=1700, settled=False,
        ready=FIRST_PICTURES, prepare=lambda page: held.append(Held(page, "**/plotly.min.js")),
    )  # fmt: skip
    eventually(page, lambda: require_panels(page, PIXEL, False, "first view"))
    held[0].release()
    wait_until_settled(page)
    eventually(page, lambda: require_panels(page, PIXEL, False, "Plotly"))
    expect(page.locator("#panel-scatter .gtitle")).to_have_text("Guidance scatterplot: 16 pixels without air")
    dash = Held(page, DASH)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(AT, arg=str(STEPPED[1]))
    eventually(page, lambda: require_panels(page, STEPPED, False, "canvases that follow the pointer"))
    dash.release()
    page.click(".head-menu > summary")
    page.check("#air-shown")
    page.wait_for_function("() => location.search.includes('air=1')")
    expect(page.locator("#panel-scatter .gtitle")).to_have_text("Guidance scatterplot")
    page.check("#gray-own")
    page.wait_for_function("() => location.search.includes('gray=own')")
    page.keyboard.press("Escape")
    eventually(page, lambda: require_panels(page, STEPPED, True, "with the air"))


def test_the_table_and_its_numbers_leave_it_out(open_page: Opener, pair: str) -> None:
    names = ("guidance-mri", "guidance-pet", "guidance-rgb")
    columns = ",".join(name.replace("-", "_") for name in names)
    query = f"compare?pair={pair}&methods=weighted_averaging&columns={columns}&scale=paper&numbers=1&v=4"
    page = open_page(query, settled=False, ready=SETTLED)

    def require(air: bool) -> None:
        canvas = table(page)
        found = pictures(canvas)
        assert len(found) == len(names)
        for name, place in zip(names, found, strict=True):
            expected = guidance_pictures(air)[name]
            require_colours(cells(canvas, place, expected.shape), expected, name)

    eventually(page, lambda: require(False))
    page.wait_for_function(
        f'() => JSON.stringify(({NUMBERS})().map((row) => [row[0], row[2]])) === \'[["head","16"]]\''
    )
    page.click(".head-menu > summary")
    page.check("#air-shown")
    page.wait_for_function("() => location.search.includes('air=1')")
    eventually(page, lambda: require(True))
    page.wait_for_function(f"() => ({NUMBERS})().some((row) => row[0] === 'whole image' && row[2] === '48')")

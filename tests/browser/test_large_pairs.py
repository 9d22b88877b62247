"""Large pairs on the explore page: tiles as fine as the screen shows them, and exact numbers whatever is shown."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WHOLE_PIXELS, Pages, Server
from tests.browser.pictures import point_at, readout, wait_until
from tests.browser.visitors import Visitors
from tests.drawn_pairs import STEPS, gradient_colours

BLOCK = 64
SHAPE = (5 * BLOCK, 10 * BLOCK)
ROWS, COLUMNS = np.indices(SHAPE) // BLOCK
X1 = (((3 * ROWS + 4 * COLUMNS) % (STEPS + 1)) / STEPS) ** 2
X2 = 1 - X1
# Read from a canvas of its own: the page's would become one that is kept for reading.
READ = """(canvas, x, y) => {
  window.dot = window.dot || new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  window.dot.clearRect(0, 0, 1, 1);
  window.dot.drawImage(canvas, Math.floor(x), Math.floor(y), 1, 1, 0, 0, 1, 1);
  return [...window.dot.getImageData(0, 0, 1, 1).data];
}"""
COLOUR = f"""([panel, row, col]) => {{
  const {{ canvas, area }} = fusevis.overlays.overlay(panel);
  const [x, y] = [(col - area.x[0]) / (area.x[1] - area.x[0]), (row - area.y[1]) / (area.y[0] - area.y[1])];
  return ({READ})(canvas, x * canvas.width, y * canvas.height);
}}"""
DOT = f"([panel, x, y]) => ({READ})(fusevis.overlays.overlay(panel).canvas, x, y)"
PART = """([panel, top, left, bottom, right]) => window.Plotly.relayout(fusevis.graphs.graph(panel), {
  "xaxis.range[0]": left - 0.5, "xaxis.range[1]": right - 0.5,
  "yaxis.range[0]": bottom - 0.5, "yaxis.range[1]": top - 0.5,
}).then(() => null)"""


@pytest.fixture(scope="module")
def blocks(server: Server) -> Iterator[str]:
    """Lay a pair into the server's data that is large to it, and return its address."""
    assert SHAPE[0] * SHAPE[1] > WHOLE_PIXELS
    folder = server.pair_paths[0].parent / "data"
    paths = folder / "mri_blocks.npy", folder / "pet_blocks.npy"
    for path, image in zip(paths, (X1, X2), strict=True):
        np.save(path, image)
    yield "blocks"
    for path in paths:
        path.unlink()


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """Return what the page has asked the server for."""
    return []


@pytest.fixture(scope="module")
def page(visitors: Visitors, server: Server, blocks: str, asked: list[str]) -> Iterator[Page]:
    """Open the pair once for all tests of this file."""
    pages = Pages(visitors, server)
    page = pages(
        f"?pair={blocks}&method=weighted_averaging&gamma2=0.5&scale=paper",
        settled=False,
        prepare=lambda page: page.on("request", lambda request: asked.append(request.url)),
    )
    expect(page.locator("#guidance-status")).to_have_text("Guidance complete")
    yield page
    pages.close()
    pages.require_silence()


def colour(page: Page, panel: str, row: float, col: float) -> list[int]:
    found: list[int] = page.evaluate(COLOUR, [panel, row, col])
    return found


def wait_for_colour(page: Page, panel: str, row: int, col: int, expected: list[float]) -> None:
    wait_until(
        page, lambda: bool(np.abs(np.subtract(colour(page, panel, row, col)[:3], expected)).max() <= 1)
    )


def middles() -> list[tuple[int, int]]:
    """Return the middle of some blocks in all corners."""
    return [(BLOCK // 2 + BLOCK * row, BLOCK // 2 + BLOCK * col) for row in (0, 2, 4) for col in (0, 3, 9)]


def test_pictures_are_painted_from_tiles(page: Page, asked: list[str]) -> None:
    grays = {"panel-mri": X1, "panel-pet": X2, "panel-fused": X1**2 + X2**2}
    for row, col in middles():
        for panel, image in grays.items():
            wait_for_colour(page, panel, row, col, [255 * image[row, col]] * 3)
        for panel, image in (("panel-guidance-mri", X1), ("panel-guidance-pet", X2)):
            wait_for_colour(page, panel, row, col, list(gradient_colours(image[row, col], 0.5)))
        fused = X1**2 + X2**2
        blue = (fused - fused.min()) / (fused.max() - fused.min())
        mix = [255 * image[row, col] for image in (X1, X2, blue)]
        wait_for_colour(page, "panel-guidance-rgb", row, col, mix)
    assert any("/pyramid/" in url and "/fused/1/" in url for url in asked), "as coarse as the screen"
    assert not [url for url in asked if "/images/" in url and "/known" not in url], "none comes as a whole"
    sizes = page.evaluate(
        "() => fusevis.graphs.FULL.map((panel) => fusevis.graphs.graph(panel).data[0].z.length)"
    )
    assert sizes == [1] * 8


def test_numbers_are_exact_at_any_resolution(page: Page) -> None:
    row, col = BLOCK * 3 - 1, BLOCK * 7
    point_at(page, "panel-fused", row, col)
    x1, x2 = X1[row, col], X2[row, col]
    expected = {"x1": x1, "x2": x2, "y": x1**2 + x2**2, "g1": x1, "g2": x2}
    wait_until(page, lambda: readout(page)["y"] != "–")
    told = readout(page)
    assert {name: float(told[name]) for name in expected} == pytest.approx(expected, abs=6e-5)
    # The zoom has the pixels themselves: a block's edge lies between this row and the next.
    half = page.evaluate("() => fusevis.state.display.half")
    for beyond in (0, 1):
        seen = page.evaluate(DOT, ["panel-mri-zoom", half, half + beyond])
        assert seen[0] == pytest.approx(255 * X1[row + beyond, col], abs=1)


def test_enlarged_parts_show_the_images_own_pixels(page: Page) -> None:
    edge = 2 * BLOCK
    page.evaluate(PART, ["panel-fused", edge - 4, edge - 4, edge + 4, edge + 4])
    fused = X1**2 + X2**2
    try:
        for row in (edge - 1, edge):
            for col in (edge - 1, edge):
                wait_for_colour(page, "panel-fused", row, col, [255 * fused[row, col]] * 3)
                wait_for_colour(page, "panel-mri", row, col, [255 * X1[row, col]] * 3)
    finally:
        page.evaluate(PART, ["panel-fused", 0, 0, *SHAPE])


def test_jacobian_images_lie_on_a_ground_of_zero(page: Page) -> None:
    row, col = BLOCK + 10, BLOCK * 4 + 10
    point_at(page, "panel-fused", row, col)
    part = ["panel-fused", row - 4, col - 4, row + 5, col + 5]
    page.evaluate(PART, part)
    try:
        gamma = page.evaluate("() => fusevis.state.display.gamma1")
        wait_for_colour(page, "panel-jacobian-mri", row, col, list(gradient_colours(X1[row, col], gamma)))
        wait_for_colour(
            page, "panel-jacobian-mri", row, col + 2, list(gradient_colours(np.array(0.0), gamma))
        )
    finally:
        page.evaluate(PART, ["panel-fused", 0, 0, *SHAPE])


def test_the_plot_says_that_it_shows_a_sample(page: Page) -> None:
    title = page.evaluate("() => fusevis.graphs.graph('panel-scatter').layout.title.text")
    assert title == "Guidance scatterplot: 100,000 pixels, a sample"
    point_at(page, "panel-fused", BLOCK // 2, BLOCK // 2)
    # As many as the zoom window has, whether or not the sample has them.
    side = 2 * page.evaluate("() => fusevis.state.display.half") + 1
    count = "() => Number(fusevis.overlays.overlay('panel-scatter').canvas.dataset.points)"
    wait_until(page, lambda: page.evaluate(count) == side**2)

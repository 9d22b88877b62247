"""Outlines of regions on the page: inside of each region, and drawn in a time that does not grow with their edges."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from fusion.statistics.region_code import encode_mask
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import wait_until
from tests.browser.test_compare_page import open_compare

CORE, RIM = "#d6336c", "#0c8599"
TOUCHING = f"core~{CORE[1:]}~b20.20.30.40,rim~{RIM[1:]}~b16.16.20.44_20.16.30.20_20.40.30.44_30.16.34.44"
DRAWN = """([code, shape, sides, place, thickness]) => {
  const [height, width] = shape;
  const mask = fusevis.regionCode.decode(code, height, width);
  const canvas = Object.assign(document.createElement("canvas"), { width: sides[1], height: sides[0] });
  fusevis.regionPainter.drawOutlines(canvas, [{ mask, colour: "#123456" }], { height, width }, place, thickness);
  const { data } = canvas.getContext("2d").getImageData(0, 0, sides[1], sides[0]);
  return Array.from({ length: sides[0] * sides[1] }, (_, at) => (data[4 * at + 3] ? 1 : 0));
}"""
COUNTS = """([selector, colours]) => {
  const canvas = document.querySelector(selector);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const pixels = new Uint32Array(data.buffer);
  return colours.map((colour) => pixels.filter((pixel) => pixel === fusevis.pixels.pixelOf(colour)).length);
}"""
MANY_NOISY = """() => {
  const [height, width] = [1024, 1024];
  const regions = Array.from({ length: 12 }, () => ({
    mask: Uint8Array.from({ length: height * width }, () => (Math.random() < 0.5 ? 1 : 0)), colour: "#123456" }));
  let calls = 0;
  const paths = CanvasRenderingContext2D.prototype;
  for (const name of ["moveTo", "lineTo", "rect", "fillRect", "stroke", "fill"]) {
    const right = paths[name];
    paths[name] = function counted(...given) { calls += 1; return right.apply(this, given); };
  }
  for (const [side, unit] of [[300, 300 / 1024], [170, 6.8]]) {
    const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
    const place = { left: 0, top: 0, across: unit, down: unit };
    fusevis.regionPainter.drawOutlines(canvas, regions, { height, width }, place, 1.5);
  }
  return calls;
}"""


def drawn(
    page: Page, mask: NDArray[np.bool_], sides: tuple[int, int], start: tuple[float, float], unit: float
) -> NDArray[np.bool_]:
    place = {"top": start[0], "left": start[1], "across": unit, "down": unit}
    found = page.evaluate(DRAWN, [encode_mask(mask), mask.shape, sides, place, 2])
    return np.array(found, dtype=bool).reshape(sides)


def eroded(inside: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return the pixels that have nothing but inside within `reach`, diagonals included; outside of all is outside."""
    padded = np.pad(inside, reach)
    rows, columns = inside.shape
    shifts = range(2 * reach + 1)
    return np.logical_and.reduce([padded[i : i + rows, j : j + columns] for i in shifts for j in shifts])


@pytest.fixture
def page(open_page: Opener, server: Server) -> Page:
    return open_compare(open_page, server, f"&regions={TOUCHING}&pixel=25,22&zoom=12")


def test_an_outline_is_the_rim_of_its_own_pixels(page: Page) -> None:
    generator = np.random.default_rng()
    for share in (0.2, 0.5, 0.95):
        mask = generator.random((11, 13)) < share
        screen = mask.repeat(6, axis=0).repeat(6, axis=1)
        found = drawn(page, mask, screen.shape, (0, 0), 6)
        np.testing.assert_array_equal(found, screen & ~eroded(screen, 2))
        # A part of the picture has the lines of the whole: none where only the part ends.
        part = drawn(page, mask, (30, 31), (-13, -17), 6)
        np.testing.assert_array_equal(part, found[13:43, 17:48])


def test_small_pictures_lose_nothing_of_a_region(page: Page) -> None:
    mask = np.zeros((64, 64), dtype=bool)
    mask[5, 9] = mask[40:60, 33] = True
    found = drawn(page, mask, (16, 16), (0, 0), 0.25)
    assert np.argwhere(found).tolist() == [[1, 2], *([row, 8] for row in range(10, 15))]


def test_regions_that_touch_keep_an_outline_each(page: Page, open_page: Opener, server: Server) -> None:
    explore = open_page(f"?pair={server.pair}&method=deepfuse&regions={TOUCHING}&pixel=25,22")
    explore.wait_for_function("() => fusevis.regions.all().length === 2")

    def least_of(panel: str) -> int:
        selector = f"section[data-panel={panel}] .region-canvas"
        return min(explore.evaluate(COUNTS, [selector, [CORE, RIM]]))

    # The upper and the left side that they share are in the zooms.
    wait_until(explore, lambda: least_of("panel-mri") > 30 and least_of("panel-mri-zoom") > 150)
    assert min(page.evaluate(COUNTS, [".compare-canvas", [CORE, RIM]])) > 300


def test_noise_is_outlined_as_pixels_and_not_as_millions_of_lines(page: Page) -> None:
    assert page.evaluate(MANY_NOISY) < 1000, "as paths, twelve regions took a minute"

"""Every cell of the compare page's table can be pointed at and drawn on; `tests/js` has where they lie."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

import fusion
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import at_rest, choose_mode, keep_status, wait_for_status, wait_until
from tests.browser.pictures import place as place_of
from tests.browser.seen import eventually
from tests.browser.test_brushing import PLOT, box, corners, drag, masks
from tests.browser.test_compare_page import open_compare, place, wait_for_pixel

IN_ZOOM = """([kind, index, method, down, across]) => {
  const { table, state } = fusevis.compare;
  const { area } = table.shown().pictures.find((one) => one.zoom && one.kind === kind && one.index === index
    && one.point === state.a && (!method || one.scene.method_id === method));
  const unit = area.width / (2 * state.half() + 1);
  const { left, top } = document.querySelector(".compare-canvas").getBoundingClientRect();
  return [left + area.left + area.width / 2 + across * unit, top + area.top + area.height / 2 + down * unit];
}"""
COLOURED = """(colour) => {
  const { table, scatter } = fusevis.compare;
  const { left, top, width, height } = scatter.plot(table.shown().pictures.find((one) => one.kind === "scatter").box);
  const shown = document.querySelector(".compare-canvas");
  const scale = shown.width / table.shown().table.width;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(shown, left * scale, top * scale, width * scale, height * scale, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const like = (at) => colour.every((part, i) => Math.abs(data[at + i] - part) < 3);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) if (like(at)) count += 1;
  return count;
}"""
HELD = """([row, col]) => { const { held } = fusevis.compare.state;
  return row === null ? held === null : held && held.row === row && held.col === col; }"""


def in_zoom(
    page: Page, down: float, across: float, kind: str = "jacobian", index: int = 0, method: str | None = None
) -> tuple[float, float]:
    """Return the place in a zoom that is so many pixels of the image below and right of its middle."""
    return at_rest(page, IN_ZOOM, [kind, index, method, down, across])


def test_a_zoom_stays_while_one_points_into_it(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server, "&zoom=8")
    page.mouse.move(*place(page, 20, 25))
    wait_for_pixel(page, 20, 25)
    for kind, index, method in (
        ("jacobian", 1, "deepfuse"),
        ("jacobian", 0, "weighted_averaging"),
        ("inputs", 1, None),
    ):
        page.mouse.move(*in_zoom(page, 0, 0, kind, index, method))
        page.wait_for_function(HELD, arg=[20, 25])
        page.mouse.move(*in_zoom(page, 3, -5, kind, index, method))
        wait_for_pixel(page, 23, 20)
        assert page.evaluate(HELD, [20, 25]), "the zoom does not run away from the pointer"
        page.mouse.move(*in_zoom(page, 0, 0, kind, index, method))
        wait_for_pixel(page, 20, 25)
    page.mouse.move(*in_zoom(page, -2, 4))
    wait_for_pixel(page, 18, 29)
    page.mouse.click(*in_zoom(page, -2, 4))
    page.wait_for_function("() => location.search.includes('pixel=18,29')")
    page.mouse.move(*place(page, 40, 40))
    page.wait_for_function(HELD, arg=[None, None])
    page.mouse.move(*in_zoom(page, 4, 4))
    page.wait_for_timeout(150)
    wait_for_pixel(page, 18, 29)
    assert page.evaluate(HELD, [None, None]), "A is pinned, and in the middle of its zooms"
    page.keyboard.press("Escape")


def test_a_zoom_at_the_border_has_no_pixels_outside(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server, "&zoom=8")
    page.mouse.move(*place(page, 2, 3))
    wait_for_pixel(page, 2, 3)
    page.mouse.move(*in_zoom(page, 1, 1))
    wait_for_pixel(page, 3, 4)
    page.mouse.move(*in_zoom(page, -5, 0))
    page.wait_for_timeout(150)
    wait_for_pixel(page, 3, 4)
    assert page.evaluate(HELD, [2, 3])


def require_lead(page: Page, guidance: NDArray[np.float32], point: list[float]) -> None:
    """Point at a place of the scatterplot, and require the pixel of a point that is drawn there."""
    x, y = at_rest(page, PLOT, ["deepfuse", *point])
    page.mouse.move(x - 5, y - 5)
    page.mouse.move(x, y)
    page.wait_for_timeout(200)
    shown = page.evaluate("() => fusevis.compare.state.a.shown")
    # A pixel of the screen is some hundredths of a gradient.
    np.testing.assert_allclose(guidance[:, shown["row"], shown["col"]], point, atol=0.03)


def test_a_point_of_a_scatterplot_leads_to_its_pixel(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server, "&zoom=8")
    guidance = fusion.guidance(fusion.load_method("deepfuse", "cpu"), fusion.load_pair(*server.pair_paths))
    low, high = guidance[0].argmin(), guidance[0].argmax()  # points at the ends have no others around
    for at in (int(low), int(high)):
        point = [float(values.ravel()[at]) for values in guidance]
        eventually(page, partial(require_lead, page, guidance, point))


def test_zooms_can_be_drawn_on(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server, "&zoom=8")
    page.mouse.move(*place(page, 20, 25))
    wait_for_pixel(page, 20, 25)
    page.click("#region-open")
    page.click("[data-tool=box]")
    # Those that the list of regions does not cover.
    for kind, index, method in (("jacobian", 0, "deepfuse"), ("inputs", 0, None)):
        (top, left), (bottom, right) = (
            (row - 20, column - 25) for row, column in corners((18, 24), (22, 30))
        )
        drag(
            page,
            [
                in_zoom(page, top, left, kind, index, method),
                in_zoom(page, bottom, right, kind, index, method),
            ],
        )
        (mask,) = masks(page).values()
        np.testing.assert_array_equal(mask, box((18, 24), (22, 30)))
        page.click("#region-clear")
        page.mouse.move(*place(page, 20, 25))
        wait_for_pixel(page, 20, 25)


def test_selected_points_are_seen_among_those_of_the_zoom(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server, "&pixel=20,25&zoom=8&methods=deepfuse&columns=scatter")
    wait_until(page, lambda: page.evaluate(COLOURED, [0x00, 0xC8, 0x53]) > 100)
    chosen = box((18, 22), (23, 27)).ravel().astype(int).tolist()
    page.evaluate(
        """(mask) => {
          fusevis.regions.add("inner", Uint8Array.from(mask));
          fusevis.regions.recolour(0, "#ff00ff");
        }""",
        chosen,
    )
    # The points of the region are seen over the green ones.
    wait_until(page, lambda: page.evaluate(COLOURED, [0xFF, 0x00, 0xFF]) >= 9)
    assert page.evaluate(COLOURED, [0x00, 0xC8, 0x53]) > 50, "which are still there"


def test_zooms_of_the_explore_page_can_be_drawn_on(share_page: Opener, server: Server) -> None:
    page = share_page(f"?pair={server.pair}&method=deepfuse&pixel=20,25&zoom=8")
    choose_mode(page, "Box")
    for panel in ("panel-mri-zoom", "panel-jacobian-pet-zoom", "panel-guidance-rgb-zoom"):
        # The axes of zooms count from the principal pixel.
        (top, left), (bottom, right) = (
            (row - 20, column - 25) for row, column in corners((18, 24), (22, 30))
        )
        drag(page, [place_of(page, panel, top, left), place_of(page, panel, bottom, right)])
        (mask,) = masks(page).values()
        np.testing.assert_array_equal(mask, box((18, 24), (22, 30)))
        page.evaluate("fusevis.regions.clear()")
    page.evaluate("fusevis.regions.remove(0)")
    choose_mode(page, "Pixel")


def test_what_the_pointer_shows_of_a_zoom_leaves_the_console_empty(
    share_page: Opener, server: Server
) -> None:
    page = share_page(f"?pair={server.pair}&method=deepfuse&pixel=20,25&zoom=8")
    for panel in ("panel-guidance-rgb-zoom", "panel-jacobian-mri-zoom"):
        page.mouse.move(*place_of(page, panel, 3, -2))
        label = page.locator(f"section[data-panel={panel}] .hovertext")
        label.wait_for()
        text = (label.text_content() or "").replace("−", "-")
        assert "row offset 3, column offset -2" in text
        page.mouse.move(5, 5)


def test_the_status_line_empties_and_keeps_what_still_holds(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server)
    line, hint = page.locator("#compare-status"), page.locator(".pin-hint")
    keep_status(page, "compare-status")
    expect(page.locator("#compare-zoom")).to_have_attribute("placeholder", "auto 12")
    page.mouse.move(*place(page, 9, 31, "inputs"))
    wait_for_status(page, "^Jacobians of 2 methods · ")
    expect(line).to_have_text("")
    expect(hint).to_be_visible()
    page.click("#compare-pin-a")
    expect(line).to_have_text("A pinned: arrow keys move it, Esc lets go")
    expect(hint).to_be_hidden()

"""Box and lasso as tools: where they show, how they are put away, and what is said where they cannot draw."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import Opener, Server
from tests.browser.pictures import at_rest, choose_mode, click_at
from tests.browser.pictures import place as place_of
from tests.browser.test_brushing import corners, drag
from tests.browser.test_compare_page import open_compare, place
from tests.browser.test_region_changes import load

TOOL = "document.querySelector('[data-tool][aria-pressed=true]').dataset.tool"
PINNED = "fusevis.compare.state.a.pinned"
COUNTS = "fusevis.regions.all().map(({ count }) => count)"


SCATTERPLOT = """(difference) => {
  const { box } = fusevis.compare.table.shown().pictures
    .find((one) => one.kind === "scatter" && Boolean(one.scene.difference) === difference);
  const { left, top } = document.querySelector(".compare-canvas").getBoundingClientRect();
  return [left + box.left + box.width / 2, top + box.top + box.height / 2];
}"""


def cursor(page: Page, selector: str) -> str:
    found: str = page.evaluate(
        "(selector) => getComputedStyle(document.querySelector(selector)).cursor", selector
    )
    return found


def around(page: Page, difference: bool) -> list[tuple[float, float]]:
    """Return the corners of a box in the middle of a method's scatterplot, or in that of the difference."""
    x, y = at_rest(page, SCATTERPLOT, difference)
    return [(x - 10, y - 10), (x + 10, y + 10)]


def draw(page: Page, rows: tuple[int, int] = (3, 9), columns: tuple[int, int] = (4, 12)) -> None:
    drag(page, [place(page, *corner) for corner in corners(rows, columns)])


def test_the_tool_goes_with_its_panel(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    for closer in ("#region-close", "#region-open", "#views-open"):
        page.click("#region-open")
        page.click("[data-tool=lasso]")
        assert "url" in cursor(page, ".compare-canvas") and "crosshair" in cursor(page, ".compare-canvas")
        page.click("[data-tool=box]")
        draw(page)
        assert page.evaluate(COUNTS) == [63]
        page.click(closer)
        assert page.evaluate(TOOL) == "point" and "url" not in cursor(page, ".compare-canvas")
        draw(page, (3, 5))
        assert page.evaluate(COUNTS) == [63], "a drag moves the pixel again"
        page.mouse.click(*place(page, 20, 30))
        assert page.evaluate(PINNED) is True, "and a click pins it"
        page.mouse.click(*place(page, 20, 30))
        if closer == "#views-open":
            page.click("#views-close")


def test_escape_ends_the_drawing_then_the_tool_then_the_pin(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    page.mouse.click(*place(page, 20, 30))
    page.click("#region-open")
    page.click("[data-tool=box]")
    page.focus("#compare-table")
    page.mouse.move(*place(page, 3, 4))
    page.mouse.down()
    page.mouse.move(*place(page, 9, 12), steps=3)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert page.evaluate(COUNTS) == [] and page.evaluate(TOOL) == "box"
    page.keyboard.press("Escape")
    assert page.evaluate(TOOL) == "point" and page.is_visible("#region-panel")
    assert page.evaluate(PINNED) is True
    page.keyboard.press("Escape")
    assert page.evaluate(PINNED) is False


def test_escape_leads_back_to_pixel_on_the_explore_page(share_page: Opener, server: Server) -> None:
    page = share_page(f"?pair={server.pair}&method=weighted_averaging")
    click_at(page, "panel-fused", 20, 30)
    choose_mode(page, "Lasso")
    assert "url" in cursor(page, "section[data-panel=panel-fused] .nsewdrag")
    page.keyboard.press("Escape")
    page.wait_for_function("() => fusevis.state.mode === 'pixel'")
    assert page.evaluate("fusevis.state.pinned") is True
    page.focus("section[data-panel=panel-fused]")
    page.keyboard.press("Escape")
    assert page.evaluate("fusevis.state.pinned") is False


def test_where_there_are_no_points_the_status_line_says_why(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server, "&difference=weighted_averaging,deepfuse")
    page.click("#region-open")
    page.click("[data-tool=box]")
    drag(page, around(page, True))
    assert "difference has no points" in page.inner_text("#compare-status.failed")


def test_points_have_to_wait_for_guidance_images(open_page: Opener, server: Server) -> None:
    page = open_page(
        f"compare?pair={server.pair}&methods=weighted_averaging",
        settled=False,
        ready="() => window.fusevis?.compare?.table?.shown() && fusevis.compare.state.a.shown",
        prepare=lambda opened: opened.route("**/guidance?viewer=*", lambda route: None),
    )
    page.click("#region-open")
    page.click("[data-tool=box]")
    drag(page, around(page, False))
    assert "once the guidance images are complete" in page.inner_text("#compare-status.failed")
    assert page.evaluate(COUNTS) == []


def test_what_is_wrong_is_said_on_the_status_line_while_the_panel_is_closed(
    share_page: Opener, server: Server
) -> None:
    page = share_page(f"?pair={server.pair}&method=weighted_averaging")
    for number in range(12):
        load(page, f"mask {number}")
    assert "room" not in page.inner_text("#status-line")
    choose_mode(page, "Box")
    drag(page, [place_of(page, "panel-pet", *corner) for corner in corners((5, 25), (6, 36))])
    assert "no room for another region" in page.inner_text("#status-line.failed")
    assert len(page.evaluate(COUNTS)) == 12
    page.evaluate("() => { while (fusevis.regions.all().length) fusevis.regions.remove(0); }")

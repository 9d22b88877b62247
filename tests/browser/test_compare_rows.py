"""The order of the compare page's rows: by the arrow buttons, and by dragging their heads."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import Opener, Server
from tests.browser.test_compare_page import METHODS, open_compare

ORDER = (
    """() => [...document.querySelectorAll(".compare-row[data-method]")].map((row) => row.dataset.method)"""
)
LINE = """() => {
  const line = document.querySelector(".compare-insertion");
  return line && !line.hidden && line.getBoundingClientRect().height ? line.getBoundingClientRect().top : null;
}"""
BACKWARD = list(reversed(METHODS))


def order_in_link(page: Page, methods: list[str]) -> None:
    page.wait_for_function("(part) => location.search.includes(part)", arg=f"methods={','.join(methods)}&")


def head(page: Page, method: str) -> tuple[float, float]:
    """Return where the head of a row can be held."""
    box = page.locator(f'[data-method="{method}"] .compare-row-title').bounding_box()
    assert box is not None
    return box["x"] + 10, box["y"] + box["height"] / 2


def test_rows_are_reordered_by_keyboard(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    assert page.evaluate(ORDER) == list(METHODS)
    assert page.get_by_label("Move Weighted Averaging, weights held constant up").is_disabled()
    page.get_by_label("Move DeepFuse up").press("Enter")
    assert page.evaluate(ORDER) == BACKWARD
    focused = page.evaluate("() => document.activeElement.getAttribute('aria-label')")
    assert focused == "Move DeepFuse down", "the other button has the focus where there is no further row"
    order_in_link(page, BACKWARD)


def test_rows_are_reordered_by_dragging_their_heads(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server, "&pixel=20,33")
    order_in_link(page, list(METHODS))
    first, second = METHODS
    (x, y), (_, below) = head(page, first), head(page, second)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 2)
    assert page.evaluate(LINE) is None, "not yet a drag"
    page.mouse.move(x, y + 20)
    assert y - 40 < page.evaluate(LINE) < y, "it would stay where it is"
    page.mouse.move(x, 890, steps=4)
    assert page.evaluate(LINE) > below, "under the last row"
    page.keyboard.press("Escape")
    assert page.evaluate(LINE) is None
    page.mouse.up()
    assert page.evaluate(ORDER) == list(METHODS), "cancelled"
    assert page.evaluate("() => fusevis.compare.state.a.pinned"), "Escape ended the drag, and nothing else"

    page.mouse.move(*head(page, first))
    page.mouse.down()
    page.mouse.move(x, 890, steps=4)
    page.mouse.up()
    assert page.evaluate(ORDER) == BACKWARD and page.evaluate(LINE) is None
    order_in_link(page, BACKWARD)

    # A finger: the same events, of another kind of pointer.
    x, y = head(page, first)
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": across, "y": down} for across, down in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", (x, y))
    for step in (10, 60, 150):
        touch("touchMove", (x, y - step))
    touch("touchEnd")
    page.wait_for_function(f"(order) => ({ORDER})().join() === order", arg=",".join(METHODS))
    order_in_link(page, list(METHODS))
    pixel = page.evaluate("() => fusevis.compare.state.a")
    assert pixel["pinned"] and pixel["pixel"] == {"row": 20, "col": 33}, "heads are no pictures"

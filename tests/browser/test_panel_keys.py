"""The panels of regions and views by keyboard: the focus stays, and the page's own keys rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Asked, Opener, Server
from tests.browser.pictures import click_at
from tests.browser.test_compare_page import open_compare, place

FOCUSED = "document.activeElement.getAttribute('aria-label') || document.activeElement.id"
THREE = "['one', 'two', 'three'].forEach((name) => fusevis.regions.add(name))"
PIXEL = "fusevis.compare.state.a.pixel"


def focused(page: Page) -> str:
    found: str = page.evaluate(FOCUSED)
    return found


@pytest.fixture
def page(share_page: Opener, server: Server) -> Iterator[Page]:
    """Return the compare page with three regions, A pinned and the panel opened by its button; let A go again."""
    page = open_compare(share_page, server)
    page.mouse.click(*place(page, 20, 30))
    page.wait_for_function("() => fusevis.compare.state.a.pinned")
    page.evaluate(THREE)
    page.focus("#region-open")
    page.keyboard.press("Enter")
    yield page
    page.evaluate("document.activeElement.blur()")
    for _ in range(2):
        if page.evaluate("fusevis.compare.state.a.pinned"):
            page.keyboard.press("Escape")


def test_whatever_is_changed_in_the_list_the_focus_stays(page: Page) -> None:
    assert focused(page) == "Regions of interest"
    page.focus("[aria-label='Select into three']")
    page.keyboard.press("ArrowUp")
    assert focused(page) == "Select into two"
    assert page.evaluate("fusevis.regions.activeIndex()") == 1
    page.keyboard.press("ArrowUp")
    assert focused(page) == "Select into one"
    page.focus("[aria-label='Name of region 2']")
    page.keyboard.press("Control+a")
    page.keyboard.type("second")
    page.keyboard.press("Enter")
    assert focused(page) == "Name of region 2"
    page.keyboard.type("!")
    page.keyboard.press("Tab")
    assert focused(page) == "Delete second!", "the change that leaving makes does not take the way"
    page.keyboard.press("Enter")
    assert focused(page) == "Delete three"
    page.keyboard.press("Enter")
    assert focused(page) == "Delete one"
    page.keyboard.press("Enter")
    assert focused(page) == "Regions of interest"
    page.focus("#region-undo")
    for _ in range(8):
        page.keyboard.press("Enter")
    assert page.evaluate("fusevis.regions.canUndo()") is False
    assert focused(page) == "Regions of interest", "the button can no longer be pressed"
    page.keyboard.press("Control+Shift+z")
    assert page.evaluate("fusevis.regions.all().length") == 1
    page.evaluate("fusevis.regions.recolour(0, '#445566')")
    assert page.input_value(".region-colour") == "#445566"


def test_a_blank_name_is_none(page: Page) -> None:
    page.fill("[aria-label='Name of region 1']", "  ")
    page.keyboard.press("Enter")
    assert page.input_value("[aria-label='Name of region 1']") == "one"


def test_keys_in_the_panel_do_nothing_to_the_pictures(page: Page) -> None:
    before = page.evaluate(PIXEL)
    page.focus("#region-invert")
    for key in ("ArrowUp", "ArrowRight", "b", "n"):
        page.keyboard.press(key)
    assert page.evaluate(PIXEL) == before and page.evaluate("fusevis.compare.state.b.pixel") is None
    assert not page.is_visible("#compare-numbers")
    page.keyboard.press("Escape")
    assert page.is_hidden("#region-panel") and focused(page) == "Regions (3): one, two, three"
    assert page.get_attribute("#region-open", "aria-expanded") == "false"
    assert page.evaluate("fusevis.compare.state.a.pinned") is True
    page.keyboard.press("ArrowRight")
    assert page.evaluate(PIXEL) == {**before, "col": before["col"] + 1}
    page.keyboard.press("Escape")
    assert page.evaluate("fusevis.compare.state.a.pinned") is False


def test_a_name_that_is_typed_is_kept_when_the_panel_closes(page: Page) -> None:
    page.fill("[aria-label='Name of region 1']", "shore")
    page.keyboard.press("Escape")
    assert page.evaluate("fusevis.regions.all()[0].name") == "shore"
    page.keyboard.press("Enter")
    assert page.is_visible("#region-panel")
    page.focus("#region-close")
    page.keyboard.press("Enter")
    assert page.is_hidden("#region-panel") and focused(page) == "Regions (3): shore, two, three"


def test_the_views_are_used_by_keyboard_too(open_page: Opener, server: Server, asked: Asked) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging")
    click_at(page, "panel-fused", 20, 30)
    pixel = page.evaluate("fusevis.state.pixel")
    page.focus("#views-open")
    page.keyboard.press("Enter")
    assert focused(page) == "Named views"
    for name in ("first", "second"):
        page.fill("#views-name", name)
        page.focus("#views-save")
        page.keyboard.press("Enter")
        page.wait_for_selector(f'.view[data-name="{name}"]')
        assert focused(page) == "views-save"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("fusevis.state.pixel") == pixel
    page.fill("[aria-label='Name of first']", "one")
    page.keyboard.press("Enter")
    page.wait_for_selector('.view[data-name="one"]')
    assert focused(page) == "Name of one"
    page.fill("[aria-label='Note of second']", "to be looked at")
    page.keyboard.press("Tab")
    page.wait_for_function("() => document.querySelector('.views-message').textContent === 'Changed.'")
    last = page.locator(".view").last
    other, gone = (page.locator(".view").nth(at).get_attribute("data-name") for at in (0, 1))
    last.get_by_label("Delete").focus()
    page.keyboard.press("Enter")
    assert last.get_by_label("Delete").inner_text() == "Delete?"
    page.keyboard.press("Enter")
    page.wait_for_selector(f'.view[data-name="{gone}"]', state="detached")
    assert focused(page) == f"Delete {other}"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.get_by_label(f"Delete {other}").inner_text() == "×", "not sure any more"
    page.get_by_label(f"Delete {other}").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector(".view", state="detached")
    assert focused(page) == "Named views"
    page.keyboard.press("Escape")
    assert page.is_hidden("#views-panel") and focused(page) == "views-open"
    assert page.evaluate("fusevis.state.pinned") is True
    page.click("#region-open")
    page.click("#views-open")
    assert page.is_hidden("#region-panel") and focused(page) == "Named views"

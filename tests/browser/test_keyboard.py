"""The pages without a pointer: whose a key is, where the focus goes, and what is said."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Server
from tests.browser.pictures import click_at, wait_for_pixel
from tests.browser.test_compare_page import open_compare
from tests.browser.test_training_page import open_training

SIDE = (("#region-open", "#region-panel"), ("#views-open", "#views-panel"))
MENUS = (
    ("#export-menu > summary", "#export-menu .export-choices"),
    (".head-menu > summary", ".head-menu-parts"),
)
EXPLORE_MENUS = (
    (".method-about > summary", ".method-note"),
    (".panel-about summary", ".panel-about > div"),
)
BOTH = (("#help-open", ".offcanvas"), *SIDE, *MENUS)
HAS_FOCUS = "(selector) => document.querySelector(selector).contains(document.activeElement)"
PINS = {
    "explore": "() => [fusevis.state.pinned, fusevis.state.pixel]",
    "compare": "() => { const { a, b } = fusevis.compare.state; return [a.pinned, a.pixel, b.pixel]; }",
}


def open_explore(share_page: Opener, server: Server) -> Page:
    return share_page(f"?pair={server.pair}&method=weighted_averaging")


# At pages that nobody has clicked into yet: from there the first stop is the head's.
@pytest.mark.parametrize("name", ["explore", "compare", "training"])
def test_the_first_stop_leads_past_the_head(share_page: Opener, server: Server, name: str) -> None:
    if name == "training":
        page = open_training(share_page)
    elif name == "compare":
        page = open_compare(share_page, server, "&pixel=20,20")
    else:
        page = open_explore(share_page, server)
    page.wait_for_function("() => document.querySelector('.skip-link')")
    assert page.evaluate("() => document.documentElement.lang") == "en"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip-link"
    page.wait_for_function("() => document.activeElement.getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.matches('main')")
    assert "#" not in page.url


def count_words(page: Page) -> None:
    """Note whatever the line for screen readers says from now on."""
    page.evaluate(
        """() => {
          window.said = [];
          new MutationObserver(() => said.push(document.getElementById("announcement")?.textContent))
            .observe(document.body, { childList: true, subtree: true });
        }"""
    )


SAID = """() => said.filter((text) => text && !text.startsWith("Guidance"))
  .filter((text, at, all) => text !== all[at - 1])"""


def test_where_one_stands_is_said_once_the_keys_rest(share_page: Opener, server: Server) -> None:
    page = open_explore(share_page, server)
    count_words(page)
    page.focus('section[data-panel="panel-fused"]')
    row, col = page.evaluate("() => [fusevis.state.pixel.row, fusevis.state.pixel.col]")
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    wait_for_pixel(page, row + 5, col)
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => ({SAID})().length")
    (said,) = page.evaluate(SAID)
    assert said.startswith(f"Pinned. row {row + 5} col {col} ")
    assert (
        page.evaluate("() => document.querySelector('#pixel-readout').closest('[role=status], [aria-live]')")
        is None
    )
    page.keyboard.press("Escape")


def test_both_pixels_are_said_on_the_compare_page(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server, "&pixel=20,20")
    count_words(page)
    page.focus("#compare-table")
    page.keyboard.press("b")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => ({SAID})().length")
    (said,) = page.evaluate(SAID)
    assert said.startswith("A row 20 column 23 ") and "pinned B row 20 column 20 " in said
    assert (
        page.evaluate("() => document.querySelector('#compare-status').closest('[role=status], [aria-live]')")
        is None
    )
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("b")
    page.wait_for_function("() => !fusevis.compare.state.b.pixel")


def require_its_own_keys(page: Page, opener: str, part: str, pins: str) -> None:
    """Open something by Enter, press in it what moves pixels elsewhere, and close it by Esc: the pixels stay."""
    before = page.evaluate(pins)
    page.focus(opener)
    page.keyboard.press("Enter")
    page.wait_for_selector(part)
    page.wait_for_function(HAS_FOCUS, arg=opener if "summary" in opener else part)
    for key in ("ArrowDown", "Shift+ArrowRight", "b"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    page.wait_for_selector(part, state="hidden")
    assert page.evaluate(pins) == before, f"keys in what {opener} opens"
    page.wait_for_function(HAS_FOCUS, arg=opener)


def test_keys_in_a_dialog_act_on_that_alone(share_page: Opener, server: Server) -> None:
    page = open_explore(share_page, server)
    click_at(page, "panel-fused", 20, 20)
    wait_for_pixel(page, 20, 20)
    page.wait_for_function("() => fusevis.state.pinned")
    for opener, part in (*BOTH, *EXPLORE_MENUS):
        require_its_own_keys(page, opener, part, PINS["explore"])
    page.click(".head-menu > summary")
    require_its_own_keys(page, "#atlas-button", ".modal", PINS["explore"])
    # A button that can no longer be pressed loses the focus to the page.
    page.click("#atlas-button")
    page.wait_for_selector(".modal")
    page.evaluate("() => { document.activeElement.blur(); }")
    page.keyboard.press("Escape")
    page.wait_for_selector(".modal", state="detached")
    page.keyboard.press("Escape")
    page.wait_for_selector(".head-menu-parts", state="hidden")
    # A large panel takes Esc alone.
    page.locator(".panel-enlarge").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".panel-large")
    page.keyboard.press("ArrowRight")
    wait_for_pixel(page, 20, 21)
    page.keyboard.press("Escape")
    page.wait_for_selector(".panel-large", state="detached")
    assert page.evaluate("fusevis.state.pinned") is True
    page.keyboard.press("Escape")
    page.wait_for_function("() => !fusevis.state.pinned")


# Lets the pixel of the link go.
def test_keys_in_a_dialog_of_the_compare_page_act_on_that_alone(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server, "&pixel=20,20")
    for opener, part in BOTH:
        require_its_own_keys(page, opener, part, PINS["compare"])
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    require_its_own_keys(page, "#copy-link", ".link-dialog", PINS["compare"])
    require_its_own_keys(page, "#compare-methods", ".dash-dropdown-content", PINS["compare"])
    page.focus("#compare-table")
    page.keyboard.press("Escape")
    page.wait_for_function("() => !fusevis.compare.state.a.pinned")


def test_escape_closes_the_maps_and_keeps_the_pixel_and_a_question_mark_opens_help(
    share_page: Opener,
) -> None:
    page = share_page("?pair=drawn&method=weighted_averaging&pixel=3,4&maps=reach")
    maps = page.locator("#maps")
    expect(maps).to_be_visible()
    assert page.evaluate("() => fusevis.state.pinned")
    page.keyboard.press("Escape")
    expect(maps).to_be_hidden()
    assert page.evaluate("() => fusevis.state.pinned")
    page.keyboard.press("?")
    expect(page.locator("#help-panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help-panel")).to_be_hidden()
    assert page.evaluate("() => fusevis.state.pinned")
    page.keyboard.press("Escape")
    page.wait_for_function("() => !fusevis.state.pinned")

"""Axe finds nothing critical or serious on any page, in any of its dialogs, panels and menus, in either theme.

Of what is moderate neither: on the pages themselves, whose landmarks are part of that.
"""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.browser.conftest import Asked, Opener, Server, wait_until_settled
from tests.browser.test_compare_numbers import TABS, choose_tab
from tests.browser.test_compare_page import open_compare
from tests.browser.test_training_page import open_training

GRAVE = """async ([part, rules]) => {
  const options = { resultTypes: ["violations"], preload: false, ...(rules && { runOnly: rules }) };
  const { violations } = await axe.run(part || document, options);
  const impacts = ["critical", "serious", ...(part ? [] : ["moderate"])];
  return violations.filter(({ impact }) => impacts.includes(impact)).flatMap(({ id, nodes }) =>
    nodes.map(({ target, html, failureSummary }) => `${id} at ${target}: ${html.slice(0, 120)} ${failureSummary}`));
}"""
RULES = {"light": None, "dark": ["color-contrast", "link-in-text-block"]}
"""By theme: all of them, then those that see a colour."""
THEME = "(theme) => { document.documentElement.dataset.bsTheme = theme; }"
NO_CLIPBOARD = "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }"


def require_nothing_grave(page: Page, state: str, part: str | None = None) -> None:
    """Let axe look at the page, or at a part of it, in both themes."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    for theme, rules in RULES.items():
        page.evaluate(THEME, theme)
        found = page.evaluate(GRAVE, [part, rules])
        assert not found, "\n".join([f"{state}, {theme} theme:", *found])


def look_at(page: Page, *parts: tuple[str, str]) -> None:
    """Open each part by a click on its opener, look at it, and close it by Esc."""
    for opener, part in parts:
        page.click(opener)
        page.wait_for_selector(part)
        require_nothing_grave(page, f"{part} opened by {opener}", part)
        page.keyboard.press("Escape")
        page.wait_for_selector(part, state="hidden")


def still(page: Page) -> None:
    """Let nothing move or fade: what is half there has half the contrast."""
    page.emulate_media(reduced_motion="reduce")


PANELS = (
    ("#region-open", "#region-panel"),
    ("#views-open", "#views-panel"),
    ("#export-menu > summary", ".export-choices"),
    ("#copy-link", ".link-dialog"),
    ("#uploads-open", ".uploads-dialog"),
    ("#help-open", ".offcanvas"),
    (".head-menu > summary", ".head-menu-parts"),
)
REGIONS = "() => { ['one', 'two'].forEach((name) => fusevis.regions.add(name)); fusevis.regions.invert(); }"


SAVE = """() => fetch("views", {
  method: "POST", headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ name: "core", note: "", page: "explore", query: "?gamma1=0.5" }),
})"""


def prepare(page: Page) -> None:
    """Have regions, a view, and no clipboard, so that every list has something and the link is offered."""
    for script in (REGIONS, SAVE, NO_CLIPBOARD):
        page.evaluate(script)


def plain_page_at(server: Server, address: str) -> str:
    """Return a page that says what is wrong; a browser would note its status in the console."""
    with pytest.raises(HTTPError) as refused:
        urlopen(server.url + address)
    return refused.value.read().decode()


def test_the_explore_page(open_page: Opener, server: Server, asked: Asked) -> None:
    query = f"?pair={server.pair}&method=weighted_averaging&pixel=20,20&gamma1=9"
    page = open_page(query, settled=False, prepare=still)
    page.wait_for_selector(".toast")  # for a while
    require_nothing_grave(page, "a notice", ".notices")
    wait_until_settled(page)
    require_nothing_grave(page, "explore")
    prepare(page)
    fused = "section[data-panel=panel-fused] .panel-about"
    look_at(
        page, *PANELS, (".method-about > summary", ".method-note"), (f"{fused} summary", f"{fused} > div")
    )
    page.click(".head-menu > summary")
    look_at(page, ("#atlas-button", ".modal"))
    page.evaluate("() => document.getElementById('maps-button').click()")
    page.wait_for_selector("#maps [data-map]")
    require_nothing_grave(page, "maps", "#maps")
    page.evaluate("() => document.getElementById('brush-open').click()")
    page.wait_for_selector("#brush-panel")
    require_nothing_grave(page, "the brush", "#brush-panel")


def test_the_compare_page(open_page: Opener, server: Server, asked: Asked) -> None:
    page = open_compare(open_page, server, "&pixel=20,20&b=5,6", prepare=still)
    require_nothing_grave(page, "compare")
    prepare(page)
    look_at(page, *PANELS, ("#compare-methods", ".dash-dropdown-content"))
    page.click("#compare-numbers-button")
    for label, table in TABS.items():
        choose_tab(page, label)
        require_nothing_grave(page, table, "#compare-numbers")


def test_the_training_page_and_those_that_say_what_is_wrong(open_page: Opener, server: Server) -> None:
    page = open_training(open_page, prepare=still)
    page.locator("details.model-card summary").first.click()
    require_nothing_grave(page, "training")
    page.goto("about:blank")
    for scheme in ("light", "dark"):
        for text in (plain_page_at(server, "nowhere"), plain_page_at(server, f"?pair={'x' * 9000}")):
            page.emulate_media(color_scheme=scheme)
            page.set_content(text)
            require_nothing_grave(page, text[:20])

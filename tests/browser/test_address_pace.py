"""When the address follows: at once after one change, after the last of many, never more often than browsers permit."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Opener, Server, wait_until_settled
from tests.browser.test_compare_page import open_compare

RECORD = """() => {
  window.happened = [];
  const note = (what) => window.happened.push({ what, at: performance.now() });
  const { replaceState: replace } = history;
  const ended = new AbortController();
  history.replaceState = function (...given) {
    note("written");
    return replace.apply(this, given);
  };
  for (const kind of ["change", "keydown"]) {
    document.addEventListener(kind, () => note("changed"), { capture: true, signal: ended.signal });
  }
  const { restyle } = window.Plotly;
  Object.defineProperty(window.Plotly, "restyle",
    { value: (...given) => (note("drawn"), restyle(...given)), configurable: true });
  window.recordNoMore = () => {
    history.replaceState = replace;
    ended.abort();
    delete window.Plotly.restyle;
  };
}"""
IN_A_ROW = """async () => {
  const { address, state } = fusevis;
  for (let step = 1; step <= 150; step += 1) {
    state.display.gamma1 = step / 100;
    const pause = step % 30 ? 5 : 2.5 * address.PAUSE_MILLISECONDS;
    await new Promise((go) => setTimeout(go, pause));
  }
}"""
WATCHED = """() => {
  window.last = performance.now();
  fusevis.compare.link.subscribe(() => {
    window.last = performance.now();
    setTimeout(() => (window.seen = location.search), 0);
  });
}"""
REFUSED = """() => {
  const { replaceState } = history;
  history.replaceState = () => { throw new DOMException("too many", "SecurityError"); };
  window.permit = () => { history.replaceState = replaceState; };
}"""


def happened(page: Page) -> list[str]:
    return [one["what"] for one in page.evaluate("window.happened")]


@pytest.fixture
def page(share_page: Opener, server: Server) -> Page:
    """Return a page whose address is that of its view, as it is after each test too, and all of it drawn."""
    page = share_page(f"?pair={server.pair}&method=weighted_averaging&pixel=8,9")
    wait_until_settled(page)
    return page


def choose_scale(page: Page, scale: str) -> None:
    page.select_option("#colour-scale", scale)


def press_gamma(page: Page, key: str) -> None:
    page.locator("#gamma1 [role=slider]").first.press(key)


@pytest.mark.parametrize(
    ("change", "to", "back", "written"),
    [
        (choose_scale, "signed", "paper", "scale=signed"),
        (press_gamma, "ArrowRight", "ArrowLeft", "gamma1=0.35"),
    ],
    ids=["control", "slider"],
)
def test_one_change_is_written_before_anything_is_drawn_anew(
    page: Page, change: Callable[[Page, str], None], to: str, back: str, written: str
) -> None:
    page.evaluate(RECORD)
    change(page, to)
    page.wait_for_function("() => window.happened.some(({ what }) => what === 'drawn')")
    assert written in page.evaluate("location.search")
    told = happened(page)
    told = told[told.index("changed") :]  # something may have been drawn yet of what the page began with
    assert told[: told.index("written") + 1] in (["changed", "written"], ["changed", "changed", "written"]), (
        told
    )
    assert "drawn" in told[told.index("written") :]
    page.evaluate("window.recordNoMore()")
    change(page, back)


def test_the_table_s_address_follows_at_once_too(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server)
    page.wait_for_function("() => location.search === fusevis.address.query()")
    # Before the next timer runs: whoever copies the address then has the new one.
    page.evaluate(WATCHED)
    page.wait_for_function("() => performance.now() - window.last > 5 * fusevis.address.PAUSE_MILLISECONDS")
    page.select_option("#compare-scale", "robust")
    page.wait_for_function("() => window.seen")
    assert "scale=robust" in page.evaluate("window.seen")


def test_many_changes_are_written_seldom_and_the_last_one_always(page: Page) -> None:
    page.evaluate(RECORD)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(IN_A_ROW)
    page.wait_for_function("() => location.search.includes('gamma1=1.5&')")
    times = page.evaluate("window.happened.map(({ at }) => at)")
    pause = page.evaluate("fusevis.address.PAUSE_MILLISECONDS")
    assert len(times) >= 5, "after each rest"
    assert asked == [], "an address costs no request, not even for an icon"
    # A timer may be early by what the browser rounds its clock to.
    assert all(later - sooner > pause - 2 for sooner, later in itertools.pairwise(times)), times
    page.evaluate("window.recordNoMore()")
    page.evaluate("() => { fusevis.state.display.gamma1 = 0.3; }")


def test_a_browser_that_refuses_is_asked_again_and_links_are_right_meanwhile(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(REFUSED)
    page.select_option("#colour-scale", "robust")
    page.wait_for_function("() => fusevis.address.query().includes('scale=robust')")
    page.click("#copy-link")
    page.wait_for_function("() => document.querySelector('#copy-link').textContent === 'Link copied'")
    assert "scale=robust" in page.evaluate("navigator.clipboard.readText()")
    assert "scale=robust" not in page.evaluate("location.search")
    page.evaluate("window.permit()")
    page.wait_for_function("() => location.search.includes('scale=robust')")
    choose_scale(page, "paper")

"""The numbers by the keyboard, by touch and for a screen reader."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from app.ids import CompareId
from tests.browser.conftest import Opener, Server
from tests.browser.test_compare_numbers import choose_tab
from tests.browser.test_compare_page import open_compare

COMPLETE = f"() => document.getElementById('{CompareId.NUMBERS_STATUS.value}').textContent === 'Complete.'"
ACTIVE = "() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
HEADS = """() => [...document.querySelectorAll('.numbers-table .numbers-sort')].map((button) => {
  const cell = button.parentElement, label = button.getAttribute("aria-label");
  return [button.textContent, label, cell.title];
})"""


def opened(open_page: Opener, server: Server, query: str = "") -> Page:
    page = open_compare(open_page, server, f"&numbers=1{query}")
    page.wait_for_function(COMPLETE)
    return page


def pin(page: Page, row: int, col: int) -> None:
    """Let other data come without touching anything."""
    view = page.evaluate(
        """([row, col]) => {
          const { methods } = fusevis.compare.state;
          return { pins: { A: { row, col }, B: null }, methods };
        }""",
        [row, col],
    )
    page.evaluate(
        "([id, data]) => window.dash_clientside.set_props(id, { data })", [CompareId.NUMBERS_VIEW.value, view]
    )
    page.wait_for_function(
        f"() => ({ROWS})('influence').some(([place]) => place.startsWith('A {row},{col}'))"
    )


SCROLLED = f"() => document.getElementById('{CompareId.NUMBERS_TABLES.value}').scrollTop"
ROWS = """(name) => [...document.querySelectorAll(`[data-table="${name}"] tbody tr`)].map((row) =>
  [...row.children].map((cell) => cell.textContent))"""


def test_the_focus_stays_where_it_is_when_numbers_come(share_page: Opener, server: Server) -> None:
    page = opened(share_page, server)
    choose_tab(page, "Influence")
    head = page.get_by_role("button", name="Gini PET: ")
    head.press("Enter")
    before = page.evaluate(ACTIVE)
    assert before.startswith("Gini PET: Gini index")
    pin(page, 20, 33)
    assert page.evaluate(ACTIVE) == before
    page.evaluate("() => { document.querySelector('.numbers-meanings').open = true; }")
    page.evaluate(f"() => document.getElementById('{CompareId.NUMBERS_TABLES.value}').scrollTo(0, 20)")
    assert page.evaluate(SCROLLED) == 20
    pin(page, 9, 12)
    assert page.evaluate(ACTIVE) == before and page.evaluate(SCROLLED) == 20
    ordered = page.evaluate(ROWS, "influence")
    head.press("Enter")
    assert page.evaluate(ROWS, "influence") != ordered, "and it sorts the numbers that have come"


def test_heads_are_named_by_what_is_seen_of_them(share_page: Opener, server: Server) -> None:
    page = opened(share_page, server)
    for tab, least in (("Guidance by region", 20), ("Influence", 15)):
        choose_tab(page, tab)
        heads = page.evaluate(HEADS)
        assert len(heads) >= least
        names = [spoken for _, spoken, _ in heads]
        assert len(set(names)) == len(names)
        for seen, spoken, title in heads:
            first, _, rest = spoken.partition(": ")
            assert first.endswith(seen) and rest == f"{title}, sort"
        (caption,) = page.locator(".numbers-table caption").all_inner_texts()
        assert len(caption) > 20
    choose_tab(page, "requirements")
    assert "four requirements" in page.locator(".numbers-table caption").inner_text()


def test_what_columns_mean_is_there_without_a_pointer(share_page: Opener, server: Server) -> None:
    page = opened(share_page, server)
    choose_tab(page, "Influence")
    summary = page.locator(".numbers-meanings summary")
    assert not page.locator(".numbers-meanings dl").is_visible()
    summary.press("Enter")
    list_ = page.locator(".numbers-meanings dl")
    assert list_.is_visible()
    terms, told = (page.locator(f".numbers-meanings {kind}").all_inner_texts() for kind in ("dt", "dd"))
    assert terms == [
        "Region or pixel",
        "Method",
        "Used",
        "Total Σ |J|",
        "Signed Σ J",
        "Radius 50 %",
        "Radius 90 %",
        "From outside",
        "From outside: both",
        "Gini",
    ]
    assert told[5] == "Radius in pixels, by the larger of row and column distance, with 50 % of |J|"
    pin(page, 20, 33)
    assert list_.is_visible() and page.evaluate(ACTIVE) == "What do these mean?"
    choose_tab(page, "requirements")
    assert "undecidable ?" in page.locator(".numbers-meanings dt").all_inner_texts()
    assert list_.is_visible(), "open in all tables"
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_influence_at_a_pixel_is_hinted_at_until_one_is_pinned(share_page: Opener, server: Server) -> None:
    page = opened(share_page, server)
    choose_tab(page, "Influence")
    hint = page.get_by_text("Pin a pixel to see its influence too")
    assert hint.is_visible()
    pin(page, 20, 33)
    assert hint.count() == 0


def test_a_screen_reader_is_told_what_changes_and_no_percentages(share_page: Opener, server: Server) -> None:
    page = opened(share_page, server)
    assert page.locator(f"#{CompareId.NUMBERS_STATUS.value}").get_attribute("role") is None
    spoken = page.locator(f"#{CompareId.NUMBERS_PHASE.value}")
    assert spoken.get_attribute("role") == "status" and spoken.inner_text() == "Complete."

    def told(**changes: Any) -> list[str]:
        state = {"waits": [], "influence": 0.421, "influence_complete": False, "going_on": True, "errors": []}
        found: list[str] = page.evaluate(
            """(state) => {
              const none = { rows: [] };
              const data = { guidance: none, influence: none, checklist: {}, cautions: ["A has 2."] };
              return fusevis.compare.numbers.show(data, state, "guidance");
            }""",
            state | changes,
        )
        return found

    seen, first = told(waits=["A (12 %)", "B (failed)"])
    assert seen == "Waits for guidance images of A (12 %), B (failed). Influence of regions 42 %."
    assert first == "Waits for guidance images of A, B (failed). Influence of regions not complete."
    assert told(waits=["A (13 %)", "B (failed)"], influence=0.5)[1] == first
    assert told(going_on=False, errors=["It is broken."]) == [
        "Influence of regions 42 %, stopped. It is broken.",
        "Influence of regions not complete, stopped. It is broken.",
    ]
    assert page.get_by_text("Warning: A has 2.").is_visible()

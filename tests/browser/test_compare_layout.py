"""The compare page in windows of many sizes, what its cells wait for, and what is tried again where it failed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.link.view_state import PAPER_METHODS
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import AT_REST
from tests.browser.seen import DASH, Held
from tests.browser.test_compare_cells import COLOURED
from tests.browser.test_compare_page import METHODS, SETTLED, open_compare

SIZES = ((1440, 900), (1920, 1080), (1100, 800), (768, 1024), (390, 844))
SIDEWAYS = """() => document.documentElement.scrollWidth > innerWidth
  || document.querySelector("#compare-table").scrollWidth > document.querySelector("#compare-table").clientWidth"""
OFF_SCREEN = """() => [...document.querySelectorAll(".page button, .page select, .page input, .page summary, .page a")]
  .filter((part) => part.checkVisibility({ visibilityProperty: true }) && !part.closest(".visually-hidden"))
  .filter((part) => { const { left, right, width } = part.getBoundingClientRect();
    return width && (left < -0.5 || right > innerWidth + 0.5); })
  .map((part) => part.outerHTML.slice(0, 120))"""
WIDTHS = """() => {
  const { table } = fusevis.compare;
  const whole = table.shown().pictures.filter(({ zoom, kind }) => !zoom && kind !== "scatter");
  const [inputs, methods] = [true, false].map((inputs) => whole.filter(({ kind }) => (kind === "inputs") === inputs)
    .map(({ area }) => area.width));
  return { told: Number(document.querySelector("#compare-table").dataset.picturePx), methods: [...new Set(methods)],
    inputs: Math.max(...inputs), window: table.shown().table.width };
}"""


def widths(page: Page, width: int, height: int) -> dict[str, Any]:
    """Return what pictures the table has in a window of this size, once it is laid out for it."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(
        "(width) => Math.abs(fusevis.compare.table.shown().table.width - width) < 20", arg=width
    )
    found: dict[str, Any] = page.evaluate(AT_REST % WIDTHS, None)
    return found


def test_five_methods_in_windows_of_all_sizes(open_page: Opener, server: Server) -> None:
    query = f"compare?pair={server.pair}&methods={','.join(PAPER_METHODS)}&pixel=20,20"
    page = open_page(
        query, settled=False, ready="() => window.fusevis?.compare?.table?.shown()?.pictures.length"
    )
    for width, height in SIZES:
        found = widths(page, width, height)
        assert not page.evaluate(SIDEWAYS), width
        assert page.evaluate(OFF_SCREEN) == [], width
        assert found["methods"] == [found["told"]], "what the table says of its pictures is so"
        assert found["inputs"] <= found["told"], width
        least = {1440: 130, 1920: 165}.get(width, 88)
        assert found["told"] >= least, (width, found)


def test_inputs_are_never_larger_than_the_pictures_of_two_methods(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    found = page.evaluate(WIDTHS)
    assert found["inputs"] <= found["told"] and found["told"] >= 190


def test_numbers_say_at_once_that_they_are_computed(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    held = Held(page, DASH)
    page.click("#compare-numbers-button")
    expect(page.locator("#compare-numbers-tables")).to_have_text("The numbers are being computed …")
    held.wait()
    words = "() => getComputedStyle(document.querySelector('#compare-numbers-status'), '::before').content"
    page.wait_for_function(f"() => /being computed/.test(({words})())")
    held.release()
    page.wait_for_selector("[data-table=guidance] tbody tr")
    page.wait_for_function(f"() => !/being computed/.test(({words})())")


# Answered in the page itself: of errors that come from a server the browser writes into the console.
REFUSED = """() => {
  const ask = window.fetch;
  window.refused = ["weighted_averaging/[0-9a-f]+/fused", "jacobians/"];
  window.fetch = (address, ...more) => window.refused.some((part) => RegExp(part).test(address))
    ? Promise.resolve(new Response('{"error": "The disk is full."}', { status: 500 })) : ask(address, ...more);
}"""


def test_what_has_failed_is_tried_again_where_it_failed(open_page: Opener, server: Server) -> None:
    page = open_page(
        f"compare?pair={server.pair}&methods={','.join(METHODS)}&columns=fused,jacobian_mri",
        settled=False, ready="() => document.querySelectorAll('.compare-retry').length === 3",
        prepare=lambda page: page.add_init_script(f"({REFUSED})()"),
    )  # fmt: skip
    assert page.locator(".compare-retry-words").all_inner_texts() == ["The disk is full."] * 3
    page.evaluate("() => window.refused.shift()")
    page.get_by_role("button", name="Try again: fused of Weighted Averaging").click()
    expect(page.locator(".compare-retry")).to_have_count(2)
    page.evaluate("() => window.refused.shift()")
    page.get_by_role("button", name="Try again: jacobian of DeepFuse").click()
    expect(page.locator(".compare-retry")).to_have_count(0)
    page.wait_for_function(SETTLED)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_scatterplots_have_the_ground_of_the_theme(open_page: Opener, server: Server, theme: str) -> None:
    page = open_compare(
        open_page, server, "&methods=deepfuse&columns=scatter",
        prepare=lambda page: page.emulate_media(color_scheme=theme),
    )  # fmt: skip
    grounds = {"light": [0xF7, 0xF8, 0xFA], "dark": [0x1B, 0x1F, 0x25]}
    counts = {name: page.evaluate(COLOURED, ground) for name, ground in grounds.items()}
    assert counts.pop(theme) > 3000 and max(counts.values()) < 100


def test_a_sign_beside_a_title_explains_it(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server, "&pixel=20,33")
    page.get_by_label("What this is: Guidance PET").click()
    box = page.locator(".compare-about")
    expect(box).to_contain_text("PET")
    expect(box).to_contain_text("∂y(i)/∂x2(i)")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    assert page.evaluate("() => fusevis.compare.state.a.pinned"), "Escape closed the box, and nothing else"
    page.locator('[data-method="deepfuse"] .compare-sign').click()
    expect(box).to_contain_text(re.compile(r"support ±\d+ px in x1"))


def test_colour_bars_stand_once_in_the_strip(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    ends = page.locator(".scale-strip [data-end]").all_inner_texts()
    end = page.evaluate("() => fusevis.compare.scale.ends().shared")
    assert len(ends) == 6 and ends[4] == "0" and float(ends[3]) == pytest.approx(end, rel=0.01)
    page.select_option("#compare-scale", "signed")
    expect(page.locator("[data-end=jacobian-low]")).to_contain_text("−")
    page.uncheck("#compare-shared")
    expect(page.locator("[data-end=jacobian-high]")).to_have_text("end of row")

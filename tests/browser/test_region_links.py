"""Links of views with many, long or slowly kept regions."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from fusion.statistics.region_code import encode_mask
from tests.browser.conftest import Opener, Server
from tests.browser.test_brushing import REGIONS
from tests.browser.test_compare_page import open_compare
from tests.running_server import SHAPE

LONGEST = 2_000
SLOW_SECONDS = 1.5
ADD = """([name, code]) => fusevis.regions.add(name, fusevis.regionCode.decode(code, 48, 60))"""


def of_boxes(count: int) -> str:
    """Return the code of so many single pixels, apart from each other."""
    mask = np.zeros(SHAPE, dtype=bool)
    places = np.random.default_rng().choice(SHAPE[0] * SHAPE[1] // 4, count, replace=False)
    mask[places // (SHAPE[1] // 2) * 2, places % (SHAPE[1] // 2) * 2] = True
    return encode_mask(mask)


def keep_slowly(page: Page) -> None:
    """Let the server take its time to keep a region."""

    def later(route: Route) -> None:
        time.sleep(SLOW_SECONDS)
        route.continue_()

    page.route("**/regions/codes", later)


def test_twelve_regions_make_no_long_link(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server)
    for number in range(12):
        page.evaluate(ADD, [f"Läsion, {number} ~ 5%", of_boxes(1 + 5 * number)])
    page.evaluate("fusevis.regionLink.linkable()")
    page.wait_for_function("() => location.search === fusevis.address.query()")
    search = page.evaluate("location.search")
    assert len(search) < LONGEST
    assert "~s" in search and "~b" in search, "short ones are in the link itself"
    other = open_page(f"compare{search}", settled=False,
                      ready="() => window.fusevis?.regions && fusevis.regions.all().length === 12")  # fmt: skip
    assert other.evaluate(REGIONS) == page.evaluate(REGIONS)
    other.wait_for_function("(search) => location.search === search", arg=search)


@pytest.mark.parametrize("address", ["?method=weighted_averaging", "compare?methods=weighted_averaging"])
def test_what_is_done_at_once_after_drawing_has_the_region(
    open_page: Opener, server: Server, address: str
) -> None:
    page = open_page(
        f"{address}&pair={server.pair}", settled=False, ready="() => window.fusevis?.regions?.imageShape()"
    )
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keep_slowly(page)
    page.evaluate(ADD, ["noise", of_boxes(600)])
    page.click("#copy-link")
    page.wait_for_function("() => document.querySelector('#copy-link').textContent === 'Link copied'")
    copied = parse_qs(urlsplit(page.evaluate("navigator.clipboard.readText()")).query)
    assert copied["regions"][0].startswith("noise~") and "~s" in copied["regions"][0]
    page.evaluate(ADD, ["more noise", of_boxes(600)])
    drawn = page.evaluate(REGIONS)
    page.evaluate("window.isLeft = true")
    page.click("a[data-page=compare], a[data-page=explore]")
    page.wait_for_function(
        "() => !window.isLeft && window.fusevis?.regions && fusevis.regions.all().length === 2"
    )
    assert page.evaluate(REGIONS) == drawn


@pytest.mark.parametrize("address", ["?method=weighted_averaging", "compare?methods=weighted_averaging"])
def test_the_longest_links_are_opened(open_page: Opener, server: Server, address: str) -> None:
    mask = np.random.default_rng().random(SHAPE) > 0.3
    linked = ",".join(f"noise~1b9e4b~{encode_mask(mask)}" for _ in range(12))[:7_900].rpartition(",")[0]
    count = linked.count("~") // 2
    assert count > 2 and len(linked) > 4_500
    page = open_page(f"{address}&pair={server.pair}&regions={linked}", settled=False,
                     ready=f"() => window.fusevis?.regions?.all().length === {count}")  # fmt: skip
    assert [one["code"] for one in page.evaluate(REGIONS)] == [encode_mask(mask)] * count
    page.wait_for_function("() => location.search === fusevis.address.query()")
    assert len(page.evaluate("location.search")) < LONGEST, "the page's own link is short"


def test_a_link_that_is_too_long_gets_a_page(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(f"{server.url}?x={'y' * 100_000}")
    assert page.inner_text("h1") == "This link is too long"
    assert [text for text in told if "status of 414" not in text] == [], "but for Chromium's own words"
    page.close()


def test_a_region_that_cannot_be_kept_is_named(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    refused = '{"error": "The disk is full."}'
    page.route("**/regions/codes", lambda route: route.fulfill(status=200, body=refused))
    page.evaluate(ADD, ["noise", of_boxes(600)])
    page.click("#copy-link")
    page.wait_for_function("() => document.querySelector('#copy-link').textContent.includes('without noise')")
    page.locator("#export-menu summary").click()
    page.locator("[data-export=npz]").click()
    status = page.locator("#export-menu [role=status]")
    expect(status).to_contain_text("did not keep these regions: “noise”")
    expect(status).not_to_contain_text("reached")
    expect(page.locator(".region-message")).to_contain_text("The disk is full.")
    page.evaluate("() => (navigator.clipboard.writeText = null)")
    page.click("#copy-link")
    expect(page.locator(".link-dialog")).to_contain_text(
        "lacks regions that the server did not keep: “noise”"
    )
    page.locator(".link-dialog").get_by_text("Close").click()
    page.evaluate("() => delete navigator.clipboard.writeText")
    page.unroute("**/regions/codes")
    page.click("#copy-link")
    page.wait_for_function("() => document.querySelector('#copy-link').textContent === 'Link copied'")
    assert "~s" in page.evaluate("navigator.clipboard.readText()"), "tried again"

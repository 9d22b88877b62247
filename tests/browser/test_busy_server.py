"""A server that is asked for too much at once says so, and the page asks it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Pages, Server
from tests.browser.pictures import keep_status, place, wait_for_pixel, wait_for_status
from tests.browser.visitors import Visitors

WINDOWS = "**/jacobian/**"
REFUSED = {"error": "The server is asked for too many pixels at the same moment; ask again in a second."}


@pytest.fixture(scope="module")
def opened(visitors: Visitors, server: Server) -> Iterator[Page]:
    """Open a page whose console may have errors: the browser itself writes of every answer that is one."""
    pages = Pages(visitors, server)
    yield pages(f"?pair={server.pair}&method=deepfuse")
    pages.close()


@pytest.fixture
def page(opened: Page) -> Iterator[Page]:
    """Return the page, whose requests are answered by the server again in the end."""
    yield opened
    opened.unroute_all()


def test_a_server_that_is_too_busy_is_asked_again(page: Page) -> None:
    asked: list[str] = []
    refused: list[str] = []
    seen = False

    def refuse_until_seen(route: Route) -> None:
        asked.append(route.request.url)
        if seen and len(refused) >= 2:
            route.fallback()
        else:
            refused.append(route.request.url)
            route.fulfill(status=503, json=REFUSED, headers={"Retry-After": "1"})

    page.route(WINDOWS, refuse_until_seen)
    keep_status(page)
    page.mouse.move(*place(page, "panel-fused", 18, 27))
    line = page.locator("#status-line")
    expect(line).to_have_text(f"{REFUSED['error']} Trying again …")
    assert "failed" in (line.get_attribute("class") or "")
    seen = True
    wait_for_pixel(page, 18, 27)
    assert len(asked) == len(refused) + 1 >= 3 and all(url.endswith("/18/27") for url in asked)
    wait_for_status(page, "exact chain")
    assert "failed" not in (line.get_attribute("class") or "")


def test_an_error_that_does_not_pass_is_not_asked_again(page: Page) -> None:
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=404, json={"error": "There is no such pair."})

    page.route(WINDOWS, refuse)
    page.mouse.move(*place(page, "panel-fused", 23, 29))
    expect(page.locator("#status-line")).to_have_text("There is no such pair.")
    page.wait_for_timeout(2500)
    assert len(asked) == 1

"""The status line says where and how the shown window was computed, how long that took, and how many come a second."""

from __future__ import annotations

import re
import struct
from functools import partial

import pytest
from playwright.sync_api import Page, Route

import fusion
from app.routes.binary import WINDOW_HEADER as HEADER
from fusion.saliency.window import PATHS
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import keep_status, place, point_at, wait_for_pixel, wait_for_status

LINE = re.compile(
    r"(?P<device>cpu|cuda(:\d+)?) · (?P<path>[^·]+) · (computed in (?P<compute>\d+\.\d) ms, answered in "
    r"(?P<round>\d+) ms( \(begun earlier\))?|remembered) · (?P<updates>\d+) updates? in the last second"
)
WINDOWS = "**/jacobian/**"


METHOD = "funfusean"
"""One that reaches further in one image than in the other."""
REACH = "±11 px"


@pytest.fixture
def page(share_page: Opener, server: Server) -> Page:
    """Return a page; those who want an answer of the server point where no other test does."""
    shared = share_page(f"?pair={server.pair}&method={METHOD}")
    keep_status(shared)
    return shared


def status(page: Page) -> re.Match[str]:
    """Read the status line."""
    text = page.evaluate("() => window.told")
    found = LINE.match(text)
    assert found, text
    return found


def test_device_path_and_times_of_an_answer(page: Page) -> None:
    with page.expect_response(lambda answer: answer.url.endswith("/31/12")) as answered:
        point_at(page, "panel-fused", 31, 12)
    found = status(page)
    assert fusion.load_method(METHOD, "cpu").support_radius == (9, 11)
    assert (found["device"], found["path"]) == ("cpu", f"exact chain {REACH}")
    # What the server says of itself, and what the browser has waited for, which is more.
    name, duration = answered.value.headers["server-timing"].split(";dur=")
    assert name == "compute"
    assert float(found["compute"]) == pytest.approx(float(duration), abs=0.051)
    assert int(found["round"]) + 1 >= float(found["compute"])


def test_each_way_of_computing_has_its_words(page: Page) -> None:
    ways = {"chain": "exact chain", "window": "exact window", "whole image": "full image (global method)"}

    def marked(route: Route, path: str) -> None:
        """Answer as the server does, but with another number for the way: no method that ships takes the others."""
        answer = route.fetch()
        body = bytearray(answer.body())
        struct.pack_into("<i", body, HEADER.size - 4, PATHS.index(path))
        route.fulfill(response=answer, body=bytes(body))

    for row, (path, words) in enumerate(ways.items()):
        page.route(WINDOWS, partial(marked, path=path))
        point_at(page, "panel-fused", row, 41)
        assert status(page)["path"] == f"{words} {REACH}"


def test_what_is_shown_again_is_remembered(page: Page) -> None:
    point_at(page, "panel-fused", 10, 10)
    point_at(page, "panel-fused", 30, 40)
    point_at(page, "panel-fused", 10, 10)
    wait_for_status(page, f"exact chain {REACH} · remembered ·")


def test_updates_a_second_are_counted_while_hovering(page: Page) -> None:
    point_at(page, "panel-fused", 20, 20)
    page.wait_for_timeout(1200)
    point_at(page, "panel-fused", 20, 21)
    assert int(status(page)["updates"]) <= 2, "what was painted more than a second ago counts no more"
    # On a slow machine they shall all fall into one second of the page's clock. Each pixel is one update, or two where
    # the pointer stops on its way.
    page.evaluate(
        """() => { const now = performance.now.bind(performance); const start = now();
                   performance.now = () => start + (now() - start) / 100; }"""
    )
    before = int(status(page)["updates"])
    for col in range(30, 40):
        point_at(page, "panel-fused", 25, col)
    assert 10 <= int(status(page)["updates"]) - before <= 20
    page.evaluate("() => delete performance.now")


def test_a_pinned_pixel_is_said(page: Page) -> None:
    page.mouse.click(*place(page, "panel-fused", 22, 33))
    wait_for_pixel(page, 22, 33)
    wait_for_status(page, r"· pinned \(click or Esc lets go\)")
    page.keyboard.press("Escape")


def test_an_answer_that_was_on_its_way_before_is_told(page: Page) -> None:
    page.route(
        WINDOWS,
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            headers={**answer.headers, "server-timing": "compute;dur=90000.00"},
        ),
    )
    point_at(page, "panel-fused", 33, 14)
    wait_for_status(page, r"computed in 90000\.0 ms, answered in \d+ ms \(begun earlier\) · ")

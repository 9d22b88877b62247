"""Pinning, dragging and the keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Opener, Server
from tests.browser.pictures import choose_mode, click_at, place, point_at, wait_for_pixel


def pinned(page: Page) -> bool:
    return bool(page.evaluate("() => fusevis.state.pinned"))


def pixel(page: Page) -> tuple[int, int]:
    row, col = page.evaluate("() => [fusevis.state.pixel.row, fusevis.state.pixel.col]")
    return row, col


@pytest.fixture
def page(share_page: Opener, server: Server) -> Page:
    """Return a page without a pinned pixel, which it has at the end of each test too."""
    return share_page(f"?pair={server.pair}&method=weighted_averaging")


def test_click_pins_and_click_lets_go(page: Page) -> None:
    point_at(page, "panel-fused", 10, 12)
    click_at(page, "panel-fused", 10, 12)
    assert pinned(page)
    page.mouse.move(*place(page, "panel-fused", 30, 30), steps=3)
    page.wait_for_timeout(150)
    assert pixel(page) == (10, 12)
    click_at(page, "panel-fused", 31, 32)
    assert not pinned(page)
    wait_for_pixel(page, 31, 32)


def test_arrow_keys_move_a_pinned_pixel(share_page: Opener, server: Server) -> None:
    page = share_page(f"?pair={server.pair}&method=weighted_averaging&pixel=20,20")
    assert pinned(page) and pixel(page) == (20, 20)
    for key, expected in (
        ("ArrowDown", (21, 20)),
        ("ArrowRight", (21, 21)),
        ("Shift+ArrowRight", (21, 31)),
        ("ArrowUp", (20, 31)),
        ("Shift+ArrowLeft", (20, 21)),
        ("Shift+ArrowUp", (10, 21)),
        ("Shift+ArrowUp", (0, 21)),
        ("ArrowUp", (0, 21)),
    ):
        page.keyboard.press(key)
        wait_for_pixel(page, *expected)
        assert pixel(page) == expected
    page.keyboard.press("Escape")
    assert not pinned(page)
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(100)
    assert pixel(page) == (0, 21)


def test_press_and_drag_moves_the_pixel_and_never_pins(page: Page) -> None:
    for already in (False, True):
        if already:
            click_at(page, "panel-mri", 5, 5)
            assert pinned(page)
        page.mouse.move(*place(page, "panel-mri", 8, 8))
        page.mouse.down()
        page.mouse.move(*place(page, "panel-mri", 25, 40), steps=6)
        wait_for_pixel(page, 25, 40)
        page.mouse.up()
        page.wait_for_timeout(100)
        assert pinned(page) is already
        assert pixel(page) == (25, 40)
    page.keyboard.press("Escape")


def test_a_drag_that_leaves_the_picture_stays_at_its_border(page: Page) -> None:
    page.mouse.move(*place(page, "panel-mri", 8, 8))
    page.mouse.down()
    x, y = place(page, "panel-mri", 47, 59)
    page.mouse.move(x + 60, y + 25, steps=4)
    wait_for_pixel(page, 47, 59)
    page.mouse.up()
    assert not pinned(page)


def test_enter_pins_from_the_keyboard(page: Page) -> None:
    page.focus('section[data-panel="panel-fused"]')
    page.keyboard.press("Enter")
    assert pinned(page)
    before = pixel(page)
    page.keyboard.press("ArrowLeft")
    wait_for_pixel(page, before[0], before[1] - 1)
    page.keyboard.press("Escape")


# Leaves the pictures zoomed in.
def test_zoom_mode_zooms_all_pictures_and_keeps_pointing_right(page: Page) -> None:
    choose_mode(page, "Zoom")
    page.wait_for_function("() => fusevis.graphs.graph('panel-mri')._fullLayout.dragmode === 'zoom'")
    page.mouse.move(*place(page, "panel-mri", 10, 10))
    page.mouse.down()
    page.mouse.move(*place(page, "panel-mri", 30, 34), steps=5)
    page.mouse.up()
    page.wait_for_function(
        "() => fusevis.graphs.FULL.every((panel) => fusevis.graphs.graph(panel)._fullLayout.xaxis.range[1] < 50)"
    )
    assert not pinned(page)
    point_at(page, "panel-fused", 20, 22)
    assert pixel(page) == (20, 22)

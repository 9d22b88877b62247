"""Changes of regions: undone and redone, and selections that leave loaded regions alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from playwright.sync_api import Page

from fusion.statistics.region_code import encode_mask
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import choose_mode
from tests.browser.pictures import place as place_of
from tests.browser.test_brushing import REGIONS, box, corners, drag, masks
from tests.browser.test_compare_page import open_compare, place

LOAD = "([name, code]) => fusevis.regions.load(fusevis.regions.imageShape().address, [{ name, code }])"
CORE = box((10, 30), (10, 40))


def load(page: Page, name: str) -> None:
    """Load a mask, as from the pair or from a file."""
    page.evaluate(LOAD, [name, encode_mask(CORE)])


def draw(page: Page, rows: tuple[int, int], columns: tuple[int, int], key: str | None = None) -> None:
    drag(page, [place(page, *corner) for corner in corners(rows, columns)], key)


def counts(page: Page) -> dict[str, int]:
    return {region["name"]: region["count"] for region in page.evaluate(REGIONS)}


def open_with_box(open_page: Opener, server: Server, query: str = "") -> Page:
    page = open_compare(open_page, server, query)
    page.click("#region-open")
    page.click("[data-tool=box]")
    return page


def test_every_change_can_be_undone_and_redone(open_page: Opener, server: Server) -> None:
    page = open_with_box(open_page, server)
    assert page.is_disabled("#region-undo") and page.is_disabled("#region-redo")
    states: list[Any] = [page.evaluate(REGIONS)]

    def changed() -> None:
        states.append(page.evaluate(REGIONS))
        assert states[-1] != states[-2]

    draw(page, (3, 9), (4, 12))
    changed()
    draw(page, (20, 30), (4, 12), "Shift")
    changed()
    page.click("#region-invert")
    changed()
    page.fill(".region-name", "shore")
    page.keyboard.press("Enter")
    changed()
    page.evaluate("fusevis.regions.recolour(0, '#112233')")
    changed()
    page.click("#region-new")
    changed()
    load(page, "core")
    changed()
    page.get_by_label("Delete shore").click()
    changed()
    page.click("#region-clear")
    changed()
    page.evaluate("document.activeElement.blur()")
    for before in states[-2::-1]:
        page.keyboard.press("Control+z")
        assert page.evaluate(REGIONS) == before
    assert page.is_disabled("#region-undo")
    page.keyboard.press("Control+z")
    assert page.evaluate(REGIONS) == []
    for after in states[1:]:
        page.click("#region-redo")
        assert page.evaluate(REGIONS) == after
    page.click("#region-undo")
    draw(page, (0, 1), (0, 1))
    assert page.is_disabled("#region-redo"), "another change instead"


def test_fields_keep_their_own_undo(share_page: Opener, server: Server) -> None:
    page = open_with_box(share_page, server)
    draw(page, (3, 9), (4, 12))
    page.click(".region-name")
    page.keyboard.type("abc")
    page.keyboard.press("Control+z")
    assert counts(page) == {"region": 63}


def test_a_selection_leaves_a_loaded_region_alone(share_page: Opener, server: Server) -> None:
    page = open_with_box(share_page, server)
    assert not page.is_visible(".region-rule")
    load(page, "core")
    assert "“core” was loaded: a selection begins another region." in page.inner_text(".region-rule")
    page.select_option("#region-operation", "add")
    assert not page.is_visible(".region-rule"), "it would join the region"
    page.select_option("#region-operation", "replace")
    assert page.is_visible(".region-rule")
    draw(page, (3, 9), (4, 12))
    assert counts(page) == {"core": int(CORE.sum()), "region": 63}
    assert not page.is_visible(".region-rule")
    draw(page, (3, 5), (4, 12))
    assert counts(page) == {"core": int(CORE.sum()), "region": 27}, "what was drawn is drawn anew"
    page.get_by_label("Select into core").check()
    draw(page, (3, 9), (4, 12), "Shift")
    draw(page, (10, 12), (10, 40), "Alt")
    expected = (CORE | box((3, 9), (4, 12))) & ~box((10, 12), (10, 40))
    np.testing.assert_array_equal(masks(page)["core"], expected)
    draw(page, (0, 1), (0, 1))
    assert counts(page) == {"core": int(expected.sum()), "region": 27, "region 2": 4}
    page.get_by_label("Select into core").check()
    page.click("#region-clear")
    draw(page, (0, 1), (0, 2))
    assert counts(page) == {"core": 6, "region": 27, "region 2": 4}, "an empty one can be drawn anew"


def test_a_selection_leaves_the_regions_of_a_link_alone(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={server.pair}&method=deepfuse&regions=core~d6336c~{encode_mask(CORE)}")
    page.wait_for_function("() => fusevis.regions.all().length === 1")
    choose_mode(page, "Box")
    drag(page, [place_of(page, "panel-pet", *corner) for corner in corners((5, 25), (6, 36))])
    assert counts(page) == {"core": int(CORE.sum()), "region": 21 * 31}
    page.keyboard.press("Control+z")
    assert counts(page) == {"core": int(CORE.sum())}
    page.keyboard.press("Control+z")
    assert counts(page) == {"core": int(CORE.sum())}, "the page begins with what the link says"
    page.keyboard.press("Control+Shift+z")
    assert counts(page) == {"core": int(CORE.sum()), "region": 21 * 31}


def test_where_no_room_is_left_a_selection_changes_nothing_and_says_so(
    share_page: Opener, server: Server
) -> None:
    page = open_with_box(share_page, server)
    for number in range(12):
        load(page, f"mask {number}")
    draw(page, (3, 9), (4, 12))
    assert len(counts(page)) == 12 and set(counts(page).values()) == {int(CORE.sum())}
    assert "no room for another region" in page.inner_text("#region-panel")
    page.get_by_label("Delete mask 0").click()
    page.evaluate("fusevis.regions.combine(new Uint8Array(48 * 60), 'replace')")
    assert len(counts(page)) == 11
    assert "No pixel is inside" in page.inner_text("#region-panel")

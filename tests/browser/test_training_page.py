"""The page about the trainings, as a visitor sees and uses it."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route

from fusion.methods.registry import method_specification
from fusion.report.table import PAPER_TABLE
from fusion.report.training import fused_ids, trained_ids
from fusion.training.curve import curve_file
from fusion.weights import FOLDER, weights_path
from tests.browser.conftest import Opener
from tests.browser.seen import DASH

READY = "() => document.querySelectorAll('#training-losses tbody tr').length > 0"
SAMPLES = 5
FUSING_MILLISECONDS = 200_000
"""A busy machine takes long to fuse every sample by a network for the first time."""
NETWORK = "deepfuse"
"""A small one: the page shows pictures, whatever network they are of."""
ROW = re.compile(r'"output":"(training-gallery-(\w+))\.children"')


def hold_gallery(page: Page) -> None:
    """Let the server fuse nothing that no test looks at."""
    page.route(DASH, lambda route: None if ROW.search(route.request.post_data or "") else route.fallback())


def open_training(
    open_page: Opener,
    width: int = 1440,
    height: int = 900,
    prepare: Callable[[Page], None] = hold_gallery,
) -> Page:
    return open_page("training", settled=False, ready=READY, width=width, height=height, prepare=prepare)


def show_alike(page: Page) -> None:
    """Let the server fuse by two methods, and all further rows of the gallery have the pictures of the second."""
    last: list[Any] = []

    def answer(route: Route) -> None:
        row = ROW.search(route.request.post_data or "")
        if row is None:
            route.fallback()
        elif row[2] in ("inputs", "weighted_averaging", NETWORK):
            answered = route.fetch(timeout=FUSING_MILLISECONDS)
            last[:] = answered.json()["response"].values()
            route.fulfill(response=answered)
        else:
            route.fulfill(json={"multi": True, "response": {row[1]: last[0]}})

    page.route(DASH, answer)


def titles(ids: tuple[str, ...]) -> list[str]:
    return [method_specification(id).title for id in ids]


def test_the_table_has_the_numbers_of_the_cards_and_of_the_paper(share_page: Opener) -> None:
    page = open_training(share_page)
    names = page.locator("#training-losses tbody .group-name").all_inner_texts()
    assert names == titles(trained_ids())
    for index, id in enumerate(trained_ids()):
        rows = page.locator("#training-losses tbody").nth(index).locator("tr")
        cells = rows.nth(0).locator("td").all_inner_texts()
        if weights_path(id).is_file():
            card = json.loads(weights_path(id).with_suffix(".json").read_text(encoding="utf-8"))
            losses = card["validation"]["losses"]
            expected = [f"{losses[name]:.4f}" for name in ("ssim_mri", "ssim_pet", "l2_mri", "l2_pet")]
            assert [cells[at] for at in (3, 4, 6, 7)] == expected
        if id in PAPER_TABLE:
            paper = rows.nth(1).locator("td").all_inner_texts()
            assert paper[3] == f"{PAPER_TABLE[id].ssim_mri:.4f}"


def test_curves_are_drawn_or_said_to_be_missing(share_page: Opener) -> None:
    page = open_training(share_page)
    kept = [id for id in trained_ids() if curve_file(FOLDER, id).is_file()]
    missing = titles(tuple(id for id in trained_ids() if id not in kept))
    if missing:
        assert page.locator("#curves .remark").inner_text().startswith(", ".join(missing) + ": no loss curve")
    if kept:
        page.wait_for_selector("#training-curves .legendtext")
        assert page.locator("#training-curves .legendtext").all_text_contents() == titles(tuple(kept))
        assert page.locator("#training-curves path.js-line").count() == 4 * len(kept)
        page.locator("#training-curves .legendtoggle").first.click()
        page.wait_for_function(
            "count => document.querySelectorAll('#training-curves path.js-line').length === count",
            arg=4 * (len(kept) - 1),
        )
    assert page.locator("canvas").count() == 0, "no WebGL, no overlays"


def test_the_gallery_fills_and_leads_to_the_pictures(open_page: Opener) -> None:
    page = open_training(open_page, prepare=show_alike)
    rows = 2 + len([id for id in fused_ids() if id not in trained_ids() or weights_path(id).is_file()])
    page.wait_for_function(
        "count => document.querySelectorAll('.gallery-table img').length === count",
        arg=rows * SAMPLES,
        timeout=FUSING_MILLISECONDS,
    )
    broken = page.evaluate(
        """() => [...document.querySelectorAll(".gallery-table img")]
            .filter((image) => !image.alt || !image.complete || image.naturalWidth < 64).length"""
    )
    assert broken == 0
    page.locator("#training-gallery-weighted_averaging a").first.click()
    page.wait_for_function("() => window.fusevis && fusevis.state.window")
    assert page.input_value("#method-select") == "weighted_averaging"
    assert page.input_value("#pair-select") == "glioma-t1"


def test_nothing_overflows_and_cards_open_by_key(share_page: Opener) -> None:
    page = open_training(share_page)
    for width, height in ((1920, 1080), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(
            """(width) => innerWidth === width && document.documentElement.scrollWidth <= innerWidth""",
            arg=width,
        )
    cards = page.locator("details.model-card")
    assert cards.count() == len(trained_ids())
    first = cards.first
    assert not first.locator("dl").is_visible()
    first.locator("summary").press("Enter")
    first.locator("dl").wait_for(state="visible")
    assert "gamma ssim" in first.inner_text()


# Leaves the page, and another theme.
def test_there_and_back_by_links_in_the_same_theme(share_page: Opener) -> None:
    page = open_training(share_page)
    background = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.click("#theme-switch")
    page.wait_for_function("() => document.documentElement.dataset.bsTheme === 'dark'")
    assert page.evaluate(background) != light
    page.get_by_role("link", name="Saliency pictures").press("Enter")
    page.wait_for_function("() => window.fusevis && fusevis.state.window")
    assert urllib.parse.urlsplit(page.url).path == "/"
    page.wait_for_function("() => document.documentElement.dataset.bsTheme === 'dark'")
    page.get_by_role("link", name="Training", exact=True).click()
    page.wait_for_function(READY)
    assert page.title() == "Training · FuseVis"
    assert page.url.endswith("/training")
    page.wait_for_function("() => document.documentElement.dataset.bsTheme === 'dark'")

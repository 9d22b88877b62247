"""The atlas, from its announcement to a hover that needs no request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import fusion
from fusion.saliency.atlas import Atlas, atlas_folder
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import keep_status, wait_for_status

REQUESTS = """() => performance.getEntriesByType("resource").filter((one) => one.name.includes("/jacobian/")).length"""
SHOWN = """() => { const { row, col, top, left, height, width, path, values } = fusevis.state.window;
  return { row, col, top, left, height, width, path, values: Array.from(values) }; }"""
HELD = "([row, col]) => Boolean(fusevis.readAhead.held(fusevis.state.scene, { row, col }))"


PAIR, SHAPE = "atlas", (24, 32)
WINDOW_OF = "([row, col]) => fusevis.state.window.row === row && fusevis.state.window.col === col"
AROUND_STANDING_MILLISECONDS = 1000  # the pointer stands after 200
FAILING_WORKER = """window.Worker = class {
  constructor() { setTimeout(() => this.onerror(new Event("error"))); }
  postMessage() {}
  terminate() {}
};"""
"""`tests/js/read-ahead.test.mjs` has those that throw, and those that are silent."""


@pytest.fixture(scope="module")
def pair(server: Server) -> Iterator[fusion.Pair]:
    """Lay a pair into the server's data: one that has an atlas rounds its windows, which other tests do not expect."""
    folder = server.pair_paths[0].parent / "data"
    paths = folder / f"mri_{PAIR}.npy", folder / f"pet_{PAIR}.npy"
    for path in paths:
        np.save(path, np.random.default_rng().random(SHAPE))
    yield fusion.load_pair(*paths)
    for path in paths:
        path.unlink()


@pytest.fixture(scope="module")
def averaging(server: Server, pair: fusion.Pair) -> str:
    """Make the atlas of a method beforehand, and return the method's id."""
    method = fusion.load_method("weighted_averaging", "cpu")
    folder = server.pair_paths[0].parent / "atlas"
    Atlas(atlas_folder(folder, method, pair), method, pair).fill(method, pair)
    return method.id


def listening(asked: list[str]) -> Callable[[Page], None]:
    """Return what notes the addresses that a page asks for, also those that its workers do."""
    return lambda page: page.on("request", lambda request: asked.append(request.url))


def choose(page: Page, row: int, col: int) -> dict[str, Any]:
    page.evaluate("([row, col]) => fusevis.pixel.choose({ row, col })", [row, col])
    page.wait_for_function(WINDOW_OF, arg=[row, col])
    shown: dict[str, Any] = page.evaluate(SHOWN)
    return shown


def test_an_atlas_is_announced_made_and_read_ahead(open_page: Opener, pair: fusion.Pair) -> None:
    page = open_page(f"?pair={PAIR}&method=deepfuse", settled=False)
    before = choose(page, 9, 9)
    assert before["path"] == 1, "nothing is made without being asked for"
    page.click(".head-menu > summary")
    page.click("#atlas-button")
    text = page.locator("#atlas-text")
    expect(text).to_contain_text("MiB in 4 tiles, 0 of them there already; about")
    page.click("#atlas-start")
    expect(page.locator("#atlas-button")).to_have_text("Atlas ✓")
    expect(text).to_contain_text("is complete")
    page.keyboard.press("Escape")
    expect(page.locator(".modal")).to_have_count(0)

    method = fusion.load_method("deepfuse", "cpu")
    keep_status(page)
    assert choose(page, 23, 31)["path"] == 4  # its answer brings the windows around it
    wait_for_status(page, r"atlas \(rounded to 0.05 %\)")
    page.wait_for_function(HELD, arg=[23, 30])
    asked = page.evaluate(REQUESTS)
    for place in [(23, 30), (17, 29), (20, 23)]:
        page.wait_for_function(HELD, arg=list(place))
        found = choose(page, *place)
        expected = fusion.jacobian(method, pair, place)
        assert (found["top"], found["left"], found["path"]) == (expected.top, expected.left, 4)
        values = np.array(found["values"]).reshape(expected.values.shape)
        assert np.abs(values - expected.values).max() <= 2**-11 * np.abs(expected.values).max() * (1 + 1e-5)
    assert page.evaluate(REQUESTS) == asked
    wait_for_status(page, "read ahead")


def test_nothing_is_read_ahead_where_there_is_no_atlas(open_page: Opener, averaging: str) -> None:
    asked: list[str] = []
    page = open_page(f"?pair=drawn&method={averaging}", settled=False, prepare=listening(asked))
    for place in [(2, 2), (2, 3), (3, 5), (5, 7)]:
        assert choose(page, *place)["path"] == 1
    page.wait_for_timeout(AROUND_STANDING_MILLISECONDS)
    assert any("/jacobian/" in address for address in asked)
    assert [address for address in asked if "/atlas/" in address] == []

    # Where there is one, the same is seen to ask.
    page = open_page(f"?pair={PAIR}&method={averaging}", settled=False, prepare=listening(asked))
    assert choose(page, 10, 20)["path"] == 4
    page.wait_for_function(HELD, arg=[15, 20])
    assert any("/atlas/" in address for address in asked)


def test_where_no_worker_runs_hovering_goes_on(open_page: Opener, averaging: str, pair: fusion.Pair) -> None:
    page = open_page(
        f"?pair={PAIR}&method={averaging}",
        settled=False,
        prepare=lambda page: page.add_init_script(FAILING_WORKER),
    )
    method = fusion.load_method(averaging, "cpu")
    choose(page, 10, 21)
    page.wait_for_function(HELD, arg=[13, 23])
    for place in [(11, 21), (13, 23), (20, 7)]:
        found = choose(page, *place)
        np.testing.assert_allclose(
            found["values"], fusion.jacobian(method, pair, place).values.ravel(), atol=1e-3
        )
        assert found["path"] == 4

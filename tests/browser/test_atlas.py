"""The atlas, from its announcement to a hover that needs no request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import fusion
from tests.browser.conftest import Opener, Server
from tests.running_server import running_server

REQUESTS = """() => performance.getEntriesByType("resource").filter((one) => one.name.includes("/jacobian/")).length"""
SHOWN = """() => { const { row, col, top, left, height, width, path, values } = fusevis.state.window;
  return { row, col, top, left, height, width, path, values: Array.from(values) }; }"""
HELD = "([row, col]) => Boolean(fusevis.readAhead.held(fusevis.state.scene, { row, col }))"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server of its own: one that has an atlas rounds its windows, which other tests do not expect."""
    with running_server(tmp_path_factory.mktemp("atlas")) as running:
        yield running


def choose(page: Page, row: int, col: int) -> dict[str, Any]:
    page.evaluate("([row, col]) => fusevis.pixel.choose({ row, col })", [row, col])
    page.wait_for_function(
        "([row, col]) => fusevis.state.window.row === row && fusevis.state.window.col === col", arg=[row, col]
    )
    shown: dict[str, Any] = page.evaluate(SHOWN)
    return shown


def test_an_atlas_is_announced_made_and_read_ahead(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={server.pair}&method=deepfuse", settled=False)
    before = choose(page, 20, 20)
    assert before["path"] == 1, "nothing is made without being asked for"
    page.click("#atlas-button")
    text = page.locator("#atlas-text")
    expect(text).to_contain_text("MiB in 12 tiles, 0 of them there already; about", timeout=30_000)
    page.click("#atlas-start")
    expect(page.locator("#atlas-button")).to_have_text("Atlas ✓", timeout=60_000)
    expect(text).to_contain_text("is complete")
    page.keyboard.press("Escape")
    expect(page.locator(".modal")).to_have_count(0)

    pair = fusion.load_pair(*server.pair_paths)
    method = fusion.load_method("deepfuse", "cpu")
    assert choose(page, 47, 59)["path"] == 4  # its answer brings the windows around it
    expect(page.locator("#status-line")).to_contain_text("atlas (rounded to 0.05 %)")
    page.wait_for_function(HELD, arg=[47, 58])
    asked = page.evaluate(REQUESTS)
    for place in [(47, 58), (41, 57), (44, 51)]:
        page.wait_for_function(HELD, arg=list(place))
        found = choose(page, *place)
        expected = fusion.jacobian(method, pair, place)
        assert (found["top"], found["left"], found["path"]) == (expected.top, expected.left, 4)
        values = np.array(found["values"]).reshape(expected.values.shape)
        assert np.abs(values - expected.values).max() <= 2**-11 * np.abs(expected.values).max() * (1 + 1e-5)
    assert page.evaluate(REQUESTS) == asked
    expect(page.locator("#status-line")).to_contain_text("read ahead")

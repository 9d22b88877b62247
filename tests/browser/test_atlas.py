"""The atlas, from its announcement to a hover that needs no request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import fusion
from fusion.saliency.atlas import Atlas, atlas_folder
from tests.browser.conftest import Opener, Server
from tests.running_server import running_server

REQUESTS = """() => performance.getEntriesByType("resource").filter((one) => one.name.includes("/jacobian/")).length"""
SHOWN = """() => { const { row, col, top, left, height, width, path, values } = fusevis.state.window;
  return { row, col, top, left, height, width, path, values: Array.from(values) }; }"""
HELD = "([row, col]) => Boolean(fusevis.readAhead.held(fusevis.state.scene, { row, col }))"


WINDOW_OF = "([row, col]) => fusevis.state.window.row === row && fusevis.state.window.col === col"
AROUND_STANDING_MILLISECONDS = 1000  # the pointer stands after 200
NO_WORKER = {
    "throws": "window.Worker = class { constructor() { throw new Error('blocked'); } };",
    "fails": """window.Worker = class {
        constructor() { setTimeout(() => this.onerror(new Event("error"))); }
        postMessage() {}
        terminate() {}
    };""",
    "is silent": "window.Worker = class { postMessage() {} terminate() {} };",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("atlas")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """Start a server of its own: one that has an atlas rounds its windows, which other tests do not expect."""
    with running_server(folder) as running:
        yield running


@pytest.fixture(scope="module")
def averaging(folder: Path, server: Server) -> str:
    """Make the atlas of a method beforehand, and return the method's id."""
    method, pair = fusion.load_method("weighted_averaging", "cpu"), fusion.load_pair(*server.pair_paths)
    Atlas(atlas_folder(folder / "atlas", method, pair), method, pair).fill(method, pair)
    return method.id


def listening(asked: list[str]) -> Callable[[Page], None]:
    """Return what notes the addresses that a page asks for, also those that its workers do."""
    return lambda page: page.on("request", lambda request: asked.append(request.url))


def choose(page: Page, row: int, col: int) -> dict[str, Any]:
    page.evaluate("([row, col]) => fusevis.pixel.choose({ row, col })", [row, col])
    page.wait_for_function(WINDOW_OF, arg=[row, col])
    shown: dict[str, Any] = page.evaluate(SHOWN)
    return shown


def test_an_atlas_is_announced_made_and_read_ahead(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={server.pair}&method=deepfuse", settled=False)
    before = choose(page, 20, 20)
    assert before["path"] == 1, "nothing is made without being asked for"
    page.click(".head-menu > summary")
    page.click("#atlas-button")
    text = page.locator("#atlas-text")
    expect(text).to_contain_text("MiB in 12 tiles, 0 of them there already; about")
    page.click("#atlas-start")
    expect(page.locator("#atlas-button")).to_have_text("Atlas ✓")
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


def test_nothing_is_read_ahead_where_there_is_no_atlas(
    open_page: Opener, server: Server, averaging: str
) -> None:
    asked: list[str] = []
    page = open_page(f"?pair={server.pair}&method=masknet", settled=False, prepare=listening(asked))
    for place in [(20, 20), (20, 23), (22, 26), (30, 40)]:
        assert choose(page, *place)["path"] == 1
    page.wait_for_timeout(AROUND_STANDING_MILLISECONDS)
    assert any("/jacobian/" in address for address in asked)
    assert [address for address in asked if "/atlas/" in address] == []

    # Where there is one, the same is seen to ask.
    page = open_page(f"?pair={server.pair}&method={averaging}", settled=False, prepare=listening(asked))
    assert choose(page, 20, 20)["path"] == 4
    page.wait_for_function(HELD, arg=[25, 20])
    assert any("/atlas/" in address for address in asked)


@pytest.mark.parametrize("script", NO_WORKER.values(), ids=NO_WORKER)
def test_where_no_worker_runs_hovering_goes_on(
    open_page: Opener, server: Server, averaging: str, script: str
) -> None:
    page = open_page(
        f"?pair={server.pair}&method={averaging}",
        settled=False,
        prepare=lambda page: page.add_init_script(script),
    )
    pair, method = fusion.load_pair(*server.pair_paths), fusion.load_method(averaging, "cpu")
    for place in [(20, 20), (30, 31)]:
        choose(page, *place)
        page.wait_for_timeout(AROUND_STANDING_MILLISECONDS)
    if script != NO_WORKER["is silent"]:
        page.wait_for_function(HELD, arg=[33, 33])
    for place in [(31, 31), (33, 33), (44, 7)]:
        found = choose(page, *place)
        np.testing.assert_allclose(
            found["values"], fusion.jacobian(method, pair, place).values.ravel(), atol=1e-3
        )
        assert found["path"] == 4

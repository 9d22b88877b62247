"""A real server, a real browser, and the promise that its console stays empty."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from benchmarks.browser import chromium, launched, show_modules
from tests.browser.pictures import WAIT_MILLISECONDS
from tests.running_server import Server, running_server

__all__ = ["WAIT_MILLISECONDS", "Asked", "Opener", "Server", "wait_until_settled"]

expect.set_options(timeout=WAIT_MILLISECONDS)

# Written by Chromium itself where WebGL is drawn in software, not by the page.
DRIVER_MESSAGE = re.compile(r"GL Driver Message .*GPU stall due to ReadPixels")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start one server for all browser tests."""
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the system's Chromium."""
    with chromium() as started:
        yield started


@pytest.fixture
def other_browser(browser: Browser) -> Iterator[Browser]:
    """Start a second Chromium, as on another machine."""
    started = launched(browser.browser_type)
    yield started
    started.close()


Opener = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Opener]:
    """Open the page with a query string; at the end, no console of any page may hold anything."""
    messages: list[str] = []
    contexts = []

    def listen(message: ConsoleMessage) -> None:
        if not DRIVER_MESSAGE.search(message.text):
            messages.append(f"{message.type}: {message.text}")

    def opener(
        query: str = "",
        width: int = 1440,
        height: int = 900,
        settled: bool = True,
        ready: str = "() => window.fusevis && fusevis.state.window",
        prepare: Callable[[Page], None] = lambda page: None,
        process: Browser = browser,
    ) -> Page:
        context = process.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        contexts.append(context)
        show_modules(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MILLISECONDS)
        page.on("console", listen)
        page.on("pageerror", lambda error: messages.append(f"exception: {error}"))
        prepare(page)
        page.goto(server.url + query)
        page.wait_for_function(ready)
        if settled:
            wait_until_settled(page)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert messages == []


Asked = Callable[..., dict[str, Any]]


@pytest.fixture
def asked(server: Server) -> Iterator[Asked]:
    """Return what asks the server for something about views as a script does; before and after there is none."""

    def ask(path: str = "", method: str = "GET", content: bytes | None = None) -> dict[str, Any]:
        with urlopen(Request(f"{server.url}views{path}", content, method=method)) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def delete_all() -> None:
        for view in ask()["views"]:
            ask(f"/{view['id']}", "DELETE")

    delete_all()
    yield ask
    delete_all()


SETTLED = """() => {
  const { state, graphs } = fusevis;
  if (!state.window || !state.limits || state.limits.provisional) return false;
  if (state.pixel.row !== state.window.row || state.pixel.col !== state.window.col) return false;
  return [...graphs.ZOOMS, "panel-jacobian-mri", "panel-jacobian-pet", graphs.SCATTER].every((panel) => {
    return graphs.meta(panel).key === state.scene.key && fusevis.handover.contentOf(panel) === state.contentName();
  }) && graphs.ALL.every((panel) => {
    if (panel === graphs.SCATTER && fusevis.regionOverlays.coversPoints()) return true;
    return getComputedStyle(fusevis.overlays.overlay(panel).canvas).visibility === "hidden";
  });
}"""


def wait_until_settled(page: Page) -> None:
    """Wait until guidance is complete and Plotly's figures show the final state of the principal pixel."""
    page.wait_for_function(SETTLED)

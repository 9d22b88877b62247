"""A real server, a real browser, and the promise that its console stays empty."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

ROOT = Path(__file__).parents[2]
START_SECONDS = 90
WAIT_MILLISECONDS = 30_000
# Written by Chromium itself where WebGL is drawn in software, not by the page.
DRIVER_MESSAGE = re.compile(r"GL Driver Message .*GPU stall due to ReadPixels")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Server:
    """A running server and the user's pair that it was given."""

    url: str
    pair_paths: tuple[Path, Path]
    pair: str


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for /readyz, and show the server's log if it never comes."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"The server did not become ready:\n{log.read_text()}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start ``python -m app`` with a small pair of the user's own, drawn afresh."""
    folder = tmp_path_factory.mktemp("server")
    generator = np.random.default_rng()
    paths = (folder / "mri_own.npy", folder / "pet_own.npy")
    for path in paths:
        smooth = generator.random((12, 15)).repeat(4, axis=0).repeat(4, axis=1)
        np.save(path, smooth + 0.2 * generator.random(smooth.shape))
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FUSEVIS_")}
    environment |= {"FUSEVIS_CACHE_DIR": str(folder / "cache"), "FUSEVIS_DEVICE": "cpu"}
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "--port", str(port), "--pair", *map(str, paths)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_ready(url, process, log)
            yield Server(url, paths, "own")
        finally:
            process.terminate()
            process.wait(30)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the system's Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next((path for path in map(shutil.which, names) if path), None)
    if executable is None:
        pytest.fail("The browser tests need Chromium; `make test` installs it.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--use-angle=swiftshader",
                "--enable-unsafe-swiftshader",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield chromium
        chromium.close()


Opener = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Opener]:
    """Open the page with a query string; at the end, no console of any page may hold anything."""
    messages: list[str] = []
    contexts = []

    def listen(message: ConsoleMessage) -> None:
        if not DRIVER_MESSAGE.search(message.text):
            messages.append(f"{message.type}: {message.text}")

    def opener(query: str = "", width: int = 1440, height: int = 900, settled: bool = True) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MILLISECONDS)
        page.on("console", listen)
        page.on("pageerror", lambda error: messages.append(f"exception: {error}"))
        page.goto(server.url + query)
        page.wait_for_function("() => window.fusevis && fusevis.state.window")
        if settled:
            wait_until_settled(page)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert messages == []


SETTLED = """() => {
  const { state, graphs } = fusevis;
  if (!state.window || !state.limits || state.limits.provisional) return false;
  if (state.pixel.row !== state.window.row || state.pixel.col !== state.window.col) return false;
  return [...graphs.ZOOMS, "panel-jacobian-mri", "panel-jacobian-pet", graphs.SCATTER].every((panel) => {
    return graphs.meta(panel).key === state.scene.key && fusevis.settle.contentOf(panel) === state.contentName();
  }) && [...document.querySelectorAll(".overlay-canvas")].every(
    (canvas) => getComputedStyle(canvas).visibility === "hidden");
}"""


def wait_until_settled(page: Page) -> None:
    """Wait until guidance is complete and Plotly's figures show the final state of the principal pixel."""
    page.wait_for_function(SETTLED)

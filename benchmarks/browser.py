"""A headless Chromium for benchmarks and tests, drawing WebGL in software as on a machine without a GPU."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserType, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    with sync_playwright() as playwright:
        browser = launched(playwright.chromium)
        yield browser
        browser.close()


def launched(kind: BrowserType) -> Browser:
    """Start a process of the system's Chromium; a second one shares nothing with the first.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    executable = next((path for path in map(shutil.which, NAMES) if path), None)
    if executable is None:
        raise RuntimeError("This needs Chromium; `make test` installs it.")
    return kind.launch(
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

"""A real server, a real browser, and the promise that its console stays empty."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect
from playwright.sync_api import TimeoutError as NothingCame

from benchmarks.browser import chromium
from tests.browser.pictures import WAIT_MILLISECONDS
from tests.browser.visitors import HEIGHT, WIDTH, Visitor, Visitors
from tests.drawn_pairs import write_drawn_pairs
from tests.running_server import Server, running_server

__all__ = ["WAIT_MILLISECONDS", "Asked", "Known", "Opener", "Server", "wait_until_settled"]

expect.set_options(timeout=WAIT_MILLISECONDS)

LOOK_MILLISECONDS = 100
"""Between looks for what takes long to come: looking in every frame costs a tenth of a processor."""
WHOLE_PIXELS = 100_000
"""Of the largest pairs that the page gets whole: samples are smaller, and that of `test_large_pairs` is larger."""
# Written by Chromium itself where WebGL is drawn in software, not by the page.
DRIVER_MESSAGE = re.compile(r"GL Driver Message .*GPU stall due to ReadPixels")
# As well of each answer that says "later", as a server on a busy machine may at any time. The page asks again
# (`test_busy_server`), or a test waits in vain.
LATER_MESSAGE = re.compile(r"Failed to load resource: .* status of 503 ")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start one server for all browser tests; beside its own pair it has those of `tests.drawn_pairs`."""
    folder = tmp_path_factory.mktemp("server")
    settings = {
        "FUSEVIS_DATA_DIR": str(write_drawn_pairs(folder / "data")),
        "FUSEVIS_ALLOW_UPLOADED_METHODS": "1",
        "FUSEVIS_WHOLE_PIXELS": str(WHOLE_PIXELS),
    }
    with running_server(folder, settings) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the system's Chromium."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def visitors(browser: Browser) -> Iterator[Visitors]:
    """Return those who open the pages of all tests."""
    waiting = Visitors(browser.browser_type)
    yield waiting
    waiting.close()


Opener = Callable[..., Page]
READY = "() => window.fusevis && fusevis.state.window"


OPENED: list[str] = []
"""Queries of the pages that were opened since the last report of a test."""


class Pages:
    """Opens pages with a query string each, every one as of another visitor, and hears their consoles.

    Parameters
    ----------
    visitors : Visitors
        Who open them.
    server : Server
        That they are of.
    """

    def __init__(self, visitors: Visitors, server: Server) -> None:
        self._visitors, self._server = visitors, server
        self._here: list[Visitor] = []
        self._messages: list[str] = []

    def __call__(
        self,
        query: str = "",
        width: int = WIDTH,
        height: int = HEIGHT,
        settled: bool = True,
        ready: str = READY,
        prepare: Callable[[Page], None] = lambda page: None,
    ) -> Page:
        visitor = self._visitors.take(self._server.url)
        self._here.append(visitor)
        OPENED.append(query)
        page = visitor.context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(WAIT_MILLISECONDS)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self._messages.append(f"exception: {error}"))
        prepare(page)
        page.goto(self._server.url + query)
        page.wait_for_function(ready, polling=LOOK_MILLISECONDS)
        if settled:
            wait_until_settled(page)
        return page

    def _listen(self, message: ConsoleMessage) -> None:
        if not DRIVER_MESSAGE.search(message.text) and not LATER_MESSAGE.match(message.text):
            self._messages.append(f"{message.type}: {message.text}")

    def close(self, failed: bool = False) -> None:
        """Close all pages; after a failure nobody comes again, as nobody knows in what state they are."""
        here, self._here = self._here, []
        for visitor in here:
            if failed:
                self._visitors.lose(self._server.url, visitor)
            else:
                self._visitors.give_back(self._server.url, visitor)

    def require_silence(self) -> None:
        """Nothing may have come to any console since this was asked last."""
        messages, self._messages = self._messages, []
        assert messages == []


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whether a test has failed, for the fixtures that end after it, and how many pages it has opened."""
    report = yield
    if OPENED:
        report.user_properties.append(("pages opened", len(OPENED)))
        OPENED.clear()
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many pages were opened, which takes most of the time, and which tests opened the most."""
    opened: Counter[str] = Counter()
    for report in itertools.chain(*terminalreporter.stats.values()):
        opened[getattr(report, "nodeid", "")] += dict(getattr(report, "user_properties", ())).get(
            "pages opened", 0
        )
    if opened.total():
        most = ", ".join(
            f"{count} by {id.rpartition('::')[2]}" for id, count in opened.most_common(5) if count
        )
        terminalreporter.write_line(f"{opened.total()} pages were opened: {most}")


@pytest.fixture
def open_page(request: pytest.FixtureRequest, visitors: Visitors, server: Server) -> Iterator[Opener]:
    """Open the page with a query string; at the end, no console of any page may hold anything."""
    pages = Pages(visitors, server)
    yield pages
    pages.close(request.node.stash.get(FAILED, True))
    pages.require_silence()


@pytest.fixture
def open_failing_page(request: pytest.FixtureRequest, visitors: Visitors, server: Server) -> Iterator[Opener]:
    """Open a page whose console may have errors: the browser itself writes of every answer that is one."""
    pages = Pages(visitors, server)
    yield pages
    pages.close(request.node.stash.get(FAILED, True))


WRITTEN = "() => !window.fusevis?.address || location.search === fusevis.address.query()"
LEFT = """() => {
  const { documentElement, body } = document;
  const shown = [...document.querySelectorAll("[open], [aria-modal], .modal, .offcanvas.show, .toast, dialog[open]")];
  const state = ({ id, value, checked, disabled, ariaPressed, ariaExpanded }) =>
    [id, value, checked, disabled, ariaPressed, ariaExpanded];
  return JSON.stringify({
    address: location.href, size: [innerWidth, innerHeight], fetch: String(window.fetch),
    stored: [localStorage, sessionStorage].flatMap((kind) => Object.entries(kind).sort())
      .filter(([name]) => name !== "fusevis-has-pinned"),
    styles: [documentElement, body].map(({ dataset: { hasPinned, ...data }, style, className }) =>
      [data, style.cssText, className.replace("pixel-pinned", "").trim()]),
    fields: [...document.querySelectorAll("input, select, textarea, button:not(#region-undo)")].map(state),
    shown: shown.map(({ id, tagName, className }) => [id, tagName, className]),
  });
}"""
"""All of a page that a test may leave otherwise than it found it, but for the pixel that is pointed at and for the hint
that is there until one has been pinned."""
TIDY = """() => {
  document.activeElement?.blur();
  const set = window.fusevis?.regions;
  while (set?.all().length) set.remove(0);
  document.querySelectorAll("#export-menu[open], .head-menu[open]").forEach((menu) => { menu.open = false; });
  ["#region-close", "#views-close"].map((one) => document.querySelector(one)).filter((one) => one?.checkVisibility())
    .forEach((button) => button.click());
}"""
"""Regions that are deleted and lists that are closed leave no more than what undoing would bring back."""
PUT_BACK_MILLISECONDS = 1000
GO_MILLISECONDS = 60_000
"""A page that does not come to another link in this time is opened anew."""
AT_ONCE = 3
"""So many pages of a file are kept, each in a browser of its own."""


OF_LINK = ("address", "fields")
"""Parts of `LEFT` that depend on the link that a page shows."""
IDLE = """() => {
  const { callbacks } = store.getState();
  return ["requested", "prioritized", "executing", "watched", "blocked"].every((kind) => !callbacks[kind].length);
}"""
SAYS = f"""(query) => {{
  const said = new URLSearchParams(location.search);
  return ({IDLE})() && ({WRITTEN})() && [...new URLSearchParams(query)].every(([key, text]) => said.get(key) === text);
}}"""


def go_to(page: Page, query: str, timeout: float = WAIT_MILLISECONDS) -> None:
    """Let an explore page show the view of another link in place, which costs a quarter of opening it.

    Of the view before, a part that is zoomed in and what was drawn stay. What is as in the first view may not be in
    the link: the page does not say it in its own.
    """
    page.evaluate(
        """(search) => { fusevis.pixel.pin(false); window.dash_clientside.set_props("location", { search }); }""",
        query,
    )
    for state in (SAYS, SETTLED):
        page.wait_for_function(state, arg=query, timeout=timeout, polling=LOOK_MILLISECONDS)


@dataclass
class Kept:
    """A page that tests of a file share.

    Attributes
    ----------
    pages : Pages
        That opened it.
    page : Page
        The page.
    query : str
        Of the view that it shows, as a test asked for it.
    opened : str
        What `LEFT` said of it when that view had come.
    """

    pages: Pages
    page: Page
    query: str
    opened: str

    def is_as_opened(self) -> bool:
        """Look if nothing has changed, after a moment for what is still to be written."""
        try:
            self.page.wait_for_function(
                f"(opened) => ({LEFT})() === opened", arg=self.opened, timeout=PUT_BACK_MILLISECONDS
            )
        except NothingCame:
            return False
        return True

    def tidy(self) -> None:
        """Put away what may be put away, in a window of the size that it had."""
        self.page.unroute_all()
        width, height = json.loads(self.opened)["size"]
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.mouse.move(2, 2)
        if "regions=" not in self.opened:
            self.page.evaluate(TIDY)

    def show(self, query: str) -> bool:
        """Go to a link in place; return whether the page is now as if it had been opened with that."""
        try:
            go_to(self.page, query, GO_MILLISECONDS)
        except Error:  # nothing came, or it is another page by now
            return False
        if query == self.query:
            return self.is_as_opened()
        now = self.page.evaluate(LEFT)
        before, after = json.loads(self.opened), json.loads(now)
        if any(before[part] != after[part] for part in before if part not in OF_LINK):
            return False
        self.query, self.opened = query, now
        return True


class SharedPages:
    """Pages that the tests of a file take one after another, since opening one costs five seconds.

    One that a test has left otherwise than it was opened is given to nobody else, unless it is an explore page that
    its link brings back. Explore pages that are opened alike are one page, which goes from link to link, but for
    links with regions. What is pointed at, and windows that are remembered, are as the test before has left them.
    """

    def __init__(self, open_pages: Callable[[], Pages]) -> None:
        self._open_pages = open_pages
        self._kept: dict[str, Kept] = {}
        self._taken: list[str] = []

    def __call__(self, query: str = "", **options: Any) -> Page:
        """Open a page as `open_page` does, or take the one that another test of the file has opened in this way."""
        goes = query.startswith("?") and "regions=" not in query and not {"settled", "ready"} & options.keys()
        key = f"{'' if goes else query} {options}"
        if key in self._kept and not self._brought(key, query, goes):
            self._close(key)
        if key not in self._kept:
            idle = [one for one in self._kept if one not in self._taken]
            if idle and len(self._kept) >= AT_ONCE:
                self._close(idle[0])
            self._kept[key] = self._opened(query, options)
        self._taken.append(key)
        return self._kept[key].page

    def _opened(self, query: str, options: dict[str, Any]) -> Kept:
        pages = self._open_pages()
        try:
            page = pages(query, **options)
            page.wait_for_function(WRITTEN)
            return Kept(pages, page, query, page.evaluate(LEFT))
        except BaseException:
            pages.close(failed=True)
            raise

    def _brought(self, key: str, query: str, goes: bool) -> bool:
        """Bring a page to what a link shows; return whether it is as if it had been opened with that."""
        kept = self._kept[key]
        kept.tidy()
        if query == kept.query and kept.is_as_opened():
            return True
        return goes and kept.show(query)

    def _close(self, key: str, failed: bool = False) -> None:
        pages = self._kept.pop(key).pages
        pages.close(failed)
        if not failed:
            pages.require_silence()

    def give_back(self, failed: bool) -> None:
        """End a test: after one that failed its pages are gone; their consoles must be empty."""
        taken, self._taken = self._taken, []
        opened = [self._kept[key].pages for key in taken]
        if failed:
            self.close(failed)
        for pages in opened:
            pages.require_silence()

    def close(self, failed: bool = False) -> None:
        """Close all pages."""
        for key in [*self._kept]:
            self._close(key, failed)


@pytest.fixture(scope="module")
def shared_pages(visitors: Visitors, server: Server) -> Iterator[SharedPages]:
    """Return the pages that the tests of a file share."""
    shared = SharedPages(partial(Pages, visitors, server))
    yield shared
    shared.close()


@pytest.fixture
def share_page(request: pytest.FixtureRequest, shared_pages: SharedPages) -> Iterator[SharedPages]:
    """Open a page, or take it as another test of the file has left it; the console must be empty at the end too."""
    yield shared_pages
    shared_pages.give_back(request.node.stash.get(FAILED, True))


Known = Callable[[str, str], None]
KNOWN = "() => window.fusevis?.compare?.table?.shown() && !fusevis.compare.scale.isProvisional()"


@pytest.fixture(scope="session")
def known(visitors: Visitors, server: Server) -> Known:
    """Let the server know the guidance images of a pair and method, which it keeps from then on."""
    there: set[tuple[str, str]] = set()

    def compute(pair: str, method: str) -> None:
        if (pair, method) in there:
            return
        pages = Pages(visitors, server)
        pages(f"compare?pair={pair}&methods={method}&columns=fused", settled=False, ready=KNOWN)
        pages.close()
        pages.require_silence()
        there.add((pair, method))

    return compute


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
    page.wait_for_function(SETTLED, polling=LOOK_MILLISECONDS)

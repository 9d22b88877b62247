"""Visitors of the page, who come again: a browser that has compiled Dash and Plotly opens a page in half the time."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, BrowserType, Page

from benchmarks.browser import launched_profile, show_modules

WIDTH, HEIGHT = 1440, 900
QUIET = "readyz"
"""A route that answers with words alone."""
CACHES = ("Default/Cache", "Default/Code Cache")
"""What Chromium keeps of scripts and of what it has compiled of them. A browser that has neither takes three times as
long to open a page, and needs three visits until it has."""
FORGET = "() => { localStorage.clear(); return localStorage.length; }"


@dataclass(frozen=True)
class Visitor:
    """A browser of its own: what one stores no other finds.

    Attributes
    ----------
    context : BrowserContext
        In which pages are opened.
    quiet : Page
        Shows nothing of what is tested and stays open.
    profile : Path
        The browser's folder.
    """

    context: BrowserContext
    quiet: Page
    profile: Path

    @classmethod
    def new(cls, kind: BrowserType, address: str, known: Visitor | None = None) -> Visitor:
        """Start the browser of one who comes to the server at this address.

        Parameters
        ----------
        kind : playwright.sync_api.BrowserType
            Of the browser.
        address : str
            Of the server.
        known : Visitor, optional
            Who has been there, and whose compiled scripts the new one gets.
        """
        profile = Path(tempfile.mkdtemp(prefix="fusevis_visitor_"))
        if known is not None:
            known.teach(profile)
        context = launched_profile(kind, WIDTH, HEIGHT, str(profile))
        (quiet,) = context.pages
        quiet.goto(address + QUIET)
        show_modules(context)
        return cls(context, quiet, profile)

    def teach(self, profile: Path) -> None:
        """Copy the caches into another profile, as far as they are written; what is half there is not read."""
        for folder in CACHES:
            try:
                shutil.copytree(self.profile / folder, profile / folder)
            except (shutil.Error, FileNotFoundError):
                continue

    def end(self) -> None:
        """Close the browser and delete its folder."""
        self.context.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def leave(self) -> None:
        """Close all pages but the quiet one, and forget what the page and a test have left in the browser."""
        for page in self.context.pages:
            if page != self.quiet:
                page.close()
        self.context.unroute_all()
        self.context.set_offline(False)
        self.context.clear_permissions()
        self.context.clear_cookies()
        assert self.quiet.evaluate(FORGET) == 0


class Visitors:
    """Visitors who are not on a page now. Two pages that a test opens are those of two visitors.

    Parameters
    ----------
    kind : BrowserType
        Of their browsers.
    """

    def __init__(self, kind: BrowserType) -> None:
        self._kind = kind
        self._waiting: defaultdict[str, list[Visitor]] = defaultdict(list)
        self._known: dict[str, Visitor] = {}

    def take(self, address: str) -> Visitor:
        """Return one who has nothing open and nothing stored, for the server at this address."""
        waiting = self._waiting[address]
        if waiting:
            return waiting.pop()
        visitor = Visitor.new(self._kind, address, self._known.get(address))
        self._known.setdefault(address, visitor)
        return visitor

    def give_back(self, address: str, visitor: Visitor) -> None:
        """Let others take this one after."""
        visitor.leave()
        self._waiting[address].append(visitor)

    def lose(self, address: str, visitor: Visitor) -> None:
        """End the browser of one of whom nobody knows in what state it is."""
        if self._known.get(address) is visitor:
            del self._known[address]
        visitor.end()

    def close(self) -> None:
        """End all browsers."""
        for waiting in self._waiting.values():
            for visitor in waiting:
                visitor.end()
        self._waiting.clear()

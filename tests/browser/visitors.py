"""Visitors of the page, who come again: a browser that has compiled Dash and Plotly opens a page in half the time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, BrowserType, Page

from benchmarks.browser import launched_profile, show_modules

WIDTH, HEIGHT = 1440, 900
QUIET = "readyz"
"""A route that answers with words alone."""
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
    """

    context: BrowserContext
    quiet: Page

    @classmethod
    def new(cls, kind: BrowserType, address: str) -> Visitor:
        """Start the browser of one who comes to the server at this address."""
        context = launched_profile(kind, WIDTH, HEIGHT)
        (quiet,) = context.pages
        quiet.goto(address + QUIET)
        show_modules(context)
        return cls(context, quiet)

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

    def take(self, address: str) -> Visitor:
        """Return one who has nothing open and nothing stored, for the server at this address."""
        waiting = self._waiting[address]
        return waiting.pop() if waiting else Visitor.new(self._kind, address)

    def give_back(self, address: str, visitor: Visitor) -> None:
        """Let others take this one after."""
        visitor.leave()
        self._waiting[address].append(visitor)

    def close(self) -> None:
        """End all browsers."""
        for waiting in self._waiting.values():
            for visitor in waiting:
                visitor.context.close()
        self._waiting.clear()

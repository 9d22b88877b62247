"""Requests that other web pages send through a visitor's browser, which any page can do to any server it reaches."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Request, Response, request

from app.routes.answers import DASH, problem_answer
from app.settings import Settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FOREIGN = (
    "This request comes from another web page than this server's own, so nothing was changed. Where a web server "
    "stands in front of this one, it has to pass on the header Host."
)
FOREIGN_READING = (
    "This request comes from another web page than this server's own, so nothing was computed. A link to a page of "
    "this server opens."
)


def register(server: Flask, settings: Settings) -> None:
    """Refuse what comes from other pages before any route: all that changes something, and reading that is no link."""
    framed = settings.frame_ancestors not in ("'self'", "'none'")
    # Where other sites may show a page in a frame, the frame's own navigation is let in too.
    opened = frozenset({"document", "iframe", "frame"} if framed else {"document"})

    def refuse() -> Response | None:
        return refuse_foreign_change() or refuse_foreign_reading(opened)

    server.before_request(refuse)


def is_foreign(asked: Request) -> bool:
    """Tell whether a request comes from a page of another origin, as the browser that sends it says.

    Scripts say nothing of the kind. Where a web server in front gives the page another name, a browser that sends
    ``Sec-Fetch-Site`` still knows, and ``X-Forwarded-Host`` has the name: no page can set either of them.
    """
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = asked.headers.get("Origin")
    if origin is None:
        return False
    try:
        named = urlsplit(origin).netloc.lower()
    except ValueError:
        return True
    own = [asked.headers.get("Host", ""), *asked.headers.get("X-Forwarded-Host", "").split(",")]
    return not named or named not in [name.strip().lower() for name in own]


def refuse_foreign_change() -> Response | None:
    """Refuse a request of another web page that would change something.

    A browser lets any page send some forms of POST to any server that it reaches, one on the visitor's own machine
    too. Dash's own route is left to Dash, which takes nothing but JSON: a browser asks this server before it sends
    that for another page, and gets no leave.
    """
    if request.method in SAFE or request.path.endswith(DASH) or not is_foreign(request):
        return None
    return problem_answer(403, FOREIGN)


def refuse_foreign_reading(opened: frozenset[str]) -> Response | None:
    """Refuse what a page of another site has its visitor's browser read: the page cannot see it, but it is work.

    Parameters
    ----------
    opened : frozenset of str
        What navigations may be for: a link in a mail opens a document.
    """
    told = request.headers
    if request.method not in SAFE or told.get("Sec-Fetch-Site") != "cross-site":
        return None
    if told.get("Sec-Fetch-Mode") == "navigate" and told.get("Sec-Fetch-Dest") in opened:
        return None
    return problem_answer(403, FOREIGN_READING)

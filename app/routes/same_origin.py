"""Requests that change something are taken from the page itself and from scripts, not from other web pages.

A browser lets any page send some forms of POST to any server that it reaches, one on the visitor's own machine too.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Request, Response, jsonify, request

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
DASH = "/_dash-update-component"
FOREIGN = (
    "This request comes from another web page than this server's own, so nothing was changed. Where a web server "
    "stands in front of this one, it has to pass on the header Host."
)


def is_foreign(asked: Request) -> bool:
    """Whether a request comes from a page of another origin, as the browser that sends it says.

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


def register(server: Flask) -> None:
    """Refuse what comes from elsewhere, before any route.

    Dash's own route is left to Dash, which takes nothing but JSON: a browser asks this server before it sends that
    for another page, and gets no leave.
    """

    @server.before_request
    def refuse_foreign() -> Response | None:
        if request.method in SAFE or request.path.endswith(DASH) or not is_foreign(request):
            return None
        answer = jsonify(error=FOREIGN)
        answer.status_code = 403
        return answer

"""Sign-in, where the server asks for it: by a shared token, or by the name that a web server in front has found out.

The token is given once, in an address or in the form of the page that asks for it, or by a script in every request's
header ``Authorization``; a browser gets a cookie for it that says nothing of the token.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from dataclasses import dataclass
from urllib.parse import quote

import click
from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from app.guard.addresses import Network, is_within, networks
from app.guard.cookies import keep_for_a_year
from app.guard.users import remember_user
from app.routes.answers import problem_answer
from app.routes.plain_pages import plain_page
from app.settings import AUTO, Settings

OPEN = frozenset({"healthz", "readyz"})
"""Endpoints that a load balancer asks, which knows no token."""
KEY = "token"
NEEDED = "This server asks for a token. Open one of its pages and give it there, or send it as Authorization: Bearer."
FORM = """This server shows its pages to those who have its token. Whoever runs it can tell you.{wrong}</p>
<form method="post"><label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button></form><p>"""
WRONG = '</p><p role="alert">That is not its token.'
BY_PROXY = (
    "This server shows its pages to those who come by the web server in front of it, which asks who they are."
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Door:
    """Rules of who is let in.

    Attributes
    ----------
    token : bytes or None
        The shared secret.
    header : str or None
        Header with the user's name.
    proxies : tuple of network
        From where that is believed.
    """

    token: bytes | None
    header: str | None
    proxies: tuple[Network, ...]

    @property
    def cookie(self) -> tuple[str, str]:
        """Name and value of the cookie. Servers on other ports of a machine have the same cookies, so names differ."""
        return f"fusevis-{self._derived('name')[:8]}", self._derived("value")

    def _derived(self, use: str) -> str:
        return hmac.new(self.token or b"", f"fusevis sign-in {use}".encode(), "sha256").hexdigest()

    def fits(self, given: str) -> bool:
        """Tell whether this is the token, in a time that says nothing of how much of it fits."""
        return self.token is not None and hmac.compare_digest(self.token, given.encode("utf-8", "replace"))

    def knows(self) -> bool:
        """Tell whether the request under way comes from somebody who is signed in, and remember a name that is told."""
        named = request.headers.get(self.header) if self.header else None
        if named and is_within(request.remote_addr or "", self.proxies):
            remember_user(named)
            return True
        if self.token is None:
            return False
        name, value = self.cookie
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return hmac.compare_digest(
            request.cookies.get(name, "").encode("utf-8", "replace"), value.encode()
        ) or (scheme.lower() in ("bearer", "token") and self.fits(given.strip()))


def register(server: Flask, settings: Settings) -> None:
    """Ask everybody for a sign-in at every address but those of `OPEN`, where a setting says so."""
    if settings.token is None and settings.user_header is None:
        return
    door = Door(_token(settings), settings.user_header, tuple(networks(settings.trusted_proxies or ())))

    def ask() -> AnyResponse | None:
        if request.endpoint in OPEN:
            return None
        given = request.args.get(KEY) if request.method in ("GET", "HEAD") else None
        known = door.knows()
        if given is None and known:
            return None
        # Not before: who reads a form takes the body away from the route.
        if request.method == "POST" and request.mimetype == "application/x-www-form-urlencoded":
            given = request.form.get(KEY)
        if given is not None and door.fits(given):
            return _let_in(door)
        if known:
            return None
        if given is not None:
            logger.warning("A wrong token came from %s", request.remote_addr)
        return _refused(door, given is not None)

    server.before_request(ask)


def _token(settings: Settings) -> bytes | None:
    """Return the token; one that is made is printed, as nobody else knows it."""
    if settings.token is None:
        return None
    token = settings.token.get_secret_value()
    if token == AUTO:
        token = secrets.token_urlsafe(24)
        click.echo(f"The page asks for a token. Add it to the address once: ?{KEY}={token}")
    return token.encode()


def _let_in(door: Door) -> AnyResponse:
    """Open what was asked for, its address without the token, and remember the browser."""
    query = "&".join(
        pair for pair in request.query_string.decode("latin-1").split("&") if pair.partition("=")[0] != KEY
    )
    # One slash at the beginning: with two, a browser would take what follows for another server.
    address = quote(f"/{request.root_path.strip('/')}/{request.path.lstrip('/')}".replace("//", "/"))
    answer = redirect(address + (f"?{query}" if query else ""), 303)
    keep_for_a_year(answer, *door.cookie)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _refused(door: Door, wrong: bool) -> Response:
    """Answer 401: with a page to those who read pages, with the form where there is a token, else with words."""
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html":
        return problem_answer(401, NEEDED if door.token else BY_PROXY, {"WWW-Authenticate": "Bearer"})
    content = FORM.format(wrong=WRONG if wrong else "") if door.token else BY_PROXY
    page = plain_page("Sign in", "FuseVis", content)
    headers = {"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"}
    return Response(page, status=401, mimetype="text/html", headers=headers)

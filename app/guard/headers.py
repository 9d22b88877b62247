"""Headers of every answer that tell a browser what pages may do: run nothing but this server's files, ask nobody else.

They are constants but for the pages' inline scripts and for who may show a page in a frame. Flask-Talisman, the
extension for these, has had no release since 2023 and sets none of the newer ones; other packages turn a table of
constants into as many calls.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Response, g

from app.settings import Settings

CONTENT_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    # Reading ahead: a few lines of the page's own script, which may do no more than it (`read-ahead.mjs`).
    "worker-src": "'self' blob:",
    # Plotly and React write styles into elements; nothing that a visitor sends becomes one.
    "style-src": "'self' 'unsafe-inline'",
    # Icons are in the pages, and pictures to save are drawn by the browser.
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
EXTENSION = "fusevis-frame-ancestors"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # A link holds the pair and the regions, which are nobody else's business.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def register(server: Flask, settings: Settings) -> None:
    """Set the headers of every answer, those of refusals and errors too."""
    ancestors = server.extensions[EXTENSION] = settings.frame_ancestors

    def add_headers(answer: Response) -> Response:
        answer.headers.update(HEADERS)
        answer.headers["Content-Security-Policy"] = content_policy(ancestors, g.get("inline_scripts", ()))
        return answer

    server.after_request(add_headers)


def content_policy(ancestors: str, inline_scripts: tuple[str, ...] = ()) -> str:
    """Return the content security policy.

    Parameters
    ----------
    ancestors : str
        Sites that may show the page in a frame.
    inline_scripts : tuple of str
        Hashes of the scripts that the answer has in itself.
    """
    parts = CONTENT_POLICY | {
        "script-src": " ".join((CONTENT_POLICY["script-src"], *inline_scripts)),
        "frame-ancestors": ancestors,
    }
    return "; ".join(f"{name} {sources}" for name, sources in parts.items())


def policy_of(server: Flask) -> str:
    """Return the content security policy of a server's answers that run nothing."""
    return content_policy(server.extensions.get(EXTENSION, "'self'"))


def allow_scripts(hashes: Sequence[str]) -> None:
    """Let the answer under way run the scripts that it has in itself.

    Parameters
    ----------
    hashes : sequence of str
        Of each, as ``'sha256-…'``.
    """
    g.inline_scripts = tuple(hashes)

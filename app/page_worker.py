"""Gunicorn's worker, with a page for those whose link is longer than gunicorn reads.

Such a request never reaches Flask: gunicorn gives up within its first line and answers with a bare page of its own.
"""

from __future__ import annotations

import socket
from contextlib import suppress

from gunicorn.http.errors import LimitRequestLine
from gunicorn.workers.gthread import ThreadWorker

from app.routes.plain_pages import plain_page

LONGEST_REQUEST_LINE = 8190
"""Bytes of ``GET``, address and version together: the most that gunicorn can be told to read."""
TOO_LONG = plain_page(
    "Too long",
    "This link is too long",
    f"FuseVis reads addresses of up to about {LONGEST_REQUEST_LINE // 100 * 100:,} letters. What its pages write is "
    "shorter: large regions are kept on the server and have short names in links. "
    '<a href="/">The saliency pictures</a> open without a link too.',
).encode()
ANSWER = (
    b"HTTP/1.1 414 URI Too Long\r\nConnection: close\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(TOO_LONG), TOO_LONG)
)


class PageWorker(ThreadWorker):
    """A worker of several threads."""

    def handle_error(self, req: object, client: socket.socket, addr: object, exc: Exception) -> None:
        """Answer to a request that cannot be read."""
        if not isinstance(exc, LimitRequestLine):
            super().handle_error(req, client, addr, exc)
            return
        with suppress(OSError):  # whoever has gone meanwhile needs no answer
            client.sendall(ANSWER)

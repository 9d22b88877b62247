"""The pages' icon, which is part of the pages: a browser asks for a file again at every change of the address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from dash import Dash  # the server's first process needs the icon alone

# Guidance RGB in small: what the first input makes red, the second green, and both together yellow.
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<circle cx="12" cy="16" r="10" fill="#d62728"/><circle cx="20" cy="16" r="10" fill="#2ca02c"/>'
    '<path d="M16 6.83a10 10 0 0 1 0 18.34a10 10 0 0 1 0-18.34z" fill="#ffd400"/></svg>'
)
ICON = f'<link rel="icon" href="data:image/svg+xml,{quote(DRAWING, safe="")}">'


def add_icon(app: Dash) -> None:
    """Give a page its icon in the place of Dash's."""
    app.index_string = app.index_string.replace("{%favicon%}", ICON)

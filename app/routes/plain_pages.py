"""Plain pages that need nothing of Dash, for addresses that lead nowhere, and the icon of all pages.

The icon is part of the pages: a browser asks for a file again at every change of the address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Response

if TYPE_CHECKING:
    from dash import Dash  # the server's first process needs the icon alone

# Guidance RGB in small: what the first input makes red, the second green, and both together yellow.
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<circle cx="12" cy="16" r="10" fill="#d62728"/><circle cx="20" cy="16" r="10" fill="#2ca02c"/>'
    '<path d="M16 6.83a10 10 0 0 1 0 18.34a10 10 0 0 1 0-18.34z" fill="#ffd400"/></svg>'
)
ICON = f'<link rel="icon" href="data:image/svg+xml,{quote(DRAWING, safe="")}">'


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{icon}
<title>{title} · FuseVis</title>
<style>
:root {{ color-scheme: light dark; }}
{style}
</style>
</head>
<body>
{body}
</body>
</html>
"""
STYLE = """body { background: Canvas; color: CanvasText; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 4rem auto; max-width: 34rem; padding: 0 1rem; }"""
MAIN = """<main>
<h1>{heading}</h1>
<p>{content}</p>
</main>"""
NOWHERE = """FuseVis has <a href="{home}">the saliency pictures</a>, <a href="{home}compare">a page that compares
methods</a> and <a href="{home}training">a page about how the networks were trained</a>."""


def add_icon(app: Dash) -> None:
    """Give a page its icon in the place of Dash's."""
    app.index_string = app.index_string.replace("{%favicon%}", ICON)


def plain_page(title: str, heading: str, content: str) -> str:
    """Return the HTML of a page with one paragraph, itself HTML."""
    return document(title, STYLE, MAIN.format(heading=heading, content=content))


def document(title: str, style: str, body: str) -> str:
    """Return the HTML of a page without scripts, by its style sheet and its body."""
    return PAGE.format(icon=ICON, title=title, style=style, body=body)


def missing_page(home: str) -> Response:
    """Return a plain page that leads back to the pages that there are, with status 404.

    Parameters
    ----------
    home : str
        Address of the first page.
    """
    page = plain_page("Not found", "There is no such page", NOWHERE.format(home=home))
    return Response(page, status=404, mimetype="text/html")

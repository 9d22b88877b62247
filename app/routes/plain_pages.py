"""Plain pages that need nothing of Dash: what is answered to an address that leads nowhere."""

from __future__ import annotations

from flask import Response

from app.icon import ICON

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{icon}
<title>{title} · FuseVis</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 34rem; padding: 0 1rem; }}
</style>
</head>
<body>
<h1>{heading}</h1>
<p>{content}</p>
</body>
</html>
"""
NOWHERE = """FuseVis has <a href="{home}">the saliency pictures</a>, <a href="{home}compare">a page that compares
methods</a> and <a href="{home}training">a page about how the networks were trained</a>."""


def plain_page(title: str, heading: str, content: str) -> str:
    """Return the HTML of a page with one paragraph, itself HTML."""
    return PAGE.format(icon=ICON, title=title, heading=heading, content=content)


def missing_page(home: str) -> Response:
    """Return a plain page that leads back to the pages that there are, with status 404.

    Parameters
    ----------
    home : str
        Address of the first page.
    """
    page = plain_page("Not found", "There is no such page", NOWHERE.format(home=home))
    return Response(page, status=404, mimetype="text/html")

"""What is answered to an address that leads nowhere."""

from __future__ import annotations

from flask import Response

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Not found · FuseVis</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 34rem; padding: 0 1rem; }}
</style>
</head>
<body>
<h1>There is no such page</h1>
<p>FuseVis has <a href="{home}">the saliency pictures</a>, <a href="{home}compare">a page that compares methods</a> and
<a href="{home}training">a page about how the networks were trained</a>.</p>
</body>
</html>
"""


def missing_page(home: str) -> Response:
    """Return a plain page that leads back to the pages that there are, with status 404.

    Parameters
    ----------
    home : str
        Address of the first page.
    """
    return Response(PAGE.format(home=home), status=404, mimetype="text/html")

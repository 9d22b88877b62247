"""Folders of the server, which answers do not name: whoever asks learns what went wrong, and not where files lie.

Errors of readers and folders name files with their whole paths, as the command line and the log need them. What leaves
the server as text has the last part of a folder in the place of all of it: ``views`` for ``/srv/fusevis/views``.
"""

from __future__ import annotations

import html
import json
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote

from flask import Flask, Response

from app.settings import Settings

LONGEST = 2**19
"""Bytes, which take a few milliseconds. A longer answer holds numbers; none of what is said in words comes near it."""
TEXTS = ("text/html", "application/json", "text/plain", "text/csv")
FAILURE = "Fusevis-Failure"
"""The header with the reason why a callback has failed, written as a part of an address."""
INSTALLED = Path(__file__).resolve().parents[2]


def register(server: Flask, folders: Iterable[Path]) -> None:
    """Take folders out of all texts that leave the server, but those that are called as its addresses are."""
    addresses = {"/" + rule.rule.split("/")[1] for rule in server.url_map.iter_rules()}
    told = Told(folder for folder in folders if str(folder) not in addresses)

    def shorten(answer: Response) -> Response:
        if failure := answer.headers.get(FAILURE):
            answer.headers[FAILURE] = quote(told.without_folders(unquote(failure).encode()).decode())
        if answer.mimetype not in TEXTS or answer.is_streamed or answer.direct_passthrough:
            return answer
        if answer.headers.get("Content-Encoding") or (answer.content_length or 0) > LONGEST:
            return answer
        before = answer.get_data()
        after = told.without_folders(before)
        if after is not before:
            answer.set_data(after)
        return answer

    server.after_request(shorten)


def folders_of(settings: Settings) -> set[Path]:
    """Return the folders whose places are the server's own business, with links in them followed and not."""
    known = [settings.cache_dir, settings.atlas_dir, settings.region_dir, settings.view_dir, settings.data_dir,
             settings.methods_dir, INSTALLED, Path(sys.prefix), Path(tempfile.gettempdir())]  # fmt: skip
    if settings.store and settings.store.startswith("/"):
        known.append(Path(settings.store))
    return {place for folder in known if folder is not None for place in (folder, folder.resolve())}


class Told:
    """Texts without the places of folders.

    Parameters
    ----------
    folders : iterable of Path
        What is left of each is its last part.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        forms: dict[bytes, bytes] = {}
        for folder in folders:
            if len(folder.parts) > 1:
                for written in (str, html.escape, _in_json, _in_plotly_json):
                    forms[written(str(folder)).encode()] = written(folder.name).encode()
        self._forms = forms
        self._outermost: list[bytes] = []
        """Those in which no other lies: a text without these has none of them."""
        for form in sorted(forms, key=len):
            if not form.startswith(tuple(self._outermost)):
                self._outermost.append(form)
        # The longest first: one folder may lie in another. Not in the middle of an address or of another path, but
        # behind the end of a line, as JSON writes it.
        longest = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile(
            rb"(?:(?<![\w/.-])|(?<=\\[nrt]))(" + b"|".join(map(re.escape, longest)) + rb")(?!\w|[.-]\w)",
            re.ASCII,
        )

    def without_folders(self, text: bytes) -> bytes:
        """Return the text, the same object where it names none of the folders."""
        if not any(form in text for form in self._outermost):
            return text
        return self._pattern.sub(lambda found: self._forms[found[1]], text)


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _in_plotly_json(text: str) -> str:
    """Return the text as Dash has Plotly write it, so that it may stand in a script."""
    return _in_json(text).replace("/", "\\u002f").replace("<", "\\u003c").replace(">", "\\u003e")

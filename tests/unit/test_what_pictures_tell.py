"""The page “What these pictures can and cannot tell”: served from the docs, and every Help leads to it."""

from __future__ import annotations

import re
from pathlib import Path

from dash import html
from flask import Flask

from app.layout.help import help_panel
from app.layout.training import training_page
from app.routes import what_pictures_tell
from tests.unit.page_parts import of_kind

DOCS = Path(__file__).parents[2] / "docs" / "what-pictures-tell.md"


def test_the_text_is_that_of_the_docs() -> None:
    assert what_pictures_tell.TEXT.read_bytes() == DOCS.read_bytes()
    assert DOCS.read_text(encoding="utf-8").startswith(f"# {what_pictures_tell.TITLE}\n")


def test_marks_become_html_and_nothing_else_does() -> None:
    text = "# A & B\n\nOne *two* **three\nfour** `a*b`, x < y, 3 * 4 * 5.\n\n- first\n  goes on\n- second\n\n### Deep"
    assert list(what_pictures_tell.blocks(text)) == [
        "<h1>A &amp; B</h1>",
        "<p>One <em>two</em> <strong>three four</strong> <code>a*b</code>, x &lt; y, 3 * 4 * 5.</p>",
        "<ul><li>first goes on</li><li>second</li></ul>",
        "<h3>Deep</h3>",
    ]


def test_the_page_is_served_and_has_no_marks_left() -> None:
    server = Flask("page")
    server.register_blueprint(what_pictures_tell.routes)
    answer = server.test_client().get("/what-pictures-tell")
    assert answer.status_code == 200 and answer.mimetype == "text/html"
    main = re.search(r"<main>(.*)</main>", answer.text, re.DOTALL)
    assert main and main[1].count("<h1>") == 1 and main[1].count("<h2>") >= 5
    words = re.sub(r"<[^>]*>", "", main[1])
    assert not re.search(r"[*`#]", words)
    assert 700 < len(words.split()) < 1300, "five minutes"


def test_every_help_leads_to_it() -> None:
    nothing = html.Div()
    pages = (
        (help_panel("explore", ""), "what-pictures-tell"),
        (help_panel("compare", "/base/"), "/base/what-pictures-tell"),
        (training_page("/base/", nothing, [], nothing, nothing, []), "/base/what-pictures-tell"),
    )
    for page, address in pages:
        assert address in [link.href for link in of_kind(page, html.A)]

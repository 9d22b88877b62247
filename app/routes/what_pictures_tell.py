"""The page “What these pictures can and cannot tell”: docs/what-pictures-tell.md, to which every Help leads.

The text is in the docs; a link beside this file brings it into the package. It needs few of Markdown's forms, and those
alone are read here: headings, lists of one level, paragraphs, bold, emphasis and code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import Path

from flask import Blueprint, Response

from app.routes.plain_pages import document

NAME = "what-pictures-tell"
"""Below the address of the first page."""
TITLE = "What these pictures can and cannot tell"
TEXT = Path(__file__).with_name(f"{NAME}.md")
STYLE = """body { background: Canvas; color: CanvasText; font: 17px/1.6 system-ui, sans-serif; }
body { margin: 2rem auto 4rem; max-width: 42rem; padding: 0 1rem; overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 2.2rem; }
li { margin: 0.4rem 0; }"""
BODY = """<nav aria-label="Pages"><a href="./">Saliency pictures</a> · <a href="compare">Compare</a> ·
<a href="training">Training</a></nav>
<main>
{content}
</main>"""
INLINE = (("**", "strong"), ("*", "em"), ("`", "code"))

routes = Blueprint("what_pictures_tell", __name__)


@routes.get(f"/{NAME}")
def show() -> Response:
    """Answer with the page."""
    return Response(page(), mimetype="text/html")


@cache
def page() -> str:
    """Return the page's HTML; its links are relative, so that it needs no address of the first page."""
    content = "\n".join(blocks(TEXT.read_text(encoding="utf-8")))
    return document(TITLE, STYLE, BODY.format(content=content))


def blocks(text: str) -> Iterator[str]:
    """Yield the HTML of each block of a text: what stands between empty lines."""
    for block in re.split(r"\n\s*\n", text.strip()):
        heading = re.fullmatch(r"(#{1,3}) (.*)", block)
        if heading:
            level = len(heading[1])
            yield f"<h{level}>{inline(heading[2])}</h{level}>"
        elif block.startswith("- "):
            items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
            yield "<ul>" + "".join(f"<li>{inline(item)}</li>" for item in items) + "</ul>"
        else:
            yield f"<p>{inline(block)}</p>"


def inline(text: str) -> str:
    """Return the HTML of the words of a block, which has no other marks than those of `INLINE`."""
    words = escape(" ".join(text.split()), quote=False)
    for mark, tag in INLINE:
        sign = re.escape(mark)
        words = re.sub(rf"{sign}(\S(?:.*?\S)?){sign}", rf"<{tag}>\1</{tag}>", words)
    return words

"""Which files of ``assets/`` each page loads: every page leaves out what belongs to the others.

A file that begins with the name of a page is that page's own; those of `SHARED` are for all; the others belong to the
explore page.
"""

from __future__ import annotations

EVERY_PAGE = (r"00-bootstrap\.min\.css", r"65-theme\.js", r"page\.css")
SHARED = {
    "training": (*EVERY_PAGE, r"panels\.css"),
    "compare": (
        *EVERY_PAGE,
        r"05-colours\.js",
        r"15-channel\.js",
        r"64-",
        r"66-sliders\.js",
        r"67-copy-link\.js",
        r"68-",
    ),
}
"""What the pages besides the explore page load of files that are not their own."""


def left_out(page: str) -> str:
    """Return the pattern of the files that a page does without, for Dash's ``assets_ignore``.

    Parameters
    ----------
    page : str
        ``explore``, or a name in `SHARED`.
    """
    if page == "explore":
        return f"^(?:{'|'.join(SHARED)})"
    return f"^(?!{page}|{'|'.join(SHARED[page])})"

"""The links between the pages."""

from __future__ import annotations

from dash import html

from app.layout.attributes import attributes
from app.link.view_state import PAPER_METHODS

PAGES = (
    (
        "explore",
        "",
        "Explore",
        "One method in all its pictures: inputs, fused image, guidance and Jacobian images",
    ),
    ("compare", "compare", "Compare", "Several methods beside each other, at the same pixel"),
    (
        "training",
        "training",
        "Training",
        "How the networks were trained: loss curves, losses beside the paper's, fused images, cards",
    ),
)
"""Name, path, label and explanation of each page."""


def page_links(current: str, home: str) -> list[html.A]:
    """Make the links to the other pages; in the browser, ``assets/views/links.mjs`` lets them carry the view along.

    Parameters
    ----------
    current : str
        The page that they stand on.
    home : str
        Address of the first page; may be empty on that page itself.
    """
    return [
        html.A(
            label,
            href=f"{home}{path}",
            className="btn btn-outline-secondary btn-sm",
            title=explanation,
            **attributes(data_page=name, data_methods=",".join(PAPER_METHODS)),
        )
        for name, path, label, explanation in PAGES
        if name != current
    ]

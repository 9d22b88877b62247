"""Beside the menu of pairs: images of one's own, x1 and x2 swapped, what should be known of both, unused images."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from app.ids import Id
from app.layout.parts import SMALL, attributes

YOURS = "Your images…"


def beside_pairs() -> html.Div:
    """Make what stands beside the menu of pairs, the same on both pages that have one; no notes at first."""
    words = "Swap x1 and x2"
    swap = html.Button(
        "⇄", id=Id.PAIR_SWAP, type="button", title=words, className=SMALL, **attributes(aria_label=words)
    )
    bring = html.Button(
        "+",
        id=Id.UPLOADS_OPEN,
        type="button",
        title=f"{YOURS} bring two images, a folder or a ZIP archive",
        className=SMALL,
        **attributes(aria_label=YOURS, aria_haspopup="dialog"),
    )
    notes = html.Div(id=Id.PAIR_NOTES, className="pair-notes")
    return html.Div([bring, swap, notes], className="beside-pairs")


def notes_list(pair: Sequence[str], unused: Sequence[str]) -> html.Details | None:
    """Make the list that a click opens, nothing where there is nothing to say.

    Parameters
    ----------
    pair : sequence of str
        Sentences on the images of the pair shown.
    unused : sequence of str
        Sentences on images of the data folder that are in no pair.
    """
    parts = [
        part
        for heading, sentences in (("These images", pair), ("Not used", unused))
        if sentences
        for part in (html.B(heading), html.Ul([html.Li(sentence) for sentence in sentences]))
    ]
    if not parts:
        return None
    words = "What was done to these images" if pair else "Images that are not used"
    sign = html.Summary(
        "⚠", title=words, className="btn btn-sm btn-outline-warning", **attributes(aria_label=words)
    )
    return html.Details([sign, html.Div(parts)])

"""Beside the menu of pairs: images of one's own, x1 and x2 swapped, what should be known of both, unused images."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from app.ids import Id
from app.layout.parts import SMALL, attributes
from app.layout.reading import reading_menu
from fusion.chroma import LUMA_NOTE

YOURS = "Your images…"


def beside_pairs(pair_menu: str, home: str) -> html.Div:
    """Make what stands beside the menu of pairs, the same on both pages that have one; no notes at first.

    Parameters
    ----------
    pair_menu : str
        Id of the menu.
    home : str
        Address of the first page.
    """
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
    return html.Div([bring, swap, *reading_menu(pair_menu, home), notes], className="beside-pairs")


def notes_list(pair: Sequence[str], unused: Sequence[str], colour: bool = False) -> html.Details | None:
    """Make the list that a click opens, nothing where there is nothing to say.

    Parameters
    ----------
    pair : sequence of str
        Sentences on the images of the pair shown.
    unused : sequence of str
        Sentences on images of the data folder that are in no pair.
    colour : bool
        Whether an image of the pair is a colour picture, of which all that the page says is about its luma.
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
    # Where the head has no room, the last word stands for all of them.
    *before, last = LUMA_NOTE.split()
    luma = [html.Span([html.Span(f"{' '.join(before)} "), last], className="luma-note")] * colour
    words += f"; {LUMA_NOTE}" * colour
    sign = html.Summary(
        ["⚠", *luma], title=words, className="btn btn-sm btn-outline-warning", **attributes(aria_label=words)
    )
    return html.Details([sign, html.Div(parts)])

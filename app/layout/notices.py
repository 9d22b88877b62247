"""Notices over the page: one for each thing that a link says and the page cannot do, or one that lists many."""

from __future__ import annotations

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from app.layout.attributes import attributes

MOST_TOASTS = 3
MOST_NAMED = 30
MILLISECONDS = 20_000
MILLISECONDS_A_LINE = 3_000


def notice(text: str | list[Component], kind: str = "warning", milliseconds: int = MILLISECONDS) -> dbc.Toast:
    """Make a notice that the visitor can close; warnings go away by themselves."""
    return dbc.Toast(
        text,
        header={"warning": "Notice", "danger": "This did not work"}[kind],
        icon=kind,
        dismissable=True,
        is_open=True,
        duration=milliseconds if kind == "warning" else None,
    )


def link_notices(texts: Sequence[str]) -> list[dbc.Toast]:
    """Make the notices of a link: one each for a few, else one with a list that scrolls.

    Each text is there up to `MOST_NAMED`; how many more there are is said. A list stays long enough to be read.
    """
    if len(texts) <= MOST_TOASTS:
        return [notice(text) for text in texts]
    lines = [html.Li(text) for text in texts[:MOST_NAMED]]
    if len(texts) > MOST_NAMED:
        lines.append(html.Li(f"… and {len(texts) - MOST_NAMED} more."))
    # Who has no pointer scrolls it with the arrow keys, for which it has to take the focus.
    listed = html.Ul(
        lines, className="notice-list", tabIndex=0, **attributes(aria_label="Notices on this link")
    )
    told = html.P(f"{len(texts)} parts of this link cannot be shown as it says:", className="notice-lead")
    return [notice([told, listed], milliseconds=MILLISECONDS + MILLISECONDS_A_LINE * len(lines))]

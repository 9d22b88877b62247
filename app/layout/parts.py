"""Parts that several pages have: attributes, controls, links between pages, polls, notices."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from app.ids import CompareId, Id
from app.link.view_state import PAPER_METHODS
from fusion.colours import Scale

SMALL = "btn btn-outline-secondary btn-sm"
SCALE_LABELS = {
    Scale.PAPER: "Paper: 0 to maximum",
    Scale.SIGNED: "Signed: around 0",
    Scale.ROBUST: "Robust: 0 to 99th percentile",
}
POLL_MILLISECONDS: Mapping[str, int] = {
    Id.GUIDANCE_POLL: 700,
    CompareId.POLL: 700,
    Id.ATLAS_POLL: 1000,
    CompareId.NUMBERS_POLL: 1000,
}
"""By the id of a poll."""
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
MOVED = "Drag to move this panel; a double click puts it beside the pictures again"
MOST_TOASTS = 3
MOST_NAMED = 30
MILLISECONDS = 20_000
MILLISECONDS_A_LINE = 3_000


def attributes(**values: str) -> dict[str, Any]:
    """Return ``aria-…`` and ``data-…`` attributes, written with underscores, for Dash's components to unpack."""
    return {name.replace("_", "-"): value for name, value in values.items()}


def small_button(id: str, text: str, title: str, **more: Any) -> dbc.Button:
    """Make a button of the head; `title` is its explanation."""
    return dbc.Button(text, id=id, size="sm", color="secondary", outline=True, title=title, **more)


def panel_button(id: str, text: str, title: str, **more: Any) -> html.Button:
    """Make a button of a panel at the side, which the browser's own code listens to."""
    return html.Button(text, id=id, type="button", title=title, className=SMALL, **more)


def opener(id: str, text: str, title: str, part: str) -> html.Button:
    """Make a button that opens and closes a part of the page, by its id, which is closed at first."""
    return panel_button(id, text, title, **attributes(aria_expanded="false", aria_controls=part))


def side_panel(
    id: str, title: str, close: str, parts: Sequence[Component], kind: str = "", **data: str
) -> html.Div:
    """Make a panel at the side, closed; ``assets/core/side-panels.mjs`` opens and moves it.

    Parameters
    ----------
    id, title : str
        Of the panel.
    close : str
        Id of the button that closes it.
    parts : sequence of Component
        Below its title.
    kind : str
        Its own class, beside that of all panels.
    **data : str
        Its own attributes, see `attributes`.
    """
    sign = html.Button("×", id=close, type="button", className="region-remove", title="Close")
    return html.Div(
        [html.Div([html.Strong(title), sign], className="region-head", title=MOVED), *parts],
        id=id,
        className=f"region-panel {kind}".strip(),
        hidden=True,
        role="dialog",
        tabIndex=-1,
        **attributes(aria_label=title, **data),
    )


def theme_switch(id: str) -> dbc.Button:
    """Make the button between the light and the dark theme; ``assets/core/controls.mjs`` says which is next."""
    return small_button(id, "◐", "Change between the light and the dark theme")


def skip_link(target: str) -> html.A:
    """Make the keyboard's first stop, which leads past the head to what has the id `target`.

    ``assets/core/controls.mjs`` acts, as the address is that of the view.
    """
    return html.A("Skip to the content", href=f"#{target}", className="skip-link")


def copy_link(id: str) -> html.Button:
    """Make the button that copies the link to the present view; ``assets/views/links.mjs`` acts."""
    return html.Button(
        "Link",
        id=id,
        type="button",
        title="Copy a link that reopens this view",
        className=f"{SMALL} copy-link",
        **attributes(aria_live="polite"),
    )


def scale_menu(id: str, first: Scale) -> html.Div:
    """Make the menu of the colour scales of gradients."""
    choices = [(scale.value, SCALE_LABELS[scale]) for scale in Scale]
    return labelled("Colours", id, menu(id, choices, first.value), "control-scale")


def labelled(text: str, control: str, component: Component, class_name: str) -> html.Div:
    """Put a control beside its label."""
    return html.Div([html.Label(text, htmlFor=control), component], className=f"control {class_name}")


Choice = tuple[str, str] | tuple[str, str, str]
"""Value and label of what can be chosen, and why it cannot be, if so."""


def options(choices: Sequence[Choice]) -> list[dict[str, Any]]:
    """Return the options of a menu, gray with the reason beside them where they cannot be chosen."""
    found: list[dict[str, Any]] = []
    for value, label, *reasons in choices:
        reason = reasons[0] if reasons else ""
        found.append({"value": value, "label": label})
        if reason:
            brief = textwrap.shorten(reason, 120, placeholder=" …")
            found[-1] |= {"label": f"{label}: {brief}", "disabled": True, "title": reason}
    return found


def menu(
    id: str, choices: Sequence[Choice], value: str | None = None, nothing: str | None = None
) -> dbc.Select:
    """Make a menu; `nothing` is what it shows while its value is the empty text."""
    return dbc.Select(
        id=id,
        options=options(choices),
        value=value,
        placeholder=nothing,
        size="sm",
    )


def progress(id: str, name: str, class_name: str = "") -> html.Div:
    """Make a bar that says how far something is; ``assets/core/controls.mjs`` names it as the group around it."""
    bar = dbc.Progress(id=id, value=0, max=100, className=class_name)
    return html.Div(bar, role="group", **attributes(aria_label=name))


def poll(id: str) -> dcc.Interval:
    """Make a poll that does not ask yet."""
    return dcc.Interval(id=id, interval=POLL_MILLISECONDS[id], disabled=True)


def page_links(current: str, home: str) -> list[Component]:
    """Make the links to the other pages, and the name of the present one.

    In the browser, ``assets/views/links.mjs`` lets them carry the view along.

    Parameters
    ----------
    current : str
        The page that they stand on.
    home : str
        Address of the first page; may be empty on that page itself.
    """
    return [
        html.Span(label, className="page-link-here", title=explanation, **attributes(aria_current="page"))
        if name == current
        else html.A(
            label,
            href=f"{home}{path}",
            className="page-link-other",
            title=explanation,
            **attributes(data_page=name, data_methods=",".join(PAPER_METHODS)),
        )
        for name, path, label, explanation in PAGES
    ]


def notice(text: str | list[Component], kind: str = "warning", milliseconds: int = MILLISECONDS) -> dbc.Toast:
    """Make a notice that the visitor can close; warnings go away by themselves."""
    return dbc.Toast(
        text,
        header={"warning": "Notice", "danger": "This did not work"}[kind],
        header_class_name=f"notice-{kind}",
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

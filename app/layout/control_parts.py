"""Controls that the heads of several pages have."""

from __future__ import annotations

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from app.layout.attributes import attributes
from app.link.view_state import GAMMAS
from fusion.colours import Scale

SCALE_LABELS = {
    Scale.PAPER: "Paper: 0 to maximum",
    Scale.SIGNED: "Signed: around 0",
    Scale.ROBUST: "Robust: 0 to 99th percentile",
}


def theme_switch(id: str) -> dbc.Button:
    """Make the button between the light and the dark theme."""
    return dbc.Button(
        "Theme",
        id=id,
        size="sm",
        color="secondary",
        outline=True,
        title="Change between the light and the dark theme",
    )


def copy_link(id: str) -> html.Button:
    """Make the button that copies the link to the present view; ``assets/views/links.mjs`` acts."""
    return html.Button(
        "Copy link",
        id=id,
        type="button",
        title="Copy a link that reopens this view",
        className="btn btn-outline-secondary btn-sm copy-link",
        **attributes(aria_live="polite"),
    )


def scale_menu(id: str) -> html.Div:
    """Make the menu of the colour scales of gradients."""
    choices = [(scale.value, SCALE_LABELS[scale]) for scale in Scale]
    return labelled("Colours", id, menu(id, choices, Scale.PAPER.value), "control-scale")


def labelled(text: str, control: str, component: Component, class_name: str) -> html.Div:
    """Put a control beside its label."""
    return html.Div([html.Label(text, htmlFor=control), component], className=f"control {class_name}")


def menu(
    id: str, choices: Sequence[tuple[str, str]], value: str | None = None, nothing: str | None = None
) -> dbc.Select:
    """Make a menu of (value, label); `nothing` is what it shows while its value is the empty text."""
    return dbc.Select(
        id=id,
        options=[{"value": choice, "label": label} for choice, label in choices],
        value=value,
        placeholder=nothing,
        size="sm",
    )


def gamma_slider(text: str, id: str, value: float) -> html.Div:
    """Make the slider of a gamma."""
    slider = dcc.Slider(
        id=id, min=GAMMAS[0], max=GAMMAS[1], step=0.05, value=value, marks=None, updatemode="drag",
        allow_direct_input=True,
    )  # fmt: skip
    # A label cannot name the slider's thumb and its number field; a group around both can.
    group = html.Div(slider, className="gamma-slider", role="group", **attributes(aria_label=text))
    return html.Div([html.Label(text, htmlFor=id), group], className="control control-gamma")

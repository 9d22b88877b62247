"""The two rows of controls above the panels, and the readout of the principal pixel under them."""

from __future__ import annotations

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from app.figures.scales import Scale
from app.ids import Id
from app.layout.attributes import attributes

ZOOM_HALF_WIDTH = 12
"""Default half-width of the zooms for every method, pixels."""
MAXIMAL_HALF_WIDTH = 64
GAMMAS = (0.1, 2.0)
"""Smallest and largest gamma."""

SCALE_LABELS = {
    Scale.PAPER: "Paper: 0 to maximum",
    Scale.SIGNED: "Signed: around 0",
    Scale.ROBUST: "Robust: 0 to 99th percentile",
}
MODES = (
    ("pixel", "Pixel", "Dragging moves the principal pixel"),
    ("zoom", "Zoom", "Dragging zooms into the picture; double-click resets"),
    ("pan", "Pan", "Dragging moves the zoomed picture; double-click resets"),
)


def controls(pairs: Sequence[tuple[str, str]], methods: Sequence[tuple[str, str]]) -> html.Header:
    """Make the page's head.

    Parameters
    ----------
    pairs, methods : sequence of (value, label)
        What the two menus offer.
    """
    readout = html.Div(
        id=Id.PIXEL_READOUT, className="pixel-readout", role="status", **attributes(aria_live="polite")
    )
    return html.Header([_first_row(pairs, methods), _second_row(), readout], className="page-head")


def _first_row(pairs: Sequence[tuple[str, str]], methods: Sequence[tuple[str, str]]) -> html.Div:
    return html.Div(
        [
            html.H1("FuseVis", className="brand"),
            _labelled("Pair", Id.PAIR_SELECT, _menu(Id.PAIR_SELECT, pairs), "control-pair"),
            _labelled("Method", Id.METHOD_SELECT, _menu(Id.METHOD_SELECT, methods), "control-method"),
            html.Span(id=Id.METHOD_NOTE, className="method-note"),
            html.Div(_modes(), role="group", **attributes(aria_label="What dragging in a picture does")),
            dbc.Button(
                "Theme",
                id=Id.THEME_SWITCH,
                size="sm",
                color="secondary",
                outline=True,
                title="Change between the light and the dark theme",
            ),
            html.A(
                "Training",
                href="training",
                className="btn btn-outline-secondary btn-sm",
                title="How the networks were trained: loss curves, losses beside the paper's, fused images, cards",
            ),
            dbc.Button(
                "Help",
                id=Id.HELP_OPEN,
                size="sm",
                color="primary",
                outline=True,
                title="What each picture is and how to read it",
            ),
        ],
        className="control-row",
    )


def _second_row() -> html.Div:
    return html.Div(
        [
            _gamma("γ1 Jacobian", Id.GAMMA_1, 0.3),
            _gamma("γ2 guidance", Id.GAMMA_2, 0.5),
            _labelled(
                "Colours",
                Id.COLOUR_SCALE,
                _menu(
                    Id.COLOUR_SCALE,
                    [(scale.value, SCALE_LABELS[scale]) for scale in Scale],
                    Scale.PAPER.value,
                ),
                "control-scale",
            ),
            _labelled(
                "Zoom ±",
                Id.ZOOM_HALF_WIDTH,
                dbc.Input(
                    id=Id.ZOOM_HALF_WIDTH,
                    type="number",
                    min=1,
                    max=MAXIMAL_HALF_WIDTH,
                    step=1,
                    value=ZOOM_HALF_WIDTH,
                    size="sm",
                    debounce=False,
                ),
                "control-zoom",
            ),
            dbc.Checkbox(
                id=Id.ZOOM_FOLLOWS_SUPPORT, label="method's support", value=False, className="control-support"
            ),
            html.Div(
                [
                    html.Span(
                        "Guidance images", id=Id.GUIDANCE_STATUS, className="guidance-status", role="status"
                    ),
                    dbc.Progress(id=Id.GUIDANCE_PROGRESS, value=0, max=100, className="guidance-progress"),
                    dbc.Button(
                        "Cancel",
                        id=Id.GUIDANCE_BUTTON,
                        size="sm",
                        color="secondary",
                        outline=True,
                        disabled=True,
                    ),
                ],
                className="control-guidance",
            ),
        ],
        className="control-row",
    )


def _modes() -> dbc.RadioItems:
    return dbc.RadioItems(
        id=Id.TOOLBAR_MODE,
        options=[{"value": value, "label": label, "title": title} for value, label, title in MODES],
        value="pixel",
        inline=True,
        className="btn-group btn-group-sm toolbar-mode",
        inputClassName="btn-check",
        labelClassName="btn btn-outline-secondary btn-sm",
        labelCheckedClassName="active",
    )


def _labelled(text: str, control: Id, component: Component, class_name: str) -> html.Div:
    return html.Div([html.Label(text, htmlFor=control.value), component], className=f"control {class_name}")


def _menu(id: Id, choices: Sequence[tuple[str, str]], value: str | None = None) -> dbc.Select:
    return dbc.Select(
        id=id,
        options=[{"value": choice, "label": label} for choice, label in choices],
        value=value,
        size="sm",
    )


def _gamma(text: str, id: Id, value: float) -> html.Div:
    slider = dcc.Slider(
        id=id, min=GAMMAS[0], max=GAMMAS[1], step=0.05, value=value, marks=None, updatemode="drag",
        allow_direct_input=True,
    )  # fmt: skip
    # A label cannot name the slider's thumb and its number field; a group around both can.
    group = html.Div(slider, className="gamma-slider", role="group", **attributes(aria_label=text))
    return html.Div([html.Label(text, htmlFor=id.value), group], className="control control-gamma")

"""The two rows of controls above the panels, and the readout of the principal pixel under them."""

from __future__ import annotations

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html

from app.ids import Id
from app.layout.atlas import atlas_button
from app.layout.attributes import attributes
from app.layout.control_parts import copy_link, gamma_slider, labelled, menu, scale_menu, theme_switch
from app.layout.export_menu import export_menu
from app.layout.navigation import page_links
from app.layout.regions import region_open
from app.layout.views import views_open
from app.link.view_state import FIRST_HALF_WIDTH, LARGEST_ZOOM

MODES = (
    ("pixel", "Pixel", "Dragging moves the principal pixel"),
    ("zoom", "Zoom", "Dragging zooms into the picture; double-click resets"),
    ("pan", "Pan", "Dragging moves the zoomed picture; double-click resets"),
    ("box", "Box", "Dragging selects a box as a region of interest"),
    ("lasso", "Lasso", "Dragging selects what it goes around as a region of interest"),
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
    # Beside the readout there is room; the rows above are full.
    buttons = [atlas_button(), *region_open(), export_menu(""), views_open(), copy_link(Id.COPY_LINK)]
    third = html.Div([readout, html.Div(buttons, className="view-buttons")], className="readout-row")
    return html.Header([_first_row(pairs, methods), _second_row(), third], className="page-head")


def _first_row(pairs: Sequence[tuple[str, str]], methods: Sequence[tuple[str, str]]) -> html.Div:
    return html.Div(
        [
            html.H1("FuseVis", className="brand"),
            labelled("Pair", Id.PAIR_SELECT, menu(Id.PAIR_SELECT, pairs), "control-pair"),
            labelled("Method", Id.METHOD_SELECT, menu(Id.METHOD_SELECT, methods), "control-method"),
            html.Span(id=Id.METHOD_NOTE, className="method-note"),
            html.Div(_modes(), role="group", **attributes(aria_label="What dragging in a picture does")),
            theme_switch(Id.THEME_SWITCH),
            *page_links("explore", ""),
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
            gamma_slider("γ1 Jacobian", Id.GAMMA_1, 0.3),
            gamma_slider("γ2 guidance", Id.GAMMA_2, 0.5),
            scale_menu(Id.COLOUR_SCALE),
            labelled(
                "Zoom ±",
                Id.ZOOM_HALF_WIDTH,
                dbc.Input(
                    id=Id.ZOOM_HALF_WIDTH,
                    type="number",
                    min=1,
                    max=LARGEST_ZOOM,
                    step=1,
                    value=FIRST_HALF_WIDTH,
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

"""The explore page: its head with the controls, the panels, and the window of the atlas."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html

from app.ids import Id
from app.layout.export_menu import export_menu
from app.layout.help import help_panel
from app.layout.pair_notes import beside_pairs
from app.layout.panels import panel_grid
from app.layout.parts import (
    attributes,
    copy_link,
    gamma_slider,
    labelled,
    menu,
    page_links,
    poll,
    scale_menu,
    small_button,
    theme_switch,
)
from app.layout.regions import region_open, region_panel, region_store
from app.layout.views import views_open, views_panel
from app.link.view_state import FIRST_HALF_WIDTH, LARGEST_ZOOM, ExploreState

MODES = (
    ("pixel", "Pixel", "Dragging moves the principal pixel"),
    ("zoom", "Zoom", "Dragging zooms into the picture; double-click resets"),
    ("pan", "Pan", "Dragging moves the zoomed picture; double-click resets"),
    ("box", "Box", "Dragging selects a box as a region of interest"),
    ("lasso", "Lasso", "Dragging selects what it goes around as a region of interest"),
)


def explore_page(pairs: Sequence[tuple[str, str]], methods: Sequence[tuple[str, str]]) -> html.Div:
    """Make the page anew for one visitor.

    Parameters
    ----------
    pairs, methods : sequence of (value, label)
        What the two menus offer.
    """
    return html.Div(
        [
            dcc.Location(id=Id.LOCATION, refresh=False),
            dcc.Store(id=Id.VIEWER, data=uuid.uuid4().hex),
            dcc.Store(id=Id.SCENE),
            dcc.Store(id=Id.START_PIXEL),
            dcc.Store(id=Id.START_AREA),
            dcc.Store(id=Id.RESTED_PIXEL),
            dcc.Store(id=Id.GREEN_POINTS),
            dcc.Store(id=Id.GREEN_POINTS_SHOWN),
            dcc.Store(id=Id.DISPLAY),
            dcc.Store(id=Id.BROWSER),
            dcc.Store(id=Id.GUIDANCE_LIMITS),
            *region_store(),
            poll(Id.GUIDANCE_POLL),
            controls(pairs, methods),
            panel_grid(),
            html.Footer(id=Id.STATUS_LINE, className="status-line"),
            html.Div(id=Id.NOTICES, className="notices"),
            help_panel(),
            views_panel("", "explore"),
            region_panel("", False, "Choose Box or Lasso above and draw on a picture or on the scatterplot."),
            atlas_window(),
        ],
        className="page",
        # The browser leaves out of its links what the first view has.
        **attributes(data_first=json.dumps(ExploreState().model_dump(mode="json"))),
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
            beside_pairs(),
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


def atlas_button() -> dbc.Button:
    """Make the button; its label says how far the atlas is."""
    return small_button(
        Id.ATLAS_BUTTON,
        "Atlas …",
        "Complete atlas: compute the Jacobian images of all pixels beforehand",
        className="atlas-button",
    )


def atlas_window() -> html.Div:
    """Make the window that says what an atlas costs and lets it be made, closed at first."""
    window = dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Complete atlas")),
            dbc.ModalBody(
                [
                    html.P(
                        "An atlas is a folder on the server's disk with the Jacobian images of all pixels. Where it "
                        "is, hovering reads them instead of computing them, rounded to 0.05 % of each image's largest "
                        "gradient. It is made behind everything else, as long as this page is open; what is computed "
                        "stays."
                    ),
                    html.P(id=Id.ATLAS_TEXT, role="status"),
                    dbc.Progress(id=Id.ATLAS_PROGRESS, value=0, max=100),
                ]
            ),
            dbc.ModalFooter(
                [
                    dbc.Button("Start", id=Id.ATLAS_START, color="primary", disabled=True),
                    dbc.Button("Stop", id=Id.ATLAS_STOP, color="secondary", outline=True, disabled=True),
                ]
            ),
        ],
        id=Id.ATLAS_WINDOW,
        is_open=False,
    )
    return html.Div([window, poll(Id.ATLAS_POLL)])

"""The explore page: its head, the panels, what stands below them, and the window of the atlas."""

from __future__ import annotations

import json
from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html

from app.guard.visitors import new_viewer
from app.ids import BrushId, Id
from app.layout.brush import brush_open, brush_panel
from app.layout.explain import explain_open, explain_panel
from app.layout.export_menu import export_menu
from app.layout.head import (
    air_and_grays,
    guidance_button,
    method_buttons,
    newer_weights,
    page_head,
    region,
    rgb_ranges,
    scale_strip,
    status_row,
    tool_choice,
    zoom_field,
)
from app.layout.help import help_panel
from app.layout.maps import maps_button, maps_drawer
from app.layout.pair_notes import beside_pairs
from app.layout.panels import panel_grid, rgb_legend
from app.layout.parts import Choice, attributes, labelled, menu, poll, progress, small_button
from app.layout.regions import region_open, region_panel, region_store
from app.layout.views import views_open, views_panel
from app.link.view_state import FIRST_HALF_WIDTH, LARGEST_ZOOM, ExploreState


def explore_page(
    pairs: Sequence[tuple[str, str]], methods: Sequence[Choice], networks: bool = False
) -> html.Div:
    """Make the page anew for one visitor.

    Parameters
    ----------
    pairs, methods : sequence of (value, label), with a reason where it cannot be chosen
        What the two menus offer.
    networks : bool
        Whether visitors may bring networks.
    """
    first = ExploreState()
    return html.Div(
        [
            dcc.Location(id=Id.LOCATION, refresh=False),
            dcc.Store(id=Id.VIEWER, data=new_viewer()),
            dcc.Store(id=Id.SCENE),
            dcc.Store(id=Id.START_PIXEL),
            dcc.Store(id=Id.START_AREA),
            dcc.Store(id=Id.START_MAPS),
            dcc.Store(id=Id.START_COLOUR),
            dcc.Store(id=Id.RESTED_PIXEL),
            dcc.Store(id=Id.GREEN_POINTS),
            dcc.Store(id=Id.GREEN_POINTS_SHOWN),
            dcc.Store(id=Id.DISPLAY),
            dcc.Store(id=Id.BROWSER),
            dcc.Store(id=Id.GUIDANCE_LIMITS),
            *region_store(),
            poll(Id.GUIDANCE_POLL),
            head(pairs, methods, networks),
            panel_grid(),
            scale_strip(Id.COLOUR_SCALE, first),
            readout_row(),
            status_row(
                "Point at a pixel to see where it comes from. Click to pin.",
                Id.STATUS_LINE,
                Id.GUIDANCE_STATUS,
                Id.GUIDANCE_PROGRESS,
                guidance_button(Id.GUIDANCE_BUTTON, "Cancel"),
            ),
            maps_drawer(),
            html.Div(id=Id.NOTICES, className="notices"),
            help_panel("explore", ""),
            views_panel("", "explore"),
            region_panel(
                "",
                "Choose Box or Lasso above and draw on a picture or on the scatterplot.",
                "Their numbers are on Compare: press N there.",
            ),
            brush_panel(),
            explain_panel(),
            atlas_window(),
        ],
        className="page",
        # The browser leaves out of its links what the first view has.
        **attributes(data_first=json.dumps(first.model_dump(mode="json"))),
    )


def head(pairs: Sequence[tuple[str, str]], methods: Sequence[Choice], networks: bool) -> html.Header:
    """Make the page's head.

    Parameters
    ----------
    pairs, methods : sequence of (value, label), with a reason where it cannot be chosen
        What the two menus offer.
    networks : bool
        Whether visitors may bring networks.
    """
    about = html.Details(
        [
            html.Summary("i", title="About this method", **attributes(aria_label="About this method")),
            html.P(id=Id.METHOD_NOTE, className="method-note"),
        ],
        className="method-about",
    )
    zoom = zoom_field(
        Id.ZOOM_HALF_WIDTH,
        LARGEST_ZOOM,
        FIRST_HALF_WIDTH,
        f"Half-width of the zooms in pixels, 1 to {LARGEST_ZOOM}",
    )
    reach = dbc.Checkbox(id=Id.ZOOM_FOLLOWS_SUPPORT, label="reach", value=False, className="control-support")
    return page_head(
        "explore",
        "",
        data=[
            labelled("Pair", Id.PAIR_SELECT, menu(Id.PAIR_SELECT, pairs), "control-pair"),
            beside_pairs(Id.PAIR_SELECT, ""),
            labelled("Method", Id.METHOD_SELECT, menu(Id.METHOD_SELECT, methods), "control-method"),
            about,
            newer_weights(Id.NEWER_WEIGHTS),
        ],
        zoom=[zoom, html.Span(reach, title="Zoom as far as the method's pixels can reach")],
        tools=[tool_choice(Id.TOOLBAR_MODE)],
        share=[*region_open(), views_open(), export_menu("")],
        rest=[
            brush_open(),
            explain_open(),
            maps_button(),
            rgb_ranges(),
            *air_and_grays(),
            atlas_button(),
            *method_buttons(networks),
        ],
    )


def readout_row() -> html.Div:
    """Make the line of the principal pixel's numbers, at its end what the colours of guidance RGB mean.

    The numbers are no live region, as they change at every move: ``assets/core/announce.mjs`` says where one stands.
    """
    readout = html.Div(id=Id.PIXEL_READOUT, className="pixel-readout")
    change = html.P(id=BrushId.READOUT, className="change-readout", hidden=True)
    # `assets/explore/rgb-ranges.mjs` says there which colours guidance RGB cannot have.
    note = html.P(className="rgb-note")
    colours = html.Div([rgb_legend(), note], className="rgb-words")
    return html.Div(
        [readout, colours, change], className="readout-row", **region("Numbers of the chosen pixel")
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
                    html.P(id=Id.ATLAS_TEXT),
                    progress(Id.ATLAS_PROGRESS, "Progress of the atlas"),
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

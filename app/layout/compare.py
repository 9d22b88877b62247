"""The compare page: its head, and the place where the browser draws the table."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html

from app.ids import CompareId
from app.layout.attributes import attributes
from app.layout.columns import COLUMN_LABELS
from app.layout.control_parts import copy_link, gamma_slider, labelled, menu, scale_menu, theme_switch
from app.layout.export_menu import export_menu
from app.layout.navigation import page_links
from app.layout.numbers import numbers_button, numbers_panel
from app.layout.polls import poll
from app.layout.regions import region_open, region_panel, region_store
from app.layout.views import views_open, views_panel
from app.link.view_state import LARGEST_ZOOM, CompareState, TableSize

SIZES = ((TableSize.FIT.value, "fit the window"), (TableSize.LARGE.value, "large"))


def compare_page(pairs: Sequence[tuple[str, str]], methods: Sequence[tuple[str, str]], home: str) -> html.Div:
    """Make the page anew for one visitor.

    Parameters
    ----------
    pairs, methods : sequence of (value, label)
        What the two menus offer.
    home : str
        Address of the first page.
    """
    first = CompareState()
    # The browser leaves out of its links what the first view has, and finds the routes from here.
    facts = attributes(
        data_home=home,
        data_first=json.dumps(first.model_dump(mode="json")),
        data_largest_zoom=str(LARGEST_ZOOM),
        aria_label="Table of methods and their pictures",
    )
    return html.Div(
        [
            dcc.Location(id=CompareId.LOCATION, refresh=False),
            dcc.Store(id=CompareId.VIEWER, data=uuid.uuid4().hex),
            dcc.Store(id=CompareId.START),
            dcc.Store(id=CompareId.SCENES),
            dcc.Store(id=CompareId.PROGRESS),
            dcc.Store(id=CompareId.SHOWN),
            *region_store(),
            poll(CompareId.POLL),
            html.Header(
                [_first_row(pairs, methods, home), _second_row(first), _third_row(methods, home)],
                className="page-head compare-head",
            ),
            html.Main(id=CompareId.TABLE, className="compare-table", tabIndex=0, **facts),
            numbers_panel(),
            html.Footer(
                [html.Div(id=CompareId.STATUS_LINE, className="status-line", role="status"), _cancel()],
                className="status-row",
            ),
            html.Div(id=CompareId.NOTICES, className="notices"),
            views_panel(home, "compare"),
            region_panel(
                home, True, "Choose Box or Lasso and draw on a picture or a scatterplot of any row."
            ),
        ],
        className="page compare-page",
    )


def _first_row(pairs: Sequence[tuple[str, str]], methods: Sequence[tuple[str, str]], home: str) -> html.Div:
    columns = [(column.value, label) for column, label in COLUMN_LABELS.items()]
    return html.Div(
        [
            html.H1([html.A("FuseVis", href=home, className="brand"), "Compare"], className="compare-title"),
            labelled("Pair", CompareId.PAIR_SELECT, menu(CompareId.PAIR_SELECT, pairs), "control-pair"),
            _several("Methods", CompareId.METHODS, methods, "No method chosen"),
            _several("Columns", CompareId.COLUMNS, columns, "No column chosen"),
            html.Nav(page_links("compare", home), className="page-links", **attributes(aria_label="Pages")),
            theme_switch(CompareId.THEME_SWITCH),
        ],
        className="control-row",
    )


def _second_row(first: CompareState) -> html.Div:
    return html.Div(
        [
            gamma_slider("γ1 Jacobian", CompareId.GAMMA_1, first.gamma1),
            gamma_slider("γ2 guidance", CompareId.GAMMA_2, first.gamma2),
            scale_menu(CompareId.COLOUR_SCALE),
            dbc.Checkbox(
                id=CompareId.SHARED,
                label="same for all methods",
                value=first.shared,
                className="control-support",
            ),
            labelled("Zoom ±", CompareId.ZOOM_HALF_WIDTH, _zoom(), "control-zoom"),
            labelled("Size", CompareId.SIZE, menu(CompareId.SIZE, SIZES, SIZES[0][0]), "control-size"),
            html.Div(
                [
                    _pin(
                        CompareId.PIN_A, "Pin A", "Pin the principal pixel, or let it go (click on a picture)"
                    ),
                    _pin(
                        CompareId.PIN_B, "Pin B", "Keep this pixel for comparison (Shift and click, or key B)"
                    ),
                    _pin(CompareId.LET_GO, "Let go", "Let both pixels go (Esc)"),
                ],
                role="group",
                className="btn-group btn-group-sm",
                **attributes(aria_label="Pinned pixels"),
            ),
        ],
        className="control-row",
    )


def _third_row(methods: Sequence[tuple[str, str]], home: str) -> html.Div:
    choices = [("", "none"), *methods]
    difference = html.Div(
        [
            html.Label("Difference", htmlFor=CompareId.MINUEND),
            menu(CompareId.MINUEND, choices, "", nothing="none"),
            html.Span("−"),
            menu(CompareId.SUBTRAHEND, choices, "", nothing="none"),
            html.Span(id=CompareId.DIFFERENCE_NOTE, className="compare-difference-note", role="status"),
        ],
        className="control compare-difference",
    )
    buttons = [
        *region_open(),
        numbers_button(),
        export_menu(home),
        views_open(),
        copy_link(CompareId.COPY_LINK),
    ]
    return html.Div([difference, html.Div(buttons, className="view-buttons")], className="readout-row")


def _cancel() -> dbc.Button:
    return dbc.Button(
        "Cancel guidance",
        id=CompareId.GUIDANCE_BUTTON,
        size="sm",
        color="secondary",
        outline=True,
        disabled=True,
        className="compare-guidance-button",
        title="Stop computing guidance images, or go on",
    )


def _zoom() -> html.Span:
    field = dbc.Input(
        id=CompareId.ZOOM_HALF_WIDTH,
        type="number",
        min=1,
        max=LARGEST_ZOOM,
        step=1,
        placeholder="auto",
        size="sm",
        debounce=False,
    )
    return html.Span(
        field, title=f"Half-width of the zooms in pixels, 1 to {LARGEST_ZOOM}; empty: the largest support"
    )


def _several(text: str, id: str, choices: Sequence[tuple[str, str]], nothing: str) -> html.Div:
    dropdown = dcc.Dropdown(
        id=id,
        options=[{"value": value, "label": label} for value, label in choices],
        multi=True,
        placeholder=nothing,
        closeOnSelect=False,
        maxHeight=440,
        className="compare-several",
    )
    group = html.Div(dropdown, role="group", **attributes(aria_label=text))
    return html.Div([html.Label(text, htmlFor=id), group], className="control control-several")


def _pin(id: str, text: str, title: str) -> dbc.Button:
    return dbc.Button(text, id=id, size="sm", color="secondary", outline=True, title=title)

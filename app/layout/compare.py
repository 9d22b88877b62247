"""The compare page: its head, the place where the browser draws the table, and the numbers below it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html

from app.ids import CompareId
from app.layout.export_menu import COLUMN_LABELS, export_menu
from app.layout.pair_notes import beside_pairs
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
from app.link.view_state import LARGEST_ZOOM, CompareState, TableSize

SIZES = ((TableSize.FIT.value, "fit the window"), (TableSize.LARGE.value, "large"))


TABS = (
    ("guidance", "Guidance by region"),
    ("influence", "Influence"),
    ("checklist", "The paper's requirements"),
)
"""The tables, by the names that the browser draws them under."""


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
            beside_pairs(),
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
                    small_button(
                        CompareId.PIN_A, "Pin A", "Pin the principal pixel, or let it go (click on a picture)"
                    ),
                    small_button(
                        CompareId.PIN_B, "Pin B", "Keep this pixel for comparison (Shift and click, or key B)"
                    ),
                    small_button(CompareId.LET_GO, "Let go", "Let both pixels go (Esc)"),
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
    return small_button(
        CompareId.GUIDANCE_BUTTON,
        "Cancel guidance",
        "Stop computing guidance images, or go on",
        disabled=True,
        className="compare-guidance-button",
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


def numbers_button() -> html.Button:
    """Make the button that opens and closes the numbers."""
    return html.Button(
        "Numbers",
        id=CompareId.NUMBERS_BUTTON,
        type="button",
        className="btn btn-outline-secondary btn-sm",
        title="Show or hide the numbers of all methods: by region, by pixel, and the paper's requirements (key N)",
        **attributes(aria_expanded="false", aria_controls=CompareId.NUMBERS.value),
    )


def numbers_panel() -> html.Section:
    """Make the section of the numbers, closed; the browser draws the tables in it."""
    return html.Section(
        [
            dcc.Store(id=CompareId.NUMBERS_OPEN, data=False),
            dcc.Store(id=CompareId.NUMBERS_VIEW),
            dcc.Store(id=CompareId.NUMBERS_DATA),
            dcc.Store(id=CompareId.NUMBERS_STATE),
            poll(CompareId.NUMBERS_POLL),
            dcc.Download(id=CompareId.NUMBERS_DOWNLOAD),
            _head(),
            html.Div(
                id=CompareId.NUMBERS_TABLES,
                className="numbers-tables",
                tabIndex=0,
                role="region",
                **attributes(aria_label="Table of numbers"),
            ),
        ],
        id=CompareId.NUMBERS,
        hidden=True,
        className="numbers",
        **attributes(aria_label="Numbers"),
    )


def _head() -> html.Div:
    tabs = dbc.RadioItems(
        id=CompareId.NUMBERS_TAB,
        options=[{"value": value, "label": label} for value, label in TABS],
        value=TABS[0][0],
        inline=True,
        className="btn-group btn-group-sm",
        inputClassName="btn-check",
        labelClassName="btn btn-outline-secondary btn-sm",
        labelCheckedClassName="active",
    )
    return html.Div(
        [
            html.Div(tabs, role="group", **attributes(aria_label="Which numbers")),
            html.Span(id=CompareId.NUMBERS_STATUS, className="numbers-status"),
            # Percentages change every second: a screen reader is told only what changes besides.
            html.Span(id=CompareId.NUMBERS_PHASE, className="visually-hidden", role="status"),
            dbc.Switch(
                id=CompareId.NUMBERS_INFLUENCE,
                label="compute influence of regions",
                value=True,
                className="control-support",
            ),
            small_button(
                CompareId.NUMBERS_CSV, "Export CSV", "Save all numbers that are known, as a CSV file"
            ),
            small_button(CompareId.NUMBERS_CLOSE, "Close", "Close the numbers (Esc)"),
        ],
        className="numbers-head",
    )

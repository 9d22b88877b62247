"""The numbers below the table of the compare page: a button, and a section that it opens."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import dcc, html

from app.ids import CompareId
from app.layout.attributes import attributes
from app.layout.polls import poll

TABS = (
    ("guidance", "Guidance by region"),
    ("influence", "Influence"),
    ("checklist", "The paper's requirements"),
)
"""The tables, by the names that the browser draws them under."""


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
            _button(CompareId.NUMBERS_CSV, "Export CSV", "Save all numbers that are known, as a CSV file"),
            _button(CompareId.NUMBERS_CLOSE, "Close", "Close the numbers (Esc)"),
        ],
        className="numbers-head",
    )


def _button(id: str, text: str, title: str) -> dbc.Button:
    return dbc.Button(text, id=id, size="sm", color="secondary", outline=True, title=title)

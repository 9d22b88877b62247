"""The compare page: its head, the place where the browser draws the table, and the numbers below it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html

from app.guard.visitors import new_viewer
from app.ids import CompareColumn, CompareId, Panel
from app.layout.brush import change_open, change_panel
from app.layout.explain import explain_open, explain_panel
from app.layout.export_menu import COLUMN_LABELS, export_menu
from app.layout.head import (
    air_and_grays,
    guidance_button,
    method_buttons,
    newer_weights,
    page_head,
    rgb_ranges,
    scale_strip,
    status_row,
    tool_bar,
    tool_button,
    zoom_field,
)
from app.layout.help import help_panel
from app.layout.maps import ABOUT_MAPS
from app.layout.pair_notes import beside_pairs
from app.layout.panels import ABOUT, ABOUT_FUSED_COLOUR, POLE
from app.layout.parts import SMALL, Choice, attributes, labelled, menu, opener, options, poll, small_button
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


def compare_page(
    pairs: Sequence[tuple[str, str]], methods: Sequence[Choice], home: str, networks: bool = False
) -> html.Div:
    """Make the page anew for one visitor.

    Parameters
    ----------
    pairs, methods : sequence of (value, label), with a reason where it cannot be chosen
        What the two menus offer.
    home : str
        Address of the first page.
    networks : bool
        Whether visitors may bring networks.
    """
    first = CompareState()
    # The browser leaves out of its links what the first view has, and finds the routes from here.
    facts = attributes(
        data_home=home,
        data_first=json.dumps(first.model_dump(mode="json")),
        data_largest_zoom=str(LARGEST_ZOOM),
        data_about=json.dumps(explanations()),
        aria_label="Table of methods and their pictures",
    )
    return html.Div(
        [
            dcc.Location(id=CompareId.LOCATION, refresh=False),
            dcc.Store(id=CompareId.VIEWER, data=new_viewer()),
            dcc.Store(id=CompareId.START),
            dcc.Store(id=CompareId.SCENES),
            dcc.Store(id=CompareId.PROGRESS),
            dcc.Store(id=CompareId.SHOWN),
            dcc.Store(id=CompareId.RETRY),
            *region_store(),
            poll(CompareId.POLL),
            _head(pairs, methods, home, networks),
            html.Main(id=CompareId.TABLE, className="compare-table", tabIndex=0, **facts),
            _strip(methods, first),
            numbers_panel(),
            status_row(
                "Point at a pixel to see where it comes from. Click to pin; Shift and click pins a second one.",
                CompareId.STATUS_LINE,
                CompareId.GUIDANCE_STATUS,
                CompareId.GUIDANCE_PROGRESS,
                guidance_button(CompareId.GUIDANCE_BUTTON, "Cancel guidance"),
            ),
            html.Div(id=CompareId.NOTICES, className="notices"),
            help_panel("compare", home),
            views_panel(home, "compare"),
            region_panel(
                home, "Choose Box or Lasso above and draw on a picture or a scatterplot of any row."
            ),
            change_panel(),
            explain_panel(),
        ],
        className="page compare-page",
    )


def explanations() -> dict[str, tuple[str, str]]:
    """Return sentences and equation of the inputs and of each column, in the words of the other page.

    The names of x1 and x2, which the browser puts in, stand as ``{0}`` and ``{1}``.
    """
    first, second = ABOUT[Panel.MRI], ABOUT[Panel.PET]
    found = {"inputs": (f"{first[0]} {second[0]}", f"{first[1]}, {second[1]}")}
    for column in CompareColumn:
        name = column.value.removesuffix("_zoom").replace("_", "-")
        kind = column.map_kind
        if column is CompareColumn.FUSED_COLOUR:
            found[column.value] = ABOUT_FUSED_COLOUR
        else:
            found[column.value] = ABOUT[Panel(f"panel-{name}")] if kind is None else ABOUT_MAPS[kind]
    return found


def _head(
    pairs: Sequence[tuple[str, str]], methods: Sequence[Choice], home: str, networks: bool
) -> html.Header:
    columns = [(column.value, label) for column, label in COLUMN_LABELS.items()]
    return page_head(
        "compare",
        home,
        data=[
            labelled("Pair", CompareId.PAIR_SELECT, menu(CompareId.PAIR_SELECT, pairs), "control-pair"),
            beside_pairs(CompareId.PAIR_SELECT, home),
            _several("Methods", CompareId.METHODS, methods, "No method chosen"),
            newer_weights(CompareId.NEWER_WEIGHTS),
        ],
        zoom=[
            zoom_field(
                CompareId.ZOOM_HALF_WIDTH,
                LARGEST_ZOOM,
                None,
                f"Half-width of the zooms in pixels, 1 to {LARGEST_ZOOM}; empty: the largest reach",
            )
        ],
        tools=[_tools()],
        share=[*region_open(), numbers_button(), views_open(), export_menu(home)],
        rest=[
            _several("Columns", CompareId.COLUMNS, columns, "No column chosen"),
            rgb_ranges(),
            *air_and_grays(),
            # `assets/compare/change.mjs` lets it act; links have it.
            html.Button(
                "Mark poles",
                id=CompareId.POLE,
                type="button",
                className=SMALL,
                title=POLE,
                **attributes(aria_pressed="false"),
            ),
            labelled("Size", CompareId.SIZE, menu(CompareId.SIZE, SIZES, SIZES[0][0]), "control-size"),
            change_open(),
            explain_open(),
            *method_buttons(networks),
        ],
    )


def _tools() -> html.Div:
    pins = [
        html.Button(
            sign,
            id=id,
            type="button",
            title=title,
            className=SMALL,
            tabIndex=-1,
            **attributes(aria_label=name),
        )
        for id, sign, name, title in (
            (CompareId.PIN_A, "A", "Pin A", "Pin A: the chosen pixel, or let it go (click on a picture)"),
            (CompareId.PIN_B, "B", "Pin B", "Pin B: a pixel kept for comparison (Shift and click, or key B)"),
            (CompareId.LET_GO, "×", "Let go", "Let go of both pixels (Esc)"),
        )
    ]
    tools = (("point", "pixel"), ("box", "box"), ("lasso", "lasso"))
    return tool_bar([*(tool_button(name, tool) for name, tool in tools), *pins])


def _strip(methods: Sequence[Choice], first: CompareState) -> html.Div:
    shared = dbc.Checkbox(
        id=CompareId.SHARED, label="same for all methods", value=first.shared, className="control-support"
    )
    choices: list[Choice] = [("", "none"), *methods]
    difference = html.Div(
        [
            html.Label("Difference", htmlFor=CompareId.MINUEND),
            menu(CompareId.MINUEND, choices, "", nothing="none"),
            html.Label("−", htmlFor=CompareId.SUBTRAHEND, **attributes(aria_hidden="true")),
            html.Label("Subtracted from it", htmlFor=CompareId.SUBTRAHEND, className="visually-hidden"),
            menu(CompareId.SUBTRAHEND, choices, "", nothing="none"),
            html.Span(id=CompareId.DIFFERENCE_NOTE, className="compare-difference-note", role="status"),
        ],
        className="control compare-difference",
    )
    # The browser fills it where a column shows a map.
    maps = html.Div(
        id=CompareId.MAPS,
        hidden=True,
        className="compare-maps",
        role="group",
        **attributes(aria_label="Maps"),
    )
    return scale_strip(CompareId.COLOUR_SCALE, first, more=[shared, difference, maps])


def _several(text: str, id: str, choices: Sequence[Choice], nothing: str) -> html.Div:
    dropdown = dcc.Dropdown(
        id=id,
        options=options(choices),
        multi=True,
        placeholder=nothing,
        labels={"selected_count": f"{{num_selected}} {text.lower()}"},
        closeOnSelect=False,
        maxHeight=440,
        className="compare-several",
    )
    group = html.Div(dropdown, role="group", **attributes(aria_label=text))
    return html.Div([html.Label(text, htmlFor=id), group], className="control control-several")


def numbers_button() -> html.Button:
    """Make the button that opens and closes the numbers."""
    return opener(
        CompareId.NUMBERS_BUTTON,
        "Numbers",
        "Show or hide the numbers of all methods: by region, by pixel, and the paper's requirements (key N)",
        CompareId.NUMBERS,
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
            _numbers_head(),
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


def _numbers_head() -> html.Div:
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

"""Parts above and below the pictures of both pages: the head of one row, the strip of the scales, the last line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from app.ids import CompareId, Id
from app.layout.parts import (
    SMALL,
    attributes,
    copy_link,
    labelled,
    page_links,
    panel_button,
    progress,
    scale_menu,
    skip_link,
    small_button,
    theme_switch,
)
from app.link.view_state import GAMMAS, ViewState
from fusion.colours import OUTSIDE_SUPPORT

SCALES = (
    ("guidance", "gamma2", "Guidance", "γ2", "A pixel's own influence ∂y(i)/∂x(i), dimensionless"),
    ("jacobian", "gamma1", "Jacobian", "γ1", "Where a pixel comes from, ∂y(i)/∂x, dimensionless"),
)
"""Of each scale of gradients: its name, the id of its gamma, what both are called, and what the scale shows."""
TOOLS = (
    ("pixel", "Pixel", "V", "Point at pixels; dragging moves the chosen one"),
    ("zoom", "Zoom", "Z", "Dragging zooms into the pictures; a double click shows them whole"),
    ("pan", "Pan", "H", "Dragging moves the zoomed pictures; a double click shows them whole"),
    ("box", "Box", "R", "Dragging selects a box as a region of interest"),
    ("lasso", "Lasso", "L", "Dragging selects what it goes around as a region of interest"),
    (
        "brush",
        "Brush",
        "B",
        "Dragging paints on an input; the fused image's true and predicted change are shown",
    ),
)
"""Name, label, key and explanation of what dragging can do, the same on both pages but for the brush."""


PICTURES = {"explore": Id.PICTURES.value, "compare": CompareId.TABLE.value}
"""By page, the id of what its head stands above."""


def page_head(
    page: str,
    home: str,
    data: Sequence[Component],
    zoom: Sequence[Component],
    tools: Sequence[Component],
    share: Sequence[Component],
    rest: Sequence[Component],
) -> html.Header:
    """Make the head of one row.

    Parameters
    ----------
    page : str
        ``explore`` or ``compare``.
    home : str
        Address of the first page; may be empty on that page itself.
    data, zoom, tools, share : sequence of Component
        Pair and methods; the zooms' half-width; what dragging does; regions, views, export. The link comes by itself.
    rest : sequence of Component
        What stands behind the menu.
    """
    own = [html.Div(part, className="head-tools") for part in (data, zoom) if part]
    return html.Header(
        [
            skip_link(PICTURES[page]),
            html.H1(html.A("FuseVis", href=home or "./", className="brand"), className="head-brand"),
            page_nav(page, home),
            *own,
            html.Div(tools, className="head-tools"),
            html.Div([*share, copy_link("copy-link")], className="view-buttons"),
            html.Div(
                [_menu([_catalogue_open(), *rest, _jobs_link(home)]), theme_switch("theme-switch"), _help()],
                className="head-tools head-end",
            ),
        ],
        className="page-head",
    )


def newer_weights(id: str) -> html.Button:
    """Make the button that is there while weights are shown that have been trained anew since."""
    return html.Button(
        "Newer weights exist",
        id=id,
        type="button",
        hidden=True,
        title="These are the weights that the link was made with. Show the same view with today's.",
        className=SMALL,
    )


def page_nav(page: str, home: str) -> html.Nav:
    """Make the links between the pages; the one that is open is named and leads nowhere."""
    return html.Nav(page_links(page, home), className="page-links", **attributes(aria_label="Pages"))


def icon(name: str) -> html.Span:
    """Make an icon of ``styles/head.css``, which says nothing by itself."""
    return html.Span(className=f"icon icon-{name}", **attributes(aria_hidden="true"))


def tool_label(name: str, label: str, key: str, explanation: str) -> html.Span:
    """Make what stands on a tool: an icon for the eye, a name for those who do not see it, a tooltip for both."""
    return html.Span(
        [icon(name), html.Span(label, className="visually-hidden")],
        title=f"{label}: {explanation} (key {key})",
    )


def tool_choice(id: str) -> html.Div:
    """Make the tools of the explore page. Being radio buttons of one name, they are one stop of the keyboard."""
    items = dbc.RadioItems(
        id=id,
        name=id,
        options=[{"value": tool[0], "label": tool_label(*tool)} for tool in TOOLS],
        value="pixel",
        inline=True,
        className="btn-group btn-group-sm toolbar-mode",
        inputClassName="btn-check",
        labelClassName="btn btn-outline-secondary btn-sm",
        labelCheckedClassName="active",
    )
    return html.Div(items, role="group", **attributes(aria_label="What dragging in a picture does"))


def tool_bar(tools: Sequence[Component]) -> html.Div:
    """Put buttons into a toolbar, one stop of the keyboard; ``assets/views/head.mjs`` moves along it."""
    return html.Div(
        tools, role="toolbar", className="btn-group btn-group-sm tool-bar", **attributes(aria_label="Tools")
    )


def tool_button(name: str, tool: str) -> html.Button:
    """Make the button of a tool of `TOOLS`, which the compare page knows as `name`."""
    (found,) = [one for one in TOOLS if one[0] == tool]
    _, label, key, explanation = found
    return html.Button(
        icon(tool),
        type="button",
        title=f"{label}: {explanation} (key {key})",
        className=SMALL,
        tabIndex=0 if name == "point" else -1,
        **attributes(data_tool=name, aria_label=label, aria_pressed=str(name == "point").lower()),
    )


def zoom_field(id: str, most: int, value: int | None, explanation: str) -> html.Div:
    """Make the field of the zooms' half-width; empty, it says ``auto``."""
    field = dbc.Input(
        id=id,
        type="number",
        min=1,
        max=most,
        step=1,
        value=value,
        placeholder="auto",
        size="sm",
        debounce=False,
    )
    return labelled("Zoom ±", id, html.Span(field, title=explanation), "control-zoom")


def scale_strip(scale: str, first: ViewState, more: Sequence[Component] = ()) -> html.Div:
    """Make the strip of the scales: a colour bar each, its gamma beside it, the colours, and how they were at first.

    Parameters
    ----------
    scale : str
        Id of the menu of colour scales.
    first : ViewState
        The page's first view, with both gammas and the colours as they are at first.
    more : sequence of Component
        What stands at the end.
    """
    gammas = {"gamma1": first.gamma1, "gamma2": first.gamma2}
    intensity = html.Span("Intensity", **attributes(data_scale_name="intensity"))
    groups = [html.Div([intensity, *_bar("intensity")], className="scale")]
    for name, gamma, text, sign, shown in SCALES:
        outside = [_outside()] * (name == "jacobian")
        label = html.Label(sign, htmlFor=gamma, title=shown)
        parts = [
            html.Span(text, title=shown),
            *_bar(name),
            *outside,
            label,
            *_gamma(gamma, f"{text} {sign}", gammas[gamma]),
        ]
        groups.append(html.Div(parts, className="scale"))
    reset = html.Button(
        "Reset",
        type="button",
        className=f"{SMALL} scale-reset",
        title="Both gammas and the colours as they are at first",
        **attributes(
            data_scale=scale,
            data_first=first.scale.value,
            **{f"data_{name}": str(gamma) for name, gamma in gammas.items()},
        ),
    )
    parts = [*groups, scale_menu(scale, first.scale), reset, *more]
    return html.Div(parts, className="scale-strip", **region("Colour scales"))


def status_row(hint: str, line: str, status: str, bar: str, button: Component) -> html.Div:
    """Make the last line of a page: how the numbers came, and at its end how far guidance images are.

    Parameters
    ----------
    hint : str
        What those who are new here do first; it goes with the first pixel that they pin (``assets/core/hint.mjs``).
    line : str
        Id of what says how the last answer came.
    status, bar : str
        Ids of the words and of the bar.
    button : Component
        What stops the computation, or goes on with it.
    """
    guidance = html.Div(
        [
            # A screen reader is told by `assets/core/announce.mjs`, and not of every percent.
            html.Span(
                "Guidance images",
                id=status,
                className="guidance-status",
                role="status",
                **attributes(aria_live="off"),
            ),
            progress(bar, "Progress of guidance images", "guidance-progress"),
            button,
        ],
        className="control-guidance",
    )
    words = html.Div(
        [html.Span(hint, className="pin-hint"), html.Div(id=line, className="status-line")],
        className="status-words",
    )
    return html.Div([words, guidance], className="status-row", **region("Status"))


def region(name: str) -> dict[str, Any]:
    """Return the attributes of a part of the page to which a screen reader can jump."""
    return {"role": "region", **attributes(aria_label=name)}


def guidance_button(id: str, text: str) -> dbc.Button:
    """Make the button that stops the computation of guidance images, or goes on with it."""
    return small_button(id, text, "Stop computing guidance images, or go on", disabled=True)


def rgb_ranges() -> html.Span:
    """Make the switch of the ranges that red and green of guidance RGB have; both pages know it by the same id."""
    switch = dbc.Checkbox(
        id=Id.RGB_COMMON, label="RGB on one range", value=False, className="control-support"
    )
    return html.Span(
        switch,
        title="Guidance RGB: red and green on one common range, so that they can be compared; else each on its own, as "
        "in the paper",
    )


def air_and_grays() -> list[html.Span]:
    """Make the switches of the air and of the gray scale; both pages know them by the same ids."""
    air = dbc.Checkbox(id=Id.AIR, label="count the air", value=False, className="control-support")
    gray = dbc.Checkbox(id=Id.GRAY, label="own gray scale", value=False, className="control-support")
    return [
        html.Span(
            air,
            title="Air: what is outside of the head, or where both inputs are 0. Left out, it is hatched in guidance "
            "images, and no scale, scatterplot or number has it",
        ),
        html.Span(
            gray,
            title="Fused images: black to white is 0 to 1, so that they can be compared, and what goes further is cut "
            "off; on their own scale black and white are as far as they go",
        ),
    ]


def _outside() -> html.Span:
    """Say which colour Jacobian images have where a method does not reach."""
    swatch = html.Span(
        className="swatch", style={"backgroundColor": "rgb({},{},{})".format(*OUTSIDE_SUPPORT)}
    )
    return html.Span(
        [swatch, html.Span("out of reach", className="scale-outside-words")],
        className="scale-outside",
        title="Gray in Jacobian images: what the method does not reach, where no input pixel can act; exactly 0",
    )


def _bar(name: str) -> list[Component]:
    """Make a colour bar with its ends; ``assets/explore/scale-bars.mjs`` draws it."""
    ends = [
        html.Span(className="scale-end", **attributes(data_end=f"{name}-{end}")) for end in ("low", "high")
    ]
    bar = html.Canvas(
        className="scale-bar", width=96, height=1, **attributes(data_bar=name, aria_hidden="true")
    )
    return [ends[0], bar, ends[1]]


def _gamma(id: str, text: str, value: float) -> list[Component]:
    """Make the slider of a gamma, and the field that says its number and takes another."""
    slider = dcc.Slider(
        id=id, min=GAMMAS[0], max=GAMMAS[1], step=0.05, value=value, marks=None, updatemode="drag",
        allow_direct_input=False,
    )  # fmt: skip
    # A label cannot name the slider's thumb; a group around it can.
    group = html.Div(slider, className="gamma-slider", role="group", **attributes(aria_label=text))
    number = dbc.Input(
        id=f"{id}-number",
        type="number",
        min=GAMMAS[0],
        max=GAMMAS[1],
        step=0.05,
        value=value,
        size="sm",
        className="gamma-number",
        debounce=False,
    )
    name = html.Label(f"{text}, number", htmlFor=f"{id}-number", className="visually-hidden")
    return [group, name, number]


def _menu(rest: Sequence[Component]) -> html.Details:
    opener = html.Summary(
        icon("more"), className=SMALL, title="More", **attributes(aria_label="More of this page")
    )
    return html.Details([opener, html.Div(rest, className="head-menu-parts")], className="head-menu")


def _catalogue_open() -> html.Button:
    """Make the button of the list of all pairs, which ``assets/uploads/catalogue.mjs`` opens."""
    return panel_button(
        Id.CATALOGUE_OPEN,
        "All pairs …",
        "All pairs in small: search them, and see what of the data folder is in none",
        **attributes(aria_haspopup="dialog"),
    )


def method_buttons(networks: bool) -> list[Component]:
    """Make the button of the methods' cards and, where the server takes networks, that of one's own.

    ``assets/networks`` opens both.
    """
    dialog = attributes(aria_haspopup="dialog")
    card = panel_button(
        Id.METHOD_CARD_OPEN,
        "Method card …",
        "Source, support, way and cost of derivatives of this method, what was checked, and what is adapted",
        **dialog,
    )
    own = panel_button(
        Id.NETWORKS_OPEN,
        "Your networks …",
        "Bring a network as an ONNX file, and see those that you have brought",
        **dialog,
    )
    return [card, own] if networks else [card]


def _jobs_link(home: str) -> html.A:
    about = "What the server computes in the background now, for whom, and how long yet"
    return html.A("Jobs", href=f"{home}jobs", title=about, className=SMALL)


def _help() -> html.Button:
    """Make the button of the help, which ``assets/views/head.mjs`` opens."""
    return html.Button(
        "?",
        id="help-open",
        type="button",
        className=SMALL,
        title="What each picture is and how to read it",
        **attributes(aria_label="Help"),
    )

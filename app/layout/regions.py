"""The panel of the regions of interest, which both pages have; ``assets/regions/list.mjs`` fills it."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from app.ids import RegionId
from app.layout.parts import attributes, opener, panel_button, side_panel

OPERATIONS = (
    ("replace", "A selection becomes the region"),
    ("add", "A selection joins the region (Shift)"),
    ("subtract", "A selection leaves the region (Alt)"),
)
ACTIONS = (
    (RegionId.NEW, "New", "Begin another region"),
    (RegionId.INVERT, "Invert", "All pixels but those of the chosen region"),
    (RegionId.CLEAR, "Clear", "Empty the chosen region"),
    (RegionId.UNDO, "Undo", "Take the last change of a region back (Ctrl+Z)"),
    (RegionId.REDO, "Redo", "Change it again (Ctrl+Shift+Z)"),
    (RegionId.KNOWN, "Masks of the pair", "Asking …"),
    (RegionId.IMPORT, "Import PNG", "Read masks: 8-bit PNG of the images' size, 255 inside"),
    (RegionId.EXPORT, "Export PNG", "Save every region as a PNG mask"),
)


def region_store() -> list[dcc.Store]:
    """Make the stores: which regions there are, and what the page is told to take over."""
    return [
        dcc.Store(id=RegionId.REGIONS, data=[]),
        dcc.Store(id=RegionId.GIVEN),
        dcc.Store(id=RegionId.TAKEN),
    ]


def region_open() -> list[Component]:
    """Make the button that opens the panel, and before it the place that says which colour is which region."""
    # The button's own label names the regions for those who do not see the colours.
    legend = html.Span(
        id=RegionId.LEGEND, className="region-legend", hidden=True, **attributes(aria_hidden="true")
    )
    button = opener(
        RegionId.OPEN, "Regions", "Regions of interest: box and lasso, masks, PNG", RegionId.PANEL
    )
    return [legend, button]


def region_panel(home: str, hint: str, numbers: str = "") -> html.Div:
    """Make the panel, closed.

    Parameters
    ----------
    home : str
        Address of the first page.
    hint : str
        How to begin, shown while there is no region.
    numbers : str
        Says where the regions' numbers are, if not on this page.
    """
    operations = html.Select(
        [html.Option(label, value=value) for value, label in OPERATIONS],
        id=RegionId.OPERATION,
        className="form-select form-select-sm",
        **attributes(aria_label="What a selection does"),
    )
    buttons = [panel_button(id, text, title) for id, text, title in ACTIONS]
    parts = [
        operations,
        html.Ul(className="region-list"),
        html.P(hint, className="region-empty"),
        html.P(className="region-rule"),
        *([html.P(numbers)] if numbers else []),
        html.Div(buttons, className="region-actions"),
        html.P(className="region-message", role="status"),
    ]
    return side_panel(RegionId.PANEL, "Regions of interest", RegionId.CLOSE, parts, data_home=home)

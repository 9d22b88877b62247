"""The menu that exports the view, and what pictures are called in menus; ``assets/export/menu.mjs`` acts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

import dash_bootstrap_components as dbc
from dash import html

from app.ids import CompareColumn, ExportId, InputColumn, ZoomColumn
from app.layout.parts import attributes

COLUMN_LABELS: Mapping[StrEnum, str] = {
    CompareColumn.FUSED: "Fused",
    CompareColumn.FUSED_COLOUR: "Fused in colour",
    CompareColumn.GUIDANCE_MRI: "Guidance x1 (MRI)",
    CompareColumn.GUIDANCE_PET: "Guidance x2 (PET)",
    CompareColumn.GUIDANCE_RGB: "Guidance RGB",
    CompareColumn.JACOBIAN_MRI: "Jacobian x1 (MRI), whole",
    CompareColumn.JACOBIAN_PET: "Jacobian x2 (PET), whole",
    CompareColumn.JACOBIAN_MRI_ZOOM: "Jacobian x1 (MRI), zoom",
    CompareColumn.JACOBIAN_PET_ZOOM: "Jacobian x2 (PET), zoom",
    CompareColumn.SCATTER: "Scatterplot",
    CompareColumn.RESPONSE_MRI: "Response to x1 (MRI)",
    CompareColumn.RESPONSE_PET: "Response to x2 (PET)",
    CompareColumn.REACH_MRI: "Reach in x1 (MRI)",
    CompareColumn.REACH_PET: "Reach in x2 (PET)",
    CompareColumn.INFLUENCE_MRI: "All influence of x1 (MRI)",
    CompareColumn.INFLUENCE_PET: "All influence of x2 (PET)",
}
ZOOM_LABELS: Mapping[StrEnum, str] = {
    ZoomColumn.FUSED: "Fused, zoom",
    ZoomColumn.GUIDANCE_MRI: "Guidance x1 (MRI), zoom",
    ZoomColumn.GUIDANCE_PET: "Guidance x2 (PET), zoom",
    ZoomColumn.GUIDANCE_RGB: "Guidance RGB, zoom",
}
INPUT_LABELS: Mapping[StrEnum, str] = {
    InputColumn.MRI: "x1 (MRI)",
    InputColumn.PET: "x2 (PET)",
    InputColumn.MRI_ZOOM: "x1 (MRI), zoom",
    InputColumn.PET_ZOOM: "x2 (PET), zoom",
}


FORMS = (
    ("png", "Picture for print (PNG, 300 dpi)"),
    ("svg", "Picture with text as text (SVG)"),
    ("html", "One HTML file with pictures and numbers"),
    ("csv", "Numbers (CSV)"),
    ("npz", "All arrays (NPZ)"),
)
PANEL_FORMS = (("png", "Save as PNG"), ("svg", "Save as SVG"))


def export_menu(home: str) -> html.Details:
    """Make the menu: a file of each form, one picture alone, and a line that says why where there is none yet.

    Parameters
    ----------
    home : str
        Address of the first page, where the routes are.
    """
    choices = [
        html.Button(label, type="button", className="export-choice", **attributes(data_export=form))
        for form, label in FORMS
    ]
    complete = html.Div(
        dbc.Checkbox(id=ExportId.COMPLETE, label="Compute missing numbers first (HTML, CSV)", value=False),
        className="export-complete",
        title="The influence on regions may take minutes. Without it, files have what is known.",
    )
    status = html.Div(className="export-status", role="status")
    stop = html.Button(
        "Stop waiting", type="button", className="btn btn-outline-secondary btn-sm export-stop", hidden=True
    )
    labels = {
        column.value: label
        for several in (COLUMN_LABELS, ZOOM_LABELS, INPUT_LABELS)
        for column, label in several.items()
    }
    return html.Details(
        [
            html.Summary(
                "Export",
                className="btn btn-outline-secondary btn-sm",
                title="Take this view away as a file",
            ),
            html.Div([*choices, complete, _one_picture(), status, stop], className="export-choices"),
        ],
        id=ExportId.MENU,
        className="export-menu",
        **attributes(data_home=home, data_labels=json.dumps(labels)),
    )


def _one_picture() -> html.Div:
    """Make the choice of one picture, by its row and its column; the browser knows which there are."""
    menus = [
        html.Div(
            [html.Label(text, htmlFor=id), html.Select(id=id, className="form-select form-select-sm")],
            className="export-select",
        )
        for text, id in (("Row", ExportId.ROW), ("Picture", ExportId.COLUMN))
    ]
    buttons = [
        html.Button(
            label,
            type="button",
            className="btn btn-outline-secondary btn-sm",
            **attributes(data_export_panel=form, aria_label=f"{label}: the chosen picture"),
        )
        for form, label in PANEL_FORMS
    ]
    return html.Div(
        [
            html.Div("One picture", className="export-title"),
            *menus,
            html.Div(buttons, className="export-buttons"),
        ],
        className="export-panel",
        role="group",
        **attributes(aria_label="One picture"),
    )

"""The menu that exports the view; ``assets/compare-75-export.js`` acts."""

from __future__ import annotations

from dash import html

from app.layout.attributes import attributes

FORMS = (
    ("png", "Picture for print (PNG, 300 dpi)"),
    ("svg", "Picture with text as text (SVG)"),
    ("html", "One HTML file with pictures and numbers"),
    ("npz", "All arrays (NPZ)"),
)


def export_menu(id: str) -> html.Details:
    """Make the menu: a file of each form, and a line that says why where there is none yet."""
    choices = [
        html.Button(
            label,
            type="button",
            className="compare-export-choice",
            **attributes(data_export=form),
        )
        for form, label in FORMS
    ]
    status = html.Div(className="compare-export-status", role="status")
    return html.Details(
        [
            html.Summary(
                "Export",
                className="btn btn-outline-secondary btn-sm",
                title="Take this view away as a file",
            ),
            html.Div([*choices, status], className="compare-export-choices"),
        ],
        id=id,
        className="compare-export",
    )

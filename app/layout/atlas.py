"""The button of the atlas, and the window that it opens."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

from app.ids import Id
from app.layout.polls import poll


def atlas_button() -> dbc.Button:
    """Make the button; its label says how far the atlas is."""
    return dbc.Button(
        "Atlas …",
        id=Id.ATLAS_BUTTON,
        size="sm",
        color="secondary",
        outline=True,
        className="atlas-button",
        title="Complete atlas: compute the Jacobian images of all pixels beforehand",
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

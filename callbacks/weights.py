"""Earlier weights, which a link may show: a button leads to the newest ones."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output, State

from app.ids import CompareId, Id


def register(app: Dash) -> None:
    """Add the callbacks of the page of one method."""
    _lead_to_newest(app, Id.NEWER_WEIGHTS, Id.METHOD_SELECT)


def register_compare(app: Dash) -> None:
    """Add the callbacks of the compare page."""
    _lead_to_newest(app, CompareId.NEWER_WEIGHTS, CompareId.METHODS)


def _lead_to_newest(app: Dash, button: str, methods: str) -> None:
    """Let a button be there while a method has earlier weights, and choose the newest ones; both in the browser."""
    app.clientside_callback(
        ClientsideFunction("page", "areNewest"),
        Output(button, "hidden"),
        Input(methods, "value"),
    )
    app.clientside_callback(
        ClientsideFunction("page", "chooseNewest"),
        Output(methods, "value", allow_duplicate=True),
        Input(button, "n_clicks"),
        State(methods, "value"),
        prevent_initial_call=True,
    )

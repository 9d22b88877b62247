"""Interactions that need no server: gammas, colour scale, zoom, toolbar and theme act in the browser alone."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output, State

from app.ids import Id, Panel


def register(app: Dash) -> None:
    """Add the callbacks that run in the browser."""
    app.clientside_callback(
        ClientsideFunction("explore", "changeDisplay"),
        Output(Id.DISPLAY, "data"),
        Input(Id.GAMMA_1, "value"),
        Input(Id.GAMMA_2, "value"),
        Input(Id.COLOUR_SCALE, "value"),
        Input(Id.ZOOM_HALF_WIDTH, "value"),
        Input(Id.ZOOM_FOLLOWS_SUPPORT, "value"),
        Input(Id.RGB_COMMON, "value"),
        Input(Id.AIR, "value"),
        Input(Id.GRAY, "value"),
        Input(Id.GUIDANCE_LIMITS, "data"),
        Input(Id.SCENE, "data"),
        State(Id.START_PIXEL, "data"),
        State(Id.START_AREA, "data"),
        State(Id.START_MAPS, "data"),
        State(Id.START_COLOUR, "data"),
        State(Id.VIEWER, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("explore", "showGreenPoints"),
        Output(Id.GREEN_POINTS_SHOWN, "data"),
        Input(Id.GREEN_POINTS, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("explore", "changeMode"),
        Output(Id.BROWSER, "data"),
        Input(Id.TOOLBAR_MODE, "value"),
        Input(Panel.FUSED, "figure"),
    )
    app.clientside_callback(
        ClientsideFunction("page", "changeTheme"),
        Output(Id.THEME_SWITCH, "children"),
        Input(Id.THEME_SWITCH, "n_clicks"),
    )

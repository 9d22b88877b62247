"""The compare page: the scenes of the chosen methods, and their guidance images one after another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from app.ids import CompareId
from cache.errors import UserError
from cache.services.services import Services, services_of
from callbacks.following import (
    CANCELLED,
    COMPLETE,
    FAILED,
    RUNNING,
    WAITING,
    causes,
    clicks,
    leave,
    let_go,
    one_at_a_time,
    plain,
)
from callbacks.selection import note, scene_data

CANCEL, COMPUTE = "Cancel guidance", "Compute guidance"
"""What stands on the button, which says what a click would do."""


def register(app: Dash) -> None:
    """Add the page's callbacks."""
    services = services_of(app.server)
    choose_scenes(app, services)
    follow_guidance(app, services)
    draw_in_browser(app)


def choose_scenes(app: Dash, services: Services) -> None:
    """Add the callback that tells the browser of each chosen method."""

    @app.callback(
        Output(CompareId.SCENES, "data"),
        Input(CompareId.PAIR_SELECT, "value"),
        Input(CompareId.METHODS, "value"),
        # A second try at what could not be opened; guidance images that have failed begin again with the scenes.
        Input(CompareId.RETRY, "data"),
        running=[(Output(CompareId.TABLE, "className"), "compare-table opening", "compare-table")],
    )
    def choose(pair: str | None, methods: list[str] | None, _retries: float | None) -> Any:
        return no_update if not pair else chosen_scenes(services, pair, methods or [])


def follow_guidance(app: Dash, services: Services) -> None:
    """Add the callback that starts, follows and cancels the computation of guidance images, one after the other."""

    @app.callback(
        Output(CompareId.PROGRESS, "data"),
        Output(CompareId.POLL, "disabled"),
        Output(CompareId.GUIDANCE_BUTTON, "children"),
        Output(CompareId.GUIDANCE_BUTTON, "disabled"),
        Input(CompareId.SCENES, "data"),
        Input(CompareId.POLL, "n_intervals"),
        Input(CompareId.GUIDANCE_BUTTON, "n_clicks"),
        State(CompareId.VIEWER, "data"),
        State(CompareId.PROGRESS, "data"),
        State(CompareId.GUIDANCE_BUTTON, "children"),
        running=one_at_a_time(CompareId.POLL),
    )
    def follow(
        scenes: list[dict[str, Any]] | None,
        _polls: int | None,
        _clicks: int | None,
        viewer: str,
        shown: dict[str, Any] | None,
        button: str,
    ) -> tuple[Any, ...]:
        if scenes is None:
            return no_update, True, no_update, True
        leave(services, {scene.get("key") for scene in scenes}, shown or {}, viewer)
        called_by = causes()
        polled = called_by == {CompareId.POLL}
        if CompareId.GUIDANCE_BUTTON in clicks(called_by, CompareId.SCENES) and button == CANCEL:
            return cancelled(services, shown or {}, viewer), True, COMPUTE, False
        if polled and button == COMPUTE:
            # A poll that was on its way when the computations were cancelled must not start them again.
            return no_update, True, no_update, no_update
        states = progress(services, scenes, shown or {}, viewer, retry=not polled)
        ended = all(state["stage"] in (COMPLETE, FAILED) for state in states.values())
        return states, ended, CANCEL, ended


def draw_in_browser(app: Dash) -> None:
    """Add the callbacks that run in the browser."""
    app.clientside_callback(
        ClientsideFunction("compare", "change"),
        Output(CompareId.SHOWN, "data"),
        Input(CompareId.SCENES, "data"),
        Input(CompareId.PROGRESS, "data"),
        Input(CompareId.COLUMNS, "value"),
        Input(CompareId.GAMMA_1, "value"),
        Input(CompareId.GAMMA_2, "value"),
        Input(CompareId.COLOUR_SCALE, "value"),
        Input(CompareId.SHARED, "value"),
        Input(CompareId.ZOOM_HALF_WIDTH, "value"),
        Input(CompareId.SIZE, "value"),
        Input(CompareId.MINUEND, "value"),
        Input(CompareId.SUBTRAHEND, "value"),
        Input(CompareId.RGB_COMMON, "value"),
        Input(CompareId.AIR, "value"),
        Input(CompareId.GRAY, "value"),
        State(CompareId.PAIR_SELECT, "value"),
        State(CompareId.START, "data"),
        State(CompareId.VIEWER, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("compare", "tellGuidance"),
        Output(CompareId.GUIDANCE_STATUS, "children"),
        Output(CompareId.GUIDANCE_PROGRESS, "value"),
        Input(CompareId.PROGRESS, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("page", "changeTheme"),
        Output(CompareId.THEME_SWITCH, "children"),
        Input(CompareId.THEME_SWITCH, "n_clicks"),
    )


def chosen_scenes(services: Services, pair: str, methods: list[str]) -> list[dict[str, Any]]:
    """Return what the browser must know of each method; one that cannot be had says why and spoils no other."""
    titles = {id: title for id, title, _ in services.scenes.choices_with(methods)}
    scenes: list[dict[str, Any]] = []
    for method in methods:
        try:
            scene = services.scenes.open(pair, method)
        except UserError as error:
            if method not in titles:
                raise
            scenes.append({"method_id": method, "method_title": titles[method], "error": str(error)})
        else:
            scenes.append({**scene_data(scene), "reach": note(scene), "error": None})
    return scenes


def cancelled(services: Services, shown: dict[str, Any], viewer: str) -> dict[str, Any]:
    """Take this viewer's interest in all guidance images back that are not complete; return what is shown then."""
    states = dict(shown)
    for key, state in shown.items():
        if state["stage"] in (RUNNING, WAITING):
            let_go(services, state, viewer)
            states[key] = {**state, "stage": CANCELLED}
    return states


def progress(
    services: Services, scenes: list[dict[str, Any]], shown: dict[str, Any], viewer: str, retry: bool
) -> dict[str, Any]:
    """Return how far the guidance images of each scene are, by key; the first that is not done is started.

    Parameters
    ----------
    services : Services
        What computes them.
    scenes : list of dict
        Of `chosen_scenes`.
    shown : dict
        What this function returned before; what was complete is not looked at again.
    viewer : str
        Who asks.
    retry : bool
        Whether a computation that failed is to be tried again.
    """
    states: dict[str, Any] = {}
    busy = False
    for scene in scenes:
        if scene["error"] is not None:
            continue
        before = shown.get(scene["key"], {}).get("stage")
        if before == COMPLETE or (before == FAILED and not retry):
            states[scene["key"]] = shown[scene["key"]]
            continue
        origin = {"pair_address": scene["pair_address"], "method_id": scene["method_id"]}
        try:
            address = services.scenes.open(**origin)
            state = services.guidance.state(address, viewer, start=False)
            if not (busy or state.complete or state.running or (state.error is not None and not retry)):
                state = services.guidance.state(address, viewer)
                if state.note is not None and not state.running:
                    state = replace(
                        state, error=f"Not computed here: {state.note} on the page of one method."
                    )
            states[scene["key"]] = {**origin, **plain(state)}
        except UserError as error:
            states[scene["key"]] = {
                **origin,
                "stage": FAILED,
                "fraction": 0.0,
                "revision": 0,
                "error": str(error),
            }
        busy = busy or states[scene["key"]]["stage"] == RUNNING
    return states

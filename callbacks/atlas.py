"""The atlas of a scene: what it would cost, making it in the background, stopping it."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, no_update

from app.ids import Id
from cache.errors import UserError
from cache.services.atlases import Atlases, AtlasState
from cache.services.scenes import Scene
from cache.services.services import Services, services_of
from callbacks.following import causes, clicks, one_at_a_time


def register(app: Dash) -> None:
    """Add the callback behind the atlas button and its window."""
    services, atlases = services_of(app.server), services_of(app.server).atlases

    @app.callback(
        Output(Id.ATLAS_WINDOW, "is_open"),
        Output(Id.ATLAS_TEXT, "children"),
        Output(Id.ATLAS_PROGRESS, "value"),
        Output(Id.ATLAS_START, "disabled"),
        Output(Id.ATLAS_STOP, "disabled"),
        Output(Id.ATLAS_BUTTON, "children"),
        Output(Id.ATLAS_POLL, "disabled"),
        Input(Id.ATLAS_BUTTON, "n_clicks"),
        Input(Id.SCENE, "data"),
        Input(Id.ATLAS_START, "n_clicks"),
        Input(Id.ATLAS_STOP, "n_clicks"),
        Input(Id.ATLAS_POLL, "n_intervals"),
        State(Id.VIEWER, "data"),
        prevent_initial_call=True,
        running=one_at_a_time(Id.ATLAS_POLL),
    )
    def follow(
        _opens: int | None,
        scene: dict[str, Any] | None,
        _starts: int | None,
        _stops: int | None,
        _polls: int | None,
        viewer: str,
    ) -> tuple[Any, ...]:
        if scene is None:
            return (no_update,) * 7
        return followed(services, atlases, scene, causes(), viewer)


def followed(
    services: Services, atlases: Atlases, scene: dict[str, Any], called_by: frozenset[str], viewer: str
) -> tuple[Any, ...]:
    """Do what a click asks for, and return the window's state; see `register` for the order.

    Parameters
    ----------
    services, atlases
        What computes.
    scene : dict
        Of `callbacks.selection.scene_data`.
    called_by : frozenset of str
        Ids of what was clicked or has changed.
    viewer : str
        Who asks.
    """
    opened: Any = True if Id.ATLAS_BUTTON in called_by else no_update
    clicked = clicks(called_by, Id.SCENE)
    try:
        address = services.scenes.open(scene["pair_address"], scene["method_id"])
        if Id.ATLAS_START in clicked:
            atlases.start(address, viewer)
        elif Id.ATLAS_STOP in clicked:
            atlases.cancel(address, viewer)
        state = atlases.state(address, viewer)
        stopping = Id.ATLAS_STOP in clicked and state.running
        text = description(atlases, address, state, announce=Id.ATLAS_BUTTON in called_by)
    except UserError as error:
        return opened, str(error), 0, True, True, "Atlas …", True
    return (
        opened,
        "Stopping; the tiles that are complete stay." if stopping else text,
        round(100 * state.fraction),
        state.running or state.complete or not state.possible,
        not state.running or stopping,
        caption(state),
        not state.running,
    )


def description(atlases: Atlases, scene: Scene, state: AtlasState, announce: bool) -> Any:
    """Say what the atlas is, or would be; only a click on the button is worth the time of an estimate."""
    name = f"{scene.method_title} on {scene.pair_title}"
    if not state.possible:
        return f"{scene.method_title} sees the whole image from every pixel: it has no atlas."
    if state.complete:
        return f"The atlas of {name} is complete. Hovering reads from it."
    if state.error is not None:
        return f"The atlas of {name} could not be made: {state.error}"
    if state.running:
        return f"Computing the Jacobian images of all pixels, {name}: {state.fraction:.0%}."
    if not announce:
        return f"The atlas of {name} is not being made. What is computed stays; Start goes on with it."
    return f"All {scene.height * scene.width:,} Jacobian images, {name}: {atlases.estimate(scene).sentence()}"


def caption(state: AtlasState) -> str:
    """Return what stands on the button."""
    if state.complete:
        return "Atlas ✓"
    return f"Atlas {state.fraction:.0%}" if state.running else "Atlas …"

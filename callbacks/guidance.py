"""Guidance images as they grow, guidance RGB, the scatterplot, and the button that cancels."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from app.figures.empty import empty_figure
from app.figures.images import gradient_colours, gradient_figure, rgb_figure
from app.figures.scales import Limits, Scale
from app.figures.scatter import scatter_figure
from app.ids import GUIDANCE_PANELS, Id, Panel
from cache.errors import UserError
from cache.services.guidance import GuidanceState
from cache.services.services import Services, services_of
from callbacks.polling import one_at_a_time
from callbacks.selection import meta_of
from fusion import guidance_rgb
from fusion.saliency.preview import filled

PANELS = (*GUIDANCE_PANELS, Panel.GUIDANCE_RGB, Panel.SCATTER)
PICTURE_STEP, POINTS_STEP = 0.04, 0.25
"""Parts of the computation after which growing pictures, and the scatterplot, are drawn again."""


def register(app: Dash) -> None:
    """Add the callback that starts, follows and cancels the computation of guidance images."""
    services = services_of(app.server)

    @app.callback(
        *(Output(panel, "figure") for panel in PANELS),
        Output(Id.GUIDANCE_LIMITS, "data"),
        Output(Id.GUIDANCE_PROGRESS, "value"),
        Output(Id.GUIDANCE_STATUS, "children"),
        Output(Id.GUIDANCE_BUTTON, "children"),
        Output(Id.GUIDANCE_BUTTON, "disabled"),
        Output(Id.GUIDANCE_POLL, "disabled"),
        Input(Id.SCENE, "data"),
        Input(Id.GUIDANCE_POLL, "n_intervals"),
        Input(Id.GUIDANCE_BUTTON, "n_clicks"),
        State(Id.VIEWER, "data"),
        State(Id.GUIDANCE_LIMITS, "data"),
        State(Id.GAMMA_2, "value"),
        State(Id.COLOUR_SCALE, "value"),
        State(Id.GUIDANCE_BUTTON, "children"),
        running=one_at_a_time(Id.GUIDANCE_POLL),
    )
    def follow(
        scene: dict[str, Any] | None,
        _polls: int | None,
        _clicks: int | None,
        viewer: str,
        shown: dict[str, Any] | None,
        gamma: float,
        scale: str,
        button: str,
    ) -> tuple[Any, ...]:
        if scene is None:
            return (no_update,) * (len(PANELS) + 6)
        cancelling = ctx.triggered_id == Id.GUIDANCE_BUTTON and button == "Cancel"
        polled = ctx.triggered_id == Id.GUIDANCE_POLL
        try:
            leave(services, scene, shown, viewer)
            state = current_state(services, scene, viewer, cancelling, polled)
            figures, limits = news(services, scene, state, shown, gamma, Scale(scale))
        except UserError as error:
            # Say it once, here: the next poll would only fail again.
            nothing = (no_update,) * (len(PANELS) + 1)
            return *nothing, 0, f"Guidance failed: {error}", "Compute", False, True
        return (
            *figures,
            limits,
            round(100 * state.fraction),
            status(state),
            "Cancel" if state.running else "Compute",
            state.complete,
            not state.running,
        )


def leave(services: Services, scene: dict[str, Any], shown: dict[str, Any] | None, viewer: str) -> None:
    """Take this viewer's interest in the scene before back, so that the new one need not wait for it."""
    if shown is None or shown["revision"].startswith(scene["key"]):
        return
    # Where its files are gone, so is whatever there was to stop.
    with suppress(UserError):
        services.guidance.cancel(services.scenes.open(shown["pair_address"], shown["method_id"]), viewer)


def current_state(
    services: Services, scene: dict[str, Any], viewer: str, cancelling: bool, polled: bool
) -> GuidanceState:
    """Ask for the guidance images of a scene, starting or cancelling their computation where it is due."""
    address = services.scenes.open(scene["pair_address"], scene["method_id"])
    if cancelling:
        services.guidance.cancel(address, viewer)
    return services.guidance.state(address, viewer, start=not (cancelling or polled))


def news(
    services: Services,
    scene: dict[str, Any],
    state: GuidanceState,
    shown: dict[str, Any] | None,
    gamma: float,
    scale: Scale,
) -> tuple[tuple[Any, ...], Any]:
    """Return the figures and the limits that have to change, ``no_update`` for those that have not."""
    revision = f"{scene['key']}-{state.revision}-{stage(state)}"
    if not worth_drawing(scene, state, revision, shown):
        return (no_update,) * len(PANELS), no_update
    figures, limits = draw(services, scene, state, revision, gamma, scale)
    if shown is not None and same_points(scene, state, shown):
        figures = (*figures[:-1], no_update)
        limits["points_fraction"] = shown["points_fraction"]
    return figures, limits


def worth_drawing(
    scene: dict[str, Any], state: GuidanceState, revision: str, shown: dict[str, Any] | None
) -> bool:
    """Whether there is enough news since the figures that are shown: drawing them halts the browser a while."""
    if shown is None or not shown["revision"].startswith(scene["key"]):
        return True
    if shown["revision"] == revision:
        return False
    began_or_ended = stage(state) != "growing" or not shown["fraction"]
    return began_or_ended or state.fraction - shown["fraction"] >= PICTURE_STEP


def same_points(scene: dict[str, Any], state: GuidanceState, shown: dict[str, Any]) -> bool:
    """Whether the scatterplot may stay as it is while it grows: its points are the slowest to draw."""
    known = shown["revision"].startswith(scene["key"]) and state.values is not None
    drawn: float | None = shown["points_fraction"]
    if not known or stage(state) != "growing" or not drawn:
        return False  # the few points of the coarse grid are quick to draw, and soon too few
    return state.fraction - drawn < POINTS_STEP


def draw(
    services: Services,
    scene: dict[str, Any],
    state: GuidanceState,
    revision: str,
    gamma: float,
    scale: Scale,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Make the four figures of what is known so far, and the limits of their colour scales."""
    names = scene["modalities"]
    origin = {"revision": revision, "pair_address": scene["pair_address"], "method_id": scene["method_id"]}
    titles = (f"Guidance {names[0]}", f"Guidance {names[1]}", "Guidance RGB", "Guidance scatterplot")
    if state.values is None:
        limits = Limits(0.0, 0.0, 0.0, provisional=True)
        message = absence(state)
        return tuple(empty_figure(title, message) for title in titles), {
            **origin,
            "fraction": 0.0,
            "points_fraction": None,
            **asdict(limits),
        }
    metas = [meta_of(scene, panel, revision=revision) for panel in PANELS]
    limits = Limits.of(state.values, provisional=not state.complete)
    colours = gradient_colours(scale, gamma, limits)
    shown = state.values if state.complete else filled(state.values)
    fused = services.scenes.fused(services.scenes.open(scene["pair_address"], scene["method_id"]))
    figures = (
        gradient_figure(shown[0], titles[0], colours, metas[0]),
        gradient_figure(shown[1], titles[1], colours, metas[1]),
        rgb_figure(guidance_rgb(shown, fused), titles[2], metas[2]),
        scatter_figure(state.values, (names[0], names[1]), titles[3], metas[3]),
    )
    drawn = {"fraction": state.fraction, "points_fraction": state.fraction}
    return figures, {**origin, **drawn, **asdict(limits)}


def stage(state: GuidanceState) -> str:
    """Say where the computation is, for the name of what is drawn; the browser looks for ``complete``."""
    if state.complete:
        return "complete"
    return "growing" if state.running else "stopped"


def absence(state: GuidanceState) -> str:
    """Say why there is no guidance image to show."""
    if state.error is not None:
        return "Failed"
    if state.running:
        return "Computing…"
    return "Cancelled" if state.cancelled else "Not computed"


def status(state: GuidanceState) -> str:
    """Say in words how far the guidance images are."""
    if state.error is not None:
        return f"Guidance failed: {state.error}"
    if state.complete:
        return "Guidance complete"
    if state.running:
        return f"Guidance {state.fraction:.0%}"
    return "Guidance cancelled" if state.cancelled else "Guidance not computed"

"""Guidance images, guidance RGB and the scatterplot, and the button that cancels their computation.

While they grow, the browser fetches them as numbers (``/images``) and draws them itself: through here it is told only
that there are newer ones. Plotly gets its figures once, when the computation has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from dash import Dash, Input, Output, State, no_update
from numpy.typing import NDArray

from app.figures.images import gradient_figure, growing_image, rgb_figure, tiled_image
from app.figures.parts import Figure, colour_scale, empty_figure
from app.figures.scatter import growing_scatter, scatter_figure
from app.ids import GUIDANCE_PANELS, Id, Panel
from cache.errors import UserError
from cache.services.guidance import GuidanceState, followed
from cache.services.images import SAMPLE_POINTS, left_out, sampled
from cache.services.services import Services, services_of
from callbacks.following import COMPLETE, RUNNING, causes, clicks, leave, one_at_a_time, plain, stage
from callbacks.selection import meta_of
from fusion.colours import Limits, Ranges, Scale, counted, guidance_rgb
from fusion.durations import spoken
from fusion.saliency.guidance import filled

PANELS = (*GUIDANCE_PANELS, Panel.GUIDANCE_RGB, Panel.SCATTER)
PICTURE_STEP = 0.04
"""Part of the computation after which growing pictures are fetched and drawn again."""


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
        Input(Id.RGB_COMMON, "value"),
        Input(Id.AIR, "value"),
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
        rgb_common: bool | None,
        air: bool | None,
        viewer: str,
        shown: dict[str, Any] | None,
        gamma: float,
        scale: str,
        button: str,
    ) -> tuple[Any, ...]:
        if scene is None:
            return (no_update,) * (len(PANELS) + 6)
        called_by = causes()
        clicked = Id.GUIDANCE_BUTTON in clicks(called_by, Id.SCENE)
        cancelling, asked = clicked and button == "Cancel", clicked and button == "Compute"
        # Other colours start nothing, as a poll does not.
        polled = bool(called_by) and called_by <= {Id.GUIDANCE_POLL, Id.RGB_COMMON, Id.AIR}
        ranges = Ranges.COMMON if rgb_common else Ranges.OWN
        try:
            leave(services, {scene["key"]}, {shown["key"]: shown} if shown else {}, viewer)
            state = current_state(services, scene, viewer, cancelling, polled, asked)
            figures, limits = news(services, scene, state, shown, gamma, Scale(scale), ranges, bool(air))
        except UserError as error:
            # Say it once, here: the next poll would only fail again.
            state = replace(followed(None), error=str(error))
            figures, limits = (
                (no_update,) * len(PANELS),
                told(scene, state, f"{scene['key']}-gone", axes=False),
            )
        return (
            *figures,
            limits,
            round(100 * state.fraction),
            status(state),
            "Cancel" if state.running else "Compute",
            state.complete,
            not state.running,
        )


def current_state(
    services: Services,
    scene: dict[str, Any],
    viewer: str,
    cancelling: bool,
    polled: bool,
    asked: bool = False,
) -> GuidanceState:
    """Ask for the guidance images of a scene, starting or cancelling their computation where it is due."""
    address = services.scenes.open(scene["pair_address"], scene["method_id"])
    if cancelling:
        services.guidance.cancel(address, viewer)
    state = services.guidance.state(address, viewer, start=not (cancelling or polled), asked=asked)
    # A page polls as long as it follows a computation; a server that was started meanwhile has never heard of it.
    forgotten = polled and not (state.running or state.complete or state.cancelled or state.error)
    return services.guidance.state(address, viewer) if forgotten else state


def news(
    services: Services,
    scene: dict[str, Any],
    state: GuidanceState,
    shown: dict[str, Any] | None,
    gamma: float,
    scale: Scale,
    ranges: Ranges = Ranges.OWN,
    air: bool = True,
) -> tuple[tuple[Any, ...], Any]:
    """Return the figures and what the browser must know, ``no_update`` for those that have not changed.

    Parameters
    ----------
    services : Services
        What has the images.
    scene : dict
        Of `callbacks.selection.scene_data`.
    state : GuidanceState
        How far they are.
    shown : dict or None
        What this function returned before.
    gamma, scale, ranges
        How guidance images and guidance RGB are coloured.
    air : bool
        True where the air is shown and counted too.

    Returns
    -------
    tuple of figures
        Of `PANELS`; while the images grow, once, axes on which the browser draws.
    dict
        See `told`.
    """
    if shown is not None and shown["key"] != scene["key"]:
        shown = None
    revision = f"{scene['key']}-{state.revision}-{stage(state)}"
    if ranges is not Ranges.OWN:
        revision += f"-{ranges}"
    without = left_out(services, services.scenes.open(scene["pair_address"], scene["method_id"]), air)
    if without is not None:
        revision += "-without-air"
    if not worth_drawing(state, revision, shown):
        return (no_update,) * len(PANELS), no_update
    growing = stage(state) == RUNNING
    figures: tuple[Any, ...] = (no_update,) * len(PANELS)
    if not growing:
        figures = final_figures(services, scene, state, revision, gamma, scale, ranges, without)
    elif shown is None or not shown["axes"]:
        figures = growing_figures(scene, without)
    return figures, told(scene, state, revision, growing or state.values is not None, without)


def worth_drawing(state: GuidanceState, revision: str, shown: dict[str, Any] | None) -> bool:
    """Tell whether there is enough news since what is shown: fetching and drawing it takes the browser a while."""
    if shown is None:
        return True
    if shown["revision"] == revision:
        return False
    began_or_ended = stage(state) != RUNNING or shown["stage"] != RUNNING or not shown["fraction"]
    return began_or_ended or state.fraction - shown["fraction"] >= PICTURE_STEP


def told(
    scene: dict[str, Any],
    state: GuidanceState,
    revision: str,
    axes: bool,
    without: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """Return what the browser must know of the images, which it fetches itself while they grow.

    Parameters
    ----------
    scene, state
        As for `news`.
    revision : str
        Another one for each set of images; it begins with the scene's key.
    axes : bool
        True where the panels' graphs have axes by now, on which one can draw.
    without : ndarray of bool, shape (H, W), or None
        What is left out of the ends of the scales.

    Returns
    -------
    dict
        Beside these and the state: the ends of the colour scales, and whether they are ``provisional``.
    """
    limits = Limits() if state.values is None else Limits.of(counted(state.values, without))
    return {
        **plain(state),
        "key": scene["key"],
        "pair_address": scene["pair_address"],
        "method_id": scene["method_id"],
        "known": state.values is not None,
        "revision": revision,
        "axes": axes,
        "provisional": not state.complete,
        **asdict(limits),
    }


def titles_of(scene: dict[str, Any], without: NDArray[np.bool_] | None = None) -> tuple[str, ...]:
    """Return the titles of the figures of `PANELS`; a scatterplot that leaves air out says how many pixels it has."""
    first, second = scene["modalities"]
    plot = "Guidance scatterplot"
    if scene["large"] and scene["height"] * scene["width"] > SAMPLE_POINTS:
        plot += f": {SAMPLE_POINTS:,} pixels, a sample"
    elif without is not None:
        plot += f": {np.count_nonzero(~without):,} pixels without air"
    return f"Guidance {first}", f"Guidance {second}", "Guidance RGB", plot


def growing_figures(scene: dict[str, Any], without: NDArray[np.bool_] | None = None) -> tuple[Figure, ...]:
    """Make axes without anything, on which the browser draws what grows."""
    shape = (scene["height"], scene["width"])
    metas = [meta_of(scene, panel, state="growing") for panel in PANELS]
    titles = titles_of(scene, without)
    images = (growing_image(shape, title, meta) for title, meta in zip(titles[:3], metas[:3], strict=True))
    return *images, growing_scatter(scene["modalities"], titles[3], metas[3])


def final_figures(
    services: Services,
    scene: dict[str, Any],
    state: GuidanceState,
    revision: str,
    gamma: float,
    scale: Scale,
    ranges: Ranges,
    without: NDArray[np.bool_] | None = None,
) -> tuple[Figure, ...]:
    """Make the four figures of what is known when the computation has ended, however it has."""
    titles = titles_of(scene, without)
    if state.values is None:
        return tuple(empty_figure(title, absence(state)) for title in titles)
    metas = [meta_of(scene, panel, revision=revision) for panel in PANELS]
    if scene["large"]:
        return tiled_figures(scene, state.values, metas)
    known = counted(state.values, without)
    colours = colour_scale(scale, gamma, Limits.of(known))
    shown = known if state.complete else counted(filled(state.values), without)
    fused = services.scenes.fused(services.scenes.open(scene["pair_address"], scene["method_id"]))
    return (
        *(
            gradient_figure(image, title, colours, meta, name, without)
            for image, title, meta, name in zip(
                shown, titles[:2], metas[:2], scene["modalities"], strict=True
            )
        ),
        rgb_figure(guidance_rgb(shown, fused, ranges), titles[2], metas[2], without),
        scatter_figure(known, scene["modalities"], titles[3], metas[3]),
    )


def tiled_figures(
    scene: dict[str, Any], values: NDArray[np.float32], metas: Sequence[dict[str, Any]]
) -> tuple[Figure, ...]:
    """Make the four figures of a large pair: axes on which the browser draws tiles, and a sample of the points."""
    titles = titles_of(scene)
    shape = (scene["height"], scene["width"])
    images = (tiled_image(shape, title, meta) for title, meta in zip(titles[:3], metas[:3], strict=True))
    return *images, scatter_figure(sampled(values), scene["modalities"], titles[3], metas[3])


def absence(state: GuidanceState) -> str:
    """Say why there is no guidance image to show."""
    if state.error is not None:
        return "Failed"
    return "Cancelled" if state.cancelled else "Not computed"


def status(state: GuidanceState) -> str:
    """Say in words how far the guidance images are."""
    if state.error is not None:
        return f"Guidance failed: {state.error}"
    if stage(state) == COMPLETE:
        return "Guidance complete"
    if state.running:
        left = None if state.seconds_left is None else f"about {spoken(state.seconds_left)} left"
        return " · ".join(filter(None, (f"Guidance {state.fraction:.0%}", left, state.note)))
    waits = "Guidance cancelled" if state.cancelled else "Guidance not computed"
    return ": ".join(filter(None, (waits, state.note)))

"""The pointer at rest: Plotly's own figures take the final state of the principal pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from dash import Dash, Input, Output, State, no_update
from numpy.typing import NDArray

from app.figures.images import (
    FUSED_INTENSITY,
    INTENSITY,
    air_hatching,
    cut_out,
    gradient_figure,
    gradient_zoom,
    gray_zoom,
    mark_outside,
    opaque_bytes,
    rgb_zoom,
    tiled_image,
)
from app.figures.parts import Figure, colour_scale
from app.figures.scatter import known_points
from app.ids import GUIDANCE_PANELS, IMAGE_PANELS, JACOBIAN_PANELS, Id, Panel
from app.link.view_state import GAMMAS, LARGEST_ZOOM
from cache.services.images import left_out
from cache.services.scenes import Scene
from cache.services.services import Services, services_of
from callbacks.selection import meta_of
from fusion.colours import Grays, Limits, Ranges, Scale, counted, guidance_rgb


@dataclass(frozen=True)
class RestingPixel:
    """The pixel at which the pointer rests and how the page shows it, as the browser says it.

    Attributes
    ----------
    row, col : int
        The principal pixel.
    half : int
        Half-width of the zooms, pixels.
    gamma1, gamma2 : float
        Gamma of the Jacobian and of the guidance images.
    scale : Scale
        The colour scale of gradients.
    rgb : Ranges
        What red and green of guidance RGB are stretched over.
    air : bool
        True where the air is shown and counted too.
    gray : Grays
        Ends of the gray scale of images.
    end : float or None
        Where that scale ends while guidance images are not complete; ``None``: where the shown window alone would end
        it.
    state, display : str
        The browser's own names of what is shown and of how; figures carry them back, so that it knows whether
        they are up to date.
    """

    key: str
    row: int
    col: int
    half: int
    gamma1: float
    gamma2: float
    scale: Scale
    state: str
    display: str
    end: float | None = None
    rgb: Ranges = Ranges.OWN
    air: bool = True
    gray: Grays = Grays.OWN

    @classmethod
    def of(cls, data: dict[str, Any]) -> RestingPixel:
        """Read what the browser sent; sizes and gammas that the page does not offer become the nearest it does."""
        half = min(max(int(data["half"]), 1), LARGEST_ZOOM)
        gamma1, gamma2 = (min(max(GAMMAS[0], float(data[name])), GAMMAS[1]) for name in ("gamma1", "gamma2"))
        end = float(data.get("end") or 0)
        return cls(
            str(data["key"]), int(data["row"]), int(data["col"]), half, gamma1, gamma2, Scale(data["scale"]),
            str(data["state"]), str(data["display"]), end if 0 < end < math.inf else None,
            Ranges(data.get("rgb", Ranges.OWN)), bool(data.get("air", True)), Grays(data.get("gray", Grays.OWN)),
        )  # fmt: skip

    def meta(self, scene: dict[str, Any], panel: Panel) -> dict[str, Any]:
        """Return what a figure of this state carries."""
        return meta_of(
            scene, panel, row=self.row, col=self.col, half=self.half, state=self.state, display=self.display
        )


def register(app: Dash) -> None:
    """Add the callback that draws the principal pixel's Jacobian images, zooms and green points."""
    services = services_of(app.server)

    @app.callback(
        *(Output(panel, "figure") for panel in JACOBIAN_PANELS),
        *(Output(panel.zoom, "figure") for panel in IMAGE_PANELS),
        Output(Id.GREEN_POINTS, "data"),
        Input(Id.RESTED_PIXEL, "data"),
        State(Id.SCENE, "data"),
        prevent_initial_call=True,
    )
    def rest(data: dict[str, Any] | None, scene: dict[str, Any] | None) -> tuple[Any, ...]:
        if data is None or scene is None or data["key"] != scene["key"]:
            return (no_update,) * (len(JACOBIAN_PANELS) + len(IMAGE_PANELS) + 1)
        if scene["large"]:
            return axes_at(scene, RestingPixel.of(data))
        return figures_at(services, scene, RestingPixel.of(data))


def figures_at(services: Services, data: dict[str, Any], rest: RestingPixel) -> tuple[Any, ...]:
    """Make both Jacobian figures, the eight zooms and the scatterplot's green points."""
    scene = services.scenes.open(data["pair_address"], data["method_id"])
    window = services.windows.of(scene, rest.row, rest.col)
    dense = window.dense()
    guidance, without = services.guidance.known(scene), left_out(services, scene, rest.air)
    if guidance is not None:
        guidance = counted(guidance, without)
    if guidance is None and rest.end is not None:
        limits = Limits(rest.end, rest.end, rest.end)
    else:
        limits = Limits.of(window.values if guidance is None else guidance)
    jacobian_colours = colour_scale(rest.scale, rest.gamma1, limits)
    guidance_colours = colour_scale(rest.scale, rest.gamma2, limits)
    names = scene.modalities
    wholes = [
        mark_outside(
            gradient_figure(
                dense[index],
                f"Jacobian {names[index]}",
                jacobian_colours,
                rest.meta(data, panel),
                names[index],
            ),
            window.shape,
            window.box,
        )
        for index, panel in enumerate(JACOBIAN_PANELS)
    ]
    jacobians = {panel: (dense[at], jacobian_colours) for at, panel in enumerate(JACOBIAN_PANELS)}
    zooms = [
        _guidance_zoom(services, scene, data, rest, panel, guidance, guidance_colours, without)
        if panel in (*GUIDANCE_PANELS, Panel.GUIDANCE_RGB)
        else _zoom(services, scene, data, rest, panel, jacobians)
        for panel in IMAGE_PANELS
    ]
    for panel, zoom in zip(IMAGE_PANELS, zooms, strict=True):
        if panel in JACOBIAN_PANELS:
            mark_outside(zoom, window.shape, window.box, (rest.row, rest.col), rest.half)
    return *wholes, *zooms, green_points(guidance, rest)


def axes_at(data: dict[str, Any], rest: RestingPixel) -> tuple[Any, ...]:
    """Make the axes of both Jacobian figures and the eight zooms of a large pair, on which the browser draws."""
    shape = (data["height"], data["width"])
    wholes = [
        tiled_image(shape, f"Jacobian {name}", rest.meta(data, panel))
        for name, panel in zip(data["modalities"], JACOBIAN_PANELS, strict=True)
    ]
    nothing = np.full((2 * rest.half + 1,) * 2, np.nan, dtype=np.float32)
    title = f"Zoom ±{rest.half} px"
    zooms = [gray_zoom(nothing, title, rest.meta(data, panel), like=nothing) for panel in IMAGE_PANELS]
    return *wholes, *zooms, None


def green_points(guidance: NDArray[np.floating] | None, rest: RestingPixel) -> dict[str, Any] | None:
    """Return the zoom window's pixels for the scatterplot's green trace.

    The browser puts them into the trace: a change of the figure from here could meet another scene's figure
    there, and would make Dash send and draw all other points again.

    Parameters
    ----------
    guidance : ndarray, shape (2, H, W), or None
        Complete guidance images; ``None`` until they are.
    rest : RestingPixel
        Where the window is.

    Returns
    -------
    dict or None
        ``x`` and ``y`` of the pixels, and which state they belong to.
    """
    if guidance is None:
        return None
    parts = np.stack([cut_out(image, (rest.row, rest.col), rest.half) for image in guidance])
    x, y = known_points(parts.reshape(2, -1))
    return {"key": rest.key, "state": rest.state, "x": x.tolist(), "y": y.tolist()}


def _zoom(
    services: Services,
    scene: Scene,
    data: dict[str, Any],
    rest: RestingPixel,
    panel: Panel,
    jacobians: dict[Panel, tuple[NDArray[np.floating], dict[str, Any]]],
) -> Figure:
    title, meta = f"Zoom ±{rest.half} px", rest.meta(data, panel)
    pixel = (rest.row, rest.col)
    if panel in jacobians:
        image, colours = jacobians[panel]
        name = scene.modalities[JACOBIAN_PANELS.index(panel)]
        return gradient_zoom(cut_out(image, pixel, rest.half), title, colours, meta, name)
    fused = panel is Panel.FUSED
    image = (
        services.scenes.fused(scene) if fused else services.scenes.pair(scene).images[int(panel is Panel.PET)]
    )
    part, unit = cut_out(image, pixel, rest.half), FUSED_INTENSITY if fused else INTENSITY
    return gray_zoom(part, title, meta, image, unit, rest.gray)


def _guidance_zoom(
    services: Services,
    scene: Scene,
    data: dict[str, Any],
    rest: RestingPixel,
    panel: Panel,
    guidance: NDArray[np.floating] | None,
    colours: dict[str, Any],
    without: NDArray[np.bool_] | None,
) -> Figure:
    """Make the zoom of a guidance image or of guidance RGB; of `guidance` what is left out is NaN."""
    title, meta, pixel = f"Zoom ±{rest.half} px", rest.meta(data, panel), (rest.row, rest.col)
    index = int(panel is Panel.GUIDANCE_PET)
    if guidance is None:
        # It is still growing: empty axes, on which the browser paints what it has got so far.
        unknown = np.full((2 * rest.half + 1, 2 * rest.half + 1), np.nan, dtype=np.float32)
        colours = colour_scale(rest.scale, rest.gamma2, Limits())
        return gradient_zoom(unknown, title, colours, meta | {"state": "growing"}, scene.modalities[index])
    if panel is Panel.GUIDANCE_RGB:
        rgb = opaque_bytes(guidance_rgb(guidance, services.scenes.fused(scene), rest.rgb), without)
        return rgb_zoom(cut_out(rgb, pixel, rest.half), title, meta)
    hatching = None if without is None else cut_out(air_hatching(without), pixel, rest.half)
    part = cut_out(guidance[index], pixel, rest.half)
    return gradient_zoom(part, title, colours, meta, scene.modalities[index], hatching)

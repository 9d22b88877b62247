"""Facts on a page's first view, in its HTML, so that the browser draws pictures before Dash and Plotly are ready."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.ids import IMAGE_PANELS, JACOBIAN_PANELS, Panel
from app.link.view_state import FIRST_HALF_WIDTH, ExploreState
from cache.errors import UserError
from cache.services.images import FUSED_COLOUR, INPUT_COLOURS, left_out
from cache.services.scenes import Scene
from cache.services.services import Services
from callbacks.guidance import PANELS, titles_of
from callbacks.link import resolve
from callbacks.selection import fused_title, input_title, scene_data


def first_view(services: Services, search: str) -> dict[str, Any] | None:
    """Read an address as `callbacks.link` does, and say where the pictures of its view are.

    Parameters
    ----------
    services : Services
        What this server has.
    search : str
        The address's query string.

    Returns
    -------
    dict or None
        The scene's ``key``, ``height``, ``width`` and a pixel's ``aspect``, the principal ``pixel``, the ``half``
        width of the zooms in pixels, ``gamma1``, ``gamma2``, ``scale``, ``rgb``, ``air``, ``gray``, the ``titles`` of
        the panels, which of them are in ``colours`` with the kind of their images, the paths of the pictures below
        the page's address (``images``, ``window``) and whether the guidance images are ``complete``. ``None`` where
        there is nothing to show, as the page's callbacks say, or a part of the pictures, which is left to Plotly, or
        a large pair, whose pictures come by tiles.
    """
    state, _ = ExploreState.from_query(search)
    if state.area is not None:
        return None
    try:
        pair, method, pixel, _ = resolve(services, state)
        scene = services.scenes.open(pair, method)
        if scene.large:
            return None
        complete = services.guidance.known(scene) is not None
    except UserError:
        return None
    data = scene_data(scene)
    if pixel is None:
        row, column = scene.default_pixel or (scene.height // 2, scene.width // 2)
        pixel = {"row": row, "col": column}
    without = left_out(services, scene, state.air)
    reach = max(1, *scene.support_radius) if scene.support_radius else FIRST_HALF_WIDTH
    half = reach if state.zoom == "support" else state.zoom
    return {
        "key": data["key"],
        "height": scene.height,
        "width": scene.width,
        "aspect": scene.aspect,
        "pixel": pixel,
        "half": half,
        "titles": panel_titles(scene, data, half, state.colour, without),
        "colours": colour_panels(scene, state.colour),
        "gamma1": state.gamma1,
        "gamma2": state.gamma2,
        "scale": state.scale.value,
        "rgb": state.rgb.value,
        "air": without is None,
        "gray": state.gray.value,
        "images": f"images/{scene.pair_id}/{scene.method_id}/{scene.weights_id}",
        "window": f"{data['jacobian_path']}/{pixel['row']}/{pixel['col']}",
        "complete": complete,
    }


def colour_panels(scene: Scene, fused: bool) -> dict[str, str]:
    """Return which panels are in colour at first, each with the kind of its images."""
    inputs = zip((Panel.MRI, Panel.PET), INPUT_COLOURS, scene.in_colour, strict=True)
    shown = {panel.value: kind for panel, kind, colour in inputs if colour}
    return shown | ({Panel.FUSED.value: FUSED_COLOUR} if fused and shown else {})


def panel_titles(
    scene: Scene, data: dict[str, Any], half: int, colour: bool, without: NDArray[np.bool_] | None = None
) -> dict[str, str]:
    """Return the titles that the figures of all panels will have, by the panels' ids."""
    inputs = {panel: input_title(scene, index) for index, panel in enumerate((Panel.MRI, Panel.PET))}
    jacobians = zip(JACOBIAN_PANELS, (f"Jacobian {name}" for name in scene.modalities), strict=True)
    whole = inputs | dict(jacobians) | dict(zip(PANELS, titles_of(data, without), strict=True))
    zooms = {panel.zoom: f"Zoom ±{half} px" for panel in IMAGE_PANELS}
    fused = fused_title(scene, colour and any(scene.in_colour))
    return {Panel.FUSED.value: fused} | {str(k): v for k, v in whole.items()} | zooms

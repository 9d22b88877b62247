"""Choosing a pair and a method: the inputs, the fused image, and the scene that everything else refers to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dash import Dash, Input, Output, State, no_update

from app.figures.images import FUSED_INTENSITY, gray_figure, tiled_image
from app.ids import Id, Panel
from cache.services.scenes import Scene
from cache.services.services import Services, services_of
from fusion.pair import SQUARE


def register(app: Dash) -> None:
    """Add the callback that changes the scene."""
    services = services_of(app.server)

    @app.callback(
        Output(Panel.MRI, "figure"),
        Output(Panel.PET, "figure"),
        Output(Panel.FUSED, "figure"),
        Output(Id.SCENE, "data"),
        Output(Id.METHOD_NOTE, "children"),
        Input(Id.PAIR_SELECT, "value"),
        Input(Id.METHOD_SELECT, "value"),
        State(Id.SCENE, "data"),
    )
    def choose(pair: str | None, method: str | None, shown: dict[str, Any] | None) -> tuple[Any, ...]:
        if not pair or not method:
            return (no_update,) * 5
        scene = services.scenes.open(pair, method)
        data = scene_data(scene)
        title, meta = f"Fused: {scene.method_title}", meta_of(data, Panel.FUSED)
        if scene.large:
            fused = tiled_image((scene.height, scene.width), title, meta)
        else:
            fused = gray_figure(services.scenes.fused(scene), title, meta, FUSED_INTENSITY)
        if shown is not None and (shown["pair"], shown["pair_address"]) == (
            scene.pair_id,
            scene.pair_address,
        ):
            inputs: tuple[Any, Any] = (no_update, no_update)
        else:
            inputs = _input_figures(services, scene, data)
        return *inputs, fused, data, note(scene)


def _input_figures(services: Services, scene: Scene, data: dict[str, Any]) -> tuple[Any, Any]:
    images = services.scenes.pair(scene).images
    first, second = (
        tiled_image(image.shape, input_title(scene, index), meta_of(data, panel))
        if scene.large
        else gray_figure(image, input_title(scene, index), meta_of(data, panel))
        for index, (image, panel) in enumerate(zip(images, (Panel.MRI, Panel.PET), strict=True))
    )
    return first, second


def scene_data(scene: Scene) -> dict[str, Any]:
    """Return what the browser must know of a scene, with the key that names it in figures."""
    data = asdict(scene)
    data["pair"] = scene.pair_id
    data["key"] = f"{scene.pair_id[:16]}-{scene.method_id}-{scene.weights_id[:16]}"
    data["jacobian_path"] = f"jacobian/{scene.pair_id}/{scene.method_id}/{scene.weights_id}"
    return data


def meta_of(scene: dict[str, Any], panel: Panel, **more: Any) -> dict[str, Any]:
    """Return a figure's ``layout.meta``: which scene it belongs to, and what else the browser needs."""
    return {"key": scene["key"], "pair": scene["pair"], "panel": panel.value, **more}


def input_title(scene: Scene, index: int) -> str:
    """Return the title of an input image; simulated ones say so, and those whose pixels are not square."""
    size = ""
    if scene.spacing is not None and max(scene.spacing) > SQUARE * min(scene.spacing):
        size = " · pixels of {:.3g}×{:.3g} mm, drawn square".format(*scene.spacing)
    return scene.modalities[index] + (" (simulated)" if scene.simulated else "") + size


def note(scene: Scene) -> str:
    """Return what a user should read beside the method's results."""
    if scene.support_radius is None:
        reach = "global: every pixel may depend on the whole image, Jacobians take the full-image path"
    else:
        reach = "support ±{} px in x1, ±{} px in x2".format(*scene.support_radius)
    return " · ".join(part for part in (reach, scene.method_note) if part)

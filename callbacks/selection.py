"""Choosing a pair and a method: the inputs, the fused image, and the scene that everything else refers to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dash import Dash, Input, Output, State, no_update

from app.figures.images import FUSED_INTENSITY, gray_figure, in_colour, tiled_image
from app.ids import Id, Panel
from cache.services.images import FUSED_COLOUR, INPUT_COLOURS, colours_of
from cache.services.scenes import Scene
from cache.services.services import Services, services_of
from fusion.colours import Grays
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
        Input(Id.GRAY, "value"),
        State(Id.SCENE, "data"),
    )
    def choose(
        pair: str | None, method: str | None, own_grays: bool | None, shown: dict[str, Any] | None
    ) -> tuple[Any, ...]:
        if not pair or not method:
            return (no_update,) * 5
        scene = services.scenes.open(pair, method)
        data = scene_data(scene)
        title, meta = fused_title(scene), meta_of(data, Panel.FUSED)
        if scene.large:
            fused = tiled_image((scene.height, scene.width), title, meta)
        else:
            fused = gray_figure(
                services.scenes.fused(scene), title, meta, FUSED_INTENSITY, grays_of(own_grays)
            )
            if any(scene.in_colour):
                titles = (title, fused_title(scene, colour=True))
                fused = in_colour(fused, colours_of(services, scene, FUSED_COLOUR), titles, colour=False)
        if shown is not None and (shown["pair"], shown["pair_address"]) == (
            scene.pair_id,
            scene.pair_address,
        ):
            inputs: tuple[Any, Any] = (no_update, no_update)
        else:
            inputs = _input_figures(services, scene, data)
        return *inputs, fused, data, note(scene)


def grays_of(own: bool | None) -> Grays:
    """Return the ends of the gray scale by the page's switch, which is on where an image has its own."""
    return Grays.OWN if own else Grays.UNIT


def _input_figures(services: Services, scene: Scene, data: dict[str, Any]) -> tuple[Any, Any]:
    first, second = (_input_figure(services, scene, data, index) for index in range(2))
    return first, second


def _input_figure(services: Services, scene: Scene, data: dict[str, Any], index: int) -> Any:
    image = services.scenes.pair(scene).images[index]
    meta = meta_of(data, (Panel.MRI, Panel.PET)[index])
    # What comes by tiles is the luma, and says so.
    titles = (input_title(scene, index, luma=True), input_title(scene, index))
    if scene.large:
        return tiled_image(image.shape, titles[0], meta)
    gray = gray_figure(image, titles[0], meta)
    if not scene.in_colour[index]:
        return gray
    return in_colour(gray, colours_of(services, scene, INPUT_COLOURS[index]), titles, colour=True)


def scene_data(scene: Scene) -> dict[str, Any]:
    """Return what the browser must know of a scene, with the key that names it in figures."""
    data = asdict(scene) | {"aspect": scene.aspect}
    data["pair"] = scene.pair_id
    data["key"] = f"{scene.pair_id[:16]}-{scene.method_id}-{scene.weights_id[:16]}"
    data["jacobian_path"] = f"jacobian/{scene.pair_id}/{scene.method_id}/{scene.weights_id}"
    return data


def meta_of(scene: dict[str, Any], panel: Panel, **more: Any) -> dict[str, Any]:
    """Return a figure's ``layout.meta``: which scene it belongs to, and what else the browser needs."""
    oblong = {} if scene["aspect"] == 1 else {"aspect": scene["aspect"]}
    return {"key": scene["key"], "pair": scene["pair"], "panel": panel.value, **oblong, **more}


def input_title(scene: Scene, index: int, luma: bool = False) -> str:
    """Return the title of an input image; simulated ones say so, and those in colour what of them is shown.

    The second says how it came onto the first, and where pixels are not square, both say how large they are.
    """
    size = ""
    if scene.spacing is not None and max(scene.spacing) > SQUARE * min(scene.spacing):
        size = " · pixels of {:.3g}×{:.3g} mm".format(*scene.spacing)
    shown = ["luma" if luma else "colour"] * scene.in_colour[index]
    words = ["simulated"] * scene.simulated + shown + [scene.brought] * bool(index and scene.brought)
    return scene.modalities[index] + (f" ({', '.join(words)})" if words else "") + size


def fused_title(scene: Scene, colour: bool = False) -> str:
    """Return the title of the fused image, in gray or in colour."""
    return f"Fused{' (colour)' if colour else ''}: {scene.method_title}"


def note(scene: Scene) -> str:
    """Return what a user should read beside the method's results."""
    if scene.support_radius is None:
        reach = "global: every pixel may depend on the whole image, Jacobians take the full-image path"
        if scene.numbers:
            reach = (
                f"global through {scene.numbers} numbers such as means: Jacobians are exact from local ones and these, "
                f"after {2 * scene.numbers} passes a pair"
            )
    else:
        reach = "support ±{} px in x1, ±{} px in x2".format(*scene.support_radius)
    return " · ".join(part for part in (reach, scene.method_note) if part)

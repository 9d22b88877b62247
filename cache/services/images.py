"""The images of a scene by kind, for pages that fetch them one by one instead of through a figure."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cache.services.scenes import Scene
from cache.services.services import Services
from fusion import guidance_rgb
from fusion.chroma import coloured, unit_colours
from fusion.saliency.guidance import filled
from fusion.saliency.maps import BANDS, MapKind

INPUT_COLOURS = ("x1_colour", "x2_colour")
FUSED_COLOUR = "fused_colour"
COLOUR_KINDS = (*INPUT_COLOURS, FUSED_COLOUR)
"""Kinds of images with three bands, red, green and blue."""
POLE = "pole"
"""The kind of image that says how many features of each pixel are near the pole of the method's fusion rule."""
AIR = "air"
"""The kind of image that is 1 where the pair has air, else 0."""
SAMPLE_POINTS = 100_000
"""Pixels of a large pair whose points its scatterplot shows."""


@dataclass(frozen=True)
class SceneImages:
    """Images of one kind.

    Attributes
    ----------
    values : ndarray of float32, shape (bands, H, W)
        NaN where nothing is known yet.
    fraction : float
        How much of the computation is done, 0 to 1.
    complete : bool
        Whether these are final.
    """

    values: np.ndarray
    fraction: float
    complete: bool


def images_at(
    services: Services, pair: str, method: str, weights: str, kind: str, viewer: str
) -> SceneImages:
    """Return images by the same address by which `cache.services.windows.Windows.at` finds windows.

    No computation of guidance images is started.

    Parameters
    ----------
    services : Services
        What has them.
    pair, weights : str
        Content id of the pair and sha256 of the weights, 64 hexadecimal digits each.
    method : str
        Id of the method.
    kind : str
        ``inputs`` (x1, x2), ``fused``, ``guidance`` (of x1 and x2, as far as they are known; filled up for
        the eye while they grow), ``known`` (the same, NaN between the known pixels; of a large pair a sample of the
        known pixels in one row), ``rgb`` (guidance RGB), ``x1_colour``, ``x2_colour``, ``fused_colour`` (red, green,
        blue from 0 to 1, equal where the pair is gray), ``shift`` (`fusion.shift_sensitivity`), ``pole``
        (`fusion.near_pole`), ``air`` (1 where `fusion.air_mask` is True, else 0), or a kind of map
        (`fusion.saliency.maps.MapKind`), NaN where it is not computed.
    viewer : str
        Who asks: one open page, which keeps a computation of guidance images alive.

    Raises
    ------
    UserError
        If any of them does not exist, or not any more, or too many new ones are asked for at once.
    """
    # To find a pair that is not in memory, the files of all may have to be read.
    slow = nullcontext() if services.scenes.loaded_pairs.holds(pair) else services.scenes.slow.place()
    with slow:
        return _images_of(services, pair, method, weights, kind, viewer)


def _images_of(
    services: Services, pair: str, method: str, weights: str, kind: str, viewer: str
) -> SceneImages:
    scenes = services.scenes
    # With the weights that the address names, so that the services refuse those that are gone.
    scene = replace(scenes.open(pair, method), weights_id=weights)
    if kind == "inputs":
        return _final(scenes.pair(scene).images)
    if kind == "fused":
        return _final(scenes.fused(scene)[None])
    if kind == POLE:
        return _final(services.shifts.near_pole(scene))
    if kind == AIR:
        return _final(services.statistics.air(scene)[None].astype(np.float32))
    if kind == "shift":
        return _final(services.shifts.of(scene))
    if kind in COLOUR_KINDS:
        return _final(colours_of(services, scene, kind))
    if kind in list(MapKind):
        grown = services.maps.state(scene, MapKind(kind), viewer)
        return _grown(grown.values, BANDS[MapKind(kind)], scene, grown.fraction, grown.complete)
    state = services.guidance.state(scene, viewer, start=False)
    if state.values is None:
        return _grown(None, 2, scene, state.fraction, complete=False)
    if kind == "known" and scene.large:
        return SceneImages(sampled(state.values)[:, None], state.fraction, state.complete)
    values = state.values if state.complete or kind == "known" else filled(state.values)
    if kind == "rgb":
        values = np.moveaxis(guidance_rgb(values, scenes.fused(scene)), -1, 0)
    return SceneImages(values, state.fraction, state.complete)


def colours_of(services: Services, scene: Scene, kind: str) -> NDArray[np.floating]:
    """Return an image of a scene in colour.

    Parameters
    ----------
    services, scene
        Where it is from.
    kind : str
        One of `COLOUR_KINDS`.

    Returns
    -------
    ndarray of float32, shape (3, H, W)
        Red, green, blue from 0 to 1; a gray input three times, and the fused image as `fusion.chroma.coloured` has it.

    Raises
    ------
    UserError
        If the scene is gone, or its fused image cannot be computed.
    """
    pair = services.scenes.pair(scene)
    if kind == FUSED_COLOUR:
        return coloured(services.scenes.fused(scene), pair.colours)
    index = INPUT_COLOURS.index(kind)
    colours = pair.colours[index]
    if colours is None:
        return pair.images[[index] * 3]
    return np.moveaxis(unit_colours(colours), -1, 0).astype(np.float32)


def left_out(services: Services, scene: Scene, air: bool) -> NDArray[np.bool_] | None:
    """Return where pictures of guidance leave something out, (H, W): the air; ``None`` where that is nothing.

    Parameters
    ----------
    services, scene
        Whose pictures they are. Those of a large pair, which come by tiles, leave nothing out.
    air : bool
        True where the air is shown and counted too.
    """
    if air or scene.large:
        return None
    found = services.statistics.air(scene)
    return found if found.any() else None


def _grown(
    values: np.ndarray | None, bands: int, scene: Scene, fraction: float, complete: bool
) -> SceneImages:
    nothing = np.full((bands, scene.height, scene.width), np.nan, dtype=np.float32)
    return SceneImages(nothing if values is None else values, fraction, complete)


def sampled(values: NDArray[np.floating], count: int = SAMPLE_POINTS) -> NDArray[np.float32]:
    """Choose pixels of two images at random, the same ones each time, with those that have the ends of both ranges.

    Parameters
    ----------
    values : ndarray, shape (2, H, W)
        Of both guidance images; pixels where one is not finite are left out.
    count : int
        How many to choose.

    Returns
    -------
    ndarray of float32, shape (2, n)
        All finite pixels where there are no more than `count`, else up to four more than these.
    """
    flat = values.reshape(2, -1)
    known = np.flatnonzero(np.isfinite(flat).all(axis=0))
    if known.size > count:
        ends = [known[find(image[known])] for image in flat for find in (np.argmin, np.argmax)]
        chosen = np.random.default_rng(0).choice(known.size, count, replace=False, shuffle=False)
        known = np.union1d(known[chosen], ends)
    return flat[:, known].astype(np.float32)


def _final(values: np.ndarray) -> SceneImages:
    return SceneImages(values, 1.0, complete=True)

"""Thumbnails of named views: the fused image in small, with the regions and the pinned pixels of its link."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.export.content import area_within, gray_colours
from app.link.seen import as_seen
from app.link.texts import LinkedRegion, linked_regions
from app.link.view_state import Area, CompareState, ExploreState, ViewState
from cache.errors import UserError
from fusion.colours import Grays, gray_range
from fusion.statistics.region_code import decode_mask

if TYPE_CHECKING:
    from PIL.Image import Image

    from cache.services.scenes import Scene
    from cache.services.services import Services

SIDE = 96
"""The longer side, pixels."""
MOST_BYTES = 10_000
QUALITIES = (85, 60, 30)
"""Of a JPEG, tried until it is small enough."""
TINT = 0.4
MARKS = ((255, 42, 42), (47, 126, 216))
"""Red, green and blue around the pinned pixels A and B."""
REACH = 4
"""Of the square around a pixel, pixels of the thumbnail."""
Tinted = tuple[NDArray[np.bool_], str]
"""A region's mask, (H, W), and its colour, ``#rrggbb``."""


@dataclass(frozen=True)
class Marked:
    """All that a thumbnail has over the fused image.

    Attributes
    ----------
    area : tuple of float or None
        The part that is shown, (top, left, bottom, right) in pixels; ``None``: all of it.
    pixels : sequence of (row, col)
        The pinned pixels A and B, 0-based.
    regions : sequence of (ndarray of bool, str)
        Masks, shape (H, W), each with its colour.
    """

    area: Area | None = None
    pixels: Sequence[tuple[int, int]] = ()
    regions: Sequence[Tinted] = ()


def view_thumbnail(services: Services, page: str, query: str) -> bytes | None:
    """Draw the thumbnail of a link's view, ``None`` where this server cannot show the view as it was.

    Parameters
    ----------
    services : Services
        What has pairs, methods and regions.
    page, query : str
        ``explore`` or ``compare``, and the query string of a link to it; may be hostile.
    """
    state = (CompareState if page == "compare" else ExploreState).read(query)[0]
    try:
        address = services.scenes.find_pair(state.pair or services.scenes.default_pair())
        scene = _first_scene(services, state, address)
        if scene is None:
            return None
        shape = scene.height, scene.width
        marked = Marked(
            getattr(state, "area", None),
            [pixel for pixel in (state.pixel, getattr(state, "pin", None)) if pixel],
            list(_tinted(services, linked_regions(state.regions), shape)),
        )
        return thumbnail(services.scenes.fused(scene), marked, scene.aspect, state.gray)
    except UserError:
        return None


def thumbnail(
    fused: NDArray[np.floating], marked: Marked, aspect: float = 1.0, gray: Grays = Grays.OWN
) -> bytes:
    """Draw a thumbnail.

    Parameters
    ----------
    fused : ndarray, shape (H, W)
        The fused image, nominally 0 to 1.
    marked : Marked
        What lies over it.
    aspect : float
        Height of a pixel by its width; those of the thumbnail are square.
    gray : Grays
        Ends of the gray scale.

    Returns
    -------
    bytes
        A JPEG whose longer side has 96 pixels, of at most 10,000 bytes.
    """
    from PIL.Image import Resampling, fromarray

    colours = gray_colours(fused, *gray_range(fused, gray)).astype(np.float64)
    for mask, colour in marked.regions:
        colours[mask] += TINT * (np.array(list(bytes.fromhex(colour[1:]))) - colours[mask])
    top, left, bottom, right = (round(edge + 0.5) for edge in area_within(marked.area, fused.shape))
    bottom, right = max(bottom, top + 1), max(right, left + 1)
    part = fromarray(np.rint(colours[top:bottom, left:right]).astype(np.uint8))
    unit = SIDE / max(part.width, part.height * aspect)
    size = max(round(part.width * unit), 1), max(round(part.height * aspect * unit), 1)
    small = part.resize(size, Resampling.NEAREST if unit > 1 else Resampling.BOX)
    for (row, col), mark in zip(marked.pixels, MARKS, strict=False):
        _mark(small, ((col - left + 0.5) * unit, (row - top + 0.5) * aspect * unit), mark)
    return _encoded(small)


def _first_scene(services: Services, state: ViewState, address: str) -> Scene | None:
    """Return the scene of the first method that is here; none where it has other weights than the link's."""
    scenes = services.scenes
    if isinstance(state, CompareState):
        state = as_seen(state, scenes.seen_with)
        named = dict(zip(state.methods, state.weights, strict=False))
        methods = state.methods
    else:
        assert isinstance(state, ExploreState)
        methods = (scenes.seen_with(state.method, state.weights),)
        named = {methods[0]: state.weights or ""}
    method = next((id for id in methods if scenes.has_method(id)), None)
    if method is None:
        return None
    scene = scenes.open(address, method, prepare=False)
    return scene if scene.weights_id.startswith(named.get(method, "")) else None


def _tinted(services: Services, regions: Iterable[LinkedRegion], shape: tuple[int, int]) -> Iterable[Tinted]:
    """Give the regions that are to be seen and fit the images."""
    for region in regions:
        if region.look.hidden:
            continue
        try:
            yield decode_mask(services.regions.resolve(region.code, shape), shape), region.colour
        except UserError:
            continue  # the page says so itself when the view is opened


def _mark(image: Image, middle: tuple[float, float], colour: tuple[int, int, int]) -> None:
    """Draw a square with a white edge around a place, which may lie outside of the image."""
    from PIL.ImageDraw import Draw

    drawn = Draw(image)
    x, y = (int(place) for place in middle)
    for reach, line in ((REACH + 1, (255, 255, 255)), (REACH, colour)):
        drawn.rectangle((x - reach, y - reach, x + reach, y + reach), outline=line)


def _encoded(image: Image) -> bytes:
    for quality in QUALITIES:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=quality, subsampling=0, optimize=True)
        if stream.tell() <= MOST_BYTES:
            break
    return stream.getvalue()

"""Opening a link: the query string sets the controls and the first principal pixel."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from dash import Dash, Input, Output, no_update

from app.ids import Id, RegionId
from app.layout.parts import link_notices
from app.link.view_state import FIRST_HALF_WIDTH, Area, ExploreState
from cache.errors import UserError
from cache.services.services import Services, services_of
from callbacks.regions import given_regions

SIZES_BEYOND = 4
"""How far an area may reach beyond the images, in lengths of their longer side (as in ``explore/toolbar.mjs``)."""


def register(app: Dash) -> None:
    """Add the callback that reads the address."""
    services = services_of(app.server)
    regions = services.regions

    @app.callback(
        Output(Id.PAIR_SELECT, "value"),
        Output(Id.METHOD_SELECT, "value"),
        Output(Id.GAMMA_1, "value"),
        Output(Id.GAMMA_2, "value"),
        Output(Id.COLOUR_SCALE, "value"),
        Output(Id.ZOOM_HALF_WIDTH, "value"),
        Output(Id.ZOOM_FOLLOWS_SUPPORT, "value"),
        Output(Id.START_PIXEL, "data"),
        Output(Id.START_AREA, "data"),
        Output(RegionId.GIVEN, "data"),
        Output(Id.NOTICES, "children"),
        Input(Id.LOCATION, "search"),
    )
    def open_link(search: str | None) -> tuple[Any, ...]:
        state, messages = ExploreState.from_query(search or "")
        pair, method, pixel, more = resolve(services, state)
        changed = other_weights(services, pair, [(state.method, state.weights)])
        # Regions of a pair that is not to be had here mean nothing in another one.
        shape = resolve_pair(services, state.pair)[1]
        given, unfit = given_regions(regions, pair, shape, state.regions)
        area, outside = resolve_area(state.area, shape)
        toasts: Any = link_notices(messages + more + outside + changed + unfit) or no_update
        follows = state.zoom == "support"
        half = FIRST_HALF_WIDTH if follows else state.zoom
        return (
            pair, method, state.gamma1, state.gamma2, state.scale.value, half, follows, pixel, area, given,
            toasts,
        )  # fmt: skip


def resolve(services: Services, state: ExploreState) -> tuple[str, str, dict[str, Any] | None, list[str]]:
    """Find what a view names among what this server has.

    Returns
    -------
    tuple
        The pair's address, the method's id, the pinned pixel or ``None``, and a notice for each part that is
        not to be had here.
    """
    messages: list[str] = []
    method = state.method
    known = [id for id, _ in services.scenes.methods()]
    if method not in known:
        messages.append(
            f"This server has no method “{method}”; FunFuseAn is shown. It has: {', '.join(known)}."
        )
        method = ExploreState().method
    pair, shape, more = resolve_pair(services, state.pair)
    pixel, outside = resolve_pixel("pixel", state.pixel, shape)
    return pair, method, pixel, messages + more + outside


def other_weights(services: Services, pair: str, named: Sequence[tuple[str, str | None]]) -> list[str]:
    """Return a notice for each method whose weights are not those that a link names.

    Parameters
    ----------
    services : Services
        What this server has.
    pair : str
        Address of a pair that this server has.
    named : sequence of (method id, first digits of its weights or nothing)
        As the link says.
    """
    notices = []
    for method, weights in named:
        # A method that is not to be had here is explained where its pictures would be.
        with suppress(UserError):
            if not weights or (scene := services.scenes.open(pair, method)).weights_id.startswith(weights):
                continue
            notices.append(
                f"The link was made with other weights of {scene.method_title} ({weights[:8]}) than this server has "
                f"({scene.weights_id[:8]}): pictures and numbers may differ."
            )
    return notices


def resolve_pair(services: Services, address: str | None) -> tuple[str, tuple[int, int] | None, list[str]]:
    """Find the pair of a link: its address, its (H, W) or ``None`` where another pair takes its place, and notices."""
    try:
        pair = services.scenes.default_pair() if address is None else services.scenes.find_pair(address)
        return pair, services.scenes.pair_shape(pair), []
    except UserError as error:
        return services.scenes.default_pair(), None, [f"{error} The first sample is shown instead."]


def resolve_area(area: Area | None, shape: tuple[int, int] | None) -> tuple[Area | None, list[str]]:
    """Return a link's area, ``None`` with a notice where one could not see the pair's images in it."""
    if area is None:
        return None, []
    written = ",".join(map(str, area))
    if shape is None:
        return None, [f"The link's area {written} was ignored: it belongs to the link's own pair."]
    (top, left, bottom, right), (height, width) = area, shape
    images = f"this pair's images of {height} rows and {width} columns"
    if bottom <= -0.5 or right <= -0.5 or top >= height - 0.5 or left >= width - 0.5:
        return None, [f"The link's area {written} was ignored: {images} are outside of it."]
    reach = SIZES_BEYOND * max(shape)
    if min(top, left) < -reach or bottom > height + reach or right > width + reach:
        return None, [f"The link's area {written} was ignored: {images} would be too small in it to be seen."]
    return area, []


def resolve_pixel(
    key: str, pixel: tuple[int, int] | None, shape: tuple[int, int] | None
) -> tuple[dict[str, Any] | None, list[str]]:
    """Return a link's pixel for the browser, ``None`` with a notice where it is not of the pair's images."""
    if pixel is None:
        return None, []
    if shape is None:
        return None, [
            f"The link's {key} {pixel[0]},{pixel[1]} was ignored: it belongs to the link's own pair."
        ]
    (row, col), (height, width) = pixel, shape
    if row >= height or col >= width:
        return None, [
            f"The link's {key} {row},{col} was ignored: this pair has rows 0 to {height - 1} and columns 0 to "
            f"{width - 1}."
        ]
    return {"row": row, "col": col}, []

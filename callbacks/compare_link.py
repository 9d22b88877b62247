"""The compare page's links: the query string sets the controls, the pixels and the regions."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, no_update

from app.ids import CompareId, RegionId
from app.layout.parts import link_notices
from app.link.view_state import CompareState
from cache.services.services import Services, services_of
from callbacks.link import other_weights, resolve_pair, resolve_pixel
from callbacks.regions import given_regions


def register(app: Dash) -> None:
    """Add the callback that reads the address."""
    services = services_of(app.server)
    regions = services_of(app.server).regions

    @app.callback(
        Output(CompareId.PAIR_SELECT, "value"),
        Output(CompareId.METHODS, "value"),
        Output(CompareId.COLUMNS, "value"),
        Output(CompareId.GAMMA_1, "value"),
        Output(CompareId.GAMMA_2, "value"),
        Output(CompareId.COLOUR_SCALE, "value"),
        Output(CompareId.SHARED, "value"),
        Output(CompareId.ZOOM_HALF_WIDTH, "value"),
        Output(CompareId.SIZE, "value"),
        Output(CompareId.MINUEND, "value"),
        Output(CompareId.SUBTRAHEND, "value"),
        Output(CompareId.START, "data"),
        Output(RegionId.GIVEN, "data"),
        Output(CompareId.NOTICES, "children"),
        Input(CompareId.LOCATION, "search"),
    )
    def open_link(search: str | None) -> tuple[Any, ...]:
        state, messages = CompareState.from_query(search or "")
        start, more = first_view(services, state)
        given, unfit = given_regions(
            regions, start["pair"], resolve_pair(services, state.pair)[1], state.regions
        )
        toasts: Any = link_notices(messages + more + unfit) or no_update
        return (
            start["pair"], start["methods"], start["columns"], state.gamma1, state.gamma2, state.scale.value,
            state.shared, state.zoom, state.size.value, *(start["difference"] or ("", "")), start, given, toasts,
        )  # fmt: skip


def first_view(services: Services, state: CompareState) -> tuple[dict[str, Any], list[str]]:
    """Find what a link names among what this server has.

    Returns
    -------
    tuple
        The pair, the methods and columns in their order, the difference's methods, the two pinned pixels and whether
        the numbers are open, and a notice for each part that is not to be had here.
    """
    known = [id for id, _ in services.scenes.methods()]
    messages = [
        f"This server has no method “{method}”; it was left out. It has: {', '.join(known)}."
        for method in dict.fromkeys((*state.methods, *state.difference))
        if method not in known
    ]
    pair, shape, more = resolve_pair(services, state.pair)
    pixel, outside = resolve_pixel("pixel", state.pixel, shape)
    pin, outside_too = resolve_pixel("pin", state.pin, shape)
    difference = state.difference if set(state.difference) <= set(known) else ()
    start = {
        "pair": pair,
        "methods": [method for method in state.methods if method in known],
        "difference": difference,
        "columns": [column.value for column in state.columns],
        "pixel": pixel,
        "pin": pin,
        "numbers": state.numbers,
    }
    if len(state.weights) > len(state.methods):
        messages.append(
            f"The link names weights of {len(state.weights)} methods but {len(state.methods)} methods; the surplus "
            "was ignored."
        )
    # Weights that are not named are not compared; a link made by hand need not have them.
    changed = other_weights(services, pair, list(zip(state.methods, state.weights, strict=False)))
    return start, messages + more + outside + outside_too + changed

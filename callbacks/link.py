"""Opening a link: the query string sets the controls and the first principal pixel."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, no_update

from app.ids import Id
from app.layout.page import notice
from app.view_state import ViewState
from cache.errors import UserError
from cache.services import Services, services_of


def register(app: Dash) -> None:
    """Add the callback that reads the address."""
    services = services_of(app.server)

    @app.callback(
        Output(Id.PAIR_SELECT, "value"),
        Output(Id.METHOD_SELECT, "value"),
        Output(Id.GAMMA_1, "value"),
        Output(Id.GAMMA_2, "value"),
        Output(Id.START_PIXEL, "data"),
        Output(Id.NOTICES, "children"),
        Input(Id.LOCATION, "search"),
    )
    def open_link(search: str | None) -> tuple[Any, ...]:
        state, messages = ViewState.from_query(search or "")
        pair, method, pixel, more = resolve(services, state)
        toasts: Any = [notice(text) for text in messages + more] or no_update
        return pair, method, state.gamma1, state.gamma2, pixel, toasts


def resolve(services: Services, state: ViewState) -> tuple[str, str, dict[str, Any] | None, list[str]]:
    """Find what a view names among what this server has.

    Returns
    -------
    tuple
        The pair's address, the method's id, the pinned pixel or ``None``, and a notice for each part that is
        not to be had here.
    """
    messages: list[str] = []
    method = state.method
    known = [id for id, _ in services.methods()]
    if method not in known:
        messages.append(
            f"This server has no method “{method}”; FunFuseAn is shown. It has: {', '.join(known)}."
        )
        method = ViewState().method
    try:
        pair = services.default_pair() if state.pair is None else services.find_pair(state.pair)
        height, width = services.pair_shape(pair)
    except UserError as error:
        messages.append(f"{error} The first sample is shown instead.")
        return services.default_pair(), method, None, messages
    if state.pixel is None:
        return pair, method, None, messages
    row, col = state.pixel
    if row >= height or col >= width:
        messages.append(
            f"The link's pixel {row},{col} was ignored: this pair has rows 0 to {height - 1} and columns 0 to "
            f"{width - 1}."
        )
        return pair, method, None, messages
    return pair, method, {"row": row, "col": col}, messages

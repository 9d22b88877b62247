"""Opening a link to either page: the query string sets the controls, the first pixels and the regions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, no_update

from app.ids import CompareId, Id, RegionId
from app.layout.parts import link_notices, options
from app.link.explained import explained
from app.link.seen import as_seen
from app.link.texts import PLAIN, linked_region, linked_regions
from app.link.view_state import FIRST_HALF_WIDTH, Area, CompareState, ExploreState
from cache.errors import UserError
from cache.services.regions import Regions
from cache.services.services import Services, services_of
from fusion.colours import Grays, Ranges
from fusion.errors import DifferentSizesError

SIZES_BEYOND = 4
"""How far an area may reach beyond the images, in lengths of their longer side (as in ``explore/toolbar.mjs``)."""


def given_regions(
    regions: Regions,
    pair: str,
    shape: tuple[int, int] | None,
    linked: Sequence[str],
    change: str | None = None,
    explain: str | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Return what a link has of its own pair, for the browser, and a notice for what cannot be shown.

    These are its regions, a painted change, and the number of a region that it explains.

    Parameters
    ----------
    regions : Regions
        What keeps long codes.
    pair : str
        Address of the pair that is shown.
    shape : tuple of int or None
        (H, W) of its images; ``None`` where it is not the pair that the link names.
    linked : sequence of str
        Regions, as in the link.
    change : str or None
        The painted change, as in the link.
    explain : str or None
        The number that is explained, as in the link.
    """
    found: list[dict[str, Any]] = []
    messages: list[str] = []
    if change is not None and shape is None:
        messages.append("The link's painted change was ignored: it belongs to the link's own pair.")
        change = None
    for text in linked:
        region = linked_region(text)
        if region is None:
            continue
        if shape is None:
            messages.append(
                f"The link's region “{region.name}” was ignored: it belongs to the link's own pair."
            )
            continue
        try:
            code = regions.resolve(region.code, shape)
        except UserError as error:
            messages.append(f"The link's region “{region.name}” was ignored. {error}")
        else:
            look = {} if region.look == PLAIN else {"look": asdict(region.look)}
            found.append({"name": region.name, "colour": region.colour, "code": code, **look})
    asked, problem = _explained(explain, linked, {region["name"] for region in found})
    return {"pair_address": pair, "regions": found, "change": change, **asked}, messages + problem


def _explained(
    text: str | None, linked: Sequence[str], known: Collection[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return what a link explains, by the names of its regions, and a notice where the page lacks one of these."""
    if text is None:
        return {}, []
    found = explained(text, linked_regions(linked))
    of = text.partition(".")[0]
    if found is None or found.region not in known or (of == "contrast" and found.against not in known):
        return {}, [f"The link's explanation {text} was ignored: it is of a region that is not shown."]
    return {"explain": {"of": of, "region": found.region, "against": found.against}}, []


def register_explore(app: Dash) -> None:
    """Add the callback that reads the explore page's address."""
    _take_regions(app)
    services = services_of(app.server)
    regions = services.regions

    @app.callback(
        Output(Id.PAIR_SELECT, "value"),
        Output(Id.METHOD_SELECT, "value"),
        Output(Id.METHOD_SELECT, "options"),
        Output(Id.GAMMA_1, "value"),
        Output(Id.GAMMA_2, "value"),
        Output(Id.COLOUR_SCALE, "value"),
        Output(Id.RGB_COMMON, "value"),
        Output(Id.AIR, "value"),
        Output(Id.GRAY, "value"),
        Output(Id.ZOOM_HALF_WIDTH, "value"),
        Output(Id.ZOOM_FOLLOWS_SUPPORT, "value"),
        Output(Id.START_PIXEL, "data"),
        Output(Id.START_AREA, "data"),
        Output(Id.START_MAPS, "data"),
        Output(Id.START_COLOUR, "data"),
        Output(RegionId.GIVEN, "data"),
        Output(Id.NOTICES, "children"),
        Input(Id.LOCATION, "search"),
    )
    def open_link(search: str | None) -> tuple[Any, ...]:
        state, messages = ExploreState.from_query(search or "")
        pair, method, pixel, more = resolve(services, state)
        named = services.scenes.seen_with(state.method, state.weights)
        changed = other_weights(services, pair, [(named, state.weights)])
        # Regions of a pair that is not to be had here mean nothing in another one.
        shape = resolve_pair(services, state.pair)[1]
        given, unfit = given_regions(regions, pair, shape, state.regions, state.change, state.explain)
        area, outside = resolve_area(state.area, shape)
        toasts: Any = link_notices(messages + more + outside + changed + unfit) or no_update
        follows = state.zoom == "support"
        half = FIRST_HALF_WIDTH if follows else state.zoom
        return (
            pair, method, _menu_with(services, [method]), state.gamma1, state.gamma2, state.scale.value,
            state.rgb is Ranges.COMMON, state.air, state.gray is Grays.OWN, half, follows, pixel, area,
            [kind.value for kind in state.maps],
            [state.colour, state.pole], given, toasts,
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
    method = services.scenes.seen_with(state.method, state.weights)
    if not services.scenes.has_method(method):
        known = [id for id, _ in services.scenes.methods()]
        messages.append(
            f"This server has no method “{method}”; FunFuseAn is shown. It has: {', '.join(known)}."
        )
        method = ExploreState().method
    unusable = services.scenes.unusable_methods()
    if method in unusable:
        # Where none can be used, the scene says why.
        title, usable = next(
            ((title, id) for id, title in services.scenes.methods() if id not in unusable), ("", "")
        )
        if usable:
            messages.append(f"{unusable[method]} {title} is shown.")
            method = usable
    pair, shape, more = resolve_pair(services, state.pair)
    pixel, outside = resolve_pixel("pixel", state.pixel, shape)
    return pair, method, pixel, messages + more + outside


def _menu_with(services: Services, methods: Sequence[str]) -> Any:
    """Return the options of a menu of methods, where some of these stand for earlier weights, which no menu has."""
    choices = services.scenes.choices_with(methods)
    return options(choices) if len(choices) > len(services.scenes.method_choices()) else no_update


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
    """Find the pair of a link: its address, its (H, W) or ``None`` where another pair takes its place, and notices.

    Where sizes differ, x2 is stretched onto x1, which address and notice say.
    """
    try:
        pair = services.scenes.default_pair() if address is None else services.scenes.find_pair(address)
        try:
            return pair, services.scenes.pair_shape(pair), []
        except DifferentSizesError as error:
            pair = services.scenes.stretched(pair)
            return (
                pair,
                services.scenes.pair_shape(pair),
                [f"{error} Here the second is stretched onto the first."],
            )
    except UserError as error:
        return services.scenes.first_sample(), None, [f"{error} The first sample is shown instead."]


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


def register_compare(app: Dash) -> None:
    """Add the callback that reads the compare page's address."""
    _take_regions(app)
    services = services_of(app.server)
    regions = services.regions

    @app.callback(
        Output(CompareId.PAIR_SELECT, "value"),
        Output(CompareId.METHODS, "value"),
        Output(CompareId.METHODS, "options"),
        Output(CompareId.COLUMNS, "value"),
        Output(CompareId.GAMMA_1, "value"),
        Output(CompareId.GAMMA_2, "value"),
        Output(CompareId.COLOUR_SCALE, "value"),
        Output(CompareId.RGB_COMMON, "value"),
        Output(CompareId.AIR, "value"),
        Output(CompareId.GRAY, "value"),
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
        start, more = compare_start(services, state)
        given, unfit = given_regions(
            regions,
            start["pair"],
            resolve_pair(services, state.pair)[1],
            state.regions,
            state.change,
            state.explain,
        )
        toasts: Any = link_notices(messages + more + unfit) or no_update
        return (
            start["pair"], start["methods"], _menu_with(services, start["methods"]), start["columns"],
            state.gamma1, state.gamma2, state.scale.value, state.rgb is Ranges.COMMON,
            state.air, state.gray is Grays.OWN, state.shared, state.zoom, state.size.value,
            *(start["difference"] or ("", "")), start, given, toasts,
        )  # fmt: skip


def compare_start(services: Services, state: CompareState) -> tuple[dict[str, Any], list[str]]:
    """Find what a link names among what this server has.

    Returns
    -------
    tuple
        The pair, the methods and columns in their order, the difference's methods, the two pinned pixels, whether
        pixels near a pole are marked and whether the numbers are open, and a notice for each part that is not to be
        had here.
    """
    state = as_seen(state, services.scenes.seen_with)
    known = {id for id in (*state.methods, *state.difference) if services.scenes.has_method(id)}
    listed = ", ".join(id for id, _ in services.scenes.methods())
    messages = [
        f"This server has no method “{method}”; it was left out. It has: {listed}."
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
        "pole": state.pole,
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


def _take_regions(app: Dash) -> None:
    """Let the browser take over what the server gives."""
    app.clientside_callback(
        ClientsideFunction("regions", "take"),
        Output(RegionId.TAKEN, "data"),
        Input(RegionId.GIVEN, "data"),
        prevent_initial_call=True,
    )

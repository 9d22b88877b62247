"""The numbers of the compare page: computed while they are open, polled until they are complete, saved as CSV."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, no_update

from app.ids import CompareId
from cache.services.number_tables import number_tables, numbers_csv
from cache.services.regions import drawn_regions
from cache.services.scenes import Scene
from cache.services.services import Services, services_of
from cache.services.statistics import MethodNumbers, Statistics
from callbacks.following import causes, one_at_a_time

DRAWN_REGIONS = "regions"
"""The store of the visitor's own regions; numbers do without it."""


def register(app: Dash) -> None:
    """Add the callbacks of the numbers."""
    services = services_of(app.server)
    compute_tables(app, services)
    save_tables(app, services)
    draw_in_browser(app)


def compute_tables(app: Dash, services: Services) -> None:
    """Add the callback that makes the tables and follows what they wait for."""
    statistics = services.statistics

    @app.callback(
        Output(CompareId.NUMBERS_DATA, "data"),
        Output(CompareId.NUMBERS_STATE, "data"),
        Output(CompareId.NUMBERS_POLL, "disabled"),
        Input(CompareId.NUMBERS_OPEN, "data"),
        Input(CompareId.SCENES, "data"),
        Input(CompareId.NUMBERS_VIEW, "data"),
        Input(DRAWN_REGIONS, "data", allow_optional=True),
        Input(CompareId.NUMBERS_INFLUENCE, "value"),
        Input(CompareId.AIR, "value"),
        Input(CompareId.NUMBERS_POLL, "n_intervals"),
        State(CompareId.VIEWER, "data"),
        State(CompareId.NUMBERS_STATE, "data"),
        State(CompareId.PROGRESS, "data"),
        running=[
            *one_at_a_time(CompareId.NUMBERS_POLL),
            (Output(CompareId.NUMBERS, "className"), "numbers computing", "numbers"),
        ],
    )
    def show(
        is_open: bool,
        scenes: Any,
        view: Any,
        drawn: Any,
        influence: bool,
        air: bool | None,
        _polls: Any,
        viewer: str,
        shown: Any,
        progress: Any,
    ) -> tuple[Any, Any, bool]:
        if not is_open and not shown:
            return no_update, no_update, True
        chosen = chosen_scenes(services, scenes, view)
        regions, problems = described(statistics, chosen, drawn, bool(air))
        if not is_open:
            # Nothing is computed for numbers that nobody sees.
            statistics.influence.cancel(chosen, regions, viewer)
            return no_update, None, True
        state = follow(services, statistics, chosen, regions, bool(influence), viewer, progress)
        state["errors"] = problems + state["errors"]
        data = number_tables(collect(statistics, chosen, regions, view), pins_of(view))
        state["digest"] = hashlib.sha256(json.dumps(data).encode()).hexdigest()
        same = bool(shown) and shown.get("digest") == state["digest"]
        return no_update if same else data, state, not state["going_on"]


def save_tables(app: Dash, services: Services) -> None:
    """Add the callback that gives all tables as one CSV file."""
    statistics = services.statistics

    @app.callback(
        Output(CompareId.NUMBERS_DOWNLOAD, "data"),
        Input(CompareId.NUMBERS_CSV, "n_clicks"),
        # Only an input may be absent from the page.
        Input(DRAWN_REGIONS, "data", allow_optional=True),
        State(CompareId.SCENES, "data"),
        State(CompareId.NUMBERS_VIEW, "data"),
        State(CompareId.AIR, "value"),
        prevent_initial_call=True,
    )
    def save(_clicks: int | None, drawn: Any, scenes: Any, view: Any, air: bool | None) -> Any:
        if CompareId.NUMBERS_CSV not in causes():
            return no_update
        chosen = chosen_scenes(services, scenes, view)
        if not chosen:
            return no_update
        found = collect(statistics, chosen, described(statistics, chosen, drawn, bool(air))[0], view)
        return dcc.send_string(numbers_csv(found), f"{chosen[0].pair_address}_compare.csv", type="text/csv")


def draw_in_browser(app: Dash) -> None:
    """Add the callbacks that open, close and draw the tables in the browser."""
    app.clientside_callback(
        ClientsideFunction("numbers", "toggle"),
        Output(CompareId.NUMBERS, "hidden"),
        Output(CompareId.NUMBERS_OPEN, "data"),
        Input(CompareId.NUMBERS_BUTTON, "n_clicks"),
        Input(CompareId.NUMBERS_CLOSE, "n_clicks"),
        Input(CompareId.START, "data"),
        State(CompareId.NUMBERS_OPEN, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("numbers", "show"),
        Output(CompareId.NUMBERS_STATUS, "children"),
        Output(CompareId.NUMBERS_PHASE, "children"),
        Input(CompareId.NUMBERS_DATA, "data"),
        Input(CompareId.NUMBERS_STATE, "data"),
        Input(CompareId.NUMBERS_TAB, "value"),
    )


def chosen_scenes(services: Services, scenes: Any, view: Any) -> list[Scene]:
    """Return the scenes that can be shown, in the order of the rows."""
    order = {method: number for number, method in enumerate((view or {}).get("methods", ()))}
    ready = [scene for scene in scenes or () if scene["error"] is None]
    ready.sort(key=lambda scene: order.get(scene["method_id"], len(order)))
    return [services.scenes.open(scene["pair_address"], scene["method_id"]) for scene in ready]


def described(
    statistics: Statistics, scenes: Sequence[Scene], drawn: Any, air: bool = True
) -> tuple[Sequence[Any], list[str]]:
    """Return the regions that are described, and what is wrong with those that the visitor has drawn."""
    if not scenes:
        return [], []
    own, problems = drawn_regions(drawn, (scenes[0].height, scenes[0].width))
    return statistics.regions(scenes[0], own, air), problems


def pins_of(view: Mapping[str, Any] | None) -> list[tuple[str, tuple[int, int]]]:
    """Return the letters of the pinned pixels with their (row, col)."""
    pins = (view or {}).get("pins", {})
    return [(letter, (pin["row"], pin["col"])) for letter, pin in sorted(pins.items()) if pin]


def collect(
    statistics: Statistics, scenes: Sequence[Scene], regions: Sequence[Any], view: Any
) -> list[MethodNumbers]:
    """Return what is known of each method in these regions and at the pinned pixels."""
    pixels = [pixel for _, pixel in pins_of(view)]
    # The browser keeps pixels of a larger pair until it has taken a new one over.
    return [
        statistics.numbers(
            scene, regions, [(row, col) for row, col in pixels if row < scene.height and col < scene.width]
        )
        for scene in scenes
    ]


def follow(
    services: Services,
    statistics: Statistics,
    scenes: Sequence[Scene],
    regions: Sequence[Any],
    influence: bool,
    viewer: str,
    progress: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return what is still missing, in words and as a fraction; start what may be started.

    The influence on regions waits until this viewer's guidance images are complete, have failed or were cancelled:
    people look at pictures first. `progress` is what the page's pictures know of them (`callbacks.compare.progress`):
    that those whose turn had not come yet were cancelled, no job knows.
    """
    stages = {(one["pair_address"], one["method_id"]): one["stage"] for one in (progress or {}).values()}
    waits, guidance_runs, going_on = [], False, False
    for scene in scenes:
        state = services.guidance.state(scene, viewer, start=False)
        if state.complete:
            continue
        stage = stages.get((scene.pair_address, scene.method_id))
        failed = state.error is not None or (stage == "failed" and not state.running)
        cancelled = state.cancelled or (stage == "cancelled" and not state.running)
        guidance_runs = guidance_runs or not (failed or cancelled)
        going_on = going_on or not failed
        told = "failed" if failed else "cancelled" if cancelled else f"{100 * state.fraction:.0f} %"
        waits.append(f"{scene.method_title} ({told})")
    if not influence:
        statistics.influence.cancel(scenes, regions, viewer)
    found = statistics.influence.follow(scenes, regions, viewer, start=influence and not guidance_runs)
    return {
        "waits": waits,
        "influence": found.fraction,
        "influence_complete": found.complete,
        "errors": list(found.errors),
        "going_on": going_on or (influence and not found.ended),
    }

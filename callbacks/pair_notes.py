"""Beside the menu of pairs, on both pages: x1 and x2 swapped, how files are read, and what should be known of them."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State

from app.ids import CompareId, Id, ReadingId
from app.layout.pair_notes import notes_list
from app.layout.reading import reading_facts
from cache.errors import UserError
from cache.services.scenes import Scenes
from cache.services.services import services_of
from fusion.choices import PLAIN
from fusion.colour_maps import ColourMap
from fusion.errors import DifferentSizesError, NonFiniteImageError


def register(app: Dash) -> None:
    """Add the callbacks of the first page."""
    _choose(app, Id.PAIR_SELECT)
    _describe(app, Id.SCENE)


def register_compare(app: Dash) -> None:
    """Add the callbacks of the compare page."""
    _choose(app, CompareId.PAIR_SELECT)
    _describe(app, CompareId.SCENES)


def _choose(app: Dash, menu: str) -> None:
    """Add what gives the menu of pairs other addresses than it offers (``assets/reading/form.mjs``)."""
    services = services_of(app.server)
    app.clientside_callback(
        ClientsideFunction("reading", "swap"),
        Output(menu, "value", allow_duplicate=True),
        Input(Id.PAIR_SWAP, "n_clicks"),
        State(menu, "value"),
        prevent_initial_call=True,
    )
    # The menu gets such a pair when it is shown: all of them would fill it.
    app.clientside_callback(
        ClientsideFunction("reading", "offer"),
        Output(menu, "options"),
        Output(ReadingId.ASKED, "data"),
        Input(menu, "value"),
        State(menu, "options"),
    )
    app.clientside_callback(
        ClientsideFunction("reading", "take"), Output(ReadingId.TAKEN, "data"), Input(ReadingId.FACTS, "data")
    )

    @app.callback(Output(ReadingId.FACTS, "data"), Input(ReadingId.ASKED, "data"))
    def tell(address: str | None) -> dict[str, Any] | None:
        try:
            return facts_of(services.scenes, address) if address else None
        except UserError:
            return None  # whoever shows the pair says what is wrong


def facts_of(scenes: Scenes, address: str) -> dict[str, Any]:
    """Return what the form shows of a pair; also where it cannot be read in the way that somebody has chosen."""
    found = scenes.reading(address)
    unequal, not_finite, colours = False, False, ("", "")
    try:
        colours = scenes.of_colours(address)
    except DifferentSizesError:
        unequal = True
    except NonFiniteImageError:
        not_finite = True
    except UserError as error:
        if found.entry.reading == PLAIN:
            raise
        one, two = ("" if name is ColourMap.LUMA else str(error) for name in found.entry.reading.colour_maps)
        colours = one, two
    return reading_facts(found, unequal, colours, not_finite) | {"asked": address}


def _describe(app: Dash, scenes: str) -> None:
    services = services_of(app.server)

    @app.callback(
        Output(Id.PAIR_NOTES, "children"),
        # Unused images are named at once, also where no pair can be shown.
        Input(Id.VIEWER, "data"),
        Input(scenes, "data"),
    )
    def describe(_viewer: str, shown: dict[str, Any] | list[dict[str, Any]] | None) -> Any:
        known = [scene for scene in (shown if isinstance(shown, list) else [shown]) if scene]
        notes = next((scene["notes"] for scene in known if "notes" in scene), ())
        colour = any(any(scene.get("in_colour", ())) for scene in known)
        return notes_list(notes, services.scenes.unused_images(), colour)

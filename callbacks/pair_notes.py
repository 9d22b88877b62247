"""Beside the menu of pairs, on both pages that have one: swapping x1 and x2, and what should be known of the images."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State

from app.ids import CompareId, Id
from app.layout.pair_notes import notes_list
from cache.services.services import services_of
from fusion.data.entries import SWAPPED, UPLOADED

SWAP = f"""(clicks, pair) => {{
  if (!clicks || !pair) return window.dash_clientside.no_update;
  const end = "{SWAPPED}";
  return pair.endsWith(end) ? pair.slice(0, -end.length) : pair + end;
}}"""
OFFER = f"""(pair, options) => {{
  const known = (options ?? []).some(({{ value }}) => value === pair);
  if (!pair || known) return window.dash_clientside.no_update;
  if (pair.startsWith("{UPLOADED}") && !pair.endsWith("{SWAPPED}")) {{
    return [...options, {{ value: pair, label: "Uploaded pair " + pair.slice({len(UPLOADED)}, {len(UPLOADED) + 8}) }}];
  }}
  if (!pair.endsWith("{SWAPPED}")) return window.dash_clientside.no_update;
  const own = options.find(({{ value }}) => value + "{SWAPPED}" === pair);
  return [...options, {{ value: pair, label: "⇄ " + (own ? own.label : pair) }}];
}}"""
"""The menu gets a swapped pair when it is shown: all of them would double it; and one of an upload."""


def register(app: Dash) -> None:
    """Add the callbacks of the first page."""
    _swap(app, Id.PAIR_SELECT)
    _describe(app, Id.SCENE)


def register_compare(app: Dash) -> None:
    """Add the callbacks of the compare page."""
    _swap(app, CompareId.PAIR_SELECT)
    _describe(app, CompareId.SCENES)


def _swap(app: Dash, menu: str) -> None:
    app.clientside_callback(
        SWAP,
        Output(menu, "value", allow_duplicate=True),
        Input(Id.PAIR_SWAP, "n_clicks"),
        State(menu, "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(OFFER, Output(menu, "options"), Input(menu, "value"), State(menu, "options"))


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
        return notes_list(notes, services.scenes.unused_images())

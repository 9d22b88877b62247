"""What should be known of the images of the pair, on both pages that have a menu of pairs."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, no_update

from app.ids import CompareId, Id
from app.layout.pair_notes import notes_list
from cache.services.services import services_of


def register(app: Dash) -> None:
    """Add the callback of the first page."""
    _register(app, Id.SCENE)


def register_compare(app: Dash) -> None:
    """Add the callback of the compare page."""
    _register(app, CompareId.SCENES)


def _register(app: Dash, scenes: str) -> None:
    found = services_of(app.server).scenes

    @app.callback(Output(Id.PAIR_NOTES, "children"), Input(scenes, "data"))
    def describe(shown: dict[str, Any] | list[dict[str, Any]] | None) -> Any:
        # With the scene and not with the menu: by then the images are in memory.
        known = [
            scene for scene in (shown if isinstance(shown, list) else [shown]) if scene and "pair" in scene
        ]
        if not known:
            return no_update
        return notes_list(found.notes(known[0]["pair_address"]), found.unused_images())

"""What should be known of the images of the pair, on both pages that have a menu of pairs."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output

from app.ids import CompareId, Id
from app.layout.pair_notes import notes_list
from cache.errors import UserError
from cache.services.services import Services, services_of


def register(app: Dash) -> None:
    """Add the callback of the first page."""
    _register(app, Id.SCENE)


def register_compare(app: Dash) -> None:
    """Add the callback of the compare page."""
    _register(app, CompareId.SCENES)


def _register(app: Dash, scenes: str) -> None:
    services = services_of(app.server)

    @app.callback(
        Output(Id.PAIR_NOTES, "children"),
        # Unused images are named at once, also where no pair can be shown; those of the pair when it is in memory.
        Input(Id.VIEWER, "data"),
        Input(scenes, "data"),
    )
    def describe(_viewer: str, shown: dict[str, Any] | list[dict[str, Any]] | None) -> Any:
        known = [scene for scene in (shown if isinstance(shown, list) else [shown]) if scene]
        addresses = [scene["pair_address"] for scene in known if "pair_address" in scene]
        return notes_list(
            _notes(services, addresses[0]) if addresses else (), services.scenes.unused_images()
        )


def _notes(services: Services, address: str) -> tuple[str, ...]:
    try:
        return services.scenes.notes(address)
    except UserError:  # told by the callback that shows the pair
        return ()

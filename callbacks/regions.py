"""Regions of interest of a link: read, checked against the images, and given to the browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output

from app.ids import RegionId
from app.link.texts import linked_region
from cache.errors import UserError
from cache.services.regions import Regions


def register(app: Dash) -> None:
    """Let the browser take over what the server gives."""
    app.clientside_callback(
        ClientsideFunction("regions", "take"),
        Output(RegionId.TAKEN, "data"),
        Input(RegionId.GIVEN, "data"),
        prevent_initial_call=True,
    )


def given_regions(
    regions: Regions, pair: str, shape: tuple[int, int] | None, linked: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return a link's regions for the browser, and a notice for each that cannot be shown.

    Parameters
    ----------
    regions : Regions
        What keeps long codes.
    pair : str
        Address of the pair that is shown.
    shape : tuple of int or None
        (H, W) of its images; ``None`` where it is not the pair that the link names.
    linked : sequence of str
        As in the link.
    """
    found: list[dict[str, str]] = []
    messages: list[str] = []
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
            found.append({"name": region.name, "colour": region.colour, "code": code})
    return {"pair_address": pair, "regions": found}, messages

"""Attributes of HTML elements whose names are no Python names."""

from __future__ import annotations

from typing import Any


def attributes(**values: str) -> dict[str, Any]:
    """Return ``aria-…`` and ``data-…`` attributes, written with underscores, for Dash's components to unpack."""
    return {name.replace("_", "-"): value for name, value in values.items()}

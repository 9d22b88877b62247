"""The errors that callbacks may show: those whose message is for the user."""

from __future__ import annotations

from fusion.errors import FuseVisError as UserError

__all__ = ["UserError"]

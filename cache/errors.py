"""The errors that callbacks may show: those whose message is for the user."""

from __future__ import annotations

from fusion.errors import FuseVisError as UserError

__all__ = ["TooBusyError", "UserError"]


class TooBusyError(UserError):
    """So much is asked for at once that this would wait for too long; asking again later helps.

    Attributes
    ----------
    retry_after_s : int
        How many seconds later.
    """

    retry_after_s = 1

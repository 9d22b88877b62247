"""Asking again and again how far work is, but never before the last answer has come."""

from __future__ import annotations

from dash import Output

from app.layout.parts import POLL_MILLISECONDS

PATIENCE_MILLISECONDS = 60_000
"""After which an answer counts as lost."""


def one_at_a_time(poll: str) -> list[tuple[Output, int, int]]:
    """Return what a callback passes as ``running``, so that its poll waits for the answer.

    Dash drops an answer once the same callback has been called again: on a connection that is slower than the poll,
    none would ever be shown.

    Parameters
    ----------
    poll : str
        The id of its `dash.dcc.Interval`.

    Returns
    -------
    list of (Output, value, value)
        The interval while the callback runs, and afterwards, milliseconds.
    """
    return [(Output(poll, "interval"), PATIENCE_MILLISECONDS, POLL_MILLISECONDS[poll])]

"""Following the computation of guidance images, on both pages alike: how far it is, and what nobody waits for now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from dash import Output, ctx

from app.layout.parts import POLL_MILLISECONDS
from cache.errors import UserError
from cache.services.guidance import GuidanceState
from cache.services.services import Services

COMPLETE, FAILED, RUNNING, WAITING, CANCELLED = "complete", "failed", "running", "waiting", "cancelled"
"""Stages of a computation. One that waits has not been started, or was stopped; one that this page has cancelled is not
started by itself."""


PATIENCE_MILLISECONDS = 60_000
"""After which an answer counts as lost."""


def causes() -> frozenset[str]:
    """Return the ids of all components that the current callback is called for.

    Dash joins what changes in one turn of the browser into one call: a poll may come with a new scene or with a click.
    ``ctx.triggered_id`` names only the first of them.
    """
    return frozenset(ctx.triggered_prop_ids.values())


def clicks(called_by: frozenset[str], scene: str) -> frozenset[str]:
    """Return the causes of a call, but none where a scene is among them: a click was meant for the one before.

    Parameters
    ----------
    called_by : frozenset of str
        Of `causes`.
    scene : str
        The id of the store of scenes.
    """
    return frozenset() if scene in called_by else called_by


def stage(state: GuidanceState) -> str:
    """Return the stage of a computation, which the browser knows by the same names."""
    if state.complete:
        return COMPLETE
    if state.error is not None:
        return FAILED
    return RUNNING if state.running else WAITING


def plain(state: GuidanceState) -> dict[str, Any]:
    """Return what the browser must know of guidance images; the images themselves it fetches."""
    known = state.values is not None
    return {
        "stage": stage(state),
        "fraction": state.fraction,
        "revision": state.revision if known else 0,
        "error": state.error,
    }


def leave(
    services: Services, wanted: Collection[str | None], shown: Mapping[str, Mapping[str, Any]], viewer: str
) -> None:
    """Take a viewer's interest in scenes that are not shown any more back, so that others need not wait for them.

    Parameters
    ----------
    services : Services
        What computes.
    wanted : collection of str
        Keys of the scenes that are shown now.
    shown : mapping
        By key, what the page knows of the scenes that it has shown: ``stage``, ``pair_address`` and ``method_id``.
    viewer : str
        One open page.
    """
    for key, state in shown.items():
        if key not in wanted and state["stage"] == RUNNING:
            let_go(services, state, viewer)


def let_go(services: Services, state: Mapping[str, Any], viewer: str) -> None:
    """Take a viewer's interest in the guidance images of one scene back."""
    # Where its files are gone, so is whatever there was to stop.
    with suppress(UserError):
        services.guidance.cancel(services.scenes.open(state["pair_address"], state["method_id"]), viewer)


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

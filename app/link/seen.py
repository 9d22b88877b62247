"""The methods of a link with the weights that it was made with."""

from __future__ import annotations

from collections.abc import Callable

from app.link.view_state import CompareState


def as_seen(state: CompareState, seen_with: Callable[[str, str | None], str]) -> CompareState:
    """Return a state whose methods are those that were seen when its link was made.

    Parameters
    ----------
    state : CompareState
        As the link says: methods, and the first digits of the weights of each.
    seen_with : callable
        seen_with(id, digits or nothing) returns the id of the method that was seen (`cache.services.scenes.Scenes`).

    Returns
    -------
    CompareState
        The same with other ids in `methods` and `difference`. A method that the link names by its earlier weights
        already is not named twice.
    """
    # A link that names fewer weights than methods says nothing of the last ones; a surplus names none.
    weights = (*state.weights, *("" for _ in state.methods))
    seen = {id: seen_with(id, named) for id, named in zip(state.methods, weights, strict=False)}
    seen = {id: id if other in state.methods else other for id, other in seen.items()}
    return state.model_copy(
        update={
            "methods": tuple(seen.values()),
            "difference": tuple(seen.get(id, id) for id in state.difference),
        }
    )

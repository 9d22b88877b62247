"""How far guidance images are, from what the store has and the jobs say."""

from __future__ import annotations

import numpy as np

from cache.jobs.types import JobState, JobView
from cache.services.answers import GuidanceState

COMPLETE_REVISION = 2**53 - 1
"""The revision of finished guidance images, larger than that of any part; exact in JavaScript too."""


def finished(values: np.ndarray, seconds: float) -> GuidanceState:
    """Return the state of guidance images that are kept."""
    return GuidanceState(
        values=values,
        fraction=1.0,
        complete=True,
        running=False,
        cancelled=False,
        revision=COMPLETE_REVISION,
        error=None,
        compute_seconds=seconds,
    )


def followed(view: JobView[np.ndarray] | None) -> GuidanceState:
    """Return the state of guidance images that a job computes, or once did; ``None``: there is no such job."""
    if view is None:
        return GuidanceState(None, 0.0, False, False, False, 0, None, 0.0)
    if view.state is JobState.DONE and view.partial is not None:
        return finished(view.partial, view.seconds)
    return GuidanceState(
        values=view.partial,
        fraction=view.fraction,
        complete=False,
        running=not view.state.ended,
        cancelled=view.state is JobState.CANCELLED or view.withdrawn,
        revision=view.revision,
        error=view.error,
        compute_seconds=view.seconds,
    )

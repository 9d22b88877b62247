"""What a job is made of, and how a viewer sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

Value = TypeVar("Value")
Value_contra = TypeVar("Value_contra", contravariant=True)


class JobState(StrEnum):
    """What a job is doing, or how it ended."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Report(Protocol[Value_contra]):
    """How work tells of its progress; raises `fusion.errors.Cancelled` if the work should stop."""

    def __call__(self, fraction: float, partial: Value_contra | None = None) -> None:
        """Say that `fraction` (0 to 1) is done, and hand over what is known by now, if that is news."""


Work = Callable[[Report[Value], Callable[[], bool]], Value]
"""Called as work(report, cancelled); returns the result. Where it has no news, it asks ``cancelled()``."""


@dataclass(frozen=True)
class Stage(Generic[Value]):
    """A part of a job, and the lane whose worker does it."""

    work: Work[Value]
    lane: str


@dataclass(frozen=True)
class JobView(Generic[Value]):
    """A job as one viewer sees it at one moment.

    Attributes
    ----------
    state : JobState
    fraction : float
        0 to 1.
    partial : Value or None
        The newest partial result; once done, the result.
    revision : int
        Larger with each new partial result, of whichever job of the manager.
    error : str or None
        For the user, if it failed.
    seconds : float
        Since its work began, until now or its end.
    withdrawn : bool
        Whether this viewer has cancelled it; it can still run for others.
    """

    state: JobState
    fraction: float
    partial: Value | None
    revision: int
    error: str | None
    seconds: float
    withdrawn: bool

"""Jobs as a list of all has them: what is computed, for whom, how far it is, and how long it will take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cache.store.addresses import Address


class JobState(StrEnum):
    """The stages in the life of a job, and its ways to end."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """True where nothing more will come."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class Subject:
    """The subject of a job, in the words of the page.

    Attributes
    ----------
    what : str
        What is computed.
    pair, method : str
        Their addresses in links.
    pair_title, method_title : str
        Their names.
    """

    what: str
    pair: str
    pair_title: str
    method: str
    method_title: str


@dataclass(frozen=True)
class JobEntry:
    """A job that has not ended, as a list of all has it.

    Attributes
    ----------
    address : Address
        Of what it computes.
    subject : Subject or None
        ``None`` where nobody has said.
    state : JobState
    fraction : float
        0 to 1.
    seconds : float
        Since its work began; 0 before.
    seconds_left : float or None
        As long as it will take by its pace until now; ``None`` before that is known.
    owners : frozenset of str
        Who wait for it; see `owner_of`.
    """

    address: Address
    subject: Subject | None
    state: JobState
    fraction: float
    seconds: float
    seconds_left: float | None
    owners: frozenset[str]


def owner_of(viewer: str) -> str:
    """Return whose page a viewer is: what stands before the first dash of its name, or all of it."""
    return viewer.partition("-")[0]

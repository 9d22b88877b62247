"""All long work of a server in one list."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from cache.jobs.entries import JobEntry
from cache.jobs.manager import Jobs
from cache.store.addresses import Address

ID_DIGITS = 16


@dataclass(frozen=True)
class JobList:
    """The jobs of all services.

    Attributes
    ----------
    queues : tuple of Jobs
        Of each service.
    """

    queues: tuple[Jobs[Any], ...]

    def entries(self) -> list[tuple[str, JobEntry]]:
        """Return all jobs that have not ended, each with the id by which it can be stopped."""
        return [(job_id(entry.address), entry) for jobs in self.queues for entry in jobs.entries()]

    def stop(self, id: str, owner: str) -> bool:
        """Take the interest of an owner in a job back; return whether it had any."""
        for jobs in self.queues:
            for entry in jobs.entries():
                if job_id(entry.address) == id:
                    return jobs.withdraw(entry.address, owner)
        return False


def job_id(address: Address) -> str:
    """Return the id of a job in addresses of the page."""
    return hashlib.sha256(address.key().encode()).hexdigest()[:ID_DIGITS]

"""Long work in the background: with progress, partial results, and only as long as somebody watches."""

from __future__ import annotations

import atexit
import itertools
import logging
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from cache.errors import TooBusyError
from cache.jobs.entries import JobEntry, JobState, Subject, owner_of
from cache.jobs.origin import origin
from cache.store.addresses import Address
from fusion.errors import Cancelled, FuseVisError

__all__ = ["JobProgress", "JobState", "Jobs", "Report", "Stage", "Steps", "Work"]

Value = TypeVar("Value")


Report = Callable[[float, Value | None], None]
"""Tells of progress: that a fraction (0 to 1) is done, and what is known by now, ``None`` if that is no news. Raises
`fusion.errors.Cancelled` if the work should stop."""

Steps = Generator[None, None, Value]
"""Work that takes turns with that of others: it yields where these may go first, and goes on when its turn comes."""

Work = Callable[[Report[Value], Callable[[], bool]], Value | Steps[Value]]
"""Called as work(report, cancelled); returns the result. Where it has no news, it asks ``cancelled()``."""


@dataclass(frozen=True)
class Stage(Generic[Value]):
    """A part of a job, and the lane whose worker does it."""

    work: Work[Value]
    lane: str


@dataclass(frozen=True)
class JobProgress(Generic[Value]):
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
    seconds_left : float or None
        As long as the rest will take by the pace until now; ``None`` before that is known, and at its end.
    """

    state: JobState
    fraction: float
    partial: Value | None
    revision: int
    error: str | None
    seconds: float
    withdrawn: bool
    seconds_left: float | None = None


logger = logging.getLogger(__name__)


LEASE_S = 15.0
FORGET_AFTER_S = 60.0
CLOSE_TIMEOUT_S = 3.0
MOST_OWNERS = 10_000
"""Whose last turns are remembered."""
MOST_JOBS = 64
"""Jobs of one owner that wait or are under way: five methods each on a dozen pages."""
KNOWN_PACE = 0.02
"""So much of a job has to be done before its pace says how long the rest takes."""
TOO_MANY = f"{MOST_JOBS} computations are under way for you. Wait for them, or stop some on the page “Jobs”."
UNEXPECTED = "Something went wrong in this computation; the server's log says what."


@dataclass
class _Job(Generic[Value]):
    address: Address
    make: Callable[[], Sequence[Stage[Value]]] | None
    stages: tuple[Stage[Value], ...]
    steps: Steps[Value] | None = None
    state: JobState = JobState.QUEUED
    fraction: float = 0.0
    partial: Value | None = None
    revision: int = 0
    error: str | None = None
    started: float | None = None
    ended: float | None = None
    first_report: tuple[float, float] | None = None
    subject: Subject | None = None
    origin: str = field(default_factory=origin.get)
    stopping: bool = False
    leases: dict[str, float] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)


class Jobs(Generic[Value]):
    """Runs jobs, one at a time in each lane; those of different owners take turns where their work lets them.

    The next is always a job of the owner whose last turn was longest ago, whoever has asked for how many: so nobody
    waits behind all that somebody else has asked for. Among jobs of one owner, first come, first served.

    A job has viewers: open pages, each of which has an owner (`owner_of`). Each viewer holds a lease that its calls
    renew; a job that no lease holds any more is stopped at its next report. So a closed browser tab stops its job, but
    not one that another tab watches.

    The workers are daemon threads of its own: `ThreadPoolExecutor` waits for its threads when the interpreter
    ends, and a server that is told to stop would go on for as long as a guidance image takes. They start with
    the first job, so that a server may fork before.

    Parameters
    ----------
    lanes : mapping of str to int
        How many workers each lane has.
    lease_s : float
        Seconds after which a viewer that has not called again no longer counts.
    forget_after_s : float
        Seconds for which an ended job is remembered.
    clock : callable
        Seconds, from any moment on.
    """

    def __init__(
        self,
        lanes: Mapping[str, int],
        lease_s: float = LEASE_S,
        forget_after_s: float = FORGET_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lease_s = lease_s
        self._forget_after_s = forget_after_s
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[Address, _Job[Value]] = {}
        self._revisions = itertools.count(1)
        self._workers = dict(lanes)
        self._waiting: dict[str, list[_Job[Value]]] = {lane: [] for lane in lanes}
        self._more = threading.Condition(self._lock)
        self._turns = itertools.count(1)
        self._last_turns: dict[str, int] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False

    def __len__(self) -> int:
        """Return how many jobs are remembered, under way or ended."""
        return len(self._jobs)

    def under_way(self) -> int:
        """Return how many jobs are under way or wait for a worker."""
        with self._lock:
            return sum(not job.state.ended for job in self._jobs.values())

    def busy(self) -> bool:
        """Return whether any job is under way or waits for a worker."""
        return self.under_way() > 0

    def submit(
        self,
        address: Address,
        stages: Callable[[], Sequence[Stage[Value]]],
        viewer: str,
        subject: Subject | None = None,
    ) -> JobProgress[Value]:
        """Watch the job of this name; start it if there is none, or the last one was cancelled or failed.

        Parameters
        ----------
        address : Address
            Of what the job computes.
        stages : callable
            Returns the job's stages; called only if it is started. The last one returns the result.
        viewer : str
            Who watches.
        subject : Subject, optional
            What it is about.

        Returns
        -------
        JobProgress
            A job that is done is not started again before it is forgotten: whoever asks finds its result.

        Raises
        ------
        TooBusyError
            If the viewer's owner has `MOST_JOBS` already.
        """
        with self._lock:
            self._require_open()
            self._forget_ended()
            job = self._jobs.get(address)
            new = job is None or job.stopping or job.state in (JobState.CANCELLED, JobState.FAILED)
            if job is None or new:
                self._require_room(owner_of(viewer))
                job = self._begun(address, stages, {}, subject)
            job.withdrawn.discard(viewer)
            job.leases[viewer] = self._clock() + self._lease_s
            if new:
                self._queue(job)
            return self._view(job, viewer)

    def follow(self, address: Address, viewer: str) -> JobProgress[Value] | None:
        """Look at a job as `poll` does; one that was stopped although this viewer follows it goes on.

        Its calls came too late then, as those of a busy machine or of a tab in the background do.
        """
        with self._lock:
            self._forget_ended()
            job = self._jobs.get(address)
            lapsed = job is not None and job.state is JobState.CANCELLED and viewer in job.leases
            if job is not None and job.make is not None and lapsed and not self._closed:
                # Others whose leases have run out follow it too, once they call.
                job = self._begun(address, job.make, job.leases, job.subject)
                job.leases[viewer] = self._clock() + self._lease_s
                self._queue(job)
        return self.poll(address, viewer)

    def poll(self, address: Address, viewer: str) -> JobProgress[Value] | None:
        """Look at a job, and renew the viewer's lease if it has one; ``None`` if there is no such job."""
        with self._lock:
            self._forget_ended()
            job = self._jobs.get(address)
            if job is None:
                return None
            if viewer in job.leases:
                job.leases[viewer] = self._clock() + self._lease_s
            return self._view(job, viewer)

    def cancel(self, address: Address, viewer: str) -> None:
        """Stop watching a job. It stops, at its next report, unless others watch it."""
        with self._lock:
            job = self._jobs.get(address)
            if job is not None and not job.state.ended:
                job.leases.pop(viewer, None)
                job.withdrawn.add(viewer)

    def entries(self) -> list[JobEntry]:
        """Return the jobs that have not ended: those at work first, then as they were asked for."""
        with self._lock:
            found = [self._entry(job) for job in self._jobs.values() if not job.state.ended]
        return sorted(found, key=lambda entry: entry.state is not JobState.RUNNING)

    def withdraw(self, address: Address, owner: str) -> bool:
        """Cancel a job for all viewers of an owner; return whether there was one.

        Others who watch it keep it going, as with `cancel`.
        """
        with self._lock:
            job = self._jobs.get(address)
            if job is None or job.state.ended:
                return False
            own = {viewer for viewer in job.leases if owner_of(viewer) == owner}
            for viewer in own:
                del job.leases[viewer]
            job.withdrawn |= own
            return bool(own)

    def close(self, timeout: float = CLOSE_TIMEOUT_S) -> None:
        """Stop all jobs at their next reports, and wait for the workers `timeout` seconds at most."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            threads = list(self._threads)
            self._more.notify_all()
        deadline = time.monotonic() + timeout
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        atexit.unregister(self.close)

    def _require_open(self) -> None:
        if self._closed:
            raise Cancelled("The server is stopping.")

    def _require_room(self, owner: str) -> None:
        jobs = (job for job in self._jobs.values() if not job.state.ended)
        if sum(owner in map(owner_of, job.leases) for job in jobs) >= MOST_JOBS:
            raise TooBusyError(TOO_MANY)

    def _entry(self, job: _Job[Value]) -> JobEntry:
        now = self._clock()
        seconds = 0.0 if job.started is None else now - job.started
        owners = frozenset(owner_of(viewer) for viewer, end in job.leases.items() if end > now)
        left = self._seconds_left(job, now)
        return JobEntry(job.address, job.subject, job.state, job.fraction, seconds, left, owners)

    def _seconds_left(self, job: _Job[Value], now: float) -> float | None:
        """Estimate from the pace since the first report: what was kept of an earlier time took none."""
        if job.first_report is None:
            return None
        began, fraction = job.first_report
        done = job.fraction - fraction
        return (now - began) / done * (1 - job.fraction) if done >= KNOWN_PACE else None

    def _begun(
        self,
        address: Address,
        make: Callable[[], Sequence[Stage[Value]]],
        leases: Mapping[str, float],
        subject: Subject | None,
    ) -> _Job[Value]:
        """Make a job, not queued yet; with the lock."""
        job = _Job(address, make, tuple(make()), leases=dict(leases), subject=subject)
        self._jobs[address] = job
        self._start_workers()
        return job

    def _start_workers(self) -> None:
        if self._threads:
            return
        for lane, count in self._workers.items():
            for number in range(count):
                thread = threading.Thread(
                    target=self._serve, args=(lane,), name=f"{lane}-{number}", daemon=True
                )
                self._threads.append(thread)
                thread.start()
        # A daemon thread that is inside torch when the interpreter goes away can bring the process down.
        atexit.register(self.close)

    def _forget_ended(self) -> None:
        now = self._clock()
        for address, job in list(self._jobs.items()):
            if job.ended is not None and now - job.ended > self._forget_after_s:
                del self._jobs[address]

    def _view(self, job: _Job[Value], viewer: str) -> JobProgress[Value]:
        end = self._clock() if job.ended is None else job.ended
        seconds = 0.0 if job.started is None else end - job.started
        withdrawn = viewer in job.withdrawn
        left = None if job.state.ended else self._seconds_left(job, end)
        return JobProgress(
            job.state, job.fraction, job.partial, job.revision, job.error, seconds, withdrawn, left
        )

    def _unwanted(self, job: _Job[Value]) -> bool:
        """Return whether a job should stop. Once it should, that is final: who comes back starts a new one."""
        with self._lock:
            now = self._clock()
            job.stopping = job.stopping or self._closed or all(end <= now for end in job.leases.values())
            return job.stopping

    def others_wait(self, address: Address) -> bool:
        """Return whether somebody whose turn was longer ago than that of a job at work waits for its worker."""
        with self._lock:
            job = self._jobs.get(address)
            if job is None or not job.stages:
                return False
            own = self._last_turn(job)
            return any(self._last_turn(other) < own for other in self._waiting[job.stages[0].lane])

    def _queue(self, job: _Job[Value]) -> None:
        """Let a job wait for a worker of its next stage's lane; with the lock."""
        waiting = self._waiting[job.stages[0].lane]
        # One that is under way goes before others of the same owner: it is better to have one than halves of two.
        waiting.insert(len(waiting) if job.steps is None else 0, job)
        self._more.notify_all()

    def _serve(self, lane: str) -> None:
        while (job := self._next(lane)) is not None:
            self._run_stage(job)

    def _next(self, lane: str) -> _Job[Value] | None:
        """Wait for the job whose turn it is; ``None`` when all is over."""
        waiting = self._waiting[lane]
        with self._lock:
            self._more.wait_for(lambda: waiting or self._closed)
            if not waiting:
                return None
            job = min(waiting, key=self._last_turn)
            waiting.remove(job)
            turn = next(self._turns)
            self._last_turns |= dict.fromkeys(map(owner_of, job.leases), turn)
            if len(self._last_turns) > MOST_OWNERS:
                self._last_turns = {owner: last for owner, last in self._last_turns.items() if last == turn}
            return job

    def _last_turn(self, job: _Job[Value]) -> int:
        """Return when one of those who watch a job had a turn last, whoever has waited longest."""
        return min((self._last_turns.get(owner_of(viewer), 0) for viewer in job.leases), default=0)

    def _run_stage(self, job: _Job[Value]) -> None:
        origin.set(job.origin)
        if self._unwanted(job):
            self._end(job, JobState.CANCELLED)
            return
        with self._lock:
            job.state = JobState.RUNNING
            job.started = self._clock() if job.started is None else job.started
        try:
            ended, result = self._turn(job)
        except Cancelled:
            self._end(job, JobState.CANCELLED)
        except FuseVisError as error:
            self._end(job, JobState.FAILED, error=str(error))
        except Exception:
            logger.exception("The job %s failed", job.address.key())
            self._end(job, JobState.FAILED, error=UNEXPECTED)
        else:
            self._go_on(job, ended, result)

    def _turn(self, job: _Job[Value]) -> tuple[bool, Value | None]:
        """Work at a job's stage until it ends or lets others go first; return whether it has ended, and its result."""
        if job.steps is None:
            work = job.stages[0].work(partial(self._report, job), partial(self._unwanted, job))
            if not isinstance(work, Generator):
                return True, work
            job.steps = work
        try:
            next(job.steps)
        except StopIteration as end:
            return True, end.value
        return False, None

    def _go_on(self, job: _Job[Value], ended: bool, result: Value | None) -> None:
        if ended:
            job.steps = None
            job.stages = job.stages[1:]
        if not job.stages:
            self._end(job, JobState.DONE, result=result)
            return
        with self._lock:
            self._queue(job)

    def _report(self, job: _Job[Value], fraction: float, known: Value | None) -> None:
        if self._unwanted(job):
            raise Cancelled("Nobody waits for this computation any more.")
        with self._lock:
            job.fraction = fraction
            job.first_report = job.first_report or (self._clock(), fraction)
            if known is not None:
                job.partial = known
                job.revision = next(self._revisions)

    def _end(
        self, job: _Job[Value], state: JobState, result: Value | None = None, error: str | None = None
    ) -> None:
        with self._lock:
            job.state = state
            job.error = error
            job.ended = self._clock()
            # What the work holds on to (images, a network) is not needed any more.
            job.stages = ()
            if state is not JobState.CANCELLED or not job.leases:
                job.make = None
            steps, job.steps = job.steps, None
            if state is JobState.DONE:
                job.fraction = 1.0
                job.partial = result
                job.revision = next(self._revisions)
        if steps is not None:
            steps.close()

"""Jobs whose steps a test controls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cache.jobs.manager import JobProgress, Jobs, Report, Stage
from cache.store.addresses import SceneAddress

WAIT_S = 120.0


def named(name: str) -> SceneAddress:
    """Return an address that differs from another in its pair."""
    return SceneAddress(name, "method", "weights", device="cpu")


class Task:
    """Work that does one step whenever it is told to."""

    def __init__(self, steps: int = 4, error: Exception | None = None) -> None:
        self.steps = steps
        self.error = error
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.permits = threading.Semaphore(0)
        self.reported = threading.Semaphore(0)
        self.calls = 0

    def __call__(self, report: Report[str], cancelled: Callable[[], bool]) -> str:
        self.calls += 1
        self.begun.set()
        try:
            for step in range(1, self.steps + 1):
                assert self.permits.acquire(timeout=WAIT_S)
                report(step / self.steps, f"step {step}")
                self.reported.release()
            if self.error is not None:
                raise self.error
            return "result"
        finally:
            self.ended.set()

    def step(self) -> None:
        """Let it do one step, and wait until that is reported."""
        self.permits.release()
        assert self.reported.acquire(timeout=WAIT_S)

    def finish(self) -> None:
        self.permits.release(self.steps)
        assert self.ended.wait(WAIT_S)

    def stages(self) -> list[Stage[str]]:
        return [Stage(self, "long")]


def state_of(jobs: Jobs[str], name: str = "job", viewer: str = "nobody") -> JobProgress[str]:
    view = jobs.poll(named(name), viewer)
    assert view is not None
    return view


def ended(jobs: Jobs[str], name: str = "job") -> JobProgress[str]:
    """Wait until a job has ended."""
    deadline = time.monotonic() + WAIT_S
    while not state_of(jobs, name).state.ended:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return state_of(jobs, name)

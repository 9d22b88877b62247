"""A back end that fails says so once, not on every hover."""

from __future__ import annotations

import logging
import threading


class Outage:
    """Whether a back end works, with one log line when it stops and one when it works again.

    Parameters
    ----------
    logger : logging.Logger
        Where to say it.
    title : str
        What the back end is called, at the beginning of a sentence.
    """

    def __init__(self, logger: logging.Logger, title: str) -> None:
        self._logger = logger
        self._title = title
        self._lock = threading.Lock()
        self._problem: str | None = None

    @property
    def problem(self) -> str | None:
        """A sentence for `/readyz` while the back end does not work, else ``None``."""
        return self._problem

    def failed(self, error: BaseException) -> None:
        """Note that an operation failed."""
        with self._lock:
            first = self._problem is None
            self._problem = f"{self._title} does not work ({error}). Results are computed anew each time."
        if first:
            self._logger.warning("%s", self._problem)

    def worked(self) -> None:
        """Note that an operation succeeded."""
        if self._problem is None:
            return
        with self._lock:
            before, self._problem = self._problem, None
        if before is not None:
            self._logger.info("%s works again.", self._title)

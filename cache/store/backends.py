"""The set-up of flask-caching with one of two back ends, and what both say while they do not work.

Its `Cache` is the door to all stored results. ``CACHE_TYPE`` names one of ours, which it imports and asks to make
itself of the settings, as it does with its own.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import flask
import flask_caching

from cache.settings import ServiceSettings

FILE_BACKEND = "cache.store.file_cache.BoundedFileCache"
REDIS_BACKEND = "cache.store.redis_cache.ArrayRedisCache"
MEGABYTE = 2**20


def connect_cache(server: flask.Flask, settings: ServiceSettings) -> flask_caching.Cache:
    """Set flask-caching up for a server: in Redis where there is an address, else in a folder.

    Raises
    ------
    RedisAddressError
        If the Redis address is none.
    """
    config: dict[str, Any] = {"CACHE_DEFAULT_TIMEOUT": settings.cache_timeout_s, "CACHE_IGNORE_ERRORS": True}
    if settings.redis_url:
        config |= {"CACHE_TYPE": REDIS_BACKEND, "CACHE_REDIS_URL": settings.redis_url}
    else:
        config |= {
            "CACHE_TYPE": FILE_BACKEND,
            "CACHE_DIR": str(settings.cache_dir),
            "CACHE_OPTIONS": {"limit_bytes": settings.cache_limit_mb * MEGABYTE},
        }
    # The template extension would cache parts of pages, as text, which these back ends do not keep.
    return flask_caching.Cache(server, with_jinja2_ext=False, config=config)


class Outage:
    """Knows whether a back end works, with one log line when it stops and one when it works again.

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

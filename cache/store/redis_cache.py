"""flask-caching's Redis back end, with plain array bytes and with a Redis that may be away.

Size is bounded by the Redis server itself (``maxmemory`` with the policy ``allkeys-lru``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from flask import Flask
from flask_caching.backends.rediscache import RedisCache
from redis.backoff import NoBackoff
from redis.retry import Retry

from cache.store.backends import Outage
from cache.store.serializer import ArraySerializer, CorruptEntryError
from fusion.errors import FuseVisError

logger = logging.getLogger(__name__)

KEY_PREFIX = "fusevis:"
CONNECT_TIMEOUT_S = 0.5
ANSWER_TIMEOUT_S = 1.0
PAUSE_S = 15.0
"""How long a Redis that failed is left alone: a hover must not wait for the timeout each time."""

Result = TypeVar("Result")


class RedisAddressError(FuseVisError):
    """The address of the Redis server is not one."""


class ArrayRedisCache(RedisCache):
    """Named arrays in Redis. A server that is away is a miss, noted once; a damaged entry is deleted.

    Parameters
    ----------
    client : redis.Redis
        Or an object with its interface, answering in bytes.
    default_timeout : int
        Seconds until an entry expires, where `set` is not told; 0 for never.
    clock : callable
        Seconds, from any moment on.
    """

    serializer = ArraySerializer()  # type: ignore[assignment]

    def __init__(
        self,
        client: Any,
        default_timeout: int = 300,
        ignore_delete_many_errors: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            host=client,
            default_timeout=default_timeout,
            key_prefix=KEY_PREFIX,
            ignore_delete_many_errors=ignore_delete_many_errors,
        )
        self._clock = clock
        self._paused_until = float("-inf")
        self._outage = Outage(logger, "Redis")

    @classmethod
    def factory(
        cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
    ) -> ArrayRedisCache:
        """Make it from Flask's setting ``CACHE_REDIS_URL``.

        Raises
        ------
        RedisAddressError
            If that is no Redis address. A server that does not answer is no error.
        """
        return cls(connect(config["CACHE_REDIS_URL"]), *args, **kwargs)

    @property
    def problem(self) -> str | None:
        """A sentence while Redis does not answer, else ``None``."""
        return self._outage.problem

    def get(self, key: str) -> Any:
        """Return the arrays under a key; ``None`` where there are none, they are damaged or Redis is away."""
        try:
            return self._try(lambda: super(ArrayRedisCache, self).get(key), None)
        except CorruptEntryError as error:
            logger.warning("Redis entry %s is damaged (%s). It is deleted and computed anew.", key, error)
            self.delete(key)
            return None

    def set(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Keep arrays under a key for `timeout` seconds (0 for ever); return whether they are kept."""
        return bool(self._try(lambda: super(ArrayRedisCache, self).set(key, value, timeout), False))

    def add(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Keep arrays under a key unless there are some; return whether they are kept."""
        return bool(self._try(lambda: super(ArrayRedisCache, self).add(key, value, timeout), False))

    def has(self, key: str) -> bool:
        """Return whether there is an entry."""
        return self._try(lambda: super(ArrayRedisCache, self).has(key), False)

    def delete(self, key: str) -> bool:
        """Delete an entry; return whether there was one."""
        return self._try(lambda: super(ArrayRedisCache, self).delete(key), False)

    def clear(self) -> bool:
        """Delete all entries of this program; return whether there were any."""
        return self._try(super().clear, False)

    def _try(self, operation: Callable[[], Result], otherwise: Result) -> Result:
        if self._clock() < self._paused_until:
            return otherwise
        try:
            result = operation()
        except (redis.RedisError, OSError) as error:
            self._paused_until = self._clock() + PAUSE_S
            self._outage.failed(error)
            return otherwise
        self._outage.worked()
        return result


def connect(url: str) -> redis.Redis:
    """Return a client for ``redis://``, ``rediss://`` or ``unix://``; the server is first asked when used.

    Raises
    ------
    RedisAddressError
        If the URL cannot be understood. The message leaves it out: it may hold a password.
    """
    try:
        return redis.Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
            # Once more, for a connection that the server closed meanwhile; the default waits for seconds.
            retry=Retry(NoBackoff(), 1),
        )
    except (ValueError, redis.RedisError) as error:
        raise RedisAddressError(
            "The Redis address cannot be understood. Write it like redis://host:6379/0 or "
            "unix:///path/to/socket, as the setting FUSEVIS_REDIS_URL."
        ) from error

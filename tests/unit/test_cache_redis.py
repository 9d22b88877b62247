"""Redis as a back end: our bytes in it, damage and absence are misses."""

from __future__ import annotations

import logging
import pickle
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

import fakeredis
import flask
import flask_caching
import numpy as np
import pytest
import redis

import cache.store.redis_cache
from cache.store.addresses import FusedAddress
from cache.store.redis_cache import KEY_PREFIX, PAUSE_S, ArrayRedisCache, RedisAddressError, connect
from cache.store.serializer import MAGIC, encode_arrays
from cache.store.store import ArrayStore
from tests.unit.cache_entries import Bomb
from tests.unit.moved_clock import MovedClock

ADDRESS = FusedAddress("a" * 64, "masknet", "b" * 64, device="cpu")


@pytest.fixture
def server() -> fakeredis.FakeServer:
    return fakeredis.FakeServer()


@pytest.fixture
def client(server: fakeredis.FakeServer) -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis(server=server)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(100.0)


@pytest.fixture
def backend(client: fakeredis.FakeRedis, clock: MovedClock) -> ArrayRedisCache:
    return ArrayRedisCache(client, default_timeout=300, clock=clock)


def value(number: float) -> dict[str, np.ndarray]:
    return {"values": np.full(3, number)}


def number_of(arrays: dict[str, np.ndarray] | None) -> float | None:
    return None if arrays is None else float(arrays["values"][0])


def test_keeps_our_bytes(backend: ArrayRedisCache, client: fakeredis.FakeRedis) -> None:
    assert backend.get("a") is None
    assert backend.set("a", value(1))
    assert number_of(backend.get("a")) == 1
    assert client.keys() == [f"{KEY_PREFIX}a".encode()]
    assert client.get(f"{KEY_PREFIX}a") == encode_arrays(value(1))
    assert backend.has("a")
    assert not backend.add("a", value(2))
    assert backend.delete("a")
    assert not backend.delete("a")
    assert backend.problem is None


def test_expiry(backend: ArrayRedisCache, client: fakeredis.FakeRedis) -> None:
    backend.set("default", value(1))
    backend.set("explicit", value(1), timeout=7)
    backend.set("never", value(1), timeout=0)
    lives = [client.ttl(f"{KEY_PREFIX}{key}") for key in ("default", "explicit", "never")]
    assert lives == [300, 7, -1]


def test_clear_leaves_others_alone(backend: ArrayRedisCache, client: fakeredis.FakeRedis) -> None:
    client.set("somebody else's", b"x")
    backend.set("a", value(1))
    assert backend.clear()
    assert client.keys() == [b"somebody else's"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content[:10],
        lambda content: content + b"\0",
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: b"!" + content,
        lambda content: b"12345",
        lambda content: b"!" + pickle.dumps(3),
        lambda content: pickle.dumps(3),
    ],
)
def test_damage_is_a_miss(
    backend: ArrayRedisCache,
    client: fakeredis.FakeRedis,
    damage: Callable[[bytes], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    backend.set("a", value(1))
    client.set(f"{KEY_PREFIX}a", damage(encode_arrays(value(1))))
    with caplog.at_level(logging.WARNING):
        assert backend.get("a") is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert client.keys() == []
    assert backend.problem is None
    assert backend.set("a", value(2))
    assert number_of(backend.get("a")) == 2


def test_an_entry_of_another_kind_is_no_500(backend: ArrayRedisCache, client: fakeredis.FakeRedis) -> None:
    client.lpush(f"{KEY_PREFIX}a", "a list")
    assert backend.get("a") is None


def test_nothing_is_unpickled(backend: ArrayRedisCache, client: fakeredis.FakeRedis, tmp_path: Path) -> None:
    mark = tmp_path / "exploded"
    bomb = pickle.dumps(Bomb(mark))
    pickle.loads(bomb)  # noqa: S301
    assert mark.exists(), "the bomb must work, or this test shows nothing"
    mark.unlink()
    for form in (bomb, b"!" + bomb, MAGIC + bomb):
        client.set(f"{KEY_PREFIX}a", form)
        assert backend.get("a") is None
    assert not mark.exists()


def test_a_redis_that_is_away_is_a_miss_said_once(
    backend: ArrayRedisCache,
    server: fakeredis.FakeServer,
    clock: MovedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    backend.set("a", value(1))
    server.connected = False
    with caplog.at_level(logging.INFO):
        for _ in range(4):
            clock.now += PAUSE_S + 1
            assert backend.get("a") is None
            assert not backend.set("b", value(2))
            assert not backend.add("b", value(2))
            assert not backend.has("a")
            assert not backend.delete("a")
            assert not backend.clear()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert backend.problem is not None
    assert "Redis" in backend.problem
    server.connected = True
    clock.now += PAUSE_S + 1
    with caplog.at_level(logging.INFO):
        assert number_of(backend.get("a")) == 1
    assert backend.problem is None
    assert "works again" in caplog.text


def test_a_redis_that_is_away_is_left_alone_for_a_while(
    backend: ArrayRedisCache, client: fakeredis.FakeRedis, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def away(*_: object, **__: object) -> None:
        asked.append(clock.now)
        raise redis.TimeoutError("no answer")

    monkeypatch.setattr(client, "get", away)
    for _ in range(10):
        assert backend.get("a") is None
    clock.now += PAUSE_S
    backend.get("a")
    assert asked == [100.0, 100.0 + PAUSE_S]


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_store_computes_without_redis(caplog: pytest.LogCaptureFixture) -> None:
    server = flask.Flask("test")
    memo = flask_caching.Cache(
        server,
        with_jinja2_ext=False,
        config={
            "CACHE_TYPE": "cache.store.redis_cache.ArrayRedisCache",
            "CACHE_REDIS_URL": f"redis://127.0.0.1:{closed_port()}/0",
            "CACHE_DEFAULT_TIMEOUT": 77,
        },
    )
    assert isinstance(memo.cache, ArrayRedisCache)
    assert memo.cache.default_timeout == 77
    store = ArrayStore(memo, timeout_s=60, memory_bytes=0)
    with caplog.at_level(logging.INFO):
        for number in range(3):
            found = store.get_or_compute(ADDRESS, partial(value, number))
            assert number_of(found) == number
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert store.problem is not None
    assert "refused" in store.problem


def test_two_servers_share_results(server: fakeredis.FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake_connect(url: str) -> fakeredis.FakeRedis:
        return fakeredis.FakeRedis(server=server)

    monkeypatch.setattr(cache.store.redis_cache, "connect", fake_connect)
    config = {"CACHE_TYPE": "cache.store.redis_cache.ArrayRedisCache", "CACHE_REDIS_URL": "redis://anywhere"}
    stores = [
        ArrayStore(
            flask_caching.Cache(flask.Flask(name), with_jinja2_ext=False, config=dict(config)), timeout_s=60
        )
        for name in ("one", "two")
    ]
    stores[0].put(ADDRESS, value(1))
    assert number_of(stores[1].get(ADDRESS)) == 1


def test_the_url_is_understood() -> None:
    kwargs = connect("redis://:secret@example:6390/3").connection_pool.connection_kwargs
    assert (kwargs["host"], kwargs["port"], kwargs["db"], kwargs["password"]) == (
        "example",
        6390,
        3,
        "secret",
    )
    assert kwargs["socket_connect_timeout"] < 5
    assert kwargs["socket_timeout"] < 5
    assert connect("unix:///run/redis.sock").connection_pool.connection_kwargs["path"] == "/run/redis.sock"


@pytest.mark.parametrize("url", ["http://user:secret@example", "example:6379", "redis://example:port/0"])
def test_a_wrong_url_is_an_error_without_its_password(url: str) -> None:
    with pytest.raises(RedisAddressError, match="FUSEVIS_REDIS_URL") as caught:
        connect(url)
    assert "secret" not in str(caught.value)

"""What benchmarks do to a server in place of its users works, on a small pair."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import fusion
from benchmarks.background import busy_figures, in_turn
from benchmarks.long_work import KINDS, LongWorkError, long_work
from benchmarks.memory import server_memory
from benchmarks.walking import POINTER_GAP_S, User, opened
from tests.running_server import Server, running_server

SLOW = "deep_pedestrian"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


def test_a_pointer_walks_over_a_page_that_was_opened(server: Server) -> None:
    user = User()
    pair = fusion.load_pair(*server.pair_paths)
    opened(server.url, pair, "weighted_averaging", POINTER_GAP_S).go(user, 0, 0.5)
    assert user.errors == []
    assert 1 <= len(user.seconds) <= 0.5 / POINTER_GAP_S + 1


def test_a_wrong_address_is_an_error_of_the_user(server: Server) -> None:
    user = User()
    pair = fusion.load_pair(*server.pair_paths)
    walk = opened(server.url, pair, "weighted_averaging", POINTER_GAP_S)
    type(walk)(walk.url, "/jacobian/no/such/scene", walk.shape, walk.gap).go(user, 0, 0.1)
    assert set(user.errors) == {"status 404"}


@pytest.mark.parametrize("kind", KINDS)
def test_another_user_lets_the_server_work_until_told_to_stop(server: Server, kind: str) -> None:
    for _ in range(2):
        with long_work(kind, server.url, server.pair, SLOW):
            pass


def test_long_work_that_cannot_be_is_told(server: Server) -> None:
    with (
        pytest.raises(LongWorkError, match="cannot be shown"),
        long_work("atlas", server.url, "no such pair", SLOW),
    ):
        pass


def test_idle_and_busy_take_turns(server: Server) -> None:
    pair = fusion.load_pair(*server.pair_paths)
    walk = opened(server.url, pair, "weighted_averaging", POINTER_GAP_S)
    times = in_turn(walk, server.url, SLOW, 0.3)
    assert set(times) == {"idle", *KINDS}
    assert all(times.values())
    assert len(busy_figures("weighted_averaging", times, is_standard=True)) == 3


def test_the_servers_memory_while_hovering_is_measured() -> None:
    idle, peak = server_memory("weighted_averaging", 32, 0.5)
    assert 20 < idle <= peak * 1.01 < 20_000

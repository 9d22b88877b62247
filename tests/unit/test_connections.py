"""Requests that arrive piece by piece are complete when they are, and answers leave as the network takes them."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest

from app.connections import LONGEST_LINE, MOST_BODY, MOST_HEAD, Arrival, Exchange
from app.routes.views import LARGEST_STUDY

HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n"
COMPLETE = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    HEAD + b"Content-Length: 5\r\n\r\nabcde",
    HEAD + b"content-length:0\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab\r\nc\r\n1;x=y\r\nd\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\nTrailer: 1\r\nOther: 2\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", COMPLETE)
def test_a_request_is_complete_at_its_last_byte(request_bytes: bytes) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    generator = random.Random(seed)
    for largest in (1, 3, 20):
        arrival, place = Arrival(), 0
        while place < len(request_bytes):
            assert not arrival.complete
            size = generator.randint(1, largest)
            arrival.add(request_bytes[place : place + size])
            place += size
        assert arrival.complete and arrival.refusal is None
        assert arrival.take(7) + arrival.take(10**6) == request_bytes
        assert arrival.take(5) == b""


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"Content-Length: -5\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET /" + b"x" * LONGEST_LINE,
    ],
)
def test_what_is_malformed_is_for_gunicorn_to_refuse(request_bytes: bytes) -> None:
    arrival = Arrival()
    arrival.add(request_bytes)
    assert arrival.complete


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (HEAD + b"Content-Length: %d\r\n\r\n" % (MOST_BODY + 1), 413),
        (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", 413),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", 413),
        (HEAD + b"X: " + b"x" * MOST_HEAD, 431),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_here(request_bytes: bytes, status: int) -> None:
    arrival = Arrival()
    arrival.add(request_bytes)
    assert arrival.refusal == status and not arrival.complete
    assert MOST_BODY > LARGEST_STUDY


@pytest.fixture
def ends() -> Iterator[tuple[Exchange, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield Exchange(one), other


def test_requests_that_follow_each_other_are_told_apart(ends: tuple[Exchange, socket.socket]) -> None:
    exchange, client = ends
    client.sendall(COMPLETE[1] + COMPLETE[0][:9])
    assert exchange.receive()
    read_ahead = exchange.recv(len(COMPLETE[1]) + 4)
    assert read_ahead[: len(COMPLETE[1])] == COMPLETE[1]
    exchange.next_request(read_ahead[len(COMPLETE[1]) :])
    assert not exchange.arrival.complete
    with pytest.raises(BlockingIOError):
        exchange.receive()
    client.sendall(COMPLETE[0][9:])
    assert exchange.receive() and exchange.arrival.complete
    assert exchange.recv(10**6) == COMPLETE[0]
    client.close()
    assert not exchange.receive()


def test_an_answer_leaves_as_it_is_read(ends: tuple[Exchange, socket.socket]) -> None:
    exchange, client = ends
    answer = random.randbytes(3 * 2**20)
    exchange.sendall(answer[:-1])
    exchange.sendall(answer[-1:])
    assert exchange.unsent_bytes > 2**20, "nobody waited for the client"
    got = b""
    while not exchange.flush():
        got += client.recv(2**20)
    exchange.close()
    while piece := client.recv(2**20):
        got += piece
    assert got == answer
    assert exchange.held_bytes == 0

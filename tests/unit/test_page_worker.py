"""A server of two threads, of which no client has one by being slow."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

import pytest
from gunicorn.config import Config

from app.guard.headers import HEADERS, content_policy
from app.own_answers import OwnAnswers
from app.page_worker import FEWEST_CONNECTIONS, OTHER_FILES, Connection, PageWorker
from benchmarks.server import free_port
from cache.settings import MOST_SLOW
from tests.unit.guarded import guarded_server
from tests.unit.small_wsgi import LARGE

ROOT = Path(__file__).parents[2]
CONNECTIONS = 60
WAIT_S = 300
QUICK = b"GET /quick HTTP/1.1\r\nHost: a\r\n\r\n"
SLOW = b"POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345"


def start(descriptors: int | None = None) -> tuple[subprocess.Popen[bytes], int]:
    """Start a server, with so many descriptors at most, and wait until it answers."""
    port = free_port()
    options = ["--worker-class", "app.page_worker.PageWorker", "--threads", "2", "--no-control-socket"]
    options += ["--worker-connections", str(CONNECTIONS), "--bind", f"127.0.0.1:{port}"]
    limit = f"ulimit -n {descriptors}; " if descriptors else ""
    process = subprocess.Popen(
        [
            "bash",
            "-c",
            f'{limit}exec "$0" "$@"',
            sys.executable,
            "-m",
            "gunicorn",
            *options,
            "tests.unit.small_wsgi:app",
        ],
        cwd=ROOT,
    )
    end = time.monotonic() + WAIT_S
    while True:
        try:
            connected(port).close()
            break
        except OSError:
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.05)
    # Gunicorn listens before it has a worker.
    assert is_quick(port)
    return process, port


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(WAIT_S)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    process, port = start()
    yield port
    assert stop(process) == 0


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)


def asked(port: int, request: bytes = QUICK) -> socket.socket:
    client = connected(port)
    client.sendall(request)
    return client


def answer(client: socket.socket) -> bytes:
    """Read an answer of few bytes."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = client.recv(4096)
        assert piece, f"cut off after {got!r}"
        got += piece
    head, body = got.split(b"\r\n\r\n", 1)
    length = int(head.lower().split(b"content-length: ")[1].split()[0])
    while len(body) < length:
        piece = client.recv(4096)
        assert piece, f"cut off after {got!r}"
        body += piece
    # The answer to the next request may be here already.
    return head.split(b"\r\n")[0] + b" " + body[:length]


def is_quick(port: int) -> bool:
    with asked(port) as client:
        return answer(client) == b"HTTP/1.1 200 OK 0"


def test_slow_writers_hold_no_thread(port: int) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(asked(port, SLOW)) for _ in range(MOST_SLOW + 10)]
        slow += [stack.enter_context(asked(port, b"GET /quick HT")) for _ in range(5)]
        assert is_quick(port)
        slow[0].sendall(b"67890")
        assert answer(slow[0]) == b"HTTP/1.1 200 OK 10"
        slow[-1].sendall(b"TP/1.1\r\nHost: a\r\n\r\n" + QUICK)
        assert answer(slow[-1]) == b"HTTP/1.1 200 OK 0"


def test_slow_readers_hold_no_thread_and_get_all(port: int) -> None:
    with ExitStack() as stack:
        request = b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        slow = [stack.enter_context(asked(port, request)) for _ in range(3)]
        assert all(client.recv(1) == b"H" for client in slow)
        assert is_quick(port)
        got = sum(iter(lambda: len(slow[0].recv(2**20)), 0))
        assert got > LARGE


def test_idle_connections_make_room(port: int) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(connected(port)) for _ in range(3 * CONNECTIONS)]
        assert is_quick(port)
        assert idle[0].recv(1) == b"", "the first of them was let go"
        idle[-1].sendall(QUICK)
        assert answer(idle[-1]) == b"HTTP/1.1 200 OK 0"


def test_requests_follow_each_other_on_a_connection(port: int) -> None:
    with asked(port, QUICK + SLOW + b"67890" + QUICK) as client:
        got = b""
        while got.count(b"HTTP/1.1 200") < 3 or not got.endswith(b"\r\n\r\n0"):
            got += client.recv(4096)
        assert got.count(b"\r\n\r\n10") == 1


def test_who_asks_for_leave_gets_it_and_what_is_too_large_is_refused(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
    with asked(port, head + b"2\r\n\r\n") as client:
        assert client.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ab")
        assert answer(client) == b"HTTP/1.1 200 OK 2"
    with asked(port, head + b"999999999\r\n\r\n") as client:
        assert answer(client).startswith(b"HTTP/1.1 413 ")
        assert client.recv(1) == b""
    with asked(port, b"nonsense\r\n\r\n") as client:
        assert client.recv(4096).startswith(b"HTTP/1.1 400")


REFUSED = {
    400: b"nonsense\r\n\r\n",
    413: b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n",
    414: b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    431: b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000,
    501: b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gone, chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("status", REFUSED)
def test_what_the_worker_refuses_by_itself_has_all_headers_and_an_id(port: int, status: int) -> None:
    with asked(port, REFUSED[status]) as client:
        got = b"".join(iter(lambda: client.recv(65536), b"")).decode()
    head, body = got.split("\r\n\r\n", 1)
    assert head.startswith(f"HTTP/1.1 {status} ")
    told = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    assert {name: told[name] for name in HEADERS} == HEADERS
    assert told["Content-Security-Policy"] == content_policy("'self'")
    assert told["Connection"] == "close" and int(told["Content-Length"]) == len(body.encode())
    if status != 414:
        assert json.loads(body)["request"] == told["X-Request-ID"] and json.loads(body)["error"]


def test_a_request_that_takes_too_long_is_told_so_and_an_idle_connection_is_closed() -> None:
    worker = PageWorker.__new__(PageWorker)
    worker.cfg, worker.alive, worker.nr_conns = Config(), True, 2
    worker.poller, worker._waited_for, worker._next_sweep = selectors.DefaultSelector(), {}, 0.0
    worker._answers = OwnAnswers()
    (slow, slow_client), (idle, idle_client) = socket.socketpair(), socket.socketpair()
    with slow_client, idle_client, worker.poller:
        slow_client.sendall(b"GET / HT")
        for one in (slow, idle):
            conn = Connection(worker.cfg, one, None, None)
            worker._listen(conn)
            if one is slow:
                worker._read_more(conn)
            conn.deadline = 0.0
        worker.murder_keepalived()
        assert idle_client.recv(1) == b""
        got = slow_client.recv(65536)
        assert got.startswith(b"HTTP/1.1 408 ") and b"nosniff" in got and b"took too long" in got
        assert slow_client.recv(1) == b"" and worker.nr_conns == 1
        worker.murder_keepalived(force=True)
        assert worker.nr_conns == 0


def test_the_workers_own_answers_follow_the_servers_settings(tmp_path: Path) -> None:
    with guarded_server(tmp_path, frame_ancestors="https://notes.example", prefix="/deep/in") as server:
        answers = OwnAnswers(server)
        page = answers.of(HTTPStatus.REQUEST_URI_TOO_LONG).decode()
        assert "frame-ancestors https://notes.example\r\n" in page and 'href="/deep/in/"' in page
        assert b"Retry-After: 1\r\n" in answers.of(HTTPStatus.SERVICE_UNAVAILABLE)


def test_a_server_without_descriptors_goes_on() -> None:
    process, port = start(descriptors=OTHER_FILES + FEWEST_CONNECTIONS)
    try:
        (worker,) = (
            int(one) for one in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        )
        with ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(connected(port))
            assert is_quick(port)
        assert is_quick(port)
        os.kill(worker, 0)
    finally:
        assert stop(process) == 0


def test_a_stopping_server_answers_what_is_under_way() -> None:
    process, port = start()
    with (
        connected(port) as idle,
        asked(port, b"GET /gate HTTP/1.1\r\nHost: a\r\n\r\n") as waiting,
        asked(port, b"GET /open HTTP/1.1\r\nHost: ") as arriving,
    ):
        assert is_quick(port)
        process.send_signal(signal.SIGTERM)
        arriving.sendall(b"a\r\n\r\n")
        assert answer(arriving) == answer(waiting) == b"HTTP/1.1 200 OK 0"
        assert idle.recv(1) == b""
    assert process.wait(WAIT_S) == 0

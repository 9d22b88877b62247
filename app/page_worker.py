"""Gunicorn's worker of several threads, none of which ever waits for a client.

Gunicorn's own gives a connection to a thread that reads the request and writes the answer, so that as many clients as
there are threads stop all others by sending or reading slowly. Here its main thread, which waits for all connections
at once, collects requests until they are complete and sends what the network did not take at once. Who takes too long
is let go; so is the connection that has been idle for longest, where there is no room for a new one.

A request that never reaches Flask, because it is too long or cannot be read, is answered here (`app.own_answers`).
"""

from __future__ import annotations

import errno
import resource
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from gunicorn.http.errors import (
    ConfigurationProblem,
    ExpectationFailed,
    ForbiddenProxyRequest,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.workers.gthread import TConn, ThreadWorker

from app.connections import LEAVE, LONGEST_LINE, Exchange
from app.guard.request_ids import write_log
from app.own_answers import OwnAnswers
from cache.settings import MOST_SLOW

LONGEST_REQUEST_LINE = LONGEST_LINE
"""Bytes of ``GET``, address and version together: the most that gunicorn can be told to read."""

PIECE_WAIT_S = 15.0
"""How long the next piece of a request may take, or the next of an answer to be read."""
REQUEST_WAIT_S = 120.0
"""How long all of a request may take."""
LINGER_S = 1.0
"""After an answer that ends a connection, what the client still sends is read for so long: else it could lose the end
of the answer."""
STOP_S = 0.5
"""A server that stops waits for so long for requests that are under way to it."""
REST_S = 0.2
"""For so long nothing is accepted where the process has no descriptor left."""
STOP_LOOK_S = 0.1
"""How often it looks meanwhile for whose time is over."""
TOLD_AGAIN_S = 10.0
MOST_HELD = 512 * 2**20
"""Bytes of all requests that arrive and answers that wait to be sent; beyond it, whoever holds most is let go."""
OTHER_FILES = 128
"""Descriptors that connections leave to everything else."""
FEWEST_CONNECTIONS = 8

STATUSES = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    ForbiddenProxyRequest: HTTPStatus.FORBIDDEN,
    UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}
"""Of requests that cannot be read, by what gunicorn finds in them; 400 for all others."""

OWN_FAULTS = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
"""What gunicorn counts among them, though no client can help it."""

_NO_DESCRIPTOR = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_GONE = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED}


def room_for_connections(wanted: int) -> int:
    """Raise this process's limit of descriptors as far as it may, and return how many connections fit into it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    needed = wanted + OTHER_FILES
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(FEWEST_CONNECTIONS, min(wanted, soft - OTHER_FILES))


class Connection(TConn):
    """A client's connection. While no thread has it, the main thread waits for it until `deadline`."""

    def __init__(self, cfg: Any, client: socket.socket, address: Any, server: Any) -> None:
        super().__init__(cfg, client, address, server)
        self.exchange = self.sock = Exchange(client)
        self.data_ready = True
        self.since = time.monotonic()
        """When the main thread began to wait."""
        self.deadline = self.since
        self.closing = False
        """Whether the connection ends with the answer."""
        self.idle = True
        """Whether nothing of a request has arrived and nothing is to be sent."""


class PageWorker(ThreadWorker):
    """A worker of several threads; those for slow kinds of requests come on top of those that are set."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waited_for: dict[Connection, None] = {}
        self._rests_until = -TOLD_AGAIN_S
        self._next_sweep = 0.0
        self._answers = OwnAnswers()

    def init_process(self) -> None:
        """Begin the log, find out how many connections this process can have, and go on as gunicorn does."""
        write_log()
        self.worker_connections = room_for_connections(self.cfg.worker_connections)
        super().init_process()

    def load_wsgi(self) -> None:
        """Load what is served, and give the worker's own answers its headers."""
        super().load_wsgi()
        self._answers = OwnAnswers(self.wsgi)

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the threads that answer: slow requests can never have all of them, see `cache.jobs.slow`."""
        return ThreadPoolExecutor(self.cfg.threads + MOST_SLOW, thread_name_prefix="answer")

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections or not; not for a moment after descriptors have run out."""
        super().set_accept_enabled(enabled and time.monotonic() >= self._rests_until)

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection; where there is no room, let the longest idle one go."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in _NO_DESCRIPTOR:
                now = time.monotonic()
                if now - self._rests_until > TOLD_AGAIN_S:
                    self.log.warning("No connection can be accepted for a moment: %s", error)
                self._rests_until = now + REST_S
                self._let_idlest_go()
            elif error.errno not in _GONE:
                raise
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._let_idlest_go()
        conn = Connection(self.cfg, client, address, listener.getsockname())
        self._listen(conn)
        # Whoever has asked already is not idle.
        self._read_more(conn)

    def handle_error(self, req: object, client: Exchange, addr: object, exc: Exception) -> None:
        """Answer to a request that cannot be read, or at which the application itself failed."""
        unreadable = isinstance(exc, ParseException) and not isinstance(exc, OWN_FAULTS)
        status = HTTPStatus.BAD_REQUEST if unreadable else HTTPStatus.INTERNAL_SERVER_ERROR
        status = next((status for kind, status in STATUSES.items() if isinstance(exc, kind)), status)
        if not unreadable:
            self.log.error("A request failed outside of the application", exc_info=exc)
        with suppress(OSError):  # whoever has gone meanwhile needs no answer
            client.sendall(self._answers.of(status))

    def finish_request(self, conn: Connection, fs: Future[Any]) -> None:
        """Send the rest of an answer; gunicorn calls this in the main thread."""
        conn.closing = fs.cancelled() or fs.exception() is not None or not fs.result() or not self.alive
        self._wait(conn, selectors.EVENT_WRITE, self._send_more, PIECE_WAIT_S)
        self._send_more(conn)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for connections, as long as gunicorn says; not so long in a server that stops."""
        super().wait_for_and_dispatch_events(timeout if self.alive else min(timeout, STOP_LOOK_S))

    def murder_keepalived(self, force: bool = False) -> None:
        """Let connections go whose time is over, or all; gunicorn calls this again and again."""
        now = time.monotonic()
        if self.alive and not force and now < self._next_sweep:
            return
        self._next_sweep = now + 1
        for conn in [conn for conn in self._waited_for if force or conn.deadline <= now]:
            if force or conn.idle or conn.closing or conn.exchange.unsent_bytes:
                self._drop(conn)
            else:
                self._refuse(conn, HTTPStatus.REQUEST_TIMEOUT)
        waiting = sorted(self._waited_for, key=lambda conn: conn.exchange.held_bytes)
        held = sum(conn.exchange.held_bytes for conn in waiting)
        while held > MOST_HELD:
            largest = waiting.pop()
            held -= largest.exchange.held_bytes
            self._drop(largest)

    def murder_pending(self) -> None:
        """Do nothing: `murder_keepalived` does it for all."""

    def _cap_keepalive(self, deadline: float) -> None:
        """Wait for requests that are under way to a server that stops, but not for as long as they may take."""
        for conn in self._waited_for:
            if conn.idle:
                conn.deadline = min(conn.deadline, deadline, time.monotonic() + STOP_S)

    def _listen(self, conn: Connection) -> None:
        """Wait for the next request, which may be here."""
        conn.idle = not conn.exchange.arrival.bytes
        if self._dispatched(conn):
            return
        patience = float(self.cfg.keepalive) if conn.idle else PIECE_WAIT_S
        self._wait(conn, selectors.EVENT_READ, self._read_more, patience if self.alive else STOP_S)

    def _read_more(self, conn: Connection) -> None:
        try:
            is_open = conn.exchange.receive()
        except BlockingIOError:
            return
        except OSError:
            is_open = False
        if not is_open:
            self._drop(conn)
            return
        now = time.monotonic()
        if conn.idle:
            conn.idle, conn.since = False, now
        conn.deadline = min(now + PIECE_WAIT_S, conn.since + REQUEST_WAIT_S)
        self._dispatched(conn)

    def _dispatched(self, conn: Connection) -> bool:
        """Give a request to a thread if it is complete; answer at once if it is refused."""
        arrival = conn.exchange.arrival
        if arrival.refusal is not None:
            self._refuse(conn, HTTPStatus(arrival.refusal))
            return True
        if arrival.complete:
            self._wait_no_more(conn)
            self.enqueue_req(conn)
            return True
        if arrival.expects_leave:
            arrival.expects_leave = False
            with suppress(OSError):
                conn.exchange.sendall(LEAVE)
        return False

    def _refuse(self, conn: Connection, status: HTTPStatus) -> None:
        conn.closing = True
        with suppress(OSError):
            conn.exchange.sendall(self._answers.of(status))
        self._wait(conn, selectors.EVENT_WRITE, self._send_more, PIECE_WAIT_S)
        self._send_more(conn)

    def _send_more(self, conn: Connection) -> None:
        try:
            before = conn.exchange.unsent_bytes
            if not conn.exchange.flush():
                if conn.exchange.unsent_bytes < before:
                    conn.deadline = time.monotonic() + PIECE_WAIT_S
                return
            if conn.closing:
                conn.exchange.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        self._wait_no_more(conn)
        if conn.closing:
            self._wait(conn, selectors.EVENT_READ, self._read_nothing, LINGER_S)
            return
        conn.exchange.next_request(conn.parser.unreader.take_buffered())
        self._listen(conn)

    def _read_nothing(self, conn: Connection) -> None:
        with suppress(BlockingIOError):
            try:
                if conn.exchange.socket.recv(65536):
                    return
            except ConnectionError:
                pass
            self._drop(conn)

    def _wait(
        self, conn: Connection, event: int, call: Callable[[Connection], None], patience: float
    ) -> None:
        """Have the main thread wait for a connection and call when it can be read or written."""
        self._wait_no_more(conn)
        conn.since = time.monotonic()
        conn.deadline = conn.since + patience
        self._waited_for[conn] = None
        # It may have been let go since it was found to be ready.
        self.poller.register(
            conn.exchange.socket, event, lambda _: call(conn) if conn in self._waited_for else None
        )

    def _wait_no_more(self, conn: Connection) -> None:
        if conn in self._waited_for:
            del self._waited_for[conn]
            self.poller.unregister(conn.exchange.socket)

    def _drop(self, conn: Connection) -> None:
        self._wait_no_more(conn)
        self.nr_conns -= 1
        conn.exchange.close()

    def _let_idlest_go(self) -> None:
        """Close the connection that has waited for longest: an idle one, else one whose request takes its time."""
        waiting = [conn for conn in self._waited_for if not conn.exchange.unsent_bytes]
        if waiting:
            self._drop(min(waiting, key=lambda conn: (not conn.idle, conn.since)))

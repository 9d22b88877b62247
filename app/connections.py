"""Requests as they arrive and answers as they leave, piece by piece, without a thread that waits for either.

A thread of the server gets a request when all of it is there, and is free as soon as it has made the answer: what the
network does not take at once is sent when it can be (`app.page_worker`).
"""

from __future__ import annotations

import re
import socket
from collections import deque
from typing import IO

MOST_HEAD = 64 * 2**10
MOST_BODY = 72 * 2**20
"""Bytes. The largest body that any route takes, a study, is a little smaller."""
LONGEST_LINE = 8190
"""Of a request, bytes: gunicorn has its own answer to a longer one."""
LEAVE = b"HTTP/1.1 100 Continue\r\n\r\n"
PIECE = 256 * 2**10

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([^\r]*?)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_HEXADECIMAL = re.compile(rb"[0-9a-fA-F]{1,16}")


class Arrival:
    """The part of a request that has arrived; gunicorn takes it from here once it is complete.

    Only where a request ends is looked for. What is malformed counts as complete: gunicorn says what is wrong with it.
    """

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.complete = False
        self.refusal: int | None = None
        """The status with which a request is refused that is too large; else ``None``."""
        self.expects_leave = False
        """Whether the client waits for leave to send the body."""
        self._head: int | None = None
        self._end: int | None = None
        self._searched = 0
        self._chunk: int | None = None

    def add(self, piece: bytes) -> None:
        """Take more bytes in."""
        self.bytes += piece
        if self.complete or self.refusal is not None:
            return
        if self._head is None:
            self._look_for_head()
        if self._head is None:
            return
        if self._end is not None:
            self.complete = len(self.bytes) >= self._end
        elif self._chunk is not None:
            self._follow_chunks()

    def take(self, size: int) -> bytes:
        """Return, and remove, up to so many of the bytes; none where there are none left."""
        part = bytes(self.bytes[:size])
        del self.bytes[:size]
        return part

    def _look_for_head(self) -> None:
        found = self.bytes.find(_END_OF_HEAD, max(0, self._searched - len(_END_OF_HEAD)))
        self._searched = len(self.bytes)
        line = self.bytes.find(b"\r\n", 0, LONGEST_LINE + 2)
        if line < 0 and len(self.bytes) > LONGEST_LINE + 2:
            self.complete = True
            return
        if found < 0:
            if len(self.bytes) > MOST_HEAD:
                self.refusal = 431
            return
        self._head = found + len(_END_OF_HEAD)
        self._read_head(bytes(self.bytes[: self._head]))

    def _read_head(self, head: bytes) -> None:
        self.expects_leave = _EXPECTS.search(head) is not None
        length = _LENGTH.search(head)
        if _CHUNKED.search(head):
            self._chunk = len(head)
        elif length is None:
            self._end = len(head)
        elif not length[1].isdigit():
            self.complete = True
        elif len(length[1]) > 15 or int(length[1]) > MOST_BODY:
            self.refusal = 413
        else:
            self._end = len(head) + int(length[1])

    def _follow_chunks(self) -> None:
        """Go from chunk to chunk, as far as they are here, to the end of the last."""
        assert self._chunk is not None and self._head is not None
        while (line := self.bytes.find(b"\r\n", self._chunk)) >= 0:
            size = _HEXADECIMAL.match(bytes(self.bytes[self._chunk : min(line, self._chunk + 20)]))
            if size is None:
                self.complete = True
                return
            length = int(size[0], 16)
            if length == 0:
                # Trailers, if any, end as the head does; without any, the end of this line and an empty one.
                self.complete = self.bytes.find(_END_OF_HEAD, line) >= 0
                return
            if line + 2 + length - self._head > MOST_BODY:
                self.refusal = 413
                return
            if line + 2 + length + 2 > len(self.bytes):
                return
            self._chunk = line + 2 + length + 2
        if len(self.bytes) - self._chunk > MOST_HEAD:
            self.complete = True


class Exchange:
    """A socket for gunicorn, which reads the request that is here and writes what is sent when it can be.

    Parameters
    ----------
    connection : socket.socket
        Of a client; never waited for.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        connection.setblocking(False)
        self.arrival = Arrival()
        self._unsent: deque[memoryview] = deque()

    @property
    def unsent_bytes(self) -> int:
        """Number of bytes that wait to be sent."""
        return sum(map(len, self._unsent))

    @property
    def held_bytes(self) -> int:
        """Memory that the client's slowness takes, bytes."""
        return self.unsent_bytes + len(self.arrival.bytes)

    def receive(self) -> bool:
        """Take in what the client has sent; ``False`` where it has closed.

        Raises
        ------
        BlockingIOError
            If nothing is there.
        OSError
            If the connection is broken.
        """
        piece = self.socket.recv(PIECE)
        self.arrival.add(piece)
        return bool(piece)

    def next_request(self, left: bytes = b"") -> None:
        """Begin with the next request, whose first bytes may be here."""
        rest = left + bytes(self.arrival.bytes)
        self.arrival = Arrival()
        if rest:
            self.arrival.add(rest)

    def flush(self) -> bool:
        """Send what can be sent; return whether that was all.

        Raises
        ------
        OSError
            If the connection is broken.
        """
        while self._unsent:
            first = self._unsent[0]
            sent = self._send(first)
            if sent < len(first):
                self._unsent[0] = first[sent:]
                return False
            self._unsent.popleft()
        return True

    def _send(self, part: memoryview) -> int:
        sent = 0
        try:
            while sent < len(part):
                sent += self.socket.send(part[sent:])
        except BlockingIOError:
            pass
        return sent

    # What gunicorn asks of a socket.

    def recv(self, size: int) -> bytes:
        """Return bytes of the request; none after its end."""
        return self.arrival.take(size)

    def sendall(self, content: bytes) -> None:
        """Send what the network takes, and keep the rest for `flush`."""
        part = memoryview(content)
        if not self._unsent:
            part = part[self._send(part) :]
        if len(part):
            self._unsent.append(part)

    def send(self, content: bytes) -> None:
        """Send as `sendall` does, but no leave to send a body: the main thread has given it, and the body is here."""
        if not content.startswith(LEAVE):
            self.sendall(content)

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> None:
        """Send a file, or a part of it."""
        file.seek(offset)
        self.sendall(file.read() if count is None else file.read(count))

    def setblocking(self, blocking: bool) -> None:
        """Do nothing: nobody waits for a client."""

    def gettimeout(self) -> float:
        """Return for how many seconds a client is waited for: none."""
        return 0.0

    def fileno(self) -> int:
        """Return the number of the connection's descriptor."""
        return self.socket.fileno()

    def shutdown(self, how: int) -> None:
        """Say that nothing more comes."""
        self.socket.shutdown(how)

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

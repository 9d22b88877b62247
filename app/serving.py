"""Serving the page with gunicorn: one process a device, many threads, nothing computed before the fork."""

from __future__ import annotations

import atexit
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from app.page_worker import LONGEST_REQUEST_LINE, PageWorker
from app.settings import Settings

KEEP_ALIVE_S = 75
"""Hovering asks again and again with pauses between; a connection should outlive the pauses."""
MOST_CONNECTIONS = 1000
"""Open at the same time, each with one request at most; who comes after waits until one is closed. It bounds what waits
for a thread, as `cache.services.windows.MOST_AT_ONCE` bounds what waits for the device."""
START_TIMEOUT_S = 120
"""A slow disk may take long to load torch; gunicorn ends a process that is silent for longer."""
STOP_TIMEOUT_S = 5
"""Requests under way at a stop get this long; a long computation is not waited for."""


def gunicorn_options(settings: Settings) -> dict[str, Any]:
    """Return the gunicorn options of the page; the Procfile names the same ones.

    One worker: it alone owns the device and knows the results that are still being computed. No preload:
    CUDA and thread pools do not survive a fork. No control socket: gunicorn would keep one, the same for all
    its servers, in the home folder, which may be empty or read-only. A worker of our own, by its name, because
    gunicorn's command line can say nothing else.
    """
    return {
        "workers": 1,
        "worker_class": f"{PageWorker.__module__}.{PageWorker.__qualname__}",
        "limit_request_line": LONGEST_REQUEST_LINE,
        "threads": settings.server_threads,
        "worker_connections": MOST_CONNECTIONS,
        "keepalive": KEEP_ALIVE_S,
        "timeout": START_TIMEOUT_S,
        "graceful_timeout": STOP_TIMEOUT_S,
        "control_socket_disable": True,
        "preload_app": False,
        "loglevel": "warning",
    }


def open_listener(host: str, port: int) -> socket.socket:
    """Open the listening socket, before anything slow is done, so that a taken port is known at once.

    Parameters
    ----------
    host : str
        Name or address, IPv4 or IPv6.
    port : int
        0 takes any free port.

    Returns
    -------
    socket.socket
        Bound and listening.

    Raises
    ------
    OSError
        If the port is taken or forbidden, or the host is none of this machine's.
    """
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(address[:2], family=family, backlog=128)


def page_address(listener_name: tuple[Any, ...], prefix: str = "") -> str:
    """Return the URL at which a browser on this machine finds the page that listens under this name.

    Parameters
    ----------
    listener_name : tuple
        Host and port, as the socket has them.
    prefix : str
        Below which everything lies, as ``/fusevis``.
    """
    host, port = str(listener_name[0]), int(listener_name[1])
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{prefix}/"


class PageServer(BaseApplication):
    """Gunicorn inside this process, on a socket that is open already.

    Parameters
    ----------
    settings : Settings
        How many threads.
    listener : socket.socket
        From `open_listener`; taken over.
    load : callable
        Makes the Flask server; called in the worker process.
    """

    def __init__(self, settings: Settings, listener: socket.socket, load: Callable[[], Flask]) -> None:
        self._options = gunicorn_options(settings)
        self._load = load
        self._prefix = settings.prefix.rstrip("/")
        self._listener_name = listener.getsockname()
        self._descriptor = listener.detach()
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)
        self.cfg.set("bind", f"fd://{self._descriptor}")
        self.cfg.set("post_worker_init", self._announce)

    def run(self) -> None:
        """Serve until the end, in this process and in the worker's, which is a fork that comes back here too."""
        try:
            super().run()
        except SystemExit as end:
            if end.code == 0:
                leave()
            raise

    def load(self) -> Flask:
        """Make the Flask server; gunicorn calls this in the worker process."""
        return self._load()

    def _announce(self, worker: object) -> None:
        address = page_address(self._listener_name, self._prefix)
        click.echo(f"FuseVis is ready: open {address} in a browser. Ctrl-C stops it.")


def leave() -> NoReturn:
    """End this process in order, but leave its memory to the system.

    Python would take apart all that was imported, which takes longer than all else at a stop, and wait for threads
    whose answers nobody gets any more.
    """
    atexit._run_exitfuncs()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody may read it any more
            stream.flush()
    os._exit(0)

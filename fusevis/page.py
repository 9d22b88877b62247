"""The page in the background of a program: its server is a thread, and all that it computes is computed here."""

from __future__ import annotations

import atexit
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

import fusion
from app.factory import create_server
from app.settings import Settings
from cache.services.services import services_of
from cache.settings import WorkerPlace
from fusevis.pairs import PairLike, pairs_as_files
from fusion.data.entries import PairSource
from fusion.methods.base import Method

FRAMES = "'self' http://localhost:* http://127.0.0.1:* vscode-webview: vscode-file:"
"""Who may show the page in a frame: notebooks of this machine in a browser, and those of Visual Studio Code."""
HEIGHT = 900


class ShownPage:
    """A page that is served by this process until it is stopped, or the process ends.

    Attributes
    ----------
    url : str
        Where a browser on this machine finds it, with the methods that it was started with.
    """

    def __init__(self, application: Flask, folder: tempfile.TemporaryDirectory[str], query: str) -> None:
        self._application, self._folder = application, folder
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", 0, application, threaded=True, request_handler=_Quiet
        )
        self.url = f"http://127.0.0.1:{self._server.port}/{query}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="fusevis", daemon=True)
        self._stopping = threading.Lock()
        self._stopped = False
        self._thread.start()
        atexit.register(self.stop)

    def __repr__(self) -> str:
        return f"FuseVis {'was' if self._stopped else 'is'} at {self.url}"

    def stop(self) -> None:
        """End the server and what it computes; again, nothing happens."""
        with self._stopping:
            if self._stopped:
                return
            self._stopped = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        services_of(self._application).close()
        self._folder.cleanup()
        atexit.unregister(self.stop)


class _Quiet(WSGIRequestHandler):
    """Keeps connections open, as a hover is many requests, and writes no line for each of them."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


def show(
    pairs: PairLike | Iterable[PairLike] = (),
    methods: Method | Sequence[Method] = (),
    *,
    device: str = "auto",
    height: int = HEIGHT,
) -> ShownPage:
    """Start the page on this machine, in the background of this program, and show it below a notebook's cell.

    Parameters
    ----------
    pairs : Pair, sequence of two, or iterable of these
        Beside the samples: paths of two files, two arrays (H, W), or a `fusion.Pair`.
    methods : Method or sequence of Method
        Beside those that ship, as `fusion.register` would put them there. One is shown alone, several side by side.
        What is computed of them is computed in this process.
    device : str
        Where the methods that ship run: ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    height : int
        Of the frame in a notebook, pixels.

    Returns
    -------
    ShownPage
        With its `url`; `stop()` ends it.

    Raises
    ------
    FuseVisError
        If a pair or a method cannot be used.
    """
    chosen = [methods] if isinstance(methods, Method) else list(methods)
    for method in chosen:
        fusion.register(method)
    folder = tempfile.TemporaryDirectory(prefix="fusevis_")
    try:
        files = pairs_as_files(pairs, Path(folder.name))
        for first, second in files:
            fusion.load_pair(first, second)
        settings = Settings(device=device, worker=WorkerPlace.NONE, frame_ancestors=FRAMES)
        application = create_server(settings, files)
        entries = services_of(application).scenes.entries()
        own = next((entry.address for entry in entries if entry.source is PairSource.USER), "")
        page = ShownPage(application, folder, _query(own, [method.id for method in chosen]))
    except BaseException:
        folder.cleanup()
        raise
    _show_in_notebook(page.url, height)
    return page


def _query(pair: str, methods: Sequence[str]) -> str:
    """Return the view at the start, below the page's address: a pair of one's own, several methods side by side."""
    names = {"methods" if len(methods) > 1 else "method": ",".join(methods), "pair": pair}
    query = urlencode({name: value for name, value in names.items() if value}, safe=",")
    return ("compare" if len(methods) > 1 else "") + (f"?{query}" if query else "")


def _show_in_notebook(url: str, height: int) -> None:
    """Show a page below the cell that runs, where this is a notebook's process."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is None:
        return
    frame = f'<iframe src="{escape(url)}" width="100%" height="{height:d}" style="border: 0" title="FuseVis"></iframe>'
    shell.display_pub.publish({"text/html": frame, "text/plain": url})

"""Another user, in a process of its own, whose page lets the server do long work: guidance images, or an atlas.

The page's callbacks are called by HTTP, as a browser calls them, without a browser.
"""

from __future__ import annotations

import json
import multiprocessing
import time
import traceback
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

from app.ids import Id

POLL_SECONDS = 0.7
"""As often as the page asks how far the work is."""

STOP_SECONDS = 120

ANSWER_SECONDS = 300

KINDS = ("guidance", "atlas")

Values = Mapping[tuple[str, str], Any]
"""What stands in the page: by component id and property."""


class LongWorkError(RuntimeError):
    """The long work could not be begun, or did not last."""


@contextmanager
def long_work(kind: str, url: str, pair: str, method: str) -> Iterator[None]:
    """Let a server do long work for as long as the context lasts.

    In a process of its own, because reading the figures of growing guidance images would hold up whoever measures.

    Parameters
    ----------
    kind : {"guidance", "atlas"}
        What to compute.
    url : str
        Of the server.
    pair, method : str
        The pair's address and the method's id.

    Raises
    ------
    LongWorkError
        If the work was not under way from the beginning to the end.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_other_user, args=(kind, url, pair, method, there))
    process.start()
    there.close()
    try:
        _expect(here, "running", kind)
        yield
        here.send("stop")
        _expect(here, "stopped", kind)
    finally:
        here.close()
        process.join()


def _expect(connection: Connection, word: str, kind: str) -> None:
    if not connection.poll(STOP_SECONDS):
        raise LongWorkError(f"Nothing was heard of the computation of {kind}.")
    try:
        said = connection.recv()
    except EOFError:
        said = "ended without a word"
    if said != word:
        raise LongWorkError(f"The computation of {kind}: {said}")


def _other_user(kind: str, url: str, pair: str, method: str, connection: Connection) -> None:
    # Where nobody listens any more there is nobody to tell.
    with suppress(BrokenPipeError):
        try:
            connection.send(_worked(kind, OtherPage(url, pair, method), connection))
        except (OSError, ValueError, KeyError):
            # The process that measures has no other way to learn of it.
            connection.send(traceback.format_exc())


def _worked(kind: str, page: OtherPage, connection: Connection) -> str:
    """Follow the work until it is told to stop; return how it ended."""
    begin, follow, cancel = (
        (page.begin_guidance, page.follow_guidance, page.cancel_guidance)
        if kind == "guidance"
        else (page.begin_atlas, page.follow_atlas, page.cancel_atlas)
    )
    if not begin():
        return "it was there at once"
    connection.send("running")
    while not connection.poll(POLL_SECONDS):
        if not follow():
            return "it ended early: use a larger --side or fewer --seconds"
    while cancel():
        time.sleep(POLL_SECONDS)
    return "stopped"


class OtherPage:
    """An open page of a pair and a method; its methods return whether the work is under way."""

    def __init__(self, url: str, pair: str, method: str, viewer: str = "benchmark-other-user") -> None:
        self._page = DashPage(url)
        chosen: dict[tuple[str, str], Any] = {
            (Id.PAIR_SELECT, "value"): pair,
            (Id.METHOD_SELECT, "value"): method,
        }
        answer = self._page.call(f"{Id.SCENE}.data", chosen, f"{Id.METHOD_SELECT}.value")
        if (Id.SCENE, "data") not in answer:
            raise ValueError(f"{pair} and {method} cannot be shown: the server's log says why")
        self._values: dict[tuple[str, str], Any] = {
            (Id.SCENE, "data"): answer[Id.SCENE, "data"],
            (Id.VIEWER, "data"): viewer,
            (Id.GAMMA_2, "value"): 0.5,
            (Id.COLOUR_SCALE, "value"): "paper",
        }

    def begin_guidance(self) -> bool:
        """Let guidance images be computed, as opening the page does."""
        return self._guidance(f"{Id.SCENE}.data")

    def follow_guidance(self) -> bool:
        """Ask how far they are, and get the figures that are due."""
        return self._guidance(f"{Id.GUIDANCE_POLL}.n_intervals")

    def cancel_guidance(self) -> bool:
        """Stop them."""
        return self._guidance(f"{Id.GUIDANCE_BUTTON}.n_clicks")

    def _guidance(self, changed: str) -> bool:
        answer = self._page.call(f"{Id.GUIDANCE_LIMITS}.data", self._values, changed)
        kept = ((Id.GUIDANCE_LIMITS, "data"), (Id.GUIDANCE_BUTTON, "children"))
        self._values |= {name: answer[name] for name in kept if name in answer}
        return not answer[Id.GUIDANCE_POLL, "disabled"]

    def begin_atlas(self) -> bool:
        """Let an atlas be made."""
        return self._atlas(Id.ATLAS_START)

    def follow_atlas(self) -> bool:
        """Ask how far it is."""
        return self._atlas(Id.ATLAS_POLL)

    def cancel_atlas(self) -> bool:
        """Stop it."""
        return self._atlas(Id.ATLAS_STOP)

    def _atlas(self, event: Id) -> bool:
        changed = f"{event}.{'n_intervals' if event is Id.ATLAS_POLL else 'n_clicks'}"
        answer = self._page.call(f"{Id.ATLAS_TEXT}.children", self._values, changed)
        return not answer[Id.ATLAS_POLL, "disabled"]


class DashPage:
    """One open page of a server.

    Parameters
    ----------
    url : str
        Of the page, with a slash at the end.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        with urllib.request.urlopen(f"{url}_dash-dependencies", timeout=ANSWER_SECONDS) as answer:
            self._callbacks: list[dict[str, Any]] = json.load(answer)

    def call(self, output: str, values: Values, changed: str) -> dict[tuple[str, str], Any]:
        """Call the callback that has an output, and return what it changes.

        Parameters
        ----------
        output : str
            One of its outputs, as ``id.property``.
        values : mapping
            Its inputs and states; those that are not there are empty.
        changed : str
            Which input has changed, as ``id.property``.
        """
        (called,) = [
            one
            for one in self._callbacks
            if output in _parts(one["output"]) and not one["clientside_function"]
        ]
        outputs = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True))
                   for part in _parts(called["output"])]  # fmt: skip

        def filled(parts: list[dict[str, str]]) -> list[dict[str, Any]]:
            return [{**part, "value": values.get((part["id"], part["property"]))} for part in parts]

        body = {
            "output": called["output"],
            "outputs": outputs if called["output"].startswith("..") else outputs[0],
            "inputs": filled(called["inputs"]),
            "state": filled(called["state"]),
            "changedPropIds": [changed],
        }
        request = urllib.request.Request(
            f"{self._url}_dash-update-component",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            content = answer.read()
        response = json.loads(content)["response"] if content else {}
        return {
            (id, name): value for id, properties in response.items() for name, value in properties.items()
        }


def _parts(output: str) -> list[str]:
    """Return the outputs of a callback; several stand between dots, as ``..a.x...b.y..``."""
    return output[2:-2].split("...") if output.startswith("..") else [output]

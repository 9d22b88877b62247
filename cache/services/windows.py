"""Jacobian windows: read from an atlas or the store, else computed, several that are waited for together."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import fusion
from cache import counts
from cache.errors import TooBusyError
from cache.jobs.threads import computing
from cache.services.atlases import AtlasFolder
from cache.services.scenes import Scene, Scenes
from cache.store.addresses import JacobianAddress, SceneAddress
from cache.store.serializer import Arrays
from cache.store.store import ArrayStore
from fusion import JacobianWindow, Method, Pair
from fusion.saliency.jacobian import checked_pixel
from fusion.saliency.window import PATHS

LONGEST_WAIT_S = 0.003
"""How long a request waits for the one that is being computed, before it is computed beside it."""
MOST_TOGETHER = 16
MOST_AT_ONCE = 64
"""Requests that are computed or wait, of all pairs and methods: some seconds of work where windows are the slowest. One
more is refused, because it would only make all others wait longer."""

Pixel = tuple[int, int]
Compute = Callable[[Method, Pair, list[Pixel]], list[JacobianWindow]]


@dataclass
class _Batch:
    """Requests that wait together, and what came of them."""

    pixels: list[Pixel] = field(default_factory=list)
    taken: bool = False
    ended: bool = False
    windows: list[JacobianWindow] = field(default_factory=list)
    error: BaseException | None = None


@dataclass
class _Scene:
    """Work under way for one pair and method."""

    running: int = 0
    waiting: _Batch | None = None


def _computed(method: Method, pair: Pair, pixels: list[Pixel]) -> list[JacobianWindow]:
    # What they have in common is prepared behind the hovers, none of which shall wait for what it does not need.
    if len(pixels) == 1:
        return [fusion.jacobian(method, pair, pixels[0], ahead=False)]
    return fusion.jacobians(method, pair, pixels, ahead=False)


class MicroBatches:
    """Computes windows; those of one pair and method that wait for another go together. Safe for many threads.

    A request finds nothing under way and is computed at once, alone. While it is, others of the same pair and method
    gather; when it is done, or after `LONGEST_WAIT_S`, one of them computes all. Two
    windows together take as long as 1.2 (funfusean, deepfuse) to 1.6 (masknet, deep_pedestrian) alone, eight as long as
    3 to 5 (measured, one thread).

    Nothing that waits here is out of date, so nothing is dropped for something newer of the same user. That is decided
    in the browser (`assets/core/channel.mjs`): a page has one request in flight, when it is answered the newest pixel
    goes next, and those passed over meanwhile are never asked for. Two tabs of one user show a pixel each, and both are
    wanted. Only a script could let a newer request follow an older one of its own that waits.

    Parameters
    ----------
    threads : int
        Threads of torch.
    compute : callable
        Returns the windows of some pixels, in their order.
    most : int
        How many requests may be here at once.
    """

    def __init__(self, threads: int, compute: Compute = _computed, most: int = MOST_AT_ONCE) -> None:
        self._threads = threads
        self._compute = compute
        self._most = most
        self._inside = 0
        self._changed = threading.Condition()
        self._scenes: dict[SceneAddress, _Scene] = {}

    def __len__(self) -> int:
        """Return for how many pairs and methods something is under way."""
        return len(self._scenes)

    @property
    def inside(self) -> int:
        """Number of requests that are computed or wait."""
        return self._inside

    def window(self, method: Method, pair: Pair, pixel: Pixel) -> JacobianWindow:
        """Return the Jacobian window of a pixel.

        Raises
        ------
        TooBusyError
            If too many wait already.
        Exception
            Whatever computing it raises.
        """
        with self._changed:
            if self._inside >= self._most:
                counts.REFUSED.labels("hovers").inc()
                raise TooBusyError(
                    "The server is asked for too many pixels at the same moment; ask again in a second."
                )
            self._inside += 1
        try:
            return self._window(method, pair, pixel)
        finally:
            with self._changed:
                self._inside -= 1

    def _window(self, method: Method, pair: Pair, pixel: Pixel) -> JacobianWindow:
        key = SceneAddress.of(method, pair.id)
        with self._changed:
            scene = self._scenes.setdefault(key, _Scene())
            batch, place = _joined(scene, pixel)
            if scene.running:
                self._changed.wait_for(lambda: batch.taken or not scene.running, LONGEST_WAIT_S)
            leads = not batch.taken
            if leads:
                batch.taken = True
                scene.running += 1
                if scene.waiting is batch:
                    scene.waiting = None
            else:
                self._changed.wait_for(lambda: batch.ended)
        if leads:
            self._run(key, scene, batch, method, pair)
        if batch.error is not None:
            raise batch.error
        return batch.windows[place]

    def _run(self, key: SceneAddress, scene: _Scene, batch: _Batch, method: Method, pair: Pair) -> None:
        try:
            with computing(self._threads):
                batch.windows = self._compute(method, pair, batch.pixels)
        except BaseException as error:
            batch.error = error
            raise
        finally:
            with self._changed:
                batch.ended = True
                scene.running -= 1
                if not scene.running and scene.waiting is None and self._scenes.get(key) is scene:
                    del self._scenes[key]
                self._changed.notify_all()


def _joined(scene: _Scene, pixel: Pixel) -> tuple[_Batch, int]:
    batch = scene.waiting
    if batch is None or len(batch.pixels) >= MOST_TOGETHER:
        batch = scene.waiting = _Batch()
    batch.pixels.append(pixel)
    return batch, len(batch.pixels) - 1


class Windows:
    """Jacobian windows of principal pixels. Safe to use from several threads.

    Parameters
    ----------
    scenes : Scenes
        What has the pairs and methods.
    store : ArrayStore
        Where windows are kept.
    threads : int
        Threads of torch.
    atlases : AtlasFolder, optional
        Windows that were computed beforehand.
    """

    def __init__(
        self, scenes: Scenes, store: ArrayStore, threads: int, atlases: AtlasFolder | None = None
    ) -> None:
        self._scenes = scenes
        self._store = store
        self._atlases = atlases
        self._batches = MicroBatches(threads)
        self._asked = -math.inf

    def at(self, pair: str, method: str, weights: str, row: int, col: int) -> JacobianWindow:
        """Return the window at an address, without the catalogue as long as memory has the pair.

        It is read from an atlas where there is one, else from the store, else computed and kept.

        Parameters
        ----------
        pair, weights : str
            Content id of the pair and sha256 of the weights, 64 hexadecimal digits each.
        method : str
            Id of the method.
        row, col : int
            The principal pixel, 0-based.

        Returns
        -------
        JacobianWindow
            Its values, float32 (2, h, w), dimensionless, are read-only.

        Raises
        ------
        UserError
            If any of them does not exist, or not any more; among others `PixelOutsideImageError`, `TooBusyError`.
        """
        return self._window(*self._scenes.addressed(pair, method, weights), row, col)

    def of(self, scene: Scene, row: int, col: int, exact: bool = False) -> JacobianWindow:
        """Return the window of a scene's principal pixel, 0-based, as `at` does.

        With `exact`, for files, it is never one from an atlas, whose numbers are rounded.

        Raises
        ------
        UserError
            If the pixel is outside the image, or the method cannot be run on it.
        """
        return self._window(self._scenes.method(scene), self._scenes.pair(scene), row, col, exact)

    def under_way(self) -> int:
        """Return how many windows are computed or waited for."""
        return self._batches.inside

    def since_asked(self) -> float:
        """Return how many seconds ago a window was asked for that need not be exact: a pointer moves just now."""
        return time.monotonic() - self._asked

    def _window(self, method: Method, pair: Pair, row: int, col: int, exact: bool = False) -> JacobianWindow:
        began = time.monotonic()
        row, col = checked_pixel((row, col), pair.shape)
        if not exact:
            self._asked = began
            known = self._atlases.window(method, pair, row, col) if self._atlases is not None else None
            if known is not None:
                counts.HOVERS.labels("atlas").observe(time.monotonic() - began)
                return known
        address = JacobianAddress.of(method, pair.id, row, col)
        came_from = "kept"

        def compute() -> Arrays:
            nonlocal came_from
            window = self._batches.window(method, pair, (row, col))
            came_from = window.path
            return {
                "values": window.values,
                "corner": np.array([window.top, window.left]),
                "path": np.array(PATHS.index(window.path)),
            }

        arrays = self._store.get_or_compute(address, compute)
        if not exact:
            counts.HOVERS.labels(came_from).observe(time.monotonic() - began)
        top, left = (int(side) for side in arrays["corner"])
        return JacobianWindow(
            arrays["values"], top, left, row, col, pair.shape, path=PATHS[int(arrays["path"])]
        )

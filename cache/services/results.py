"""The memoized results of one method on one pair: fused image, Jacobian windows, guidance images."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import fusion
from cache.jobs.guidance_work import GuidanceWork
from cache.jobs.threads import ThreadCounts, computing
from cache.jobs.types import Stage
from cache.services.atlas_shelf import AtlasShelf
from cache.services.micro_batches import MicroBatches
from cache.store.addresses import FusedAddress, GuidanceAddress, JacobianAddress
from cache.store.serializer import Arrays
from cache.store.store import ArrayStore
from fusion import JacobianWindow, Method, Pair
from fusion.errors import FuseVisError
from fusion.saliency.jacobian import checked_pixel
from fusion.saliency.window import PATHS

logger = logging.getLogger(__name__)

PREPARED_SCENES = 4
"""A scene that was left for so many others is prepared anew: its kept maps may be gone."""


class _Closed(Exception):
    """Nobody needs any more what is being prepared."""


class Results:
    """Looks results up in the store, and computes what is not there.

    Parameters
    ----------
    store : ArrayStore
        Where results are kept.
    threads : ThreadCounts
        How many threads torch may use.
    atlases : AtlasShelf, optional
        Jacobian windows that were computed beforehand.
    """

    def __init__(self, store: ArrayStore, threads: ThreadCounts, atlases: AtlasShelf | None = None) -> None:
        self._store = store
        self._threads = threads
        self._atlases = atlases
        self._batches = MicroBatches(threads.hover)
        self._background = ThreadPoolExecutor(1, thread_name_prefix="prepare")
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._asked = -math.inf
        self._prepared: deque[tuple[str, str]] = deque(maxlen=PREPARED_SCENES)

    @property
    def problem(self) -> str | None:
        """A sentence while the store does not work, else ``None``."""
        return self._store.problem

    def fused(self, method: Method, pair_id: str, pair: Callable[[], Pair]) -> np.ndarray:
        """Return the fused image, float32 (H, W), read-only. `pair` is called only if it must be computed."""
        address = FusedAddress(pair_id, method.id, method.weights_id, device=method.device.type)

        def compute() -> Arrays:
            with computing(self._threads.whole_image):
                return {"fused": fusion.fuse(method, pair())}

        return self._store.get_or_compute(address, compute)["fused"]

    def window(self, method: Method, pair: Pair, row: int, col: int) -> JacobianWindow:
        """Return the Jacobian window of a principal pixel; its values are read-only.

        It is read from an atlas where there is one, else computed and kept.

        Raises
        ------
        PixelOutsideImageError
            If the pixel is not in the image.
        """
        self._asked = time.monotonic()
        row, col = checked_pixel((row, col), pair.shape)
        known = self._atlases.window(method, pair, row, col) if self._atlases is not None else None
        return self.exact_window(method, pair, row, col) if known is None else known

    def since_window(self) -> float:
        """Return how many seconds ago somebody asked for a `window`: whether a pointer is moving just now."""
        return time.monotonic() - self._asked

    def exact_window(self, method: Method, pair: Pair, row: int, col: int) -> JacobianWindow:
        """Return the same as `window`, but never from an atlas, whose numbers are rounded.

        Raises
        ------
        PixelOutsideImageError
            If the pixel is not in the image.
        """
        row, col = checked_pixel((row, col), pair.shape)
        address = JacobianAddress(pair.id, method.id, method.weights_id, row, col, device=method.device.type)

        def compute() -> Arrays:
            window = self._batches.window(method, pair, (row, col))
            return {
                "values": window.values,
                "corner": np.array([window.top, window.left]),
                "path": np.array(PATHS.index(window.path)),
            }

        arrays = self._store.get_or_compute(address, compute)
        top, left = (int(side) for side in arrays["corner"])
        return JacobianWindow(
            arrays["values"], top, left, row, col, pair.shape, path=PATHS[int(arrays["path"])]
        )

    def prepare(self, method: Method, pair: Pair) -> None:
        """Begin to compute what all Jacobian windows of a pair have in common, once; does not wait for it."""
        scene = (method.weights_id, pair.id)
        with self._lock:
            if scene in self._prepared:
                return
            self._prepared.append(scene)
        self._background.submit(self._prepare, method, pair)

    def _prepare(self, method: Method, pair: Pair) -> None:
        try:
            # Whoever opens a scene waits for its fused image; both at once would take twice the memory as well.
            self.fused(method, pair.id, lambda: pair)
            self._go_on()
            with computing(self._threads.hover):
                fusion.prepare(method, pair, progress=lambda share: self._go_on())
        except _Closed:
            return
        except FuseVisError:
            # Whoever asks for a window of this pair is told the same.
            logger.info("%s cannot be prepared for this pair", method.id, exc_info=True)

    def _go_on(self) -> None:
        if self._closed.is_set():
            raise _Closed

    def close(self) -> None:
        """Stop preparing."""
        self._closed.set()
        self._background.shutdown(wait=False, cancel_futures=True)

    def guidance_name(self, method: Method, pair_id: str) -> str:
        """Return what the computation of guidance images is called: its address."""
        return _guidance_address(method, pair_id).key()

    def guidance(self, method: Method, pair_id: str) -> tuple[np.ndarray, float] | None:
        """Return finished guidance images, float32 (2, H, W), read-only, and how many seconds they took."""
        kept = self._store.get(_guidance_address(method, pair_id))
        return None if kept is None else (kept["values"], float(kept["seconds"]))

    def guidance_stages(self, method: Method, pair: Pair) -> Sequence[Stage[np.ndarray]]:
        """Return the stages of the job that computes guidance images and keeps them."""
        address = _guidance_address(method, pair.id)
        return GuidanceWork(method, pair, address, self._store, self._threads.whole_image).stages()


def _guidance_address(method: Method, pair_id: str) -> GuidanceAddress:
    return GuidanceAddress(pair_id, method.id, method.weights_id, device=method.device.type)

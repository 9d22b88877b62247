"""Atlases that the store of long work has, as `precompute` left them: found beside a hover, and read by it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cachetools import LRUCache

from fusion import JacobianWindow, Method, Pair
from fusion.errors import AtlasError
from fusion.saliency.atlas import Atlas, atlas_folder
from fusion.work.store import ChunkStore, unreachable
from fusion.work.stored_atlas import found_atlas

OPEN_ATLASES = 16
LOOK_AGAIN_S = 3.0
"""How long it takes until it is noticed that somebody makes an atlas, or how far that is by now."""
REST_S = 60.0
"""For so long a store that has failed is left alone: a hover must not wait for it each time."""

logger = logging.getLogger(__name__)


@dataclass
class _Known:
    """An atlas as it was when last looked for, and until when that is good enough."""

    atlas: Atlas | None = None
    until: float = -float("inf")
    looking: bool = False


class StoredAtlases:
    """Finds atlases of a store, which may be far away: looked for in a thread, so that nobody waits for it.

    They are read and never written. Safe to use from several threads.

    Parameters
    ----------
    store : ChunkStore
        What `python -m fusion precompute` has written, here or elsewhere.
    clock : callable
        Seconds, from any moment on.
    """

    def __init__(self, store: ChunkStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._known: LRUCache[Path, _Known] = LRUCache(OPEN_ATLASES)

    def find(self, method: Method, pair: Pair) -> Atlas | None:
        """Return the atlas of a method and a pair, as far as is known by now; ``None`` at first, or without one."""
        known = self._of(method, pair)
        with self._lock:
            settled = known.atlas is not None and known.atlas.complete
            if not settled and not known.looking and self._clock() >= known.until:
                known.looking = True
                threading.Thread(target=self._look, args=(known, method, pair), daemon=True).start()
            return known.atlas

    def window(self, method: Method, pair: Pair, row: int, col: int) -> JacobianWindow | None:
        """Read the window of a pixel of the image; ``None`` where it has to be computed."""
        atlas = self.find(method, pair)
        if atlas is None or not atlas.has(row, col):
            return None
        try:
            return atlas.window(row, col)
        except AtlasError as error:
            logger.warning("%s The window is computed instead.", error)
            # A damaged tile costs its own hovers alone; a store that does not answer would cost those of all others.
            if isinstance(error.__cause__, unreachable()) and not isinstance(
                error.__cause__, FileNotFoundError
            ):
                self._leave_alone(self._of(method, pair))
            return None

    def _of(self, method: Method, pair: Pair) -> _Known:
        with self._lock:
            return self._known.setdefault(atlas_folder(Path(), method, pair), _Known())

    def _look(self, known: _Known, method: Method, pair: Pair) -> None:
        atlas, rest = known.atlas, LOOK_AGAIN_S
        try:
            if atlas is None:
                atlas = found_atlas(self._store, method, pair)
            else:
                atlas.refresh()
        except (AtlasError, OSError) as error:
            logger.warning("%s Its windows are computed instead.", error)
            atlas, rest = None, REST_S
        with self._lock:
            known.atlas, known.until, known.looking = atlas, self._clock() + rest, False

    def _leave_alone(self, known: _Known) -> None:
        with self._lock:
            known.atlas, known.until = None, self._clock() + REST_S

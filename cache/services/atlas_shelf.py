"""The atlases that are on disk: complete Jacobians that were computed beforehand."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from fusion import JacobianWindow, Method, Pair
from fusion.errors import AtlasError
from fusion.saliency.atlas import Atlas, atlas_folder
from fusion.saliency.atlas_store import outdated_atlas

OPEN_ATLASES = 16
LOOK_AGAIN_S = 3.0
"""How long it takes until it is noticed that another process makes an atlas, or how far that is by now."""

logger = logging.getLogger(__name__)


class AtlasShelf:
    """Opens atlases as they are asked for. Safe to use from several threads.

    Parameters
    ----------
    root : Path
        Folder of atlases; need not exist.
    clock : callable
        Seconds, from any moment on.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._clock = clock
        self._lock = threading.Lock()
        self._told: set[Path] = set()
        self._open: OrderedDict[Path, tuple[Atlas | None, float]] = OrderedDict()

    def window(self, method: Method, pair: Pair, row: int, col: int) -> JacobianWindow | None:
        """Read the window of a pixel of the image; ``None`` where there is no atlas, or it is not that far."""
        atlas = self.find(method, pair)
        if atlas is None or not atlas.has(row, col):
            return None
        try:
            return atlas.window(row, col)
        except AtlasError:
            # Computing it is slower, never wrong; but somebody has to know.
            logger.exception("A window of an atlas cannot be read; it is computed instead")
            return None

    def find(self, method: Method, pair: Pair) -> Atlas | None:
        """Return the atlas of a method and a pair, as far as it is computed by now; ``None`` without one."""
        folder = atlas_folder(self._root, method, pair)
        with self._lock:
            atlas, looked = self._open.get(folder, (None, -LOOK_AGAIN_S))
            now = self._clock()
            if now - looked >= LOOK_AGAIN_S:
                atlas = self._looked_up(folder, method, pair, atlas)
                self._open[folder] = (atlas, now)
                while len(self._open) > OPEN_ATLASES:
                    self._open.popitem(last=False)
            self._open.move_to_end(folder)
            return atlas

    def look_again(self, method: Method, pair: Pair) -> None:
        """Look at the disk when this atlas is asked for next: it has changed."""
        folder = atlas_folder(self._root, method, pair)
        with self._lock:
            atlas, _ = self._open.get(folder, (None, 0.0))
            self._open[folder] = (atlas, self._clock() - LOOK_AGAIN_S)

    def _looked_up(self, folder: Path, method: Method, pair: Pair, known: Atlas | None) -> Atlas | None:
        if not (folder / "zarr.json").exists():
            outdated = outdated_atlas(self._root, method, pair)
            if outdated is not None and folder not in self._told:
                self._told.add(folder)
                logger.warning("%s", outdated)
            return None
        try:
            if known is None:
                return Atlas(folder, method, pair)
            known.refresh()
        except (AtlasError, OSError, ValueError):
            logger.exception("The atlas in %s cannot be used; its windows are computed instead", folder)
            return None
        return known

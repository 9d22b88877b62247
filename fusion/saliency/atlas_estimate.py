"""The cost of an atlas, in bytes and seconds, before it is made."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np

from fusion.durations import spoken
from fusion.errors import AtlasError
from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.atlas import computed_windows
from fusion.saliency.atlas_store import (
    TILE,
    AtlasStore,
    Tile,
    atlas_bytes,
    radius_of,
    tile_box,
    tile_side,
    tiles_of,
)
from fusion.saliency.jacobian import jacobian

MEGABYTE = 2**20
FREE_SHARE = 0.9
"""Part of the free disk that an atlas may fill."""
TIMING_S = 2.0
"""How long parts of the image are timed, one at least. Much less would tell nothing of a machine that is busy."""
WRITTEN = 5
"""Tiles that are written to time it."""
COMMON_SIDE = 32
"""Pixels a side of the squares in which what pixels have in common is computed, at the first pixel of each."""
GOLDEN = (5**0.5 - 1) / 2
"""Steps of this part of a whole are spread evenly, however many are taken."""


@dataclass(frozen=True)
class AtlasEstimate:
    """The disk and the time that an atlas needs.

    Attributes
    ----------
    size : int
        On disk when it is complete, bytes.
    tiles, done : int
        How many tiles it has, and how many of them are there already.
    seconds : float
        About how long the others take on this machine, as busy as it is now, with writing them.
    """

    size: int
    tiles: int
    done: int
    seconds: float

    def sentence(self) -> str:
        """Say it in words."""
        return (
            f"{self.size / MEGABYTE:,.0f} MiB in {self.tiles} tile{'s' if self.tiles > 1 else ''}, "
            f"{self.done} of them there already; "
            f"about {spoken(self.seconds)} to go."
        )


def estimate(
    method: Method, pair: Pair, tiles_done: tuple[int, int], root: Path | None = None
) -> AtlasEstimate:
    """Time some windows and how long their tiles take to write, and say what all need.

    Parameters
    ----------
    method, pair
        What to differentiate.
    tiles_done : tuple of int
        How many tiles are there, and how many there will be, as `Atlas.tiles_done`.
    root : Path, optional
        Folder of atlases, which need not exist: on its disk files are written and removed again. Without it, on that
        of temporary files.

    Raises
    ------
    AtlasError
        If the method's support is the whole image.
    """
    done, tiles = tiles_done
    size = atlas_bytes(method, pair.shape)
    seconds = 0.0
    if done < tiles:
        window, common = _seconds_of_windows(method, pair)
        pixels = pair.shape[0] * pair.shape[1] / tiles
        writing = _seconds_of_writing(radius_of(method, pair.shape), root)
        seconds = (tiles - done) * (pixels * (window + common / COMMON_SIDE**2) + writing)
    return AtlasEstimate(size, tiles, done, seconds)


def check_space(root: Path, size: int) -> None:
    """Refuse what the disk has no room for.

    Parameters
    ----------
    root : Path
        Folder of atlases; need not exist.
    size : int
        Bytes that are still to be written.

    Raises
    ------
    AtlasError
        If they are more than `FREE_SHARE` of what is free.
    """
    free = shutil.disk_usage(_existing(root)).free
    if size > FREE_SHARE * free:
        raise AtlasError(
            f"{root}: the atlas needs {size / MEGABYTE:,.0f} MiB, and there are {free / MEGABYTE:,.0f} MiB free. "
            "Choose another folder (--output FOLDER, for a server FUSEVIS_ATLAS_DIR), or make room."
        )


def _seconds_of_windows(method: Method, pair: Pair) -> tuple[float, float]:
    """Time windows here and there in an image.

    Returns
    -------
    tuple of float
        For each window, and for what the pixels of a square of `COMMON_SIDE` have in common.
    """
    rows, columns = tiles_of(pair.shape)
    middle = rows // 2, columns // 2
    # Not timed: what a method needs once, whatever is computed.
    jacobian(method, pair, (middle[0] * TILE, middle[1] * TILE), ahead=False)
    began = time.perf_counter()
    # The first is slower than those that follow, but where it takes long that is nothing.
    first = _timed_at(method, pair, middle)
    times = [first] if first[0] * TILE**2 > TIMING_S else []
    while not times or time.perf_counter() - began < TIMING_S:
        number = len(times) + 1
        place = int(number * GOLDEN % 1 * rows), int(number * GOLDEN**2 % 1 * columns)
        times.append(_timed_at(method, pair, place))
    windows, common = zip(*times, strict=True)
    return mean(windows), mean(common)


def _timed_at(method: Method, pair: Pair, place: Tile) -> tuple[float, float]:
    box = tile_box(place, TILE, pair.shape)
    pixels = [(row, column) for row in range(box.top, box.bottom) for column in range(box.left, box.right)]
    began = time.perf_counter()
    jacobian(method, pair, pixels[0], ahead=False)
    between = time.perf_counter()
    computed_windows(method, pair, pixels)
    return (time.perf_counter() - between) / len(pixels), between - began


def _seconds_of_writing(radius: int, root: Path | None) -> float:
    """Time writing a tile. Apart from the windows: between others that wait for the disk, they would seem fast."""
    side, window = tile_side(radius), 2 * radius + 1
    content = np.zeros((side, side, 2, window, window), np.float16), np.ones((side, side), np.float32)
    with _folder_on_disk(root) as folder:
        store = AtlasStore(Path(folder) / "atlas", {}, (WRITTEN * side, side), radius)
        began = time.perf_counter()
        for number in range(WRITTEN):
            store.write((number, 0), content)
        return (time.perf_counter() - began) / WRITTEN


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())


def _folder_on_disk(root: Path | None) -> tempfile.TemporaryDirectory[str]:
    if root is not None:
        # Where it is not allowed, making the atlas tells so.
        with contextlib.suppress(OSError):
            return tempfile.TemporaryDirectory(prefix=".atlas-", dir=_existing(root))
    return tempfile.TemporaryDirectory(prefix="atlas-")

"""What an atlas will cost, in bytes and seconds, before it is made."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from fusion.errors import AtlasError
from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.atlas_layout import TILE, atlas_bytes, tiles_of
from fusion.saliency.jacobian import jacobians

MEGABYTE = 2**20
FREE_SHARE = 0.9
"""Part of the free disk that an atlas may fill."""


@dataclass(frozen=True)
class AtlasEstimate:
    """What an atlas needs.

    Attributes
    ----------
    size : int
        On disk when it is complete, bytes.
    tiles, done : int
        How many tiles it has, and how many of them are there already.
    seconds : float
        About how long the others take on this machine, as busy as it is now.
    """

    size: int
    tiles: int
    done: int
    seconds: float

    def sentence(self) -> str:
        """Say it in words."""
        return (
            f"{self.size / MEGABYTE:,.0f} MiB in {self.tiles} tiles, {self.done} of them there already; "
            f"about {_spoken(self.seconds)} to go."
        )


def estimate(method: Method, pair: Pair, tiles_done: tuple[int, int]) -> AtlasEstimate:
    """Time one tile in the middle of the image, and say what all need.

    Parameters
    ----------
    method, pair
        What to differentiate.
    tiles_done : tuple of int
        How many tiles are there, and how many there will be, as `Atlas.tiles_done`.

    Raises
    ------
    AtlasError
        If the method's support is the whole image.
    """
    done, tiles = tiles_done
    size = atlas_bytes(method, pair.shape)
    rows, columns = tiles_of(pair.shape)
    seconds = (
        0.0 if done == tiles else (tiles - done) / tiles * rows * columns * _seconds_a_tile(method, pair)
    )
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
    existing = next(parent for parent in (root.absolute(), *root.absolute().parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if size > FREE_SHARE * free:
        raise AtlasError(
            f"{root}: the atlas needs {size / MEGABYTE:,.0f} MiB, and there are {free / MEGABYTE:,.0f} MiB free. "
            "Choose another folder (--output FOLDER, for a server FUSEVIS_ATLAS_DIR), or make room."
        )


def _seconds_a_tile(method: Method, pair: Pair) -> float:
    row, column = (side // 2 for side in pair.shape)
    pixels = [
        (min(row + number // TILE, pair.shape[0] - 1), min(column + number % TILE, pair.shape[1] - 1))
        for number in range(TILE * TILE)
    ]
    # Once for the chain and what it keeps of the forward pass at the tile's corners, which most tiles find there.
    jacobians(method, pair, [pixels[number] for number in (0, TILE - 1, -TILE, -1)], ahead=False)
    began = time.perf_counter()
    jacobians(method, pair, pixels, ahead=False)
    return time.perf_counter() - began


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"

"""Pyramids: images of large pairs at several resolutions, of which pages ask for the tiles that are in view."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cache.errors import UserError
from cache.services.guidance import Guidance
from cache.services.scenes import Scene, Scenes
from cache.store.store import MemoryTier, SingleFlight
from fusion.colours import min_max

TILE_SIDE = 256
PYRAMID_BYTES = 384 * 2**20
"""Memory for all pyramids: those of three images of the largest pair there may be fit."""
KINDS = ("inputs", "fused", "guidance")
NO_TILE = "There is no such tile."
FEWEST_PIXELS = 64
"""Along the longer side of the coarsest level, about."""


@dataclass(frozen=True)
class Pyramid:
    """Images of one kind at all resolutions.

    Attributes
    ----------
    levels : tuple of ndarray of float32, shape (bands, ⌈H / 2^level⌉, ⌈W / 2^level⌉)
        The images themselves, then each time the means of 2×2 values; NaN where nothing is known.
    ranges : tuple of (float, float)
        The smallest and the largest finite value of each image.
    fraction : float
        How much of their computation is done, 0 to 1.
    complete : bool
        Whether these are final.
    """

    levels: tuple[NDArray[np.float32], ...]
    ranges: tuple[tuple[float, float], ...]
    fraction: float
    complete: bool

    @classmethod
    def of(cls, values: NDArray[np.float32], fraction: float = 1.0, complete: bool = True) -> Pyramid:
        """Make the pyramid of images (bands, H, W), float32."""
        levels = [values]
        while max(levels[-1].shape[1:]) > FEWEST_PIXELS:
            levels.append(halved(levels[-1]))
        return cls(tuple(levels), tuple(map(min_max, values)), fraction, complete)

    @property
    def nbytes(self) -> int:
        """Bytes of all levels."""
        return sum(level.nbytes for level in self.levels)

    def tile(self, level: int, row: int, col: int) -> NDArray[np.float32]:
        """Return one of the squares of `TILE_SIDE` pixels that a level is cut into, smaller at its ends.

        Parameters
        ----------
        level : int
            0 for the images themselves.
        row, col : int
            Counted in tiles, 0-based.

        Returns
        -------
        ndarray of float32, shape (bands, h, w)
            A view of the level.

        Raises
        ------
        UserError
            If there is none.
        """
        if level >= len(self.levels):
            raise UserError(NO_TILE)
        top, left = row * TILE_SIDE, col * TILE_SIDE
        values = self.levels[level][:, top : top + TILE_SIDE, left : left + TILE_SIDE]
        if not values.size:
            raise UserError(NO_TILE)
        return values


def halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the means of 2×2 values; of an odd side the last values stand twice.

    Parameters
    ----------
    values : ndarray of float32, shape (bands, H, W)
        NaN where nothing is known.

    Returns
    -------
    ndarray of float32, shape (bands, ⌈H / 2⌉, ⌈W / 2⌉)
        NaN does not count, and stays where all four are.
    """
    odd = [(0, side % 2) for side in values.shape[1:]]
    even = np.pad(values, ((0, 0), *odd), mode="edge") if any(more for _, more in odd) else values
    parts = [even[:, top::2, left::2] for top in (0, 1) for left in (0, 1)]
    if np.isfinite(values).all():
        total = parts[0] + parts[1]
        for part in parts[2:]:
            total += part
        return total / np.float32(4)
    known = [np.isfinite(part) for part in parts]
    count = np.sum(known, axis=0, dtype=np.float32)
    total = np.sum([np.where(known, part, 0) for part, known in zip(parts, known, strict=True)], axis=0)
    return np.divide(total, count, out=np.full(count.shape, np.nan, np.float32), where=count > 0)


class Pyramids:
    """Finds pyramids by the addresses of scenes, and keeps those in memory that were looked at last.

    Parameters
    ----------
    scenes : Scenes
        Pairs and fused images.
    guidance : Guidance
        Guidance images.
    limit_bytes : int
        The most bytes kept.
    """

    def __init__(self, scenes: Scenes, guidance: Guidance, limit_bytes: int = PYRAMID_BYTES) -> None:
        self._scenes = scenes
        self._guidance = guidance
        self._kept: MemoryTier[Pyramid] = MemoryTier(limit_bytes, lambda pyramid: pyramid.nbytes)
        self._flights: SingleFlight[Pyramid] = SingleFlight()

    def at(self, pair: str, method: str, weights: str, kind: str, viewer: str) -> Pyramid:
        """Return a pyramid; of guidance images as far as they are known.

        Parameters
        ----------
        pair, method, weights, viewer : str
            As for `cache.services.images.images_at`.
        kind : str
            One of `KINDS`.

        Raises
        ------
        UserError
            If any of them does not exist, or not any more, or too many new ones are asked for at once.
        """
        owner = pair if kind == "inputs" else f"{pair}/{method}/{weights}"
        known = self._kept.get((owner, kind))
        if known is not None:
            return known
        with self._scenes.slow.place():
            scene = replace(self._scenes.open(pair, method), weights_id=weights)
            if kind == "guidance":
                return self._of_guidance(scene, owner, viewer)
            return self._flights.do((owner, kind), lambda: self._made(scene, owner, kind))

    def _made(self, scene: Scene, owner: str, kind: str) -> Pyramid:
        known = self._kept.get((owner, kind))
        if known is None:
            inputs = kind == "inputs"
            values = self._scenes.pair(scene).images if inputs else self._scenes.fused(scene)[None]
            known = Pyramid.of(values)
            self._kept.put((owner, kind), known)
        return known

    def _of_guidance(self, scene: Scene, owner: str, viewer: str) -> Pyramid:
        state = self._guidance.state(scene, viewer, start=False)
        if state.values is None:
            nothing = np.full((2, scene.height, scene.width), np.nan, dtype=np.float32)
            return Pyramid((nothing,), ((0.0, 0.0),) * 2, state.fraction, complete=False)
        values, complete = state.values, state.complete
        growing = (owner, "growing", state.revision)

        def make() -> Pyramid:
            known = self._kept.get(growing)
            if known is None:
                known = Pyramid.of(values, state.fraction, complete)
                self._kept.put((owner, "guidance") if complete else growing, known)
            return known

        return self._flights.do(growing, make)

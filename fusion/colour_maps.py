"""Pictures whose colours stand for numbers, such as PET and SPECT: recognised, and turned back into numbers.

The colours of such a picture lie on a curve, its colour map. Luma does not follow the numbers along most of these
curves: the red of the hottest places is darker than the yellow before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fusion.chroma import LUMA, Colours, unit_colours

Floats = NDArray[np.float64]

LEVELS = 256
"""Of a colour map."""
COLOURED = 12 / 255
"""Difference of the largest and the smallest of red, green and blue from which on a pixel is no gray."""
BIN = 12 / 255
"""Side of the cubes whose mean colours a learnt map goes through."""
LEAST_BINS, MOST_BINS = 8, 700
"""Of cubes that a curve passes: some colours are no map yet, and a photograph has more."""
LEAST_SHARE = 3e-4
"""Of coloured pixels, in a cube."""
LEAST_COLOURED = 0.01
"""Of all pixels, in a picture whose colours stand for numbers."""
SAMPLE = 20_000
"""About how many pixels are looked at to find out whether a map fits."""
SHORTEST = 1.2
"""Of a curve that passes several colours; from black to white along grays it is 1.73."""
THIN = (14.0, 70.0)
"""Largest mean and 99th percentile of the residual along a curve, of 255."""
FITS = (6.0, 30.0)
"""The same of a named map."""
FALLS = 0.05
"""By how much luma may fall along a curve and still be said to rise with the numbers."""


class ColourMap(StrEnum):
    """The choices of how a picture in colour is read."""

    LUMA = "luma"
    AUTO = "auto"
    LEARNT = "learnt"
    JET = "jet"
    HOT = "hot"
    RAINBOW = "rainbow"
    HOT_IRON = "hot-iron"
    PET = "pet"


NAMED = (ColourMap.JET, ColourMap.HOT, ColourMap.RAINBOW, ColourMap.HOT_IRON, ColourMap.PET)
_PALETTES = {ColourMap.HOT_IRON: "hotiron.dcm", ColourMap.PET: "pet.dcm"}


@dataclass(frozen=True)
class Scalars:
    """The numbers of a picture whose colours stand for them.

    Attributes
    ----------
    values : ndarray of float64, shape (H, W)
        Where each colour lies along the map, 0 to 1.
    colour_map : ColourMap
        The map, `ColourMap.LEARNT` for the picture's own curve.
    mean, p99 : float
        Distances of coloured pixels from the map, in red, green and blue of 255: the mean and the 99th percentile. 0
        says that every colour is one of the map's.
    falls : float
        By how much luma falls along the part of the map that the picture has, from its largest before, 0 to 1.
    """

    values: Floats
    colour_map: ColourMap
    mean: float
    p99: float
    falls: float

    def within(self, limits: tuple[float, float]) -> bool:
        """Tell whether mean and 99th percentile of the distance are not beyond these."""
        return self.mean <= limits[0] and self.p99 <= limits[1]

    def sentence(self) -> str:
        """Return what was done, with how well it fits."""
        name = "the picture's own curve" if self.colour_map is ColourMap.LEARNT else self.colour_map.value
        return (
            f"colours became numbers by the colour map “{name}”; they lie {self.mean:.1f} of 255 beside it on average, "
            f"99 % within {self.p99:.1f}"
        )


@cache
def table(name: ColourMap) -> Floats:
    """Return the colours of a named map.

    Parameters
    ----------
    name : ColourMap
        One of `NAMED`. Jet and hot are MATLAB's, rainbow goes in saturated colours from blue to red, hot iron and PET
        are the palettes of DICOM (PS3.6, annex B).

    Returns
    -------
    ndarray of float64, shape (256, 3)
        Red, green, blue from 0 to 1, for numbers from 0 to 1 evenly spaced, rounded to bytes.
    """
    if name in _PALETTES:
        return _palette(_PALETTES[name])
    t = np.linspace(0, 1, LEVELS)
    if name is ColourMap.JET:
        parts = [1.5 - np.abs(4 * t - middle) for middle in (3, 2, 1)]
    elif name is ColourMap.HOT:
        parts = [t * 8 / 3, t * 8 / 3 - 1, t * 4 - 3]
    elif name is ColourMap.RAINBOW:
        parts = [4 * t - 2, 2 - np.abs(4 * t - 2), 2 - 4 * t]
    else:
        raise ValueError(f"{name} is no named colour map")
    rounded: Floats = np.floor(np.clip(np.stack(parts, axis=-1), 0, 1) * 255 + 0.5) / 255
    return rounded


def _palette(file: str) -> Floats:
    from pydicom import dcmread  # nobody else should wait for this package
    from pydicom.data import get_palette_files

    found = dcmread(next(path for path in get_palette_files() if path.endswith(file)))
    bands = [found[f"{band}PaletteColorLookupTableData"].value for band in ("Red", "Green", "Blue")]
    return np.stack([np.frombuffer(band, np.uint8) for band in bands], axis=-1) / 255


def learnt(colours: Colours) -> Floats | None:
    """Find the curve on which the colours of a picture lie, from its darkest end.

    The mean colours of small cubes are joined by the ways of least sum of squared steps from the darkest one, which
    keep to the curve; the longest of these ways is taken.

    Parameters
    ----------
    colours : ndarray, shape (H, W, 3)
        uint8, or float32 from 0 to 1.

    Returns
    -------
    ndarray of float64, shape (256, 3), or None
        Red, green, blue from 0 to 1, evenly spaced along the curve; ``None`` where colours are few, or fill more than
        a curve does.
    """
    pixels = unit_colours(colours).reshape(-1, 3)
    cubes = np.floor(pixels / BIN).astype(np.int64) @ np.array([1024, 32, 1])
    _, at, counts = np.unique(cubes, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(at, band, len(counts)) for band in pixels.T], axis=-1) / counts[:, None]
    coloured = np.count_nonzero(np.ptp(pixels, axis=1) >= COLOURED)
    many = counts >= max(2, LEAST_SHARE * coloured)
    kept = means[many]
    if not LEAST_BINS <= len(kept) <= MOST_BINS or counts[many].sum() < len(pixels) / 2:
        return None
    way = _longest_way(kept[np.argsort(kept @ np.array(LUMA))])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    places = np.linspace(0, along[-1], LEVELS)
    return np.stack([np.interp(places, along, band) for band in way.T], axis=-1)


def _longest_way(points: Floats) -> Floats:
    """Return the longest of the ways of least squared steps from the first point to the others (Dijkstra)."""
    count = len(points)
    cost, length = np.full(count, np.inf), np.zeros(count)
    before, open_ = np.zeros(count, dtype=int), np.ones(count, dtype=bool)
    cost[0] = 0
    for _ in range(count):
        here = int(np.argmin(np.where(open_, cost, np.inf)))
        open_[here] = False
        steps = np.linalg.norm(points - points[here], axis=1)
        better = open_ & (cost[here] + steps**2 < cost)
        cost[better], length[better], before[better] = (
            cost[here] + steps[better] ** 2,
            length[here] + steps[better],
            here,
        )
    way = [int(np.argmax(length))]
    while way[-1]:
        way.append(int(before[way[-1]]))
    return points[way[::-1]]


def invert(colours: Colours, colour_map: Floats, name: ColourMap) -> Scalars:
    """Find for every colour the nearest of a map.

    Parameters
    ----------
    colours : ndarray, shape (H, W, 3)
        uint8, or float32 from 0 to 1.
    colour_map : ndarray of float64, shape (256, 3)
        Of `table` or `learnt`.
    name : ColourMap
        What it is called.

    Returns
    -------
    Scalars
        Exact where every colour is one of the map's.
    """
    rgb = unit_colours(colours)
    different, back = _different(colours)
    nearest, distances = _nearest(different, colour_map)
    values = nearest[back].reshape(rgb.shape[:2])
    coloured = np.ptp(rgb, axis=-1) >= COLOURED
    beside = 255 * distances[back].reshape(rgb.shape[:2])[coloured]
    mean, p99 = (float(beside.mean()), float(np.percentile(beside, 99))) if beside.size else (0.0, 0.0)
    luma = (colour_map @ np.array(LUMA))[nearest.min() : nearest.max() + 1]
    falls = float((np.maximum.accumulate(luma) - luma).max(initial=0))
    return Scalars(values / (LEVELS - 1), name, mean, p99, falls)


def _different(colours: Colours) -> tuple[Floats, NDArray[np.int64]]:
    """Return the different colours (N, 3) of a picture, from 0 to 1, and for each pixel which it has."""
    if colours.dtype != np.uint8:
        return unit_colours(colours).reshape(-1, 3), np.arange(colours.shape[0] * colours.shape[1])
    # As one number each they are sorted in a tenth of the time.
    packed = colours.reshape(-1, 3).astype(np.int64) @ np.array([65536, 256, 1])
    different, back = np.unique(packed, return_inverse=True)
    return (different[:, None] >> np.array([16, 8, 0]) & 255) / 255, back


def _nearest(colours: Floats, colour_map: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return for each colour (N, 3) the number of the nearest of a map, and its distance."""
    found, distances = np.empty(len(colours), dtype=np.int64), np.empty(len(colours))
    squares = (colour_map**2).sum(axis=1)
    for start in range(0, len(colours), 4096):
        part = colours[start : start + 4096]
        near = np.argmin(squares - 2 * part @ colour_map.T, axis=1)
        found[start : start + 4096] = near
        distances[start : start + 4096] = np.linalg.norm(part - colour_map[near], axis=1)
    return found, distances


def recognised(colours: Colours) -> Scalars | None:
    """Find out whether the colours of a picture stand for numbers.

    Parameters
    ----------
    colours : ndarray, shape (H, W, 3)
        uint8, or float32 from 0 to 1.

    Returns
    -------
    Scalars or None
        By the named map that fits best, if one fits, else by the picture's own curve; ``None`` for a picture with few
        coloured pixels, with colours of one kind only, or whose colours lie on no curve, as those of a photograph.
    """
    found = _fitting(colours)
    return None if found is None else invert(colours, found[0], found[1].colour_map)


def _fitting(colours: Colours) -> tuple[Floats, Scalars] | None:
    """Return the map that fits, and how well it does on a sample of the pixels; ``None`` where there is none."""
    step = max(1, round((colours.shape[0] * colours.shape[1] / SAMPLE) ** 0.5))
    sample = np.ascontiguousarray(colours[::step, ::step])
    if np.mean(np.ptp(unit_colours(sample), axis=-1) >= COLOURED) < LEAST_COLOURED:
        return None
    curve = learnt(sample)
    if curve is None or np.linalg.norm(np.diff(curve, axis=0), axis=1).sum() < SHORTEST:
        return None
    own = invert(sample, curve, ColourMap.LEARNT)
    if not own.within(THIN):
        return None
    best = min((invert(sample, table(name), name) for name in NAMED), key=lambda one: one.mean)
    return (table(best.colour_map), best) if best.within(FITS) else (curve, own)


def warning(colours: Colours) -> str:
    """Return what a user should know of a picture in colour that is read as luma; empty where there is nothing.

    Parameters
    ----------
    colours : ndarray, shape (H, W, 3)
        uint8, or float32 from 0 to 1.
    """
    fitting = _fitting(colours)
    if fitting is None:
        return ""
    found = fitting[1]
    how = (
        "luma does not follow the value (the hottest red is darker than yellow)"
        if found.falls > FALLS
        else "luma rises with the value, but not evenly"
    )
    named = "" if found.colour_map is ColourMap.LEARNT else f" (most like “{found.colour_map.value}”)"
    return f"its colours lie on a curve and seem to be numbers{named}: {how}; a colour map can be inverted instead"


def scalars(colours: Colours, choice: ColourMap) -> Scalars | None:
    """Turn a picture in colour into the numbers that its colours stand for.

    Parameters
    ----------
    colours : ndarray, shape (H, W, 3)
        uint8, or float32 from 0 to 1.
    choice : ColourMap
        A named map, `ColourMap.LEARNT` for the picture's own curve, or `ColourMap.AUTO` for what `recognised` finds.

    Returns
    -------
    Scalars or None
        ``None`` where the choice is automatic and the colours stand for no numbers, where they lie on no curve that
        could be learnt, and for `ColourMap.LUMA`.
    """
    if choice is ColourMap.LUMA:
        return None
    if choice is ColourMap.AUTO:
        return recognised(colours)
    curve = learnt(colours) if choice is ColourMap.LEARNT else table(choice)
    return None if curve is None else invert(colours, curve, choice)

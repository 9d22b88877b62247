"""Choices by which the two files of a pair are read, as one small value with a code for links, keys and file names.

A code has up to nine kinds of parts with ``_`` between them: ``a40`` the axial slice 40 of both (``s`` sagittal,
``c`` coronal, ``a40x20`` another one of x2), ``f3`` a frame likewise, ``u-160to240`` a window of x1 and
``v1pto99p`` one of x2 (in percentiles), ``r`` the second brought onto the first and ``n`` not, ``m3,-2`` the second
moved 3 rows down and 2 columns to the left, ``gjet`` colours of x1 read by a colour map and ``hauto`` those of x2,
``d`` NaN as no data.
What a code leaves out is as the files are read without any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fusion.colour_maps import ColourMap
from fusion.decoders import AXES, Axis, Selection
from fusion.extents import Extent, extent_of
from fusion.intensity import IntensityWindow, Windows
from fusion.pair import Pair, load_pair
from fusion.reading import Keep

Numbers = tuple[int | None, int | None]

EXPECTED = (
    "“@” is followed by how the images are read, such as a40 (axial slice 40), c12x20, u-160to240 (a window of x1), "
    "v1pto99p (percentiles of x2), r (x2 resampled), m3,-2 (x2 moved), gjet, hauto (colours of x1, of x2 by a colour "
    "map), d (NaN is no data), with _ between them"
)
FARTHEST_SHIFT = 4096
"""Pixels by which the second image may be moved along each axis."""
_MAPS = "|".join(name.value for name in ColourMap if name is not ColourMap.LUMA)
_NUMBER = r"-?\d{1,22}(?:\.\d{1,22})?(?:e-?\d{1,3})?"
_PARTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<axis>[sca])(?P<slice1>\d{1,7})?(?:x(?P<slice2>\d{1,7}))?",
        r"f(?P<frame1>\d{1,7})?(?:x(?P<frame2>\d{1,7}))?",
        rf"u(?P<low1>{_NUMBER})(?P<percent1>p?)to(?P<high1>{_NUMBER})(?P=percent1)",
        rf"v(?P<low2>{_NUMBER})(?P<percent2>p?)to(?P<high2>{_NUMBER})(?P=percent2)",
        r"(?P<resample>[rn])",
        r"m(?P<down>-?\d{1,4}),(?P<right>-?\d{1,4})",
        rf"g(?P<map1>{_MAPS})",
        rf"h(?P<map2>{_MAPS})",
        r"(?P<nan>d)",
    )
)
_LETTERS = {axis.value[0]: axis for axis in AXES}


@dataclass(frozen=True)
class Reading:
    """The choices by which x1 and x2 are read.

    Attributes
    ----------
    axis : Axis
        Across which volumes are cut.
    slices, frames : tuple of int or None
        Of x1 and x2, from 0; ``None`` where it is not said: x2 then has that of x1.
    windows : tuple of IntensityWindow or None
        What of each is scaled to [0, 1]; ``None``: from its smallest to its largest value.
    resample : bool or None
        Whether x2 is brought onto the pixels of x1; ``None``: where x1 says where it lies and x2 is a volume on another
        grid.
    shift : tuple of int
        Pixels by which x2 is moved: rows down, columns to the right.
    colour_maps : tuple of ColourMap
        How pictures in colour become gray.
    nan_is_no_data : bool
        Whether pixels that are NaN count as pixels without data.
    """

    axis: Axis = Axis.AXIAL
    slices: Numbers = (None, None)
    frames: Numbers = (None, None)
    windows: Windows = (None, None)
    resample: bool | None = None
    shift: tuple[int, int] = (0, 0)
    colour_maps: tuple[ColourMap, ColourMap] = (ColourMap.LUMA, ColourMap.LUMA)
    nan_is_no_data: bool = False

    @classmethod
    def parse(cls, code: str) -> Reading:
        """Return the reading of a code.

        Raises
        ------
        ValueError
            If it is none, with a sentence for whoever wrote it.
        """
        found = _parts(code)
        shift = int(found.get("down", 0)), int(found.get("right", 0))
        if max(map(abs, shift)) > FARTHEST_SHIFT:
            raise ValueError(f"x2 is moved by up to {FARTHEST_SHIFT} pixels")
        return cls(
            _LETTERS.get(found.get("axis", ""), Axis.AXIAL),
            _both(found.get("slice1"), found.get("slice2")),
            _both(found.get("frame1"), found.get("frame2")),
            (_window(found, 1), _window(found, 2)),
            {"r": True, "n": False}.get(found.get("resample", "")),
            shift,
            (ColourMap(found.get("map1", "luma")), ColourMap(found.get("map2", "luma"))),
            "nan" in found,
        )

    @property
    def code(self) -> str:
        """The code of this reading; empty where nothing is chosen."""
        parts = []
        numbers = _written(self.slices)
        if numbers or self.axis is not Axis.AXIAL:
            parts.append(f"{self.axis.value[0]}{numbers}")
        if frames := _written(self.frames):
            parts.append(f"f{frames}")
        parts += [
            letter + _window_code(window)
            for letter, window in zip("uv", self.windows, strict=True)
            if window is not None
        ]
        if self.resample is not None:
            parts.append("r" if self.resample else "n")
        if self.shift != (0, 0):
            parts.append("m{},{}".format(*self.shift))
        parts += [
            letter + name.value
            for letter, name in zip("gh", self.colour_maps, strict=True)
            if name is not ColourMap.LUMA
        ]
        if self.nan_is_no_data:
            parts.append("d")
        return "_".join(parts)

    def swapped(self) -> Reading:
        """Return the same with x1 and x2 in each other's place; the one that was moved stays, and the other moves."""
        return replace(
            self,
            slices=_of_each(self.slices)[::-1],
            frames=_of_each(self.frames)[::-1],
            windows=self.windows[::-1],
            shift=(-self.shift[0], -self.shift[1]),
            colour_maps=self.colour_maps[::-1],
        )

    def settled(self, extents: Sequence[Extent]) -> Reading:
        """Return the same with all choices made that the files need: middle slices and pictures, first points in time.

        Parameters
        ----------
        extents : sequence of Extent
            Of both files.
        """
        across = AXES.index(self.axis)
        slices = [
            number if number is not None or extent.sides is None else extent.sides[across] // 2
            for number, extent in zip(_of_each(self.slices), extents, strict=True)
        ]
        frames = [
            number if number is not None or extent.frames == 1 else extent.first_frame
            for number, extent in zip(_of_each(self.frames), extents, strict=True)
        ]
        first, second = extents
        apart = first.placed and second.sides is not None and not first.shares_grid(second)
        return replace(
            self,
            slices=(slices[0], slices[1]),
            frames=(frames[0], frames[1]),
            resample=apart if self.resample is None else self.resample,
        )

    def selections(self) -> tuple[Selection, Selection]:
        """Return which slices and frames are meant."""
        first, second = (
            Selection(self.axis, *chosen) for chosen in zip(self.slices, self.frames, strict=True)
        )
        return first, second

    def words(self) -> str:
        """Return this reading in words for people; empty where nothing is chosen."""
        parts = []
        slices, frames = _written(self.slices), _written(self.frames)
        if slices or self.axis is not Axis.AXIAL:
            parts.append(f"{self.axis.value} {slices.replace('x', ' / ')}".strip())
        if frames:
            parts.append(f"frame {frames.replace('x', ' / ')}")
        parts += [
            f"{name} {window}"
            for name, window in zip(("x1", "x2"), self.windows, strict=True)
            if window is not None
        ]
        if self.resample is not None:
            parts.append("x2 resampled" if self.resample else "x2 not resampled")
        if self.shift != (0, 0):
            parts.append("x2 moved {:+d}, {:+d}".format(*self.shift))
        parts += [
            f"{name} by colour map {chosen}"
            for name, chosen in zip(("x1", "x2"), self.colour_maps, strict=True)
            if chosen is not ColourMap.LUMA
        ]
        if self.nan_is_no_data:
            parts.append("NaN is no data")
        return ", ".join(parts)

    def described(self) -> dict[str, Any]:
        """Return this reading as JSON can hold it."""
        return {
            "axis": self.axis.value,
            "slices": list(self.slices),
            "frames": list(self.frames),
            "windows": [None if window is None else str(window) for window in self.windows],
            "resample": self.resample,
            "shift": list(self.shift),
            "colour_maps": [name.value for name in self.colour_maps],
            "nan_is_no_data": self.nan_is_no_data,
        }


PLAIN = Reading()
"""Files as they are read unless somebody chooses."""


def load_read(
    paths: tuple[Path, Path],
    pixel_limit: int,
    reading: Reading | None = None,
    keep: Keep | None = None,
) -> Pair:
    """Read two files as a pair, in a way that is settled.

    Parameters
    ----------
    paths, pixel_limit, keep
        See `fusion.pair.load_pair`, which has the errors too.
    reading : Reading, optional
        Of `Reading.settled`; that of `PLAIN` unless given.
    """
    if reading is None:
        reading = PLAIN.settled([extent_of(path, pixel_limit) for path in paths])
    return load_pair(
        *paths,
        pixel_limit,
        reading.selections(),
        reading.windows,
        reading.resample is True,
        reading.shift,
        keep,
        reading.colour_maps,
        reading.nan_is_no_data,
    )


def first_selection(path: Path, pixel_limit: int) -> Selection:
    """Return the slice or picture of a file that is shown unless somebody chooses; see `fusion.extents.extent_of`."""
    extent = extent_of(path, pixel_limit)
    return PLAIN.settled((extent, extent)).selections()[0]


def _parts(code: str) -> dict[str, str]:
    """Return what the parts of a code say, by the names of groups; each kind of part may be there once."""
    found: dict[str, str] = {}
    kinds = set()
    for text in code.split("_"):
        matches = ((kind, pattern.fullmatch(text)) for kind, pattern in enumerate(_PARTS))
        kind, match = next(((kind, match) for kind, match in matches if match), (-1, None))
        if match is None or kind in kinds:
            raise ValueError(EXPECTED)
        kinds.add(kind)
        found |= {name: value for name, value in match.groupdict().items() if value is not None}
    return found


def _of_each(numbers: Numbers) -> Numbers:
    """Return numbers of x1 and x2, where the second may be left out: volumes on one grid have the same slices."""
    return numbers[0], numbers[0] if numbers[1] is None else numbers[1]


def _both(first: str | None, second: str | None) -> Numbers:
    """Return numbers of x1 and x2; one alone is for both."""
    return _of_each((None if first is None else int(first), None if second is None else int(second)))


def _written(numbers: Numbers) -> str:
    first, second = _of_each(numbers)
    if first == second:
        return "" if first is None else str(first)
    return ("" if first is None else str(first)) + ("" if second is None else f"x{second}")


def _window(found: dict[str, str], number: int) -> IntensityWindow | None:
    if f"low{number}" not in found:
        return None
    low, high = float(found[f"low{number}"]), float(found[f"high{number}"])
    return IntensityWindow(low, high, bool(found[f"percent{number}"]))


def _window_code(window: IntensityWindow) -> str:
    # Exponents without what a link would have to escape: 1e+20, 1e-07.
    low, high = (
        re.sub(r"e([-+])0*", r"e\1", f"{end:.12g}").replace("+", "") for end in (window.low, window.high)
    )
    sign = "p" if window.percent else ""
    return f"{low}{sign}to{high}{sign}"

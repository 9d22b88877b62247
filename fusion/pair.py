"""A pair of co-registered images, as every method takes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from fusion.chroma import Colours, unit_colours
from fusion.colour_maps import ColourMap
from fusion.decoders import Selection
from fusion.errors import DifferentSizesError, UnsupportedImageError
from fusion.intensity import IntensityWindow, Windows, contrast_notes, scale_to_unit
from fusion.positions import APART, stretch
from fusion.reading import DEFAULT_PIXEL_LIMIT, WHOLE, Keep, Picture, gray_picture, read_onto, read_picture

__all__ = ["DEFAULT_PIXEL_LIMIT", "IntensityWindow", "Pair", "Selection", "load_pair", "scale_to_unit"]

SQUARE, LONGEST = 1.01, 64.0
"""How much longer one side of a pixel may be than the other to be drawn as a square, and to be believed at all."""
NUMPY_FLOATS = (torch.float16, torch.float32, torch.float64)


@dataclass(frozen=True)
class Pair:
    """Two co-registered gray images x1 (MRI) and x2 (PET). Two pairs are equal if their images are.

    Parameters
    ----------
    images : ndarray of float32, shape (2, H, W)
        x1 and x2, each in [0, 1]. Copied; the pair's own array cannot be written to.
    colours : tuple of (ndarray of uint8 or float32, shape (H, W, 3), or None)
        Of each image that is the luma of a colour picture, that picture: 0 to 255, or 0 to 1. Methods never see them.

    Attributes
    ----------
    id : str
        Content id: sha256 (64 hexadecimal digits) of the shape and both arrays.
    notes : tuple of str
        What a user should know of how the images came to be: one sentence each, with the name of the file or array.
    spacing : tuple of float or None
        Millimetres from one row, and from one column, to the next; ``None`` where nobody knows.
    of_colours : tuple of str
        What became of the colours of each, which `notes` has too; empty for what was gray.
    brought : str
        How the second came onto the pixels of the first: ``resampled`` by positions, ``stretched``, or not at all.

    Raises
    ------
    ValueError
        If `images` is not what is described above. Use `Pair.from_arrays` for anything else.
    """

    images: NDArray[np.float32] = field(compare=False)
    id: str = field(init=False)
    notes: tuple[str, ...] = field(default=(), compare=False, kw_only=True)
    spacing: tuple[float, float] | None = field(default=None, compare=False, kw_only=True)
    colours: tuple[Colours | None, Colours | None] = field(default=(None, None), compare=False, kw_only=True)
    of_colours: tuple[str, str] = field(default=("", ""), compare=False, kw_only=True)
    brought: str = field(default="", compare=False, kw_only=True)

    def __post_init__(self) -> None:
        images = np.array(self.images, order="C", copy=True)
        if images.dtype != np.float32 or images.ndim != 3 or images.shape[0] != 2 or images.size == 0:
            raise ValueError(f"A pair is float32 (2, H, W), not {images.dtype} {images.shape}")
        if not (images.min() >= 0 and images.max() <= 1):
            raise ValueError("The images of a pair lie in [0, 1]")
        kept = [None if one is None else np.array(one, order="C", copy=True) for one in self.colours]
        for picture in kept:
            if picture is not None:
                _require_colours(picture, images.shape[1:])
                picture.setflags(write=False)
        images.setflags(write=False)
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "colours", tuple(kept))
        object.__setattr__(self, "id", _content_id(images))

    def __repr__(self) -> str:
        height, width = self.shape
        return f"Pair({height}×{width}, id={self.id[:12]})"

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.images.shape[1], self.images.shape[2]

    @property
    def aspect(self) -> float:
        """Height of a pixel by its width, as pictures show it; see `pixel_aspect`."""
        return pixel_aspect(self.spacing)

    @property
    def in_colour(self) -> tuple[bool, bool]:
        """True for each of x1 and x2 that is the luma of a colour picture."""
        return self.colours[0] is not None, self.colours[1] is not None

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.images.nbytes + sum(one.nbytes for one in self.colours if one is not None)

    @classmethod
    def from_arrays(
        cls,
        x1: ArrayLike,
        x2: ArrayLike,
        names: tuple[str, str] = ("x1", "x2"),
        windows: Windows = (None, None),
        nan_is_no_data: bool = False,
    ) -> Pair:
        """Make a pair of two arrays; each is min–max scaled to [0, 1] by itself, a constant one to zeros.

        Parameters
        ----------
        x1, x2 : array_like, shape (H, W)
            Real numbers of any type and range; also tensors, and with axes of length one besides. Pixels that a masked
            array hides get the smallest value of the others.
        names : tuple of str
            What error messages call them.
        windows : tuple of IntensityWindow or None
            What of each is scaled to [0, 1] instead of all.
        nan_is_no_data : bool
            Whether pixels that are NaN get the smallest value of the others, as hidden ones do.

        Raises
        ------
        DifferentSizesError
            If the two have different shapes.
        NonFiniteImageError
            If one has infinite values, or NaN that does not count as no data.
        EmptyFileError
            If one has no pixels.
        UnsupportedImageError
            If one is not two-dimensional, or not of real numbers.
        """
        first, second = (
            gray_picture(_as_array(array, name), name, nan_is_no_data)
            for array, name in zip((x1, x2), names, strict=True)
        )
        return _pair_of((first, second), names, names, windows)


def load_pair(
    path1: Path | str,
    path2: Path | str,
    pixel_limit: int = DEFAULT_PIXEL_LIMIT,
    selections: tuple[Selection, Selection] = (WHOLE, WHOLE),
    windows: Windows = (None, None),
    resample: bool = False,
    shift: tuple[int, int] = (0, 0),
    keep: Keep | None = None,
    colour_maps: tuple[ColourMap, ColourMap] = (ColourMap.LUMA, ColourMap.LUMA),
    nan_is_no_data: bool = False,
) -> Pair:
    """Read two image files as a pair; see `fusion.reading.read_image` for the formats.

    Parameters
    ----------
    path1, path2 : Path or str
        The files of x1 (MRI) and x2 (PET).
    pixel_limit : int
        The most pixels that each may have.
    selections : tuple of Selection
        Which slices, where they are volumes.
    windows : tuple of IntensityWindow or None
        What of each is scaled to [0, 1] instead of all.
    resample : bool
        Whether the second is brought onto the pixels of the first: a volume by its positions in the patient where both
        have such, any other image by stretching it where sizes differ.
    shift : tuple of int
        Pixels by which the second is moved after all this, rows down and columns to the right; what comes in at the
        border is 0.
    keep : callable, optional
        Keeps volumes for whoever reads many slices of one, see `fusion.reading.read_picture`.
    colour_maps : tuple of ColourMap
        How pictures in colour become gray, see `fusion.colour_maps`.
    nan_is_no_data : bool
        Whether pixels that are NaN get the smallest value of the others, as those that a file declares to have no data.

    Raises
    ------
    ImageFileError
        One of its kinds (see `fusion.errors`), naming the file and what to do.
    DifferentSizesError
        If the two images have different sizes.
    """
    paths = (Path(path1), Path(path2))
    first = read_picture(paths[0], pixel_limit, selections[0], keep, colour_maps[0], nan_is_no_data)
    second = (
        _resampled(first, paths[1], pixel_limit, selections[1], keep, colour_maps[1], nan_is_no_data)
        if resample
        else read_picture(paths[1], pixel_limit, selections[1], keep, colour_maps[1], nan_is_no_data)
    )
    alike = paths[0].name == paths[1].name
    short = [f"{path.parent.name}/{path.name}" if alike else path.name for path in paths]
    return _pair_of((first, second), (str(path1), str(path2)), (short[0], short[1]), windows, shift)


def _resampled(
    first: Picture,
    path: Path,
    pixel_limit: int,
    selection: Selection,
    keep: Keep | None,
    colour_map: ColourMap,
    nan_is_no_data: bool,
) -> Picture:
    """Read an image, and bring it onto the pixels of another."""
    shape = (first.values.shape[0], first.values.shape[1])
    if first.grid is not None:
        placed = read_onto(path, first.grid, shape, pixel_limit, selection, keep, nan_is_no_data)
        if placed is not None:
            return placed
    second = read_picture(path, pixel_limit, selection, keep, colour_map, nan_is_no_data)
    if second.values.shape == shape:
        return second
    note = (
        f"stretched from {_size(second.values)} to {_size(first.values)} pixels; whether the two images show the same "
        "place is not known"
    )
    colours = None if second.colours is None else _stretched(second.colours, shape)
    values = stretch(second.values, shape)
    return Picture(
        values, (*second.notes, note), colours=colours, of_colours=second.of_colours, brought="stretched"
    )


def _stretched(colours: Colours, shape: tuple[int, int]) -> Colours:
    bands = [stretch(band, shape) for band in np.moveaxis(unit_colours(colours), -1, 0)]
    return np.clip(np.stack(bands, axis=-1), 0, 1).astype(np.float32)


def _pair_of(
    pictures: tuple[Picture, Picture],
    names: tuple[str, str],
    short_names: tuple[str, str],
    windows: Windows,
    shift: tuple[int, int] = (0, 0),
) -> Pair:
    first, second = (picture.values for picture in pictures)
    if first.shape != second.shape:
        raise DifferentSizesError(
            f"{names[0]} has {_size(first)} pixels, {names[1]} has {_size(second)} (height × width). "
            "Register the two images and resample one onto the other's grid, or let the second be resampled "
            "(--resample, resample=True, or ▤ beside the menu of pairs on the page)."
        )
    notes = tuple(
        f"{name}: {note}."
        for name, picture, window in zip(short_names, pictures, windows, strict=True)
        for note in (*picture.notes, *contrast_notes(picture.values, window))
    )
    notes += _apart(*pictures)
    spacing = None if pictures[0].grid is None else pictures[0].grid.spacing
    notes += _oblong(spacing)
    unit, colours = scale_to_unit(second, windows[1]), pictures[1].colours
    if shift != (0, 0):
        unit, colours = moved(unit, shift), None if colours is None else moved(colours, shift)
        notes += (f"{short_names[1]}: moved by {_words(shift)}; what came in at the border is 0.",)
    return Pair(
        np.stack([scale_to_unit(first, windows[0]), unit]),
        notes=notes,
        colours=(pictures[0].colours, colours),
        of_colours=(pictures[0].of_colours, pictures[1].of_colours),
        brought=pictures[1].brought,
        spacing=spacing,
    )


def _oblong(spacing: tuple[float, float] | None) -> tuple[str, ...]:
    """Return what to say of pixels that are not square."""
    if spacing is None or max(spacing) <= SQUARE * min(spacing):
        return ()
    down, across = spacing
    drawn = "so" if pixel_aspect(spacing) != 1 else "square, as no picture could have such"
    return (
        f"Pixels are {down:g} mm high and {across:g} mm wide, and are drawn {drawn}. Sizes, supports and zooms count "
        "pixels, not millimetres.",
    )


def pixel_aspect(spacing: tuple[float, float] | None) -> float:
    """Return the height of a pixel by its width, as pictures show it.

    Parameters
    ----------
    spacing : tuple of float or None
        Millimetres from one row, and from one column, to the next; ``None`` where nobody knows.

    Returns
    -------
    float
        1 where nobody knows, where sides differ by a hundredth at most, and by more than 64 times.
    """
    if spacing is None:
        return 1.0
    down, across = spacing
    longer = max(down, across) / min(down, across) if min(down, across) > 0 else float("inf")
    return down / across if SQUARE < longer <= LONGEST else 1.0


def moved(image: NDArray[Any], shift: tuple[int, int]) -> NDArray[Any]:
    """Move an image by whole pixels; what comes in at the border is 0.

    Parameters
    ----------
    image : ndarray, shape (H, W) or (H, W, 3)
        Any numbers.
    shift : tuple of int
        Rows down, columns to the right.

    Returns
    -------
    ndarray
        Of the same shape and dtype.
    """
    found = np.zeros_like(image)
    to, of = zip(
        *(
            (slice(max(by, 0), max(side + by, 0)), slice(max(-by, 0), max(side - by, 0)))
            for by, side in zip(shift, image.shape[:2], strict=True)
        ),
        strict=True,
    )
    found[to] = image[of]
    return found


def _words(shift: tuple[int, int]) -> str:
    """Return a shift in words."""
    sides = (("down", "up"), ("to the right", "to the left"))
    parts = [
        f"{abs(by)} pixel{'s' * (abs(by) != 1)} {words[by < 0]}"
        for by, words in zip(shift, sides, strict=True)
        if by
    ]
    return " and ".join(parts)


def _apart(first: Picture, second: Picture) -> tuple[str, ...]:
    """Return what to say of two images of one size that lie in different places."""
    if first.grid is None or second.grid is None:
        return ()
    if first.grid.frame and second.grid.frame and first.grid.frame != second.grid.frame:
        return (
            "The two images have different frames of reference: whether they show the same place is not known.",
        )
    pixels = first.grid.distance(second.grid, (first.values.shape[0], first.values.shape[1]))
    if pixels <= APART:
        return ()
    return (
        f"By their positions the two images lie up to {pixels:.1f} pixels apart. Where the second is a volume, "
        "--resample brings it onto the first.",
    )


def _as_array(array: ArrayLike, name: str) -> NDArray[Any]:
    try:
        if isinstance(array, torch.Tensor):
            return _of_tensor(array)
        return array if isinstance(array, np.ma.MaskedArray) else np.asarray(array)
    # Arrays of other libraries raise what they please when they cannot be numpy's.
    except Exception as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UnsupportedImageError(name, f"this is not an array of numbers ({reason}).") from error


def _of_tensor(tensor: torch.Tensor) -> NDArray[Any]:
    """Return the numbers of a tensor of any device and type, without its derivatives."""
    tensor = tensor.detach()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    tensor = tensor.cpu().resolve_conj().resolve_neg()
    # numpy has no floating-point types of other sizes; float32 holds all their numbers.
    has_twin = tensor.is_complex() or not tensor.is_floating_point() or tensor.dtype in NUMPY_FLOATS
    return np.asarray((tensor if has_twin else tensor.float()).numpy())


def _size(image: NDArray[Any]) -> str:
    return "×".join(str(side) for side in image.shape)


def _require_colours(picture: Colours, shape: tuple[int, ...]) -> None:
    if picture.shape != (*shape, 3) or picture.dtype not in (np.uint8, np.float32):
        raise ValueError(f"Colours are uint8 or float32 {(*shape, 3)}, not {picture.dtype} {picture.shape}")
    if picture.dtype == np.float32 and not (picture.min() >= 0 and picture.max() <= 1):
        raise ValueError("Colours of float32 lie in [0, 1]")


def _content_id(images: NDArray[np.float32]) -> str:
    digest = hashlib.sha256(f"{images.shape}".encode())
    digest.update(images.astype("<f4", copy=False).tobytes())
    return digest.hexdigest()

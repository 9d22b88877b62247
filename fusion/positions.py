"""Positions of pixels in a patient: slices that know where they lie, and a volume resampled onto such a slice.

Positions are in millimetres along the axes of RAS: to the right, to the front, upwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

Floats = NDArray[np.float64]

APART = 0.5
"""Pixels by which two slices may differ in position and still be shown as the same place without a word."""
OBLIQUE = 1.0
"""Degrees by which a volume may be turned against the patient without a word."""


@dataclass(frozen=True)
class Grid:
    """The positions of an image's pixels.

    Attributes
    ----------
    origin : ndarray of float64, shape (3,)
        Of the first pixel, mm in RAS.
    down, across : ndarray of float64, shape (3,)
        From one row, and from one column, to the next, mm.
    frame : str
        The frame of reference that positions belong to; empty where nobody knows.
    """

    origin: Floats
    down: Floats
    across: Floats
    frame: str = ""

    def positions(self, shape: tuple[int, int]) -> Floats:
        """Return where the pixels of an image of a shape (H, W) lie, (H, W, 3), mm in RAS."""
        rows, columns = np.indices(shape, dtype=np.float64)
        return self.origin + rows[..., None] * self.down + columns[..., None] * self.across

    @property
    def spacing(self) -> tuple[float, float]:
        """Millimetres from one row, and from one column, to the next."""
        return float(np.linalg.norm(self.down)), float(np.linalg.norm(self.across))

    def distance(self, other: Grid, shape: tuple[int, int]) -> float:
        """Return how far the corners of two images of one shape (H, W) are apart at most, in pixels of this one."""
        corners = np.ix_([0, shape[0] - 1], [0, shape[1] - 1])
        apart = np.linalg.norm(self.positions(shape)[corners] - other.positions(shape)[corners], axis=-1)
        return float(apart.max() / min(self.spacing))


@dataclass(frozen=True)
class Volume:
    """Numbers on a grid in a patient.

    Attributes
    ----------
    values : array_like, shape (I, J, K)
        May be read from a file as far as it is indexed.
    affine : ndarray of float64, shape (4, 4)
        From indices to mm in RAS.
    frame : str
        See `Grid`.
    notes : tuple of str
        What a user should know of the numbers.
    """

    values: Any
    affine: Floats
    frame: str = ""
    notes: tuple[str, ...] = ()

    def grid(self, first: Floats, rows: int, columns: int, signs: tuple[int, int]) -> Grid:
        """Return the grid of a slice.

        Parameters
        ----------
        first : ndarray of float64, shape (3,)
            Indices of its first pixel.
        rows, columns : int
            The axes of `values` along which its rows, and its columns, are counted.
        signs : tuple of int
            1 where indices grow with them, else -1.
        """
        return Grid(
            self.affine[:3, :3] @ first + self.affine[:3, 3],
            signs[0] * self.affine[:3, rows],
            signs[1] * self.affine[:3, columns],
            self.frame,
        )

    def in_ras(self) -> tuple[tuple[int, int, int], Floats]:
        """Return how many sagittal, coronal and axial slices there are, and the matrix from their numbers to mm."""
        from nibabel.orientations import inv_ornt_aff, io_orientation  # nobody else should wait for it

        orientation = io_orientation(self.affine)
        place_of = {int(target): place for place, (target, _) in enumerate(orientation)}
        shape = self.values.shape
        sides = (int(shape[place_of[0]]), int(shape[place_of[1]]), int(shape[place_of[2]]))
        return sides, self.affine @ inv_ornt_aff(orientation, shape)

    def turned(self) -> float:
        """Return by how many degrees an axis is turned against the patient's nearest, the most of all three."""
        axes = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(np.degrees(np.arccos(np.clip(np.abs(axes).max(axis=0), -1, 1))).max())


@dataclass(frozen=True)
class Slice:
    """An image, and where it lies.

    Attributes
    ----------
    values : ndarray, shape (H, W) or (H, W, 3)
        May be masked.
    grid : Grid or None
        ``None`` where nobody knows.
    notes : tuple of str
        What a user should know of it.
    """

    values: NDArray[Any]
    grid: Grid | None = None
    notes: tuple[str, ...] = ()


def resample(volume: Volume, grid: Grid, shape: tuple[int, int]) -> np.ma.MaskedArray[Any, Any]:
    """Interpolate a volume at the pixels of a slice, trilinearly.

    Parameters
    ----------
    volume : Volume
        All values of which are finite or masked.
    grid : Grid
        Of the slice.
    shape : tuple of int
        (H, W) of the slice, pixels.

    Returns
    -------
    masked array of float64, shape (H, W)
        In the volume's numbers; what lies outside of the volume, or beside a masked voxel, is masked.
    """
    indices = (grid.positions(shape) - volume.affine[:3, 3]) @ np.linalg.inv(volume.affine[:3, :3]).T
    whole = np.array(volume.values.shape)
    nearly = 1e-6  # of a voxel: rounding must not put the outermost pixels outside
    outside = ((indices < -nearly) | (indices > whole - 1 + nearly)).any(axis=-1)
    # The voxels around the slice alone: a volume may have a hundred times as many.
    lowest = np.clip(np.floor(indices.min(axis=(0, 1)) - nearly), 0, whole - 1).astype(int)
    highest = np.clip(np.ceil(indices.max(axis=(0, 1)) + nearly), 0, whole - 1).astype(int)
    cut = tuple(slice(low, high + 1) for low, high in zip(lowest.tolist(), highest.tolist(), strict=True))
    values = np.ma.asarray(volume.values[cut])
    hidden = np.ma.getmaskarray(values)
    sides = np.array(values.shape)
    # From −1 at the first voxel to 1 at the last, the last axis first.
    places = np.where(sides > 1, 2 * (indices - lowest) / np.maximum(sides - 1, 1) - 1, 0.0)
    places = places[None, None, :, :, ::-1]
    stacked = np.stack([np.where(hidden, 0, values.data).astype(np.float64), hidden.astype(np.float64)])
    found = functional.grid_sample(
        torch.from_numpy(stacked)[None],
        torch.from_numpy(np.ascontiguousarray(places)),
        mode="bilinear",
        padding_mode="border",
        align_corners=True,
    )[0, :, 0].numpy()
    return np.ma.MaskedArray(found[0], outside | (found[1] > nearly))


def stretch(image: NDArray[Any], shape: tuple[int, int]) -> Floats:
    """Bring an image to another size, bilinearly; what becomes smaller is averaged.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Finite real numbers.
    shape : tuple of int
        (H, W) afterwards, pixels. The borders of both images lie on each other.

    Returns
    -------
    ndarray of float64, of that shape
    """
    whole = torch.from_numpy(np.array(image, dtype=np.float64))[None, None]
    return functional.interpolate(whole, shape, mode="bilinear", antialias=True)[0, 0].numpy()

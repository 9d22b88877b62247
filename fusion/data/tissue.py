"""The head that samples and training slices are cut from: tissue maps of the MNI ICBM152 2009 template."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from fusion.errors import FuseVisError

FloatArray = NDArray[np.float32]

MARGIN = 24
"""Voxels (1 mm) of air put around the template, so that a skull and a scalp find room."""


class MissingTemplateError(FuseVisError):
    """The package that carries the template is not installed."""


@dataclass(frozen=True)
class TissueMaps:
    """One slice through the head; all maps are float32 of the same shape (H, W).

    Attributes
    ----------
    grey, white, fluid : ndarray
        Share of each pixel that is grey matter, white matter, cerebrospinal fluid, 0 to 1.
    detail : ndarray
        What a real T1 image shows beyond these shares (deep nuclei, myelination), in units of its range.
    depth : ndarray
        Distance to the brain's surface in mm: negative inside the brain, positive outside.
    """

    grey: FloatArray
    white: FloatArray
    fluid: FloatArray
    detail: FloatArray
    depth: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        height, width = self.grey.shape
        return height, width

    @property
    def brain(self) -> FloatArray:
        """Share of each pixel that lies inside the brain's surface, 0 to 1."""
        return np.clip(0.5 - self.depth, 0, 1)


@dataclass(frozen=True)
class Head:
    """The tissue maps of a whole head: (5, X, Y, Z) float32 at 1 mm, x to the right, y forward, z up."""

    maps: FloatArray

    def plane(self, orientation: str, index: int) -> FloatArray:
        """Return the maps of one plane, front or top of the head in the first row.

        Parameters
        ----------
        orientation : {"axial", "coronal", "sagittal"}
            Which way the plane lies.
        index : int
            Voxel along the axis across it.

        Returns
        -------
        ndarray
            (5, h, w) float32: the maps of `TissueMaps`, in their order.
        """
        axis = {"axial": 3, "coronal": 2, "sagittal": 1}[orientation]
        return np.take(self.maps, index, axis=axis).swapaxes(1, 2)[:, ::-1]

    def brain_planes(self, orientation: str, least_share: float = 0.35) -> NDArray[np.int_]:
        """Return the indices of planes that show much of the brain.

        Parameters
        ----------
        orientation : {"axial", "coronal", "sagittal"}
            Which way the planes lie.
        least_share : float
            Of the largest brain section.

        Returns
        -------
        ndarray of int
        """
        area = self._brain_areas[orientation]
        return np.flatnonzero(area >= least_share * area.max())

    @cached_property
    def _brain_areas(self) -> dict[str, NDArray[np.int_]]:
        brain = self.maps[4] < 0
        return {
            "axial": brain.sum(axis=(0, 1)),
            "coronal": brain.sum(axis=(0, 2)),
            "sagittal": brain.sum(axis=(1, 2)),
        }


def resample(plane: FloatArray, grid: torch.Tensor) -> TissueMaps:
    """Sample a plane of the head at the points of a grid, bilinearly.

    Parameters
    ----------
    plane : ndarray
        (5, h, w), as `Head.plane` gives it.
    grid : torch.Tensor
        (H, W, 2) float32: the (column, row) in the plane, in voxels, that each new pixel shows.
    """
    height, width = plane.shape[1:]
    scale = torch.tensor([2 / (width - 1), 2 / (height - 1)])
    sampled = functional.grid_sample(
        torch.from_numpy(np.ascontiguousarray(plane))[None],
        (grid * scale - 1)[None],
        mode="bilinear",
        padding_mode="border",
        align_corners=True,
    )[0].numpy()
    return TissueMaps(*sampled)


def slice_grid(
    plane_shape: tuple[int, int],
    size: int,
    pixel_mm: float = 1.0,
    angle: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
    aspect: float = 1.0,
    mirrored: bool = False,
    displacement: FloatArray | None = None,
) -> torch.Tensor:
    """Lay size×size pixels over a plane of the head, centred: (size, size, 2) of (column, row) in voxels.

    Parameters
    ----------
    plane_shape : tuple of int
        (h, w) of the plane.
    size : int
        Pixels a side.
    pixel_mm : float
        Pixel size in mm along rows; along columns it is `pixel_mm` times `aspect`.
    angle : float
        Rotation in radians.
    shift : tuple of float
        Of the centre, (column, row) in mm.
    mirrored : bool
        Whether left and right are exchanged.
    displacement : ndarray, optional
        (2, size, size) elastic displacement in mm.
    """
    steps = (torch.arange(size, dtype=torch.float32) - (size - 1) / 2) * pixel_mm
    rows, columns = torch.meshgrid(steps, steps * aspect, indexing="ij")
    if mirrored:
        columns = -columns
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    x = cosine * columns - sine * rows + shift[0] + (plane_shape[1] - 1) / 2
    y = sine * columns + cosine * rows + shift[1] + (plane_shape[0] - 1) / 2
    grid = torch.stack((x, y), dim=-1)
    if displacement is not None:
        grid = grid + torch.from_numpy(np.ascontiguousarray(displacement.transpose(1, 2, 0)))
    return grid


@cache
def load_head() -> Head:
    """Build the head from the template that nilearn carries; takes some seconds, once a process.

    The template shows the brain alone: what lies outside is described by the distance to its surface.

    Raises
    ------
    MissingTemplateError
        If nilearn is not installed.
    """
    try:
        from nilearn import datasets
    except ImportError as error:
        raise MissingTemplateError(
            "The package nilearn, which carries the brain template, is not installed. "
            "Install it with: pip install -r requirements-samples.txt"
        ) from error
    return head_from_template(
        *(
            _unit_range(loader(resolution=1).get_fdata(dtype=np.float32))
            for loader in (
                datasets.load_mni152_template,
                datasets.load_mni152_gm_template,
                datasets.load_mni152_wm_template,
            )
        )
    )


def head_from_template(t1: FloatArray, grey: FloatArray, white: FloatArray) -> Head:
    """Derive the maps of a head from a template.

    Parameters
    ----------
    t1 : ndarray
        (X, Y, Z) float32 in [0, 1], a skull-stripped T1 volume at 1 mm.
    grey, white : ndarray
        (X, Y, Z) float32 in [0, 1], its tissue shares.

    Returns
    -------
    Head
        With a margin of `MARGIN` voxels of air.
    """
    from scipy import ndimage

    t1, grey, white = (np.pad(volume, MARGIN) for volume in (t1, grey, white))
    # Blurring and thresholding closes the sulci, which are fluid inside the head, not air.
    brain = ndimage.gaussian_filter((t1 > 0.05).astype(np.float32), 3) > 0.5
    brain |= (grey + white) > 0.5
    depth = ndimage.distance_transform_edt(~brain).astype(np.float32)
    (box,) = ndimage.find_objects(brain.astype(np.int8))  # the margin lets it grow by one voxel of air
    box = tuple(slice(side.start - 1, side.stop + 1) for side in box)
    depth[box] -= ndimage.distance_transform_edt(brain[box]).astype(np.float32)
    fluid = np.clip(brain - grey - white, 0, 1).astype(np.float32)
    shares = np.stack([grey, white, fluid], axis=-1)
    inside = (t1 > 0.05) & brain
    levels, *_ = np.linalg.lstsq(shares[inside], t1[inside], rcond=None)
    detail = np.where(inside, t1 - shares @ levels.astype(np.float32), 0).astype(np.float32)
    return Head(np.stack([grey, white, fluid, detail, depth]))


def _unit_range(volume: FloatArray) -> FloatArray:
    return np.asarray(volume / volume.max(), dtype=np.float32)

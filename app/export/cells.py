"""The pictures of a comparison as bytes of colour, in the page's colours; no layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.figures.scatter import axis_range
from app.ids import CompareColumn
from app.link.view_state import LARGEST_ZOOM, CompareState
from cache.services.export_view import ExportView
from fusion.colours import Limits, gradient_colours, gray_range, grays, rgb_bytes

OUTSIDE = (255, 255, 255)


@dataclass(frozen=True)
class Ends:
    """Where the scales of all pictures end.

    Attributes
    ----------
    gradients : tuple of float
        vmax > 0 of each method.
    grays : tuple of (float, float)
        What is black and what is white in each method's fused image.
    axes : tuple of (float, float)
        Ranges of both axes of all scatterplots.
    """

    gradients: tuple[float, ...]
    grays: tuple[tuple[float, float], ...]
    axes: tuple[tuple[float, float], tuple[float, float]]

    @classmethod
    def of(cls, view: ExportView, state: CompareState) -> Ends:
        """Find the ends as the page does: the largest of all methods where they are shared."""
        gradients = [Limits.of(one.guidance).end(state.scale) for one in view.methods]
        grays = [gray_range(one.fused) for one in view.methods]
        if state.shared:
            gradients = [max(gradients)] * len(gradients)
            whole = min(low for low, _ in grays), max(high for _, high in grays)
            grays = [whole] * len(grays)
        both = np.stack([one.guidance for one in view.methods])
        return cls(tuple(gradients), tuple(grays), (axis_range(both[:, 0]), axis_range(both[:, 1])))


def gray_colours(image: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint8]:
    """Show an image in grays from `low` to `high`, (H, W, 3)."""
    return np.repeat(grays(image, low, high)[..., None], 3, axis=-1)


def half_width(view: ExportView, state: CompareState) -> int:
    """Return the half-width of all zooms: what was asked for, else the largest support."""
    if state.zoom is not None:
        return state.zoom
    supports = [radius for one in view.methods for radius in one.scene.support_radius or ()]
    return min(max(1, *supports, 1), LARGEST_ZOOM)


def zoomed(picture: NDArray[np.uint8], pixel: tuple[int, int], half: int) -> NDArray[np.uint8]:
    """Cut the neighbourhood of a pixel out, (2·half + 1) squared; white outside the image."""
    size = 2 * half + 1
    cut = np.full((size, size, 3), OUTSIDE, dtype=np.uint8)
    (row, col), (height, width) = pixel, picture.shape[:2]
    top, left = max(row - half, 0), max(col - half, 0)
    part = picture[top : min(row + half + 1, height), left : min(col + half + 1, width)]
    down, right = top - (row - half), left - (col - half)
    cut[down : down + part.shape[0], right : right + part.shape[1]] = part
    return cut


def picture(
    view: ExportView, state: CompareState, ends: Ends, row: int, column: CompareColumn, name: str
) -> NDArray[np.uint8]:
    """Return a cell's picture, (h, w, 3); `name` is the principal pixel's. Scatterplots are none."""
    one = view.methods[row]
    if column is CompareColumn.FUSED:
        return gray_colours(one.fused, *ends.grays[row])
    if column is CompareColumn.GUIDANCE_RGB:
        return rgb_bytes(one.rgb)
    which = 0 if "mri" in column.value else 1
    if column in (CompareColumn.GUIDANCE_MRI, CompareColumn.GUIDANCE_PET):
        return gradient_colours(one.guidance[which], state.scale, ends.gradients[row], state.gamma2)
    whole = gradient_colours(one.jacobians[name][which], state.scale, ends.gradients[row], state.gamma1)
    if column in (CompareColumn.JACOBIAN_MRI, CompareColumn.JACOBIAN_PET):
        return whole
    return zoomed(whole, view.pixels[name], half_width(view, state))

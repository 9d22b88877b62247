"""The pictures of a comparison as bytes of colour, in the page's colours; no layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.figures.scales import DIVERGING, SEQUENTIAL, Limits, Scale, interpolate
from app.ids import CompareColumn
from app.link.compare_state import CompareState
from app.link.linked_state import LARGEST_ZOOM

NOT_FINITE = (128, 128, 128)
OUTSIDE = (255, 255, 255)


class Scene(Protocol):
    """What is known of a pair and a method."""

    @property
    def method_id(self) -> str: ...  # noqa: D102
    @property
    def method_title(self) -> str: ...  # noqa: D102
    @property
    def method_note(self) -> str: ...  # noqa: D102
    @property
    def weights_id(self) -> str: ...  # noqa: D102
    @property
    def pair_id(self) -> str: ...  # noqa: D102
    @property
    def pair_title(self) -> str: ...  # noqa: D102
    @property
    def simulated(self) -> bool: ...  # noqa: D102
    @property
    def modalities(self) -> tuple[str, str]: ...  # noqa: D102
    @property
    def support_radius(self) -> tuple[int, int] | None: ...  # noqa: D102


class MethodArrays(Protocol):
    """The arrays of one method, as ``cache`` collects them."""

    @property
    def scene(self) -> Scene: ...  # noqa: D102
    @property
    def fused(self) -> NDArray[np.floating]: ...  # noqa: D102
    @property
    def guidance(self) -> NDArray[np.floating]: ...  # noqa: D102
    @property
    def rgb(self) -> NDArray[np.floating]: ...  # noqa: D102
    @property
    def jacobians(self) -> Mapping[str, NDArray[np.floating]]: ...  # noqa: D102


class ExportArrays(Protocol):
    """A comparison with all its arrays, as ``cache`` collects them."""

    @property
    def inputs(self) -> NDArray[np.floating]: ...  # noqa: D102
    @property
    def methods(self) -> Sequence[MethodArrays]: ...  # noqa: D102
    @property
    def pixels(self) -> Mapping[str, tuple[int, int]]: ...  # noqa: D102
    @property
    def regions(self) -> Mapping[str, NDArray[np.bool_]]: ...  # noqa: D102


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
    def of(cls, view: ExportArrays, state: CompareState) -> Ends:
        """Find the ends as the page does: the largest of all methods where they are shared."""
        gradients = [Limits.of(one.guidance, provisional=False).end(state.scale) for one in view.methods]
        grays = [gray_range(one.fused) for one in view.methods]
        if state.shared:
            gradients = [max(gradients)] * len(gradients)
            whole = min(low for low, _ in grays), max(high for _, high in grays)
            grays = [whole] * len(grays)
        both = np.stack([one.guidance for one in view.methods])
        return cls(tuple(gradients), tuple(grays), (_axis(both[:, 0]), _axis(both[:, 1])))


def gray_range(image: NDArray[np.floating]) -> tuple[float, float]:
    """Return what is black and what is white: 0 and 1, or further where the image goes further."""
    finite = image[np.isfinite(image)]
    return (min(0.0, float(finite.min())), max(1.0, float(finite.max()))) if finite.size else (0.0, 1.0)


def _axis(values: NDArray[np.floating]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    margin = 0.04 * (high - low) or 0.05
    return low - margin, high + margin


def gradient_colours(
    image: NDArray[np.floating], scale: Scale, end: float, gamma: float
) -> NDArray[np.uint8]:
    """Colour gradients, (H, W), as the page does: (H, W, 3); what is not finite is gray."""
    finite = np.isfinite(image)
    share = np.where(finite, image, 0).astype(np.float64) / end
    bent = np.minimum(np.abs(share), 1) ** gamma
    if scale is Scale.SIGNED:
        shown, palette = (np.sign(share) * bent + 1) / 2, DIVERGING
    else:
        shown, palette = np.where(share > 0, bent, 0), SEQUENTIAL
    colours = interpolate(palette, shown.ravel()).reshape(*image.shape, 3).astype(np.uint8)
    colours[~finite] = NOT_FINITE
    return colours


def gray_colours(image: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint8]:
    """Show an image in grays from `low` to `high`, (H, W, 3)."""
    share = np.clip((np.nan_to_num(image, nan=low) - low) / (high - low), 0, 1)
    return np.repeat(np.floor(share * 255 + 0.5).astype(np.uint8)[..., None], 3, axis=-1)


def half_width(view: ExportArrays, state: CompareState) -> int:
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
    view: ExportArrays, state: CompareState, ends: Ends, row: int, column: CompareColumn, name: str
) -> NDArray[np.uint8]:
    """Return a cell's picture, (h, w, 3); `name` is the principal pixel's. Scatterplots are none."""
    one = view.methods[row]
    if column is CompareColumn.FUSED:
        return gray_colours(one.fused, *ends.grays[row])
    if column is CompareColumn.GUIDANCE_RGB:
        return np.floor(np.asarray(one.rgb, dtype=np.float64) * 255 + 0.5).astype(np.uint8)
    which = 0 if "mri" in column.value else 1
    if column in (CompareColumn.GUIDANCE_MRI, CompareColumn.GUIDANCE_PET):
        return gradient_colours(one.guidance[which], state.scale, ends.gradients[row], state.gamma2)
    whole = gradient_colours(one.jacobians[name][which], state.scale, ends.gradients[row], state.gamma1)
    if column in (CompareColumn.JACOBIAN_MRI, CompareColumn.JACOBIAN_PET):
        return whole
    return zoomed(whole, view.pixels[name], half_width(view, state))

"""The content of a figure for print: arrays as pictures in colour, the ends of scales, differences, regions; no layout.

Colours are those of `fusion.colours`, the same as on the pages. Matplotlib is not needed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.export.maps import map_difference, map_kinds, map_picture
from app.figures.scatter import axis_range
from app.ids import CompareColumn, InputColumn, ZoomColumn
from app.link.texts import PLAIN, RegionLook, linked_regions
from app.link.view_state import LARGEST_ZOOM, Area, CompareState
from cache.services.exports import ExportArrays
from fusion.colours import (
    NEAR_POLE,
    Limits,
    Scale,
    counted,
    gradient_colours,
    gray_range,
    grays,
    guidance_rgb,
    hatched,
    rgb_bytes,
)
from fusion.saliency.window import Box

OUTSIDE = (255, 255, 255)


NOT_SUBTRACTED = (CompareColumn.FUSED_COLOUR, CompareColumn.GUIDANCE_RGB, CompareColumn.SCATTER)
"""Columns that a difference leaves empty: their colours and points are no numbers that could be subtracted."""
DIFFERENCE = "difference"
"""What stands for the row where others have a method's id."""
ZOOMS = (
    CompareColumn.JACOBIAN_MRI_ZOOM,
    CompareColumn.JACOBIAN_PET_ZOOM,
    InputColumn.MRI_ZOOM,
    InputColumn.PET_ZOOM,
    *ZoomColumn,
)
JACOBIANS = {column for column in CompareColumn if column.value.startswith("jacobian")}
TWICE = {*JACOBIANS, *ZOOMS}
"""Columns with a picture for each principal pixel."""
Column = CompareColumn | InputColumn | ZoomColumn
Panel = tuple[Column, str]
"""A column and the name of a principal pixel, ``a`` or ``b``."""


@dataclass(frozen=True)
class ScaleEnds:
    """The ends of the scales of all pictures.

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
    def of(cls, view: ExportArrays, state: CompareState) -> ScaleEnds:
        """Find the ends as the page does: the largest of all methods where they are shared."""
        gradients = [Limits.of(one.guidance).end(state.scale) for one in view.methods]
        grays = [gray_range(one.fused, state.gray) for one in view.methods]
        if state.shared:
            gradients = [max(gradients)] * len(gradients)
            whole = min(low for low, _ in grays), max(high for _, high in grays)
            grays = [whole] * len(grays)
        both = np.stack([one.guidance for one in view.methods])
        return cls(tuple(gradients), tuple(grays), (axis_range(both[:, 0]), axis_range(both[:, 1])))


def gray_colours(image: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint8]:
    """Show an image in grays, as `fusion.colours.grays`.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Intensities.
    low, high : float
        What is black and what is white.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Red, green and blue are the same.
    """
    return np.repeat(grays(image, low, high)[..., None], 3, axis=-1)


def half_width(view: ExportArrays, state: CompareState) -> int:
    """Return the half-width of all zooms: what was asked for, else the largest support."""
    if state.zoom is not None:
        return state.zoom
    supports = [radius for one in view.methods for radius in one.scene.support_radius or ()]
    return min(max(1, *supports, 1), LARGEST_ZOOM)


def zoomed(picture: NDArray[np.uint8], pixel: tuple[int, int], half: int) -> NDArray[np.uint8]:
    """Cut the neighbourhood of a pixel out of a picture.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
        Red, green, blue.
    pixel : tuple of int
        (row, col), 0-based.
    half : int
        Half-width of the neighbourhood, pixels.

    Returns
    -------
    ndarray of uint8, shape (2·half + 1, 2·half + 1, 3)
        White outside the picture.
    """
    size = 2 * half + 1
    cut = np.full((size, size, 3), OUTSIDE, dtype=np.uint8)
    (row, col), (height, width) = pixel, picture.shape[:2]
    top, left = max(row - half, 0), max(col - half, 0)
    part = picture[top : min(row + half + 1, height), left : min(col + half + 1, width)]
    down, right = top - (row - half), left - (col - half)
    cut[down : down + part.shape[0], right : right + part.shape[1]] = part
    return cut


def method_picture(
    view: ExportArrays, state: CompareState, ends: ScaleEnds, row: int, column: CompareColumn, name: str
) -> NDArray[np.uint8]:
    """Return a picture of a method's row.

    Parameters
    ----------
    view, state, ends
        As in `FigureContent`.
    row : int
        Number of the method.
    column : CompareColumn
        Any but the scatterplot.
    name : str
        Name of the principal pixel, for Jacobian images.

    Returns
    -------
    ndarray of uint8, shape (h, w, 3)
        Red, green, blue; of the image's size, or of a zoom's.
    """
    one = view.methods[row]
    if column is CompareColumn.FUSED:
        gray = gray_colours(one.fused, *ends.grays[row])
        if state.pole and one.poles is not None:
            gray[one.poles > 0] = NEAR_POLE
        return gray
    if column is CompareColumn.FUSED_COLOUR:
        return (
            gray_colours(one.fused, 0, 1) if one.colour is None else rgb_bytes(np.moveaxis(one.colour, 0, -1))
        )
    if column is CompareColumn.GUIDANCE_RGB:
        return hatched(rgb_bytes(guidance_rgb(one.guidance, one.fused, state.rgb)), view.without)
    if column.map_kind is not None:
        return map_picture(view, state.shared, state.gamma2, row, column)
    which = 0 if "mri" in column.value else 1
    if column in (CompareColumn.GUIDANCE_MRI, CompareColumn.GUIDANCE_PET):
        shown = gradient_colours(one.guidance[which], state.scale, ends.gradients[row], state.gamma2)
        return hatched(shown, view.without)
    inside = one.windows[name].slices
    whole = gradient_colours(
        one.jacobians[name][which], state.scale, ends.gradients[row], state.gamma1, inside
    )
    if column in (CompareColumn.JACOBIAN_MRI, CompareColumn.JACOBIAN_PET):
        return whole
    return zoomed(whole, view.pixels[name], half_width(view, state))


@dataclass(frozen=True, eq=False)
class Difference:
    """The second method taken from the first, number by number.

    Attributes
    ----------
    titles : tuple of str
        Of both methods.
    fused : ndarray, shape (H, W)
        Difference of the fused images.
    guidance : ndarray, shape (2, H, W)
        Difference of the guidance images.
    jacobians : dict of str to ndarray, shape (2, H, W)
        Differences of the Jacobian images, by the name of the principal pixel.
    windows : dict of str to Box
        What both methods' supports have together, by the same names.
    fused_end, gradient_end : float
        Where the signed scales end, above 0; the guidance images' is that of all gradients.
    """

    titles: tuple[str, str]
    fused: NDArray[np.floating]
    guidance: NDArray[np.floating]
    jacobians: Mapping[str, NDArray[np.floating]]
    windows: Mapping[str, Box]
    fused_end: float
    gradient_end: float

    @property
    def title(self) -> str:
        """Name of the difference: what is subtracted from what."""
        return " − ".join(self.titles)


def without_air(view: ExportArrays) -> ExportArrays:
    """Return a view whose guidance images are NaN where it leaves the air out: so scales and points do as well."""
    if view.without is None:
        return view
    methods = tuple(replace(one, guidance=counted(one.guidance, view.without)) for one in view.methods)
    return replace(view, methods=methods)


def difference_of(view: ExportArrays, state: CompareState) -> Difference | None:
    """Return the difference that a link asks for; ``None`` where it asks for none, or a method has no row."""
    rows = {one.scene.method_id: one for one in view.methods}
    both = [rows[id] for id in state.difference if id in rows]
    if len(both) != 2:
        return None
    first, second = both
    fused, guidance = first.fused - second.fused, first.guidance - second.guidance
    return Difference(
        (first.scene.method_title, second.scene.method_title),
        fused,
        guidance,
        {name: first.jacobians[name] - second.jacobians[name] for name in view.pixels},
        {name: first.windows[name].joined(second.windows[name]) for name in view.pixels},
        Limits.of(fused).end(Scale.SIGNED),
        Limits.of(guidance).end(Scale.SIGNED),
    )


def left_out(view: ExportArrays, state: CompareState) -> str:
    """Say why a link's difference is not shown; nothing where it is, or where none is asked for."""
    titles = {one.scene.method_id: one.scene.method_title for one in view.methods}
    gone = [id for id in state.difference if id not in titles]
    if not gone:
        return ""
    first, second = (titles.get(id, id) for id in state.difference)
    return f"Without the difference {first} − {second}: {' and '.join(gone)} {'have' if gone[1:] else 'has'} no row."


def without_missing_maps(view: ExportArrays, state: CompareState) -> tuple[CompareState, str]:
    """Leave out the columns of maps that are not computed: return the view without them, and a sentence about it."""
    missing = [kind for kind in map_kinds(state.columns) if kind not in view.methods[0].maps]
    columns = tuple(column for column in state.columns if column.map_kind not in missing)
    if not missing:
        return state, ""
    return state.model_copy(
        update={"columns": columns}
    ), f"Without maps that are not computed: {', '.join(missing)}."


def difference_picture(
    view: ExportArrays, state: CompareState, shown: Difference, column: CompareColumn, name: str
) -> NDArray[np.uint8]:
    """Return a picture of the difference's row, on signed scales of its own.

    Parameters
    ----------
    view, state, name
        As for `method_picture`.
    shown : Difference
        What is shown.
    column : CompareColumn
        Any but those of `NOT_SUBTRACTED`.

    Returns
    -------
    ndarray of uint8, shape (h, w, 3)
        Red, green, blue; of the image's size, or of a zoom's.
    """
    if column is CompareColumn.FUSED:
        return gradient_colours(shown.fused, Scale.SIGNED, shown.fused_end, 1.0)
    if column.map_kind is not None:
        return map_difference(view, shown.titles, state.gamma2, column)
    which = 0 if "mri" in column.value else 1
    end = shown.gradient_end
    if column in (CompareColumn.GUIDANCE_MRI, CompareColumn.GUIDANCE_PET):
        return hatched(gradient_colours(shown.guidance[which], Scale.SIGNED, end, state.gamma2), view.without)
    inside = shown.windows[name].slices
    whole = gradient_colours(shown.jacobians[name][which], Scale.SIGNED, end, state.gamma1, inside)
    if column in (CompareColumn.JACOBIAN_MRI, CompareColumn.JACOBIAN_PET):
        return whole
    return zoomed(whole, view.pixels[name], half_width(view, state))


def area_within(area: Area | None, shape: Sequence[int]) -> Area:
    """Return the part of an area that is inside an image; all of the image where there is none."""
    whole = -0.5, -0.5, shape[0] - 0.5, shape[1] - 0.5
    if area is None:
        return whole
    top, left = (max(edge, -0.5) for edge in area[:2])
    bottom, right = (min(edge, size) for edge, size in zip(area[2:], whole[2:], strict=True))
    return (top, left, bottom, right) if top < bottom and left < right else whole


@dataclass(frozen=True, eq=False)
class PrintedRegion:
    """A region of the link.

    Attributes
    ----------
    name, colour : str
        As the link has them; the colour is ``#rrggbb``.
    mask : ndarray of bool, shape (H, W)
        True inside.
    look : RegionLook
        How it is drawn.
    """

    name: str
    colour: str
    mask: NDArray[np.bool_]
    look: RegionLook = PLAIN


def printed_regions(view: ExportArrays, state: CompareState) -> tuple[PrintedRegion, ...]:
    """Return the link's regions that are to be seen, in its order; the pair's own are shown where a link names them."""
    return tuple(
        PrintedRegion(region.name, region.colour, view.regions[region.name], region.look)
        for region in linked_regions(state.regions)
        if not region.look.hidden
    )


@dataclass(frozen=True)
class FigureContent:
    """All that the rows of a figure have in common.

    Attributes
    ----------
    view : ExportArrays
        The arrays.
    state : CompareState
        Columns, colours and zoom.
    ends : ScaleEnds
        Where the scales end.
    half : int
        Half-width of the zooms, pixels.
    regions : tuple of PrintedRegion
        Those of the link.
    difference : Difference or None
        What the last row shows.
    area : tuple of float
        The part of the images that whole pictures show: (top, left, bottom, right), pixels, within the image.
    note : str
        What else is to be said below the pictures.
    """

    view: ExportArrays
    state: CompareState
    ends: ScaleEnds
    half: int
    regions: tuple[PrintedRegion, ...]
    difference: Difference | None
    area: Area
    note: str = ""

    @classmethod
    def of(cls, view: ExportArrays, state: CompareState, area: Area | None = None) -> FigureContent:
        """Find them for a view of which an area is shown, or all of it."""
        state, note = without_missing_maps(view, state)
        view = without_air(view)
        return cls(
            view,
            state,
            ScaleEnds.of(view, state),
            half_width(view, state),
            printed_regions(view, state),
            difference_of(view, state),
            area_within(area, view.inputs.shape[1:]),
            note,
        )

    def of_table(self) -> FigureContent:
        """Return the same for a table, which says what the link asks for that it does not have."""
        return replace(self, note=f"{self.note} {left_out(self.view, self.state)}".strip())

    @property
    def aspect(self) -> float:
        """Height of a pixel by its width."""
        return self.view.methods[0].scene.aspect

    @property
    def is_part(self) -> bool:
        """True where whole pictures show a part of the image only."""
        return self.area != area_within(None, self.view.inputs.shape[1:])

"""The rows of a figure for print: the inputs, the methods, a difference; each draws its own pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.compare_state import CompareState
from app.ids import CompareColumn, InputColumn, ZoomColumn
from app.takeaway.cells import Ends, ExportView, gray_colours, gray_range, half_width, picture, zoomed
from app.takeaway.difference import NOT_SUBTRACTED, Difference, difference_of, difference_picture
from app.takeaway.print_area import area_within
from app.takeaway.print_regions import PrintedRegion, draw_outlines, printed_regions
from app.takeaway.print_scatter import draw_scatter
from app.view_state import Area

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RED, BLUE = "#e5383b", "#2f7ed8"
LETTERS = 24
"""In a line of a row's label."""
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
class Sheet:
    """What all rows of a figure have in common.

    Attributes
    ----------
    view : ExportView
        The arrays.
    state : CompareState
        Columns, colours and zoom.
    ends : Ends
        Where the scales end.
    half : int
        Half-width of the zooms, pixels.
    regions : tuple of PrintedRegion
        Those of the link.
    difference : Difference or None
        What the last row shows.
    area : tuple of float
        The part of the images that whole pictures show: (top, left, bottom, right), pixels, within the image.
    """

    view: ExportView
    state: CompareState
    ends: Ends
    half: int
    regions: tuple[PrintedRegion, ...]
    difference: Difference | None
    area: Area

    @classmethod
    def of(cls, view: ExportView, state: CompareState, area: Area | None = None) -> Sheet:
        """Find them for a view of which an area is shown, or all of it."""
        return cls(
            view,
            state,
            Ends.of(view, state),
            half_width(view, state),
            printed_regions(view, state),
            difference_of(view, state),
            area_within(area, view.inputs.shape[1:]),
        )

    @property
    def is_part(self) -> bool:
        """Whether whole pictures show a part of the image only."""
        return self.area != area_within(None, self.view.inputs.shape[1:])


@dataclass(frozen=True)
class Row:
    """A row of a figure.

    Attributes
    ----------
    label : str
        What stands at its left, in lines.
    panels : tuple of Panel
        What it shows, from left to right.
    draw : callable
        Draws one of these.
    """

    label: str
    panels: tuple[Panel, ...]
    draw: Callable[[Axes, Panel], None]


def panels(view: ExportView, columns: Sequence[Column]) -> tuple[Panel, ...]:
    """Return the pictures of columns: Jacobian images and zooms have one for each principal pixel."""
    return tuple(
        (column, name) for column in columns for name in (view.pixels if column in TWICE else ("a",))
    )


def heading(view: ExportView, panel: Panel) -> str:
    """Return what a picture shows, in the names of the pair's modalities."""
    column, name = panel
    first, second = view.methods[0].scene.modalities
    which = f"x1 ({first})" if "mri" in column.value else f"x2 ({second})"
    plain: Mapping[Column, str] = {
        CompareColumn.FUSED: "Fused y",
        CompareColumn.GUIDANCE_RGB: "Guidance RGB",
        CompareColumn.SCATTER: "Guidance x1 and x2",
        InputColumn.MRI: which,
        InputColumn.PET: which,
    }
    if column in plain:
        return plain[column]
    if column not in TWICE:
        return f"Guidance {which}"
    row, col = view.pixels[name]
    pixel = f"{name.upper()}: row {row}, column {col}"
    if isinstance(column, ZoomColumn):
        return f"{heading(view, (column.whole, name))}, zoom\n{pixel}"
    kind = "Input" if isinstance(column, InputColumn) else "Jacobian"
    return f"{kind}{', zoom' if column in ZOOMS else ''}\n{which}\n{pixel}"


def pair_label(view: ExportView) -> str:
    """Return the name of the pair, in lines; simulated images are never without that word."""
    scene = view.methods[0].scene
    told = scene.simulated and "simulated" not in scene.pair_title.lower()
    title = textwrap.fill(f"{scene.pair_title}{', simulated' if told else ''}", LETTERS)
    return f"{title}\npair {scene.pair_id[:12]}"


def short(value: float) -> str:
    """Write a number with three digits and a true minus."""
    return f"{value:.3g}".replace("-", "−")


def inputs_row(sheet: Sheet) -> Row:
    """Make the row of both inputs, whole and zoomed."""
    view = sheet.view

    def draw(axes: Axes, panel: Panel) -> None:
        image = view.inputs[0 if "mri" in panel[0].value else 1]
        _cell(axes, sheet, panel, _cut(sheet, panel, gray_colours(image, *gray_range(image))))

    return Row(pair_label(view), panels(view, list(InputColumn)), draw)


def method_row(sheet: Sheet, index: int) -> Row:
    """Make the row of a method."""
    view, ends = sheet.view, sheet.ends
    scene = view.methods[index].scene
    lines = [textwrap.fill(scene.method_title, LETTERS), f"weights {scene.weights_id[:8]}"]
    if not sheet.state.shared:
        low, high = ends.grays[index]
        lines += [
            f"gradients end at {short(ends.gradients[index])}",
            f"fused from {short(low)} to {short(high)}",
        ]

    def draw(axes: Axes, panel: Panel) -> None:
        column, name = panel
        if column is CompareColumn.SCATTER:
            draw_scatter(axes, view, ends, index, sheet.half, sheet.regions)
        elif isinstance(column, CompareColumn):
            _cell(axes, sheet, panel, picture(view, sheet.state, ends, index, column, name))
        elif isinstance(column, ZoomColumn):
            whole = picture(view, sheet.state, ends, index, column.whole, name)
            _cell(axes, sheet, panel, _cut(sheet, panel, whole))

    return Row("\n".join(lines), panels(view, sheet.state.columns), draw)


def difference_row(sheet: Sheet, shown: Difference) -> Row:
    """Make the row of a difference; what cannot be subtracted stays empty, in words."""
    view = sheet.view

    def draw(axes: Axes, panel: Panel) -> None:
        column, name = panel
        if column in NOT_SUBTRACTED:
            axes.set_axis_off()
            axes.text(
                0.5, 0.5, "no difference", transform=axes.transAxes, ha="center", va="center", color="#666666"
            )
        elif isinstance(column, CompareColumn):
            _cell(axes, sheet, panel, difference_picture(view, sheet.state, shown, column, name))
        elif isinstance(column, ZoomColumn):
            whole = difference_picture(view, sheet.state, shown, column.whole, name)
            _cell(axes, sheet, panel, _cut(sheet, panel, whole))

    title = "\n− ".join(textwrap.fill(one, LETTERS) for one in shown.titles)
    ends = f"fused ends at ±{short(shown.fused_end)}\ngradients at ±{short(shown.gradient_end)}"
    return Row(f"{title}\n{ends}", panels(view, sheet.state.columns), draw)


def _cut(sheet: Sheet, panel: Panel, whole: np.ndarray) -> np.ndarray:
    column, name = panel
    return zoomed(whole, sheet.view.pixels[name], sheet.half) if column in ZOOMS else whole


def _cell(axes: Axes, sheet: Sheet, panel: Panel, image: np.ndarray) -> None:
    """Draw a picture with the regions and, in whole pictures, the boxes of the zooms."""
    column, name = panel
    axes.imshow(image, interpolation="none" if image.size > 3_000_000 else "nearest", aspect="equal")
    axes.set_xticks(())
    axes.set_yticks(())
    row, col = sheet.view.pixels[name]
    if column in ZOOMS:
        draw_outlines(axes, sheet.regions, (row - sheet.half, col - sheet.half))
        return
    top, left, bottom, right = sheet.area
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    draw_outlines(axes, sheet.regions)
    for one in (name,) if column in TWICE else sheet.view.pixels:
        _mark(axes, sheet, one)


def _mark(axes: Axes, sheet: Sheet, name: str) -> None:
    """Draw the zoom's box around the principal pixel."""
    from matplotlib.patches import Rectangle

    (row, col), half = sheet.view.pixels[name], sheet.half
    corner = col - half - 0.5, row - half - 0.5
    side = 2 * half + 1
    colour = RED if name == "a" else BLUE
    axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=colour, linewidth=0.7))

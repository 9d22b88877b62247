"""The rows of a figure for print: the inputs, the methods, a difference; each draws its own pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.export.content import (
    NOT_SUBTRACTED,
    TWICE,
    ZOOMS,
    Column,
    Difference,
    FigureContent,
    Panel,
    difference_picture,
    gray_colours,
    method_picture,
)
from app.export.drawing import cut, draw_picture, draw_scatter
from app.ids import CompareColumn, InputColumn, ZoomColumn
from cache.services.exports import ExportArrays
from fusion.chroma import unit_colours
from fusion.colours import gray_range, rgb_bytes
from fusion.saliency.maps import MapKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAP_TITLES = {
    MapKind.RESPONSE: "Response to",
    MapKind.REACH: "Reach in",
    MapKind.INFLUENCE: "All influence of",
}
LETTERS = 24
"""In a line of a row's label."""
LETTERS_OF_HEADING = 20
"""In a line over the smallest picture."""


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
    title : str
        Its name in a sentence.
    method : int or None
        Number of the method that it shows.
    is_difference : bool
        Whether it shows the difference of two.
    """

    label: str
    panels: tuple[Panel, ...]
    draw: Callable[[Axes, Panel], None]
    title: str
    method: int | None = None
    is_difference: bool = False


def panels(view: ExportArrays, columns: Sequence[Column]) -> tuple[Panel, ...]:
    """Return the pictures of columns: Jacobian images and zooms have one for each principal pixel."""
    return tuple(
        (column, name) for column in columns for name in (view.pixels if column in TWICE else ("a",))
    )


def heading(view: ExportArrays, panel: Panel) -> str:
    """Return what a picture shows, in the names of the pair's modalities."""
    column, name = panel
    first, second = view.methods[0].scene.modalities
    which = f"x1 ({first})" if "mri" in column.value else f"x2 ({second})"
    plain: Mapping[Column, str] = {
        CompareColumn.FUSED: "Fused y",
        CompareColumn.FUSED_COLOUR: "Fused in colour",
        CompareColumn.GUIDANCE_RGB: "Guidance RGB",
        CompareColumn.SCATTER: "Guidance x1 and x2",
        InputColumn.MRI: which,
        InputColumn.PET: which + (f",\n{brought}" if (brought := view.methods[0].scene.brought) else ""),
    }
    if column in plain:
        return plain[column]
    if isinstance(column, CompareColumn) and column.map_kind is not None:
        return f"{MAP_TITLES[column.map_kind]} {which}"
    if column not in TWICE:
        return f"Guidance {which}"
    row, col = view.pixels[name]
    place = f"row {row}, column {col}"
    pixel = place if len(place) <= LETTERS_OF_HEADING else place.replace(", ", ",\n")
    if isinstance(column, ZoomColumn):
        return f"{heading(view, (column.whole, name))}, zoom{view.letter(name, ' at ')}\n{pixel}"
    kind = "Input" if isinstance(column, InputColumn) else "Jacobian"
    return f"{kind}{', zoom' if column in ZOOMS else ''}{view.letter(name, ' at ')}\n{which}\n{pixel}"


def pair_label(view: ExportArrays) -> str:
    """Return the name of the pair, in lines; simulated images are never without that word."""
    scene = view.methods[0].scene
    told = scene.simulated and "simulated" not in scene.pair_title.lower()
    title = textwrap.fill(f"{scene.pair_title}{', simulated' if told else ''}", LETTERS)
    return f"{title}\npair {scene.pair_id[:12]}"


def short(value: float) -> str:
    """Write a number with three digits and a true minus."""
    return f"{value:.3g}".replace("-", "−")


def inputs_row(content: FigureContent) -> Row:
    """Make the row of both inputs, whole and zoomed."""
    view = content.view

    def draw(axes: Axes, panel: Panel) -> None:
        which = 0 if "mri" in panel[0].value else 1
        image, colours = view.inputs[which], view.colours[which]
        shown = (
            gray_colours(image, *gray_range(image)) if colours is None else rgb_bytes(unit_colours(colours))
        )
        draw_picture(axes, content, panel, cut(content, panel, shown))

    return Row(pair_label(view), panels(view, list(InputColumn)), draw, "the inputs")


def method_row(content: FigureContent, index: int) -> Row:
    """Make the row of a method."""
    view, ends = content.view, content.ends
    scene = view.methods[index].scene
    lines = [textwrap.fill(scene.method_title, LETTERS), f"weights {scene.weights_id[:8]}"]
    if not content.state.shared:
        low, high = ends.grays[index]
        lines += [
            f"gradients end at {short(ends.gradients[index])}",
            f"fused from {short(low)} to {short(high)}",
        ]

    def draw(axes: Axes, panel: Panel) -> None:
        column, name = panel
        if column is CompareColumn.SCATTER:
            draw_scatter(axes, view, ends, index, content.half, content.regions)
        elif isinstance(column, CompareColumn):
            draw_picture(axes, content, panel, method_picture(view, content.state, ends, index, column, name))
        elif isinstance(column, ZoomColumn):
            whole = method_picture(view, content.state, ends, index, column.whole, name)
            draw_picture(axes, content, panel, cut(content, panel, whole))

    return Row("\n".join(lines), panels(view, content.state.columns), draw, scene.method_title, method=index)


def difference_row(content: FigureContent, shown: Difference) -> Row:
    """Make the row of a difference; what cannot be subtracted stays empty, in words."""
    view = content.view

    def draw(axes: Axes, panel: Panel) -> None:
        column, name = panel
        if column in NOT_SUBTRACTED:
            axes.set_axis_off()
            axes.text(
                0.5, 0.5, "no difference", transform=axes.transAxes, ha="center", va="center", color="#666666"
            )
        elif isinstance(column, CompareColumn):
            draw_picture(axes, content, panel, difference_picture(view, content.state, shown, column, name))
        elif isinstance(column, ZoomColumn):
            whole = difference_picture(view, content.state, shown, column.whole, name)
            draw_picture(axes, content, panel, cut(content, panel, whole))

    title = "\n− ".join(textwrap.fill(one, LETTERS) for one in shown.titles)
    ends = f"fused ends at ±{short(shown.fused_end)}\ngradients at ±{short(shown.gradient_end)}"
    return Row(f"{title}\n{ends}", panels(view, content.state.columns), draw, shown.title, is_difference=True)


def rows_of(content: FigureContent) -> list[Row]:
    """Return the rows below the inputs: the methods, and the difference where there is one."""
    rows = [method_row(content, index) for index in range(len(content.view.methods))]
    return rows if content.difference is None else [*rows, difference_row(content, content.difference)]

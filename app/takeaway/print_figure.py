"""A comparison as a figure for print: text stays text, a pixel stays a square."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from app.compare_state import CompareState
from app.figures.scales import Scale, colour_range
from app.ids import CompareColumn
from app.takeaway.cells import (
    Ends,
    ExportView,
    gradient_colours,
    gray_colours,
    gray_range,
    half_width,
    picture,
)
from app.takeaway.print_scatter import draw_scatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 300
LARGEST_SIDE_DOTS = 16_000
PANEL = 1.7
"""Side of a picture, inches."""
GAP, LABEL, HEAD, FOOT = 0.12, 1.75, 0.45, 1.3
RED, BLUE = "#e5383b", "#2f7ed8"
ZOOMS = (CompareColumn.JACOBIAN_MRI_ZOOM, CompareColumn.JACOBIAN_PET_ZOOM)
JACOBIANS = (CompareColumn.JACOBIAN_MRI, CompareColumn.JACOBIAN_PET, *ZOOMS)

Panel = tuple[CompareColumn, str]
"""A column and the name of a principal pixel, ``a`` or ``b``."""


def panels(view: ExportView, columns: Sequence[CompareColumn]) -> list[Panel]:
    """Return the columns of the figure: Jacobian images have one for each principal pixel."""
    return [(column, name) for column in columns for name in (view.pixels if column in JACOBIANS else ("a",))]


def heading(view: ExportView, panel: Panel) -> str:
    """Return what a column shows, in the names of the pair's modalities."""
    column, name = panel
    first, second = view.methods[0].scene.modalities
    which = f"x1 ({first})" if "mri" in column.value else f"x2 ({second})"
    plain = {
        CompareColumn.FUSED: "Fused y",
        CompareColumn.GUIDANCE_RGB: "Guidance RGB",
        CompareColumn.SCATTER: "Guidance x1 and x2",
    }
    if column in plain:
        return plain[column]
    if column not in JACOBIANS:
        return f"Guidance {which}"
    row, col = view.pixels[name]
    kind = "Jacobian, zoom" if column in ZOOMS else "Jacobian"
    return f"{kind}\n{which}\n{name.upper()}: row {row}, column {col}"


def print_figure(
    view: ExportView, state: CompareState, form: str, link: str, only: int | None = None
) -> bytes:
    """Draw the table of all methods, or one row of it.

    Parameters
    ----------
    view : ExportView
        The arrays.
    state : CompareState
        Columns, colours and zoom. Rows are those of `view`.
    form : str
        ``png`` (300 dots per inch) or ``svg``.
    link : str
        The link that reopens the view; written into the file's metadata.
    only : int, optional
        The only row, without the inputs; scales are still those of the whole table.

    Raises
    ------
    ValueError
        If the figure has no column.
    """
    if not state.columns:
        raise ValueError("A figure has at least one column")
    # Here and not above: matplotlib is slow to import, and few visitors export.
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    columns = panels(view, state.columns)
    height, width = view.inputs.shape[1:]
    tall = PANEL * min(max(height / width, 0.25), 4)
    across = max(len(columns), 2)
    down = (len(view.methods) + 1) * (tall + GAP) + HEAD if only is None else tall
    size = LABEL + across * (PANEL + GAP) + GAP, HEAD + FOOT + down
    text: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "fusevis",
        "font.size": 8,
        "text.parse_math": False,
    }
    with matplotlib.rc_context(text):
        figure = Figure(figsize=size)
        (FigureCanvasSVG if form == "svg" else FigureCanvasAgg)(figure)
        ends = Ends.of(view, state)
        _draw(figure, view, state, ends, columns, size, tall, only)
        stream = io.BytesIO()
        dots = min(DOTS_PER_INCH, LARGEST_SIDE_DOTS / max(size))
        # No date: equal views give equal files.
        note = {"Description": link, "Date": None} if form == "svg" else {"Description": link}
        figure.savefig(stream, format=form, dpi=dots, metadata=note, facecolor="white")
    return stream.getvalue()


def _draw(
    figure: Figure,
    view: ExportView,
    state: CompareState,
    ends: Ends,
    columns: Sequence[Panel],
    size: tuple[float, float],
    tall: float,
    only: int | None,
) -> None:
    width, height = size

    def top_of(line: int) -> float:
        return HEAD + line * (tall + GAP) + (HEAD if line else 0)

    def place(line: int, column: int) -> Axes:
        left, top = LABEL + column * (PANEL + GAP), top_of(line)
        return figure.add_axes((left / width, 1 - (top + tall) / height, PANEL / width, tall / height))

    first = 0 if only is not None else 1
    if only is None:
        _inputs(figure, view, state, [place(0, 0), place(0, 1)], size, tall)
    rows = range(len(view.methods)) if only is None else [only]
    for line, row in enumerate(rows, first):
        one = view.methods[row]
        end = "" if state.shared else f"\nscale ends at {ends.gradients[row]:.4g}"
        label = f"{textwrap.fill(one.scene.method_title, 24)}\nweights {one.scene.weights_id[:8]}{end}"
        _label(figure, size, top_of(line) + tall / 2, label)
        for column, panel in enumerate(columns):
            axes = place(line, column)
            _cell(axes, view, state, ends, row, panel)
            if line == first:
                axes.set_title(heading(view, panel), fontsize=8, pad=3)
    _legend(figure, state, ends, size)


def _inputs(
    figure: Figure,
    view: ExportView,
    state: CompareState,
    places: Sequence[Axes],
    size: tuple[float, float],
    tall: float,
) -> None:
    scene = view.methods[0].scene
    simulated = ", simulated" if scene.simulated else ""
    title = textwrap.fill(f"{scene.pair_title}{simulated}", 24)
    _label(figure, size, HEAD + tall / 2, f"{title}\npair {scene.pair_id[:12]}")
    for which, (axes, image) in enumerate(zip(places, view.inputs, strict=True)):
        _show(axes, gray_colours(image, *gray_range(image)))
        for name in view.pixels:
            _mark(axes, view, half_width(view, state), name)
        axes.set_title(f"x{which + 1} ({scene.modalities[which]})", fontsize=8, pad=3)


def _cell(axes: Axes, view: ExportView, state: CompareState, ends: Ends, row: int, panel: Panel) -> None:
    column, name = panel
    if column is CompareColumn.SCATTER:
        draw_scatter(axes, view, ends, row, half_width(view, state))
        return
    _show(axes, picture(view, state, ends, row, column, name))
    if column not in ZOOMS:
        _mark(axes, view, half_width(view, state), name)


def _show(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image, interpolation="none" if image.size > 3_000_000 else "nearest", aspect="equal")
    axes.set_xticks(())
    axes.set_yticks(())


def _mark(axes: Axes, view: ExportView, half: int, name: str) -> None:
    """Draw the zoom's box around the principal pixel."""
    row, col = view.pixels[name]
    corners = ((col - half - 0.5, row - half - 0.5), 2 * half + 1, 2 * half + 1)
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle(*corners, fill=False, edgecolor=RED if name == "a" else BLUE, linewidth=0.7))


def _label(figure: Figure, size: tuple[float, float], middle: float, text: str) -> None:
    figure.text(
        0.1 / size[0], 1 - middle / size[1], text, va="center", ha="left", fontsize=8, linespacing=1.4
    )


def _legend(figure: Figure, state: CompareState, ends: Ends, size: tuple[float, float]) -> None:
    """Draw the colours of both gammas, with the numbers at their ends, and what they are."""
    shared = state.shared or len(set(ends.gradients)) == 1
    end = ends.gradients[0] if shared else 1.0
    low, high = colour_range(state.scale, end)
    for place, (gamma, what) in enumerate(((state.gamma2, "guidance"), (state.gamma1, "Jacobian"))):
        left = LABEL + place * (PANEL + GAP)
        axes = figure.add_axes((left / size[0], 0.88 / size[1], PANEL / size[0], 0.13 / size[1]))
        values = np.linspace(low, high, 256)[None]
        extent = (low, high, 0.0, 1.0)
        axes.imshow(gradient_colours(values, state.scale, end, gamma), extent=extent, aspect="auto")
        axes.set_yticks(())
        axes.set_xticks((low, (low + high) / 2, high))
        axes.set_xticklabels([f"{value:.3g}" for value in (low, (low + high) / 2, high)], fontsize=7)
        axes.set_title(f"{what}, gamma {gamma:g}", fontsize=7, pad=2)
    low, high = ends.grays[0]
    grays = f" Fused: black is {low:.3g}, white is {high:.3g}." if len(set(ends.grays)) == 1 else ""
    if CompareColumn.FUSED not in state.columns:
        grays = ""
    unit = "dimensionless" if shared else "share of each method's own end"
    ends_at = {Scale.PAPER: "0 to maximum", Scale.SIGNED: "signed", Scale.ROBUST: "0 to 99th percentile"}
    words = f"Gradients of the fused intensity, {unit}; scale: {ends_at[state.scale]}; box: what zooms show.{grays}"
    if CompareColumn.SCATTER in state.columns:
        words += " Scatterplots: x guidance x1, y guidance x2, gray: log density, green: in the box."
    figure.text(
        0.1 / size[0],
        0.06 / size[1],
        textwrap.fill(words, max(40, int(size[0] * 15))),
        fontsize=7,
        va="bottom",
    )

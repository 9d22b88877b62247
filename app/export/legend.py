"""The legend below a figure for print: the colours with their ends, the regions, and what everything means."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from app.export.content import JACOBIANS, ZOOMS, Column, FigureContent, PrintedRegion, gray_colours
from app.export.maps import SCALES, map_colours, map_end, map_kinds
from app.export.maps import WORDS as MAP_WORDS
from app.export.rows import short
from app.ids import CompareColumn, ZoomColumn
from fusion.chroma import LUMA_NOTE
from fusion.colours import Ranges, Scale, gradient_colours, min_max, scale_range
from fusion.saliency.maps import MapKind
from fusion.saliency.reach import STEPS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINE_HEIGHT = 0.17
"""Of the legend, inches."""
ENTRY_WIDTH = 2.9
"""Of a region's entry in the legend, inches: the longest name fits."""
GUIDANCE = {CompareColumn.GUIDANCE_MRI, CompareColumn.GUIDANCE_PET}
WITHOUT_AIR = GUIDANCE | {CompareColumn.GUIDANCE_RGB, CompareColumn.SCATTER}
"""What leaves the air out where the view does."""
MARGIN, TEXT_LINE, BAR_LINE, BAR = 0.08, 0.135, 0.56, 0.13
"""Inches: at the edges, a line of text, a line of bars with their words, a bar."""
BAR_PITCH = 1.85
LETTERS_AN_INCH = 18
SIDES: tuple[Literal["left", "center", "right"], ...] = ("left", "center", "right")
ENDS = {Scale.PAPER: "0 to maximum", Scale.SIGNED: "signed", Scale.ROBUST: "0 to 99th percentile"}


@dataclass(frozen=True, eq=False)
class Bar:
    """A colour bar: its title, the numbers at its ends, and its colours, (1, n, 3)."""

    title: str
    low: float
    high: float
    colours: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Legend:
    """All that stands below the pictures.

    Attributes
    ----------
    bars : list of list of Bar
        Lines of colour bars.
    words : str
        What everything means, in lines.
    lines_of_regions : int
        How many lines their names take.
    """

    bars: list[list[Bar]]
    words: str
    lines_of_regions: int

    @property
    def height(self) -> float:
        """Inches."""
        text = (self.words.count("\n") + 1) * TEXT_LINE
        return 2 * MARGIN + text + self.lines_of_regions * LINE_HEIGHT + len(self.bars) * BAR_LINE


def legend_for(
    content: FigureContent,
    columns: Collection[Column],
    rows: Sequence[int],
    with_difference: bool,
    width: float,
) -> Legend:
    """Say what is below pictures of these columns and rows of methods, in a figure of this width, inches."""
    has_zooms = any(column in ZOOMS for column in columns)
    columns = [column.whole if isinstance(column, ZoomColumn) else column for column in columns]
    bars = _method_bars(content, columns, rows) if rows else []
    if with_difference:
        bars += _difference_bars(content, columns)
    across = max(1, int((width - MARGIN) / BAR_PITCH))
    lines = [bars[at : at + across] for at in range(0, len(bars), across)]
    words = " ".join(
        [*_words(content, columns, rows, with_difference), _pixels(content, has_zooms), content.note]
    )
    words = textwrap.fill(words.strip(), max(40, int(width * LETTERS_AN_INCH)))
    return Legend(lines, words, legend_lines(content.regions, width) if content.regions else 0)


def draw_legend(figure: Figure, content: FigureContent, legend: Legend, size: tuple[float, float]) -> None:
    """Draw it at the figure's lower edge; `size` is the figure's, inches."""
    width, height = size
    figure.text(0.1 / width, MARGIN / height, legend.words, fontsize=7, va="bottom", linespacing=1.35)
    bottom = MARGIN + (legend.words.count("\n") + 1) * TEXT_LINE + MARGIN / 2
    draw_region_legend(figure, content.regions, size, bottom)
    bottom += legend.lines_of_regions * LINE_HEIGHT + 0.22
    for line in reversed(legend.bars):
        for place, bar in enumerate(line):
            left = 0.2 + place * BAR_PITCH
            axes = figure.add_axes((left / width, bottom / height, (BAR_PITCH - 0.3) / width, BAR / height))
            axes.imshow(bar.colours, extent=(bar.low, bar.high, 0.0, 1.0), aspect="auto")
            axes.set_yticks(())
            ticks = (bar.low, (bar.low + bar.high) / 2, bar.high)
            axes.set_xticks(ticks)
            axes.set_xticklabels([short(value) for value in ticks], fontsize=7)
            axes.tick_params(length=2, pad=1.5)
            # Numbers at the ends stay within the bar, clear of the next one's.
            for label, side in zip(axes.get_xticklabels(), SIDES, strict=True):
                label.set_horizontalalignment(side)
            axes.set_title(bar.title, fontsize=7, pad=2)
        bottom += BAR_LINE


def _method_bars(content: FigureContent, columns: Collection[Column], rows: Sequence[int]) -> list[Bar]:
    grays = {content.ends.grays[row] for row in rows}
    gradients = {content.ends.gradients[row] for row in rows}
    bars = []
    if CompareColumn.FUSED in columns and len(grays) == 1:
        ((low, high),) = grays
        bars.append(Bar("fused y", low, high, gray_colours(np.linspace(low, high, 256)[None], low, high)))
    end = gradients.pop() if len(gradients) == 1 else 1.0
    bars += _gradient_bars(content, columns, content.state.scale, end, "")
    return bars + [_map_bar(content, kind, rows) for kind in map_kinds(columns)]


def _map_bar(content: FigureContent, kind: MapKind, rows: Sequence[int]) -> Bar:
    """Return the bar of a map: of a reach in steps of a power of 2, of others from end to end, as the rows share it."""
    gamma = content.state.gamma2
    if kind is MapKind.REACH:
        steps = np.array([[0, *STEPS]], dtype=np.float32)
        return Bar(
            "reach: 0, 1, 2, 4 … 64 levels", 0, len(STEPS), map_colours(steps, kind, len(STEPS), gamma)
        )
    of = range(len(content.view.methods)) if content.state.shared else rows
    end = map_end(content.view, kind, of) if content.state.shared or len(rows) == 1 else 1.0
    low, high = scale_range(SCALES[kind], end)
    colours = map_colours(np.linspace(low, high, 256)[None], kind, end, gamma)
    return Bar(f"{kind}, gamma {gamma:g}", low, high, colours)


def _difference_bars(content: FigureContent, columns: Collection[Column]) -> list[Bar]:
    if content.difference is None:
        return []
    bars = []
    if CompareColumn.FUSED in columns:
        bars.append(_gradient_bar("difference: fused y", Scale.SIGNED, content.difference.fused_end, 1.0))
    end = content.difference.gradient_end
    return bars + _gradient_bars(content, columns, Scale.SIGNED, end, "difference: ")


def _gradient_bars(
    content: FigureContent, columns: Collection[Column], scale: Scale, end: float, before: str
) -> list[Bar]:
    wanted = [("guidance", content.state.gamma2)] if GUIDANCE & set(columns) else []
    if JACOBIANS & set(columns):
        wanted.append(("Jacobian", content.state.gamma1))
    return [_gradient_bar(f"{before}{what}, gamma {gamma:g}", scale, end, gamma) for what, gamma in wanted]


def _gradient_bar(title: str, scale: Scale, end: float, gamma: float) -> Bar:
    low, high = scale_range(scale, end)
    return Bar(title, low, high, gradient_colours(np.linspace(low, high, 256)[None], scale, end, gamma))


def _words(
    content: FigureContent,
    columns: Collection[Column],
    rows: Sequence[int],
    with_difference: bool,
) -> list[str]:
    parts = []
    if (GUIDANCE | JACOBIANS) & set(columns) and rows:
        own = len({content.ends.gradients[row] for row in rows}) > 1
        unit = "shares of each method's own end" if own else "dimensionless"
        parts.append(f"Gradients of the fused intensity, {unit}; scale: {ENDS[content.state.scale]}.")
    parts += [MAP_WORDS[kind] for kind in map_kinds(columns)]
    if with_difference and content.difference is not None:
        parts.append(
            f"Difference: {content.difference.title}, signed, dimensionless; blue: the second is larger."
        )
    if any(content.view.methods[0].scene.in_colour):
        parts.append(f"Inputs are colour pictures: {LUMA_NOTE}.")
    if content.state.pole and any(content.view.methods[row].poles is not None for row in rows):
        parts.append("Magenta in fused images: a feature is within 0.05 of the fusion rule's pole.")
    if CompareColumn.GUIDANCE_RGB in columns:
        common = content.state.rgb is Ranges.COMMON
        which = "red and green on one common range" if common else "each on its own range"
        parts.append(f"Guidance RGB: {_rgb_ranges(content, rows)}, {which}.")
    if content.view.without is not None and WITHOUT_AIR & set(columns):
        parts.append(
            f"Hatched: air, {np.count_nonzero(content.view.without):,} of {content.view.without.size:,} pixels, left "
            "out of scales and scatterplots."
        )
    if CompareColumn.SCATTER in columns:
        parts.append(
            "Scatterplots: gray: log density of all pixels, green: in the box"
            + content.view.letter("a", " of ")
            + (", blue: of B" if "b" in content.view.pixels else "")
            + (", those in a region too with its colour inside." if content.regions else ".")
        )
    if JACOBIANS & set(columns):
        parts.append("Plain gray in Jacobian images: out of the method's reach, exactly 0.")
    if content.is_part:
        top, left, bottom, right = (f"{edge:.1f}" for edge in content.area)
        parts.append(f"Pictures that are no zooms show rows {top} to {bottom} and columns {left} to {right}.")
    return parts


def _rgb_ranges(content: FigureContent, rows: Sequence[int]) -> str:
    """Name the bands of guidance RGB, of a single method with the numbers that are 0 and full in it."""
    names = ("red guidance x1", "green guidance x2", "blue fused")
    if len(rows) != 1:
        return ", ".join(names)
    one = content.view.methods[rows[0]]
    common = content.state.rgb is Ranges.COMMON
    ends = (min_max(image) for image in (*([one.guidance] * 2 if common else one.guidance), one.fused))
    return ", ".join(
        f"{name} {short(low)} to {short(high)}" for name, (low, high) in zip(names, ends, strict=True)
    )


def _pixels(content: FigureContent, has_zooms: bool) -> str:
    pixels = (
        f"{content.view.letter(name)} {row}, {col}".strip()
        for name, (row, col) in content.view.pixels.items()
    )
    both = " (red A, blue B)" if "b" in content.view.pixels else ""
    square = "; square in a zoom: the pixel" if has_zooms else ""
    return (
        f"Principal pixel (row, column): {'; '.join(pixels)}; white-edged box: what zooms show{both}{square}."
    )


def legend_lines(regions: Sequence[PrintedRegion], width: float) -> int:
    """Return how many lines the legend takes in a figure of this width, inches."""
    return -(-len(regions) // _across(width))


def draw_region_legend(
    figure: Figure, regions: Sequence[PrintedRegion], size: tuple[float, float], bottom: float
) -> None:
    """Name the regions beside pieces of their outlines, the last line `bottom` inches above the lower edge."""
    from matplotlib.lines import Line2D

    width, height = size
    across, lines = _across(width), legend_lines(regions, width)
    for number, region in enumerate(regions):
        line, place = divmod(number, across)
        left, middle = 0.1 + place * ENTRY_WIDTH, bottom + (lines - line - 0.5) * LINE_HEIGHT
        ends = [left / width, (left + 0.2) / width]
        figure.add_artist(Line2D(ends, [middle / height] * 2, color=region.colour, linewidth=2))
        text = f"{region.name} ({region.mask.sum():,} pixels)"
        figure.text((left + 0.27) / width, middle / height, text, fontsize=7, va="center_baseline")


def _across(width: float) -> int:
    return max(1, int((width - 0.1) / ENTRY_WIDTH))

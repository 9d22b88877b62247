"""The row X − Y of two methods, from the same arrays, on a signed scale of its own, as the page has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.export.cells import ExportArrays, gradient_colours, half_width, zoomed
from app.figures.scales import Scale
from app.ids import CompareColumn
from app.link.compare_state import CompareState

NOT_SUBTRACTED = (CompareColumn.GUIDANCE_RGB, CompareColumn.SCATTER)
"""Columns that a difference leaves empty: their colours and points are no numbers that could be subtracted."""
DIFFERENCE = "difference"
"""What stands for the row where others have a method's id."""


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
    fused_end, gradient_end : float
        Where the signed scales end, above 0; the guidance images' is that of all gradients.
    """

    titles: tuple[str, str]
    fused: NDArray[np.floating]
    guidance: NDArray[np.floating]
    jacobians: Mapping[str, NDArray[np.floating]]
    fused_end: float
    gradient_end: float

    @property
    def title(self) -> str:
        """What is subtracted from what."""
        return " − ".join(self.titles)


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
        _largest(fused),
        _largest(guidance),
    )


def left_out(view: ExportArrays, state: CompareState) -> str:
    """Say why a link's difference is not shown; nothing where it is, or where none is asked for."""
    titles = {one.scene.method_id: one.scene.method_title for one in view.methods}
    gone = [id for id in state.difference if id not in titles]
    if not gone:
        return ""
    first, second = (titles.get(id, id) for id in state.difference)
    return f"Without the difference {first} − {second}: {' and '.join(gone)} {'have' if gone[1:] else 'has'} no row."


def _largest(values: NDArray[np.floating]) -> float:
    finite = values[np.isfinite(values)]
    return (float(np.abs(finite).max()) if finite.size else 0.0) or 1.0


def difference_picture(
    view: ExportArrays, state: CompareState, shown: Difference, column: CompareColumn, name: str
) -> NDArray[np.uint8]:
    """Return a cell's picture, (h, w, 3), for the columns that are subtracted; `name` is the principal pixel's."""
    if column is CompareColumn.FUSED:
        return gradient_colours(shown.fused, Scale.SIGNED, shown.fused_end, 1.0)
    which = 0 if "mri" in column.value else 1
    end = shown.gradient_end
    if column in (CompareColumn.GUIDANCE_MRI, CompareColumn.GUIDANCE_PET):
        return gradient_colours(shown.guidance[which], Scale.SIGNED, end, state.gamma2)
    whole = gradient_colours(shown.jacobians[name][which], Scale.SIGNED, end, state.gamma1)
    if column in (CompareColumn.JACOBIAN_MRI, CompareColumn.JACOBIAN_PET):
        return whole
    return zoomed(whole, view.pixels[name], half_width(view, state))

"""What all pictures of a figure for print have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.export.cells import Ends, ExportArrays, half_width
from app.export.difference import Difference, difference_of, left_out
from app.export.print_area import area_within
from app.export.print_regions import PrintedRegion, printed_regions
from app.ids import CompareColumn, InputColumn, ZoomColumn
from app.link.compare_state import CompareState
from app.link.view_state import Area

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
    view : ExportArrays
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
    note : str
        What else is to be said below the pictures.
    """

    view: ExportArrays
    state: CompareState
    ends: Ends
    half: int
    regions: tuple[PrintedRegion, ...]
    difference: Difference | None
    area: Area
    note: str = ""

    @classmethod
    def of(cls, view: ExportArrays, state: CompareState, area: Area | None = None) -> Sheet:
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

    def of_table(self) -> Sheet:
        """Return the same for a table, which says what the link asks for that it does not have."""
        return replace(self, note=left_out(self.view, self.state))

    @property
    def is_part(self) -> bool:
        """Whether whole pictures show a part of the image only."""
        return self.area != area_within(None, self.view.inputs.shape[1:])

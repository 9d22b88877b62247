"""What a link to the compare page carries."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from app.figures.scales import Scale
from app.ids import CompareColumn
from app.linked_state import Index, LinkedState, shortened

PAPER_METHODS = ("weighted_averaging", "funfusean", "masknet", "deepfuse", "deep_pedestrian")
"""The five methods of the paper, in its order."""
FIRST_COLUMNS = (
    CompareColumn.FUSED,
    CompareColumn.GUIDANCE_MRI,
    CompareColumn.GUIDANCE_PET,
    CompareColumn.JACOBIAN_MRI_ZOOM,
    CompareColumn.JACOBIAN_PET_ZOOM,
    CompareColumn.SCATTER,
)
MOST_METHODS = 16
LARGEST_ZOOM = 64
"""Half-width, pixels."""

MethodName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f,:/]+$")]


class CompareState(LinkedState):
    """The state of the compare page that a link reopens.

    Attributes
    ----------
    pair : str or None
        A pair's address; ``None``: the first view.
    methods : tuple of str
        Ids of the methods, in the order of the rows; may be empty.
    columns : tuple of CompareColumn
        What is shown of each method, from left to right; may be empty.
    pixel, pin : tuple of int or None
        The pinned pixels A and B, (row, col), 0-based; ``None``: not pinned.
    gamma1, gamma2 : float
        Gamma of the Jacobian images and of the guidance images, 0.1 to 2.
    scale : Scale
        The colour scale of gradients.
    shared : bool
        Whether all methods have the same end of scale.
    zoom : int or None
        Half-width of the zooms, pixels; ``None``: the largest support of the chosen methods.
    """

    LISTS: ClassVar[frozenset[str]] = frozenset({"pixel", "pin", "methods", "columns"})
    EXPECTED: ClassVar[dict[str, str]] = {
        **LinkedState.EXPECTED,
        "pin": "a pixel is written row,column with whole numbers from 0",
        "methods": f"methods are up to {MOST_METHODS} different ids with commas between them",
        "columns": "columns are different names with commas between them",
        "scale": f"a colour scale is one of {', '.join(Scale)}",
        "shared": "shared is 1 or 0",
        "zoom": f"a zoom's half-width is a whole number from 1 to {LARGEST_ZOOM}",
    }

    methods: Annotated[tuple[MethodName, ...], Field(max_length=MOST_METHODS)] = PAPER_METHODS
    columns: tuple[CompareColumn, ...] = FIRST_COLUMNS
    pin: tuple[Index, Index] | None = None
    scale: Scale = Scale.PAPER
    shared: bool = True
    zoom: Annotated[int, Field(ge=1, le=LARGEST_ZOOM)] | None = None

    @field_validator("methods", "columns")
    @classmethod
    def _differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < len(values):
            raise ValueError("one is named twice")
        return values

    @classmethod
    def split(cls, key: str, value: str, notices: list[str]) -> tuple[str, ...]:
        """Return the parts of a list; an empty value has none. Unknown columns are left out, each with a notice."""
        parts = tuple(value.split(",")) if value or key in ("pixel", "pin") else ()
        if key != "columns":
            return parts
        known = tuple(part for part in parts if part in list(CompareColumn))
        for part in parts[:MOST_METHODS]:
            if part not in known:
                notices.append(f"The link's column “{shortened(part)}” is not known here and was ignored.")
        return known if known or not parts else FIRST_COLUMNS

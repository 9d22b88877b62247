"""What a link to the compare page carries."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from app.ids import CompareColumn
from app.link.link_problem import LinkProblem, unknown
from app.link.linked_state import LARGEST_ZOOM, WEIGHTS, HalfWidth, Index, LinkedState
from app.link.linked_text import UNSEEN, shortened

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

MethodName = Annotated[str, Field(min_length=1, max_length=100, pattern=rf"^[^{UNSEEN},:/]+$")]


ShortWeights = Annotated[str, Field(pattern=r"^([0-9a-f]{8,64})?$")]
"""The first digits of the sha256 of weights, or nothing where they are not known."""


class TableSize(StrEnum):
    """How large the pictures are."""

    FIT = "fit"
    LARGE = "large"


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
    difference : tuple of str
        Ids of two methods, the second taken from the first in a row of its own; empty: no such row.
    numbers : bool
        Whether the numbers below the table are open.
    scale : Scale
        The colour scale of gradients.
    shared : bool
        Whether all methods have the same end of scale.
    size : TableSize
        Whether the table fits the window.
    weights : tuple of str
        What the link's pictures were made with: the first 8 or more digits of the sha256 of each method's weights, in
        the order of the methods, empty where one is not known.
    zoom : int or None
        Half-width of the zooms, pixels; ``None``: the largest support of the chosen methods.
    """

    LISTS: ClassVar[frozenset[str]] = LinkedState.LISTS | {
        "pin",
        "methods",
        "columns",
        "weights",
        "difference",
    }
    EXPECTED: ClassVar[dict[str, str]] = {
        **LinkedState.EXPECTED,
        "pin": "a pixel is written row,column with whole numbers from 0",
        "methods": f"methods are up to {MOST_METHODS} different ids with commas between them",
        "columns": "columns are different names with commas between them",
        "numbers": "numbers is 1 or 0",
        "shared": "shared is 1 or 0",
        "difference": "a difference is of two different methods' ids with a comma between them",
        "size": f"a size is one of {', '.join(TableSize)}",
        "weights": f"{WEIGHTS}, one for each method with commas between them",
        "zoom": f"a zoom's half-width is a whole number from 1 to {LARGEST_ZOOM}",
    }

    methods: Annotated[tuple[MethodName, ...], Field(max_length=MOST_METHODS)] = PAPER_METHODS
    columns: tuple[CompareColumn, ...] = FIRST_COLUMNS
    difference: tuple[MethodName, MethodName] | tuple[()] = ()
    numbers: bool = False
    pin: tuple[Index, Index] | None = None
    shared: bool = True
    size: TableSize = TableSize.FIT
    weights: Annotated[tuple[ShortWeights, ...], Field(max_length=MOST_METHODS)] = ()
    zoom: HalfWidth | None = None

    @field_validator("methods", "columns", "difference")
    @classmethod
    def _differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < len(values):
            raise ValueError("one is named twice")
        return values

    @field_validator("weights")
    @classmethod
    def _end_with_one_that_is_known(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        known = [index for index, value in enumerate(values) if value]
        return values[: known[-1] + 1] if known else ()

    @classmethod
    def split(cls, key: str, value: str, problems: list[LinkProblem]) -> tuple[str, ...]:
        """Return the parts of a list; an empty value has none. Unknown columns are left out, each with a problem."""
        if key == "regions":
            return super().split(key, value, problems)
        parts = tuple(value.split(",")) if value or key in ("pixel", "pin") else ()
        if key != "columns":
            return parts
        known = tuple(part for part in parts if part in list(CompareColumn))
        problems += [
            unknown(f"column “{shortened(part)}”") for part in parts[:MOST_METHODS] if part not in known
        ]
        return known if known or not parts else FIRST_COLUMNS

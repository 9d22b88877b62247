"""What a link to the explore page carries."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from app.link.linked_state import LARGEST_ZOOM, VERSION, WEIGHTS, HalfWidth, LinkedState, Name

__all__ = ["VERSION", "ViewState"]

FIRST_HALF_WIDTH = 12
"""Half-width of the zooms at first, pixels."""

LEAST_SIDE = 1
"""Of an area, pixels."""
ROUNDED = 1e-6
"""By how much the difference of two numbers in a link may miss what they say, as 11.1 − 10.1 does."""

Edge = Annotated[float, Field(ge=-(2.0**31), le=2.0**31, allow_inf_nan=False)]


def _large_enough(area: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    top, left, bottom, right = area
    if min(bottom - top, right - left) < LEAST_SIDE - ROUNDED:
        raise ValueError("one cannot see anything in it")
    return area


Area = Annotated[tuple[Edge, Edge, Edge, Edge], AfterValidator(_large_enough)]


class ViewState(LinkedState):
    """The state of the explore page that a link reopens.

    Attributes
    ----------
    pair : str or None
        A pair's address: a sample's slug, a file id, or a prefix of a content id. ``None``: the first view.
    method : str
        A method's id.
    weights : str or None
        What the link's pictures were made with: the first 8 or more digits of the sha256 of the method's weights.
    pixel : tuple of int or None
        The pinned principal pixel (row, col), 0-based; ``None``: not pinned.
    gamma1, gamma2 : float
        Gamma of the Jacobian images and of the guidance images, 0.1 to 2 (paper, section 3.2.5).
    scale : Scale
        The colour scale of gradients.
    zoom : int or "support"
        Half-width of the zooms, pixels, or that of the method's support.
    area : tuple of float or None
        The part that the full pictures show, (top, left, bottom, right) in pixels; pixel i reaches from i − 0.5 to
        i + 0.5; at least 1 pixel high and wide. ``None``: all of it.
    """

    LISTS: ClassVar[frozenset[str]] = LinkedState.LISTS | {"area"}
    EXPECTED: ClassVar[dict[str, str]] = {
        **LinkedState.EXPECTED,
        "method": "a method's id is a short name without control characters",
        "weights": WEIGHTS,
        "zoom": f"a zoom's half-width is a whole number from 1 to {LARGEST_ZOOM}, or “support”",
        "area": "an area is top,left,bottom,right in pixels, at least 1 pixel high and 1 pixel wide",
    }

    method: Name = "funfusean"
    weights: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")] | None = None
    zoom: HalfWidth | Literal["support"] = FIRST_HALF_WIDTH
    area: Area | None = None

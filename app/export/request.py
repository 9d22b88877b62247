"""A request for a file of a view: a view of either page, as the link to that page describes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from app.ids import CompareColumn
from app.link.texts import shortened, unusable
from app.link.view_state import FIRST_HALF_WIDTH, Area, CompareState, ExploreState

PAGES = ("compare", "explore")
EXPLORE_COLUMNS = (
    CompareColumn.FUSED,
    CompareColumn.GUIDANCE_MRI,
    CompareColumn.GUIDANCE_PET,
    CompareColumn.GUIDANCE_RGB,
    CompareColumn.SCATTER,
    CompareColumn.JACOBIAN_MRI,
    CompareColumn.JACOBIAN_PET,
    CompareColumn.JACOBIAN_MRI_ZOOM,
    CompareColumn.JACOBIAN_PET_ZOOM,
)
"""What a file of the explore page shows of its method; the inputs are above."""


@dataclass(frozen=True)
class ExportRequest:
    """A view of which a file is wanted.

    Attributes
    ----------
    state : CompareState
        Pair, methods, columns, colours, zoom, pixels and regions; one method for the explore page.
    link : str
        Where the page reopens it, below the server's address.
    complete : str
        Where the HTML file with all numbers is, below the server's address.
    area : tuple of float or None
        The part that whole pictures show, (top, left, bottom, right), as in `ExploreState`; ``None``: all of it.
    lettered : bool
        Whether the page calls its principal pixels A and B.
    zoom_without_support : int or None
        Half-width of the zooms, pixels, where they shall follow a support and no method has one; ``None``: as small
        as possible, as on the compare page.
    """

    state: CompareState
    link: str
    complete: str
    area: Area | None = None
    lettered: bool = True
    zoom_without_support: int | None = None

    def with_zoom(self, supports: Iterable[tuple[int, int] | None]) -> CompareState:
        """Return the state with its zoom, once the support of each of its methods is known.

        Parameters
        ----------
        supports : iterable of (tuple of int or None)
            Radius of the support for each input, pixels; ``None`` where it is the whole image.

        Returns
        -------
        CompareState
            Unchanged unless the page has a zoom of its own for methods without a support.
        """
        if self.state.zoom is not None or self.zoom_without_support is None or any(supports):
            return self.state
        return self.state.model_copy(update={"zoom": self.zoom_without_support})


def _pictures(view: ExploreState) -> tuple[CompareColumn, ...]:
    """Return the pictures of the explore page, the fused image in colour where the page has it so."""
    fused = CompareColumn.FUSED_COLOUR if view.colour else CompareColumn.FUSED
    return (fused, *EXPLORE_COLUMNS[1:])


def read_request(page: str, search: str) -> tuple[ExportRequest, list[str]]:
    """Read the query of a link.

    Parameters
    ----------
    page : str
        One of `PAGES`.
    search : str
        The query string of a link to this page, without "?"; may be hostile.

    Returns
    -------
    ExportRequest
        What is understood of it.
    list of str
        One sentence for each part that is not; the request is refused for it.
    """
    complete = f"export/{page}-complete.html"
    if page == "compare":
        state, problems = CompareState.read(search)
        query = state.to_query()
        return ExportRequest(state, f"compare{query}", f"{complete}{query}"), [
            one.refused for one in problems
        ]
    view, problems = ExploreState.read(search)
    refused = [problem.refused for problem in problems]
    try:
        state = CompareState(
            pair=view.pair,
            methods=(view.method,),
            weights=(view.weights,) if view.weights else (),
            columns=(*_pictures(view), *(one for one in CompareColumn if one.map_kind in view.maps)),
            pixel=view.pixel,
            gamma1=view.gamma1,
            gamma2=view.gamma2,
            scale=view.scale,
            rgb=view.rgb,
            air=view.air,
            gray=view.gray,
            pole=view.pole,
            zoom=None if view.zoom == "support" else view.zoom,
            regions=view.regions,
            change=view.change,
            explain=view.explain,
        )
    except ValidationError:
        # Ids of methods have no comma, colon or slash; everything else was read before.
        problem = unusable(f"method={shortened(view.method)}", "a method's id has no comma, colon or slash")
        return read_request("compare", "")[0], [*refused, problem.refused]
    query = view.to_query()
    return ExportRequest(state, query, f"{complete}{query}", view.area, False, FIRST_HALF_WIDTH), refused

"""The drawer of the maps below the pictures of the first page, and what maps are, in words for both pages."""

from __future__ import annotations

import json

from dash import html

from app.ids import Id
from app.layout.head import region
from app.layout.parts import attributes, opener
from fusion.saliency.maps import MapKind

ABOUT_MAPS: dict[MapKind, tuple[str, str]] = {
    MapKind.RESPONSE: (
        "What each fused pixel does where all of {0} or all of {1} becomes brighter by a little. Red: it becomes "
        "brighter too. Blue: it becomes darker, so that contrast is reversed there.",
        "Σ_j ∂y(i)/∂x(j) over all pixels j of one input",
    ),
    MapKind.REACH: (
        "By how many of 255 gray levels all of {0} or all of {1} may change while the derivative predicts the fused "
        "pixel within 10 %: 0, 1, 2, 4 … 64. Dark: colours of Jacobian and guidance images there hold for tiny "
        "changes only; below two levels they say where a pixel listens, not how much follows.",
        "largest step with |predicted − true| ≤ max(10 % of |true|, 0.1 levels), brighter and darker",
    ),
    MapKind.INFLUENCE: (
        "All that acts on each fused pixel, of {0} and of {1}, from its own place and from around it, without regard "
        "to its sign. Guidance images have the pixel's own place alone.",
        "Σ_j |∂y(i)/∂x(j)| over all pixels j of one input",
    ),
}
"""Of each map two sentences and its equation; {0} and {1} are the names of x1 and x2."""


def maps_button() -> html.Button:
    """Make the button that opens and closes the drawer."""
    return opener(
        Id.MAPS_BUTTON,
        "Maps …",
        "Reach, response and all influence of every pixel, below the pictures; nothing is computed unasked",
        Id.MAPS,
    )


def maps_drawer() -> html.Div:
    """Make the drawer, closed and empty; ``assets/explore/maps.mjs`` puts the maps into it."""
    return html.Div(
        id=Id.MAPS,
        hidden=True,
        className="maps",
        **region("Maps of all pixels") | attributes(data_about=json.dumps(ABOUT_MAPS)),
    )

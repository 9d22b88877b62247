"""The whole page."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from dash import dcc, html

from app.ids import Id
from app.layout.atlas import atlas_window
from app.layout.attributes import attributes
from app.layout.controls import controls
from app.layout.help import help_panel
from app.layout.panels import panel_grid
from app.layout.polls import poll
from app.layout.regions import region_panel, region_store
from app.layout.views import views_panel
from app.link.view_state import ExploreState


def page(pairs: Sequence[tuple[str, str]], methods: Sequence[tuple[str, str]]) -> html.Div:
    """Make the page anew for one visitor.

    Parameters
    ----------
    pairs, methods : sequence of (value, label)
        What the two menus offer.
    """
    return html.Div(
        [
            dcc.Location(id=Id.LOCATION, refresh=False),
            dcc.Store(id=Id.VIEWER, data=uuid.uuid4().hex),
            dcc.Store(id=Id.SCENE),
            dcc.Store(id=Id.START_PIXEL),
            dcc.Store(id=Id.START_AREA),
            dcc.Store(id=Id.RESTED_PIXEL),
            dcc.Store(id=Id.GREEN_POINTS),
            dcc.Store(id=Id.GREEN_POINTS_SHOWN),
            dcc.Store(id=Id.DISPLAY),
            dcc.Store(id=Id.BROWSER),
            dcc.Store(id=Id.GUIDANCE_LIMITS),
            *region_store(),
            poll(Id.GUIDANCE_POLL),
            controls(pairs, methods),
            panel_grid(),
            html.Footer(id=Id.STATUS_LINE, className="status-line"),
            html.Div(id=Id.NOTICES, className="notices"),
            help_panel(),
            views_panel("", "explore"),
            region_panel("", False, "Choose Box or Lasso above and draw on a picture or on the scatterplot."),
            atlas_window(),
        ],
        className="page",
        # The browser leaves out of its links what the first view has.
        **attributes(data_first=json.dumps(ExploreState().model_dump(mode="json"))),
    )

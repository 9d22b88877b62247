"""The explore page's HTML, which has room for the first pictures and says where they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import request

from app.assets import ModulePage
from app.layout.panels import panel_ids

FRAME = """
<div id="first-frame" class="page" aria-hidden="true">
  <header class="page-head"><h1 class="brand">FuseVis</h1><span>Loading…</span></header>
  <main class="panel-grid">{sections}</main>
  <div class="scale-strip"></div>
  <div class="readout-row"></div>
  <div class="status-row"></div>
</div>
"""
SECTION = '<section class="panel {kind}" data-first-panel="{panel}"></section>'


class ExplorePage(ModulePage):
    """A Dash application whose HTML holds what the browser needs to draw its first pictures.

    Parameters
    ----------
    first_view : callable
        Takes the address's query string and returns a dict for JSON, or ``None`` where there is nothing to say.
    *settings, **more
        As for `dash.Dash`.
    """

    def __init__(
        self, first_view: Callable[[str], dict[str, Any] | None], *settings: Any, **more: Any
    ) -> None:
        self._first_view = first_view
        super().__init__("explore", None, *settings, **more)

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]  # Dash calls it by names
        """Make the HTML; ``first-view`` is the id of the script element that holds the JSON."""
        view = self._first_view(request.query_string.decode("utf-8", "replace"))
        if view is not None:
            # Nothing in it may look like the script's end.
            text = json.dumps(view | {"home": self.config.requests_pathname_prefix}).replace("<", "\\u003c")
            sections = "".join(SECTION.format(panel=panel, kind=kind) for panel, kind in panel_ids())
            parts["app_entry"] += FRAME.format(sections=sections)
            parts["config"] += f'<script id="first-view" type="application/json">{text}</script>'
        return str(super().interpolate_index(**parts))

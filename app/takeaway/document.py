"""A comparison as one HTML file that opens without the server and loads nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2

from app.compare_state import CompareState
from app.takeaway.cells import ExportView
from app.takeaway.print_figure import print_figure


def document(view: ExportView, state: CompareState, link: str, about: Mapping[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    view : ExportView
        The arrays.
    state : CompareState
        Columns, colours and zoom.
    link : str
        The link that reopens the view on the server.
    about : mapping
        What the file says of itself: pair, methods, pixels and versions, as JSON can hold it.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = base64.b64encode(print_figure(view, state, "png", link)).decode("ascii")
    return environment.get_template("compare.html.jinja").render(
        view=view,
        state=state,
        link=link,
        about=about,
        figure=f"data:image/png;base64,{drawn}",
        # "</script>" in a name would end the element.
        metadata=json.dumps(about, ensure_ascii=True, indent=1).replace("<", "\\u003c"),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )

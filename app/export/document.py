"""A comparison as one HTML file that opens without the server and loads nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2

from app.export.content import difference_of, left_out
from app.export.explanation import explanation_part, reach_levels
from app.export.figure import PageFigure, page_figures
from app.link.view_state import Area, CompareState
from cache.services.exports import ExportArrays, ExportNumbers
from fusion.report.templates import templates
from fusion.statistics.wording import shown

SIGNS = {"pass": "✓", "fail": "✗", "not clear": "≈", "undecidable": "?", "waiting": "…"}
"""Before the verdicts of the checklist, as on the page."""
TITLE_LETTERS, TITLE_LINE = 80, 0.22
MADE_LETTERS, MADE_LINE = 140, 0.16
BELOW_TITLE = 0.2
"""What the template's first lines take on a printed page: letters in a line, and inches."""


DECIMALS = 4
"""As in the page's own numbers at a pixel."""


def document(
    view: ExportArrays,
    state: CompareState,
    numbers: ExportNumbers,
    links: tuple[str, str],
    about: Mapping[str, Any],
    area: Area | None = None,
) -> str:
    """Return the page.

    Parameters
    ----------
    view : ExportArrays
        The arrays.
    state : CompareState
        Columns, colours, zoom, regions and difference.
    numbers : ExportNumbers
        What is known; what is not, the page says.
    links : tuple of str
        The link that reopens the view on the server, and that to the file with all numbers.
    about : mapping
        What the file says of itself: pair, methods, pixels and versions, as JSON can hold it.
    area : tuple of float or None
        The part that whole pictures show, as for `figure_file`.
    """
    title, made = _title(about["pair"]), _made(about["pair"])
    above = BELOW_TITLE + _lines(title, TITLE_LETTERS) * TITLE_LINE + _lines(made, MADE_LETTERS) * MADE_LINE
    figures = page_figures(view, state, links[0], area, above)
    return (
        _environment()
        .get_template("compare.html.jinja")
        .render(
            view=view,
            state=state,
            numbers=numbers,
            difference=difference_of(view, state),
            left_out=left_out(view, state),
            reach=bool(view.methods[0].reaches),
            reach_levels=reach_levels,
            explanation=explanation_part(view, state.gamma1),
            groups=_groups,
            signs=SIGNS,
            link=links[0],
            complete_link=links[1],
            about=about,
            figures=list(map(_picture, figures)),
            title=title,
            made=made,
            # "</script>" in a name would end the element.
            metadata=json.dumps(about, ensure_ascii=True, indent=1).replace("<", "\\u003c"),
        )
    )


def _environment() -> jinja2.Environment:
    environment = templates(Path(__file__).parent)
    environment.filters["shown"] = lambda value: shown(value, DECIMALS)
    return environment


def _title(pair: Mapping[str, Any]) -> str:
    return f"{pair['title']}{' (simulated images)' if pair['simulated'] else ''}"


def _made(pair: Mapping[str, Any]) -> str:
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    first, second = pair["modalities"]
    shape = " × ".join(map(str, pair["shape"]))
    return f"Made by FuseVis on {when}. {shape} pixels; x1 is {first}, x2 is {second}."


def _picture(figure: PageFigure) -> dict[str, str]:
    source = f"data:image/png;base64,{base64.b64encode(figure.png).decode('ascii')}"
    return {"source": source, "width": f"{figure.width:.3f}", "words": figure.words}


def _lines(text: str, letters: int) -> int:
    return -(-len(text) // letters)


def _groups(columns: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the names over neighbouring columns, with how many columns each is over."""
    return [
        {"name": name, "count": len(list(several))}
        for name, several in groupby(columns, lambda one: one["group"])
    ]

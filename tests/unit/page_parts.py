"""Finds the parts of a layout, and checks figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component
from plotly.graph_objects import Figure as PlotlyFigure

from app.figures.parts import Figure


def components(root: Component) -> list[Any]:
    """Return a component and all that it holds, in reading order. (Dash declares no properties.)"""

    def below(part: Any) -> Iterator[Component]:
        if isinstance(part, (list, tuple)):
            for child in part:
                yield from below(child)
        elif isinstance(part, Component):
            yield part
            yield from below(getattr(part, "children", None))

    return list(below(root))


def of_kind(root: Component, kind: type[Component]) -> list[Any]:
    return [part for part in components(root) if isinstance(part, kind)]


def find(root: Component, id: str) -> Any:
    (found,) = [part for part in components(root) if getattr(part, "id", None) == id]
    return found


def words(root: Component) -> str:
    """Return all text of a component."""
    texts: list[str] = []
    for part in components(root):
        children = getattr(part, "children", None)
        several = children if isinstance(children, (list, tuple)) else [children]
        texts += [child for child in several if isinstance(child, str)]
    return " ".join(texts)


def accepted(figure: Figure) -> Figure:
    """Check that Plotly knows every property, and that it survives the way to the browser."""
    PlotlyFigure(figure)
    sent: Figure = json.loads(json.dumps(figure, allow_nan=False))
    return sent

"""The seventeen panels of the paper's Figure 1, in three rows, and what the colours of guidance RGB mean."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from dash import dcc, html

from app.ids import IMAGE_PANELS, POINTER_PANELS, Id, Panel
from app.layout.parts import attributes

MEANINGS = (
    ("#ff0000", "red", "x1 gradient high, x2 low, fused dark"),
    ("#ff00ff", "magenta", "x1 gradient high, x2 low, fused bright"),
    ("#00ff00", "green", "x2 gradient high, x1 low, fused dark"),
    ("#00ffff", "cyan", "x2 gradient high, x1 low, fused bright"),
    ("#ffff00", "yellow", "both gradients high"),
    ("#0000ff", "blue", "both gradients low, fused bright"),
)


ROWS = (
    (Panel.MRI, Panel.GUIDANCE_MRI, Panel.JACOBIAN_MRI),
    (Panel.FUSED, Panel.GUIDANCE_RGB, Panel.SCATTER),
    (Panel.PET, Panel.GUIDANCE_PET, Panel.JACOBIAN_PET),
)
DESCRIPTIONS = {
    Panel.MRI: "First input image",
    Panel.PET: "Second input image",
    Panel.FUSED: "Fused image",
    Panel.GUIDANCE_MRI: "Guidance image of the first input",
    Panel.GUIDANCE_PET: "Guidance image of the second input",
    Panel.GUIDANCE_RGB: "Guidance RGB image",
    Panel.JACOBIAN_MRI: "Jacobian image of the first input",
    Panel.JACOBIAN_PET: "Jacobian image of the second input",
    Panel.SCATTER: "Scatterplot of both guidance images",
}


def rgb_legend() -> html.Ul:
    """Make the legend under the guidance RGB panel."""
    return html.Ul(
        [
            html.Li(
                [html.Span(className="swatch", style={"backgroundColor": colour}), name],
                title=meaning,
                **attributes(aria_label=f"{name}: {meaning}"),
            )
            for colour, name, meaning in MEANINGS
        ],
        className="rgb-legend",
        **attributes(aria_label="Colours of guidance RGB"),
    )


def panel_ids() -> list[tuple[str, str]]:
    """Return (id, class of its cell) of all panels and zooms, as they follow each other in the grid."""
    return [(panel.zoom, "") if zoom else (panel.value, _cell_class(panel.value)) for panel, zoom in _cells()]


def panel_grid() -> html.Main:
    """Make the grid: inputs left, guidance in the middle, Jacobians right, a zoom to the right of each."""
    return html.Main(
        [
            _panel(panel.zoom, f"{DESCRIPTIONS[panel]}, zoom around the principal pixel", False)
            if zoom
            else _panel(panel.value, DESCRIPTIONS[panel], panel in POINTER_PANELS)
            for panel, zoom in _cells()
        ],
        id=Id.PICTURES,
        tabIndex=-1,
        className="panel-grid",
    )


def _cells() -> Iterator[tuple[Panel, bool]]:
    """Yield what each cell of the grid holds: a panel, and whether it is that panel's zoom."""
    for panel in chain.from_iterable(ROWS):
        yield panel, False
        if panel in IMAGE_PANELS:
            yield panel, True


def _cell_class(id: str) -> str:
    return "panel-scatter-cell" if id == Panel.SCATTER else ""


def _panel(id: str, description: str, takes_pointer: bool) -> html.Section:
    kind = _cell_class(id)
    children = [
        dcc.Graph(
            id=id,
            responsive=True,
            className="panel-graph",
            config={"displayModeBar": False, "scrollZoom": False, "doubleClick": "reset", "showTips": False},
        ),
        html.Div(
            [html.Canvas(className="overlay-canvas"), html.Div(className="pixel-box")],
            className="overlay",
            **attributes(aria_hidden="true"),
        ),
        html.Span(
            "provisional",
            className="badge text-bg-warning provisional-mark",
            title="The colour scale is not final before the guidance images are complete",
        ),
        html.Button(
            "⤓",
            className="panel-export",
            type="button",
            title="Save this picture (PNG)",
            **attributes(aria_label=f"Save {description.lower()} as PNG", data_panel=id),
        ),
    ]
    if id == Panel.GUIDANCE_RGB:
        children.append(rgb_legend())
    return html.Section(
        children,
        className=f"panel {'panel-pointer' if takes_pointer else ''} {kind}".strip(),
        tabIndex=0 if takes_pointer else None,
        role="group",
        **attributes(data_panel=id, aria_label=description),
    )

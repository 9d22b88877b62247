"""The panel that explains a region: which input pixels its mean, a contrast or a similarity depends on; on both pages.

``assets/explain/panel.mjs`` fills it.
"""

from __future__ import annotations

from dash import html

from app.ids import ExplainId
from app.layout.parts import attributes, opener, side_panel

NUMBERS = (
    ("mean", "Mean"),
    ("contrast", "Contrast of means"),
    ("x1", "Local SSIM with x1"),
    ("x2", "Local SSIM with x2"),
)
"""What can be explained; the browser calls x1 and x2 by the pair's modalities."""
NO_REGION = (
    "There is no region. Draw one with Box or Lasso, or open Regions for the masks of the pair; two regions have a "
    "contrast."
)
ABOUT = (
    "The derivative of this number with respect to every pixel of both inputs: red where it grows when the input "
    "becomes brighter, blue where it shrinks. Pictures show the part that acts on the region."
)


def explain_open() -> html.Button:
    """Make the button that opens the panel."""
    return opener(
        ExplainId.OPEN,
        "Explain region …",
        "Which pixels of the inputs the mean of a region, the contrast of two or its likeness to an input depends on",
        ExplainId.PANEL,
    )


def explain_panel() -> html.Div:
    """Make the panel, closed."""
    parts = [
        html.Div(
            [
                _line("Explain the", ExplainId.NUMBER, "Number that is explained", NUMBERS),
                _line("of", ExplainId.REGION, "Region that is explained"),
                _line("and", ExplainId.AGAINST, "Second region of the contrast", hidden=True),
            ],
            className="explain-question",
        ),
        html.P(ABOUT, className="explain-about"),
        html.P(NO_REGION, className="region-empty"),
        html.Ul(className="region-list"),
    ]
    return side_panel(ExplainId.PANEL, "Explain a region", ExplainId.CLOSE, parts, "explain-panel")


def _line(
    text: str, id: str, name: str, choices: tuple[tuple[str, str], ...] = (), hidden: bool = False
) -> html.Div:
    menu = html.Select(
        [html.Option(label, value=value) for value, label in choices],
        id=id,
        className="form-select form-select-sm",
        **attributes(aria_label=name),
    )
    return html.Div([html.Label(text, htmlFor=id), menu], hidden=hidden)

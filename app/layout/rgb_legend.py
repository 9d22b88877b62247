"""What the colours of guidance RGB mean (paper, section 3.2.3)."""

from __future__ import annotations

from dash import html

from app.layout.attributes import attributes

MEANINGS = (
    ("#ff0000", "red", "x1 gradient high, x2 low, fused dark"),
    ("#ff00ff", "magenta", "x1 gradient high, x2 low, fused bright"),
    ("#00ff00", "green", "x2 gradient high, x1 low, fused dark"),
    ("#00ffff", "cyan", "x2 gradient high, x1 low, fused bright"),
    ("#ffff00", "yellow", "both gradients high"),
    ("#0000ff", "blue", "both gradients low, fused bright"),
)


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

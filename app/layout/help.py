"""The help panel: what each picture is and how to read it."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

from app.ids import Id
from app.layout.panels import MEANINGS
from app.layout.parts import attributes

LINES = (
    (
        "Inputs and fused image",
        "the two registered images, and what the method makes of them: in the first column of a wide window, at the "
        "top of a narrow one.",
    ),
    (
        "Jacobian images",
        "which pixels of each input made the fused pixel under the pointer, and how strongly: "
        "the change of its intensity for a small change of each input pixel.",
    ),
    (
        "Guidance images",
        "the same for every pixel at once, but only for the input pixel at its own place: bright where the fused pixel "
        "answers to that very pixel. What comes from around it, often more, is not in it.",
    ),
    (
        "Guidance RGB",
        "guidance of the first input in red, of the second in green, the fused image in blue, each from its own "
        "smallest to its own largest value. More red than green does not say that the first input counts more, "
        "unless “RGB on one range” is on.",
    ),
    (
        "Air",
        "what is outside of the head, or where both inputs are 0: hatched in dark gray in guidance images, and in no "
        "scale, scatterplot or number, unless “count the air” is on.",
    ),
    (
        "Scatterplot",
        "each pixel by its two guidance values; green points are the pixels of the zoom. Rising: "
        "both inputs act together; falling: one replaces the other.",
    ),
)
TOOL_KEYS = ("V, R, L", "point, box or lasso")
KEYS = (
    ("Move", "choose a pixel, the paper's principal pixel, on any input, guidance, fused or RGB picture"),
    ("Click or Enter", "pin the pixel; again to let it go"),
    ("Press and drag", "move the pixel, pinned or not"),
    ("Arrow keys", "move a pinned pixel, or that of a focused picture, by 1; with Shift by 10"),
    (
        ", and .",
        "the slice before and the one after, where the pair is cut out of volumes; see ▤ beside the pair",
    ),
    ("Esc", "close what is open, and notices, put box, lasso or brush away, then let the pixel go"),
    ("Tab", "past the head first; the tools are one stop, arrow keys go from one to the next"),
    ("?", "open this help; Esc closes it"),
    ("P", "larger words and thicker boxes, for a projector, and back"),
    (
        "Ctrl+Z",
        "take the last change of a region, or with the brush the last stroke, back; with Shift make it again",
    ),
)


LIMITS = "What these pictures can and cannot tell"
OWN_KEYS = {
    "explore": (
        ("Z, H", "zoom into the pictures, move them"),
        ("B", "the brush: drag on an input to paint; the fused image's true and predicted change are shown"),
        ("S; [ and ]", "with the brush: a stamp at the chosen pixel; its size"),
        ("Double click", "enlarge a panel; Esc brings it back"),
    ),
    "compare": (
        ("Shift and click, or B", "keep a second pixel, B, beside the first"),
        ("N", "show or hide the numbers"),
        ("S; [ and ]", "while “Paint” of ☰, Painted change, is on: a stamp at the chosen pixel; its size"),
    ),
}
"""By page."""


def limits_link(home: str, class_name: str = "") -> html.A:
    """Make the link to what these pictures can and cannot tell, from a page whose first page is at `home`."""
    return html.A(LIMITS, href=f"{home}what-pictures-tell", className=class_name)


def help_panel(page: str, home: str) -> dbc.Offcanvas:
    """Make the panel that the help button of a page opens; `home` is the address of the first page."""
    keys = (*KEYS, TOOL_KEYS, *OWN_KEYS[page])
    # Who has no pointer scrolls it by the arrow keys, for which it has to take the focus.
    text = html.Div(
        [
            html.P([limits_link(home), ", in five minutes."]),
            html.Ol([html.Li([html.B(f"{name}: "), text]) for name, text in LINES]),
            html.H2("Colours of guidance RGB", className="h6"),
            html.Ul(
                [
                    html.Li(
                        [html.Span(className="swatch", style={"backgroundColor": colour}), f"{name}: {text}"]
                    )
                    for colour, name, text in MEANINGS
                ],
                className="list-unstyled",
            ),
            html.H2("Pointer and keys", className="h6"),
            html.Dl([part for key, text in keys for part in (html.Dt(key), html.Dd(text))]),
            html.P(
                "The paper's scale starts at 0 and hides negative gradients, where brightening an input pixel "
                "darkens the fused one; the signed scale shows them in blue. How much of the influence on the chosen "
                "pixel that is stands beside the titles of its Jacobian images; its numbers have Σ|J|, all influence, "
                "and ΣJ, the answer to an input that becomes brighter everywhere. Gradients are of the fused intensity "
                "with respect to the min–max scaled input, without a unit. Outside a method's support they are "
                "exactly 0; Jacobian images are plain gray there, so that it is told from a pixel that could act "
                "and does not."
            ),
            html.P(
                "“Linear to”, beside the pixel's numbers once the pointer rests: by how many of 255 gray levels an "
                "input may change, at the pixel or everywhere, while the Jacobian predicts the fused pixel within "
                "10 %. Below two levels the image is marked “not linear”: it says where the pixel listens, not how "
                "much follows. The reach map says so of all pixels at once. Maps (response, reach, all influence) are "
                "computed when somebody presses their button, and are kept; a negative response means that contrast "
                "is reversed there. “Within 0.05 of the rule's pole”: FunFuseAn divides by features that are nearly 0 "
                "at this pixel, where its picture may jump and no derivative tells it; “pole” marks all such pixels."
            ),
            html.P(
                "“Explain region”, in the menu ☰, shows which pixels of both inputs the mean of a region, the "
                "contrast of two or its likeness to an input depends on. It too is a derivative, and tells of small "
                "changes."
            ),
            html.P(
                "“Method card”, in the same menu, has a method's source, support, way and cost of derivatives, what "
                "was checked and what is adapted; “Your networks”, where whoever runs this server allows it, takes a "
                "network of your own as an ONNX file."
            ),
        ],
        tabIndex=0,
        role="region",
        **attributes(aria_label="Help"),
    )
    return dbc.Offcanvas(
        text,
        id=Id.HELP_PANEL,
        title="How to read this page",
        placement="end",
        is_open=False,
        scrollable=True,
    )

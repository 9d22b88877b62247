"""The seventeen panels of the paper's Figure 1, in three rows, and what the colours of guidance RGB mean."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from app.ids import GUIDANCE_PANELS, IMAGE_PANELS, JACOBIAN_PANELS, POINTER_PANELS, Id, Panel
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


LEGEND = (
    (
        ("#ff0000", "#ff00ff"),
        "{0} counts",
        "Red, magenta where the fused image is bright: the fused pixel answers to that very pixel of {0}. "
        "∂y(i)/∂{0}(i) is high on its range, ∂y(i)/∂{1}(i) low on its.",
    ),
    (
        ("#00ff00", "#00ffff"),
        "{1} counts",
        "Green, cyan where the fused image is bright: the fused pixel answers to that very pixel of {1}. ∂y(i)/∂{1}(i) "
        "is high on its range, ∂y(i)/∂{0}(i) low on its.",
    ),
    (
        ("#ffff00",),
        "both",
        "Yellow, white where the fused image is bright: both own pixels count much, each on its range.",
    ),
    (
        ("#0000ff",),
        "neither, bright",
        "Blue: neither own pixel counts much, each on its range, and the fused image is bright. Black: the same "
        "where it is dark.",
    ),
)
"""Colours of guidance RGB, what they mean in a word, and in a sentence; {0} and {1} are the names of x1 and x2."""
ABOUT = {
    Panel.MRI: (
        "The first input, {0}, as the method gets it: its smallest value is black, its largest white. Point at a pixel "
        "to choose it in every picture.",
        "x1 = ({0} − min) / (max − min)",
    ),
    Panel.PET: (
        "The second input, {1}, as the method gets it: its smallest value is black, its largest white. Point at a "
        "pixel to choose it in every picture.",
        "x2 = ({1} − min) / (max − min)",
    ),
    Panel.FUSED: (
        "What the method makes of both inputs. The Jacobian images say of the chosen pixel here which input pixels "
        "made it, the guidance images say of every pixel what its own place contributes.",
        "y = f(x1, x2)",
    ),
    Panel.GUIDANCE_MRI: (
        "How strongly each fused pixel answers to its own pixel of {0}, the one at the same place. Bright: where that "
        "{0} pixel becomes brighter, so does the fused one.",
        "∂y(i)/∂x1(i) for all pixels i (equation 2)",
    ),
    Panel.GUIDANCE_PET: (
        "How strongly each fused pixel answers to its own pixel of {1}, the one at the same place. Bright: where that "
        "{1} pixel becomes brighter, so does the fused one.",
        "∂y(i)/∂x2(i) for all pixels i (equation 2)",
    ),
    Panel.GUIDANCE_RGB: (
        "Red is the guidance of {0}, green that of {1}, blue the fused image, each from its own smallest to its own "
        "largest value. So yellow says that both count much for their own range, not that they count alike; with “RGB "
        "on one range” red and green can be compared.",
        "R = ∂y(i)/∂x1(i), G = ∂y(i)/∂x2(i), B = y(i), each min–max scaled",
    ),
    Panel.JACOBIAN_MRI: (
        "Where the chosen pixel comes from: how strongly each pixel of {0} acts on that one fused pixel. Farther away "
        "than the method reaches, in plain gray, it is exactly 0.",
        "∂y(i)/∂x1 at the chosen pixel i (equation 1)",
    ),
    Panel.JACOBIAN_PET: (
        "Where the chosen pixel comes from: how strongly each pixel of {1} acts on that one fused pixel. Farther away "
        "than the method reaches, in plain gray, it is exactly 0.",
        "∂y(i)/∂x2 at the chosen pixel i (equation 1)",
    ),
    Panel.SCATTER: (
        "Every pixel by its two guidance values; those of the zooms are green. Where points rise to the right, both "
        "inputs act together; where they fall, one takes the other's place.",
        "(∂y(i)/∂x1(i), ∂y(i)/∂x2(i)) for all pixels i",
    ),
}
"""Of each panel two sentences and its equation; {0} and {1} are the names of x1 and x2."""
ABOUT_FUSED_COLOUR = (
    "The fused image in colour: its luma is the fused image y, blue and red come from the inputs that have colours. "
    "The method never sees a colour, so saliency is of the luma. Of two gray inputs it is gray.",
    "C = (C1·|C1| + C2·|C2|) / (|C1| + |C2|) for Cb and for Cr",
)
ABOUT_ZOOM = (
    "The pixels around the chosen one, which has the red square in the middle. The red box in the picture at the left "
    "shows where they lie.",
    "rows and columns of i, each ± the zoom's half-width",
)


LOOKS = {
    Panel.MRI: "Change between the colours of this picture and its luma, which the method gets",
    Panel.PET: "Change between the colours of this picture and its luma, which the method gets",
    Panel.FUSED: "Change between the fused image in gray and with the chroma of colour inputs; saliency is of the luma",
}
"""What the button “colour” of a panel does, where the pair has colours."""
KEYS = {"aria_description": "Enter pins the chosen pixel or lets it go, arrow keys move it."}


def pair_words(text: str) -> dict[str, Any]:
    """Return text and attributes of an element that names the inputs; ``assets/explore/words.mjs`` puts them in."""
    return {"children": text.format("x1", "x2"), **attributes(data_words=text)}


def rgb_legend() -> html.Ul:
    """Make the legend of guidance RGB, in words of the pair."""
    items = []
    for number, (colours, word, sentence) in enumerate(LEGEND):
        swatches = [html.Span(className="swatch", style={"backgroundColor": colour}) for colour in colours]
        # `assets/explore/rgb-ranges.mjs` writes the ranges of red and green.
        ranged = attributes(data_range_of=GUIDANCE_PANELS[number]) if number < len(GUIDANCE_PANELS) else {}
        name = html.Span(**pair_words(word) | ranged)
        title = attributes(data_title=sentence)
        items.append(html.Li([*swatches, name], title=sentence.format("x1", "x2"), **title))
    return html.Ul(items, className="rgb-legend", **attributes(aria_label="Colours of guidance RGB"))


def panel_ids() -> list[tuple[str, str]]:
    """Return (id, class of its cell) of all panels and zooms, as they follow each other in the grid."""
    return [(panel.zoom, "") if zoom else (panel.value, _cell_class(panel.value)) for panel, zoom in _cells()]


def panel_grid() -> html.Main:
    """Make the grid: inputs left, guidance in the middle, Jacobians right, a zoom to the right of each."""
    return html.Main(
        [
            _panel(panel.zoom, f"{DESCRIPTIONS[panel]}, zoom around the chosen pixel", False)
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


SHORT_REACH = (
    "The derivative here does not even tell what two gray levels do: changed by so little, an input moves the fused "
    "pixel otherwise than this image says. Read where its colours lie, not how strong they are."
)


def _panel(id: str, description: str, takes_pointer: bool) -> html.Section:
    graph = dcc.Graph(
        id=id,
        responsive=True,
        className="panel-graph",
        config={"displayModeBar": False, "scrollZoom": False, "doubleClick": "reset", "showTips": False},
    )
    overlay = html.Div(
        [html.Canvas(className="overlay-canvas"), html.Div(className="pixel-box")],
        className="overlay",
        **attributes(aria_hidden="true"),
    )
    provisional = html.Span(
        "provisional",
        className="badge text-bg-warning provisional-mark",
        title="The colour scale is not final before the guidance images are complete",
    )
    short = html.Span(
        "not linear", className="badge text-bg-warning reach-mark", title=SHORT_REACH, hidden=True
    )
    # `assets/explore/negative-share.mjs` says how much it is.
    share = [html.Button(type="button", className="negative-share", hidden=True)] * (id in JACOBIAN_PANELS)
    named = html.Div(graph, role="img", **attributes(aria_label=description))
    # `assets/explore/colour.mjs` shows it where there are colours.
    look = [_look(Panel(id))] if id in LOOKS else []
    badges = html.Div([short, provisional], className="panel-badges")
    # `assets/explore/titles.mjs` writes the title.
    head = html.Div(
        [
            html.Span(className="panel-title", **attributes(aria_hidden="true")),
            html.Div([badges, *share, *look, *_signs(id, description)], className="panel-signs"),
        ],
        className="panel-head",
    )
    return html.Section(
        [named, overlay, head],
        className=f"panel {'panel-pointer' if takes_pointer else ''} {_cell_class(id)}".strip(),
        tabIndex=0 if takes_pointer else None,
        # An application has the arrow keys, which a screen reader takes for itself in a group.
        role="application" if takes_pointer else "group",
        **attributes(data_panel=id, aria_label=description, **(KEYS if takes_pointer else {})),
    )


def _look(panel: Panel) -> html.Button:
    return html.Button(
        "colour",
        className="panel-look",
        type="button",
        title=LOOKS[panel],
        hidden=True,
        **attributes(
            data_panel=panel.value,
            aria_pressed="false",
            aria_label=f"In colour: {DESCRIPTIONS[panel].lower()}",
        ),
    )


def _signs(id: str, description: str) -> list[Component]:
    """Make what stands at the right of a panel's title: save, enlarge, and what it is."""
    name = description[0].lower() + description[1:]
    sentences, equation = ABOUT[Panel(id)] if id in set(Panel) else ABOUT_ZOOM
    about = html.Details(
        [
            html.Summary("?", title="What this is", **attributes(aria_label=f"What this is: {name}")),
            html.Div([html.P(**pair_words(sentences)), html.P(equation, className="panel-equation")]),
        ],
        className="panel-about",
    )
    save, enlarge = (
        html.Button(
            sign,
            className=f"panel-sign {kind}",
            type="button",
            title=title,
            **attributes(aria_label=label, data_panel=id, **pressed),
        )
        for sign, kind, title, label, pressed in (
            ("⤓", "panel-export", "Save this picture (PNG)", f"Save {name} as PNG", {}),
            (
                "⤢",
                "panel-enlarge",
                "Enlarge, and back (double click; Esc brings it back)",
                f"Enlarge {name}",
                {"aria_pressed": "false"},
            ),
        )
    )
    return [save, enlarge, about]

"""The panel of the brush: what it does, what that changes, and how well the derivative predicts it.

``assets/explore/change-panel.mjs`` fills it.
"""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from app.ids import BrushId, ChangeId
from app.layout.panels import pair_words
from app.layout.parts import SMALL, attributes, opener, panel_button, side_panel
from fusion.saliency.strokes import LARGEST_STAMP, Operation

OPERATIONS = (
    (Operation.SET, "Set to"),
    (Operation.ADD, "Add"),
    (Operation.ERASE, "Erase"),
    (Operation.BLUR, "Blur"),
)
ACTIONS = (
    (BrushId.UNDO, "Undo", "Take the last stroke back (Ctrl+Z)"),
    (BrushId.REDO, "Redo", "Paint it again (Ctrl+Shift+Z)"),
    (BrushId.CLEAR, "Clear", "Take the whole change back"),
)
PICTURES = (
    ("truth", "True change Δy", "The change of the fused image: y(x + Δ) − y(x)"),
    (
        "linear",
        "Predicted J·Δ",
        "The change that the derivative predicts: the Jacobian times the change of the inputs",
    ),
    ("missed", "True − predicted", "The part of the change that the derivative does not predict"),
)
HINT = (
    "Choose Brush above and drag on an input. By keyboard: S stamps at the chosen pixel, [ and ] change the size, Esc "
    "puts the brush away."
)


def brush_open() -> html.Button:
    """Make the button that opens the panel; choosing the brush opens it too."""
    return opener(
        BrushId.OPEN,
        "Brush …",
        "Paint on an input, and see what that changes and what the derivative predicts",
        BrushId.PANEL,
    )


def brush_panel() -> html.Div:
    """Make the panel, closed."""
    buttons = [panel_button(id, text, title) for id, text, title in ACTIONS]
    parts = [
        html.Div([_inputs(), _operations()], className="brush-line"),
        *_sliders(),
        html.Div(buttons, className="region-actions"),
        html.Div([_picture(*one) for one in PICTURES], className="change-pictures"),
        html.P(className="change-reading", role="status"),
        html.P(HINT, className="region-empty"),
        html.P(className="region-message", role="status"),
    ]
    return side_panel(BrushId.PANEL, "Brush", BrushId.CLOSE, parts, "brush-panel")


def change_open() -> html.Button:
    """Make the button of the compare page that opens the panel of `change_panel`."""
    return opener(
        ChangeId.OPEN,
        "Painted change",
        "Paint on an input: what every method makes of the change, and what is predicted",
        ChangeId.PANEL,
    )


def change_panel() -> html.Div:
    """Make the panel with what each method of the compare page makes of the same change, closed."""
    actions = [
        *(panel_button(*one) for one in ACTIONS[:-1]),
        panel_button(ChangeId.CLEAR, "Clear", "Take the change out of this view"),
    ]
    paint = html.Button(
        "Paint",
        type="button",
        title="Drag on an input of the first row to paint; Esc puts the brush away",
        className=SMALL,
        **attributes(data_tool="brush", aria_pressed="false"),
    )
    hint = (
        "There is no change. Press Paint and drag on an input, in the first row. By keyboard: S stamps at the chosen "
        "pixel, [ and ] change the size, Esc puts the brush away."
    )
    parts = [
        html.Div([_inputs(), _operations()], className="brush-line"),
        *_sliders(),
        html.Div([paint, *actions], className="region-actions"),
        html.P(hint, className="region-empty"),
        html.Ul(
            className="region-list",
            **attributes(data_titles=" | ".join(title for _, title, _ in PICTURES)),
        ),
    ]
    return side_panel(ChangeId.PANEL, "Painted change", ChangeId.CLOSE, parts, "change-panel")


def _inputs() -> html.Select:
    return html.Select(
        [html.Option(value=str(index), **pair_words(f"On {{{index}}}")) for index in (0, 1)],
        id=BrushId.INPUT,
        className="form-select form-select-sm",
        **attributes(aria_label="Input that is painted on"),
    )


def _operations() -> html.Select:
    return html.Select(
        [html.Option(label, value=operation.value) for operation, label in OPERATIONS],
        id=BrushId.OPERATION,
        className="form-select form-select-sm",
        **attributes(aria_label="What the brush does"),
    )


def _sliders() -> tuple[html.Div, html.Div]:
    return _slider("brush-size", "Size", 1, LARGEST_STAMP), _slider("brush-strength", "Strength", 0, 255)


def _slider(id: str, text: str, least: int, most: int) -> html.Div:
    # The slider itself is made by the browser's own code: none of Dash's can be set by it without a callback.
    named = attributes(data_for=id, data_min=str(least), data_max=str(most), data_label=text)
    slider = html.Span(className="brush-slider", **named)
    return html.Div([html.Span(text), slider, html.Output(**attributes(data_of=id))], className="brush-line")


def _picture(name: str, title: str, explanation: str) -> Component:
    label = attributes(aria_label=explanation, data_response=name)
    return html.Figure(
        [html.Figcaption(title, title=explanation), html.Canvas(role="img", width=1, height=1, **label)],
        className=f"change-picture change-{name}",
    )

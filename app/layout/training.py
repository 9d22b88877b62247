"""The page about the trainings: losses beside the paper's, loss curves, fused images and model cards."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from app.figures.parts import Figure
from app.ids import TrainingId
from app.layout.attributes import attributes
from app.layout.control_parts import theme_switch
from app.layout.navigation import page_links

Card = tuple[str, str, str, Sequence[str], Sequence[tuple[str, str]]]
"""A network's title, its card in one line, a note, remarks, and all that the card says as (name, value)."""

SECTIONS = (
    ("losses", "Losses beside the paper's"),
    ("curves", "Loss curves"),
    ("brightness", "Brightness artefacts"),
    ("gallery", "Fused images"),
    ("cards", "Model cards"),
)


CURVES_HEIGHT = "580px"


def training_page(
    home: str,
    losses: Component,
    curves: Sequence[Component],
    brightness: Component,
    gallery: Component,
    cards: Sequence[Card],
) -> html.Div:
    """Put the page together.

    Parameters
    ----------
    home : str
        Address of the page with the saliency pictures.
    losses, brightness : Component
        Tables of `app.layout.tables.grouped_table`.
    curves : sequence of Component
        See `curves_part`.
    gallery : Component
        See `app.layout.gallery.gallery`.
    cards : sequence of Card
        One a network.
    """
    parts: dict[str, Sequence[Component]] = {
        "losses": [losses],
        "curves": curves,
        "brightness": [brightness],
        "gallery": [gallery],
        "cards": [part for card in cards for part in _card(card)],
    }
    sections = [
        html.Section([html.H2(title, className="h5"), *parts[name]], id=name) for name, title in SECTIONS
    ]
    return html.Div(
        [
            _head(home),
            html.Main(sections),
            html.Div(id=TrainingId.NOTICES, className="notices"),
        ],
        className="training-page",
    )


def curves_part(figure: Figure | None, caption: str, missing: str) -> list[Component]:
    """Make the section of loss curves.

    Parameters
    ----------
    figure : Figure or None
        None where no network has a curve.
    caption : str
        How to read the figure.
    missing : str
        Whose curve was not kept; empty where all were.
    """
    found: list[Component] = []
    if figure is not None:
        graph = dcc.Graph(
            id=TrainingId.CURVES,
            figure=figure,
            style={"height": CURVES_HEIGHT},
            responsive=True,
            config={"displayModeBar": False, "showTips": False},
        )
        hint = " Click a network in the legend to hide it, twice to see it alone."
        described = html.Div(graph, role="img", **attributes(aria_label="Loss curves of the networks"))
        found += [described, html.P(caption + hint, className="quiet")]
    if missing:
        found.append(html.P(missing, className="remark"))
    return found


def _head(home: str) -> html.Header:
    links = [html.A(title, href=f"#{name}") for name, title in SECTIONS]
    return html.Header(
        [
            html.H1([html.A("FuseVis", href=home, className="brand"), "Training"]),
            html.Nav(links, **attributes(aria_label="Parts of this page")),
            html.A(
                "← Saliency pictures",
                href=home,
                className="btn btn-outline-primary btn-sm",
                title="Back to the inputs, fused image, guidance and Jacobian images",
            ),
            *(link for link in page_links("training", home) if getattr(link, "data-page") == "compare"),
            theme_switch(TrainingId.THEME_SWITCH),
        ],
        className="training-head",
    )


def _card(card: Card) -> list[Component]:
    title, summary, note, remarks, facts = card
    pairs = [part for name, value in facts for part in (html.Dt(name), html.Dd(value))]
    return [
        html.Details(
            [
                html.Summary([html.B(title), html.Span(summary, className="quiet")]),
                *([html.P(note)] if note else []),
                html.Dl(pairs),
            ],
            className="model-card",
        ),
        *(html.P(remark, className="remark card-remark") for remark in remarks),
    ]

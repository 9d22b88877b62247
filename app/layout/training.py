"""The page about the trainings: losses beside the paper's, loss curves, fused images and model cards."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from dash import dcc, html
from dash.development.base_component import Component

from app.figures.parts import Figure
from app.ids import TrainingId
from app.layout.help import limits_link
from app.layout.parts import attributes, page_links, skip_link, theme_switch

Card = tuple[str, str, str, Sequence[str], Sequence[tuple[str, str]]]
"""A network's title, its card in one line, a note, remarks, and all that the card says as (name, value)."""

SECTIONS = (
    ("losses", "Losses beside the paper's"),
    ("curves", "Loss curves"),
    ("brightness", "Brightness artefacts"),
    ("gallery", "Fused images"),
    ("cards", "Model cards"),
    ("methods", "Methods on this machine"),
)


CURVES_HEIGHT = "580px"


Sample = tuple[str, str, tuple[str, str]]
"""A pair's address and title, and what x1 and x2 are."""
WAITING = "Computing…"
MEASURED = (
    "Source, support, way and cost of derivatives, checks with figures, and what is adapted; measured on this machine "
    "when a card is opened, which takes some seconds."
)
CAPTION = (
    "Every method on every sample; black is 0 and white is 1 in all images. An image leads to the same pair and "
    "method among the saliency pictures."
)
Group = tuple[str, Sequence[tuple[str, Sequence[str]]]]
"""The name of a group, and its lines: what each is (nothing where there is one alone), and its cells."""


def training_page(
    home: str,
    losses: Component,
    curves: Sequence[Component],
    brightness: Component,
    gallery: Component,
    cards: Sequence[Card],
    methods: Sequence[tuple[str, str]] = (),
) -> html.Div:
    """Put the page together.

    Parameters
    ----------
    home : str
        Address of the page with the saliency pictures.
    losses, brightness : Component
        Tables of `app.layout.training.grouped_table`.
    curves : sequence of Component
        See `curves_part`.
    gallery : Component
        See `app.layout.training.gallery`.
    cards : sequence of Card
        One a network.
    methods : sequence of (id, title)
        Those whose cards can be measured here.
    """
    parts: dict[str, Sequence[Component]] = {
        "losses": [losses],
        "curves": curves,
        "brightness": [brightness],
        "gallery": [gallery],
        "cards": [part for card in cards for part in _card(card)],
        "methods": [html.P(MEASURED, className="quiet"), *(_measured(method, home) for method in methods)],
    }
    sections = [
        html.Section([html.H2(title, className="h5"), *parts[name]], id=name) for name, title in SECTIONS
    ]
    return html.Div(
        [
            skip_link(TrainingId.CONTENT),
            _head(home),
            html.Main(sections, id=TrainingId.CONTENT, tabIndex=-1),
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
        named = attributes(aria_label="Loss curves of the networks, four losses over each training run")
        found += [
            scrolling(html.Div(graph, role="img", className="curves", **named), "Loss curves"),
            html.P(caption + hint, className="quiet"),
        ]
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
            *(link for link in page_links("training", home) if getattr(link, "data-page", None) == "compare"),
            limits_link(home, "page-link-other"),
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


def _measured(method: tuple[str, str], home: str) -> html.Details:
    """Make the place of a method's card, which ``assets/networks/card-parts.mjs`` fills when it is opened."""
    id, title = method
    address = attributes(data_method_card=f"{home}methods/{quote(id)}/card")
    return html.Details([html.Summary(html.B(title)), html.Div()], className="method-card", **address)


def gallery(samples: Sequence[Sample], methods: Sequence[tuple[str, str]]) -> html.Div:
    """Make the gallery's frame, with places for pictures.

    Parameters
    ----------
    samples : sequence of Sample
        The columns.
    methods : sequence of (id, title)
        The rows under the two inputs.
    """
    head = html.Tr([html.Td(), *(html.Th(title, scope="col") for _, title, _ in samples)])
    rows = [
        html.Tr(_waiting(title, len(samples)), id=TrainingId.gallery_row(id), className="gallery-row")
        for id, title in methods
    ]
    inputs = html.Tbody(
        [html.Tr(_waiting(f"input x{number}", len(samples))) for number in (1, 2)],
        id=TrainingId.GALLERY_INPUTS,
        className="gallery-row",
    )
    table = html.Table(
        [html.Caption(CAPTION), html.Thead(head), inputs, html.Tbody(rows)], className="table gallery-table"
    )
    return scrolling(table, CAPTION)


def input_rows(samples: Sequence[Sample], pictures: Sequence[tuple[str, str]]) -> list[html.Tr]:
    """Make the two rows of inputs, with what they show written under them."""
    rows = []
    for index in (0, 1):
        cells = [
            html.Td([_picture(both[index], f"{title}: {modalities[index]}"), html.Small(modalities[index])])
            for (_, title, modalities), both in zip(samples, pictures, strict=True)
        ]
        rows.append(html.Tr([html.Th(f"input x{index + 1}", scope="row"), *cells]))
    return rows


def fused_cells(
    samples: Sequence[Sample], method: tuple[str, str], pictures: Sequence[str], home: str
) -> list[html.Th | html.Td]:
    """Make the cells of a method's row; each picture leads to its pair and method on the page at `home`."""
    id, title = method
    cells = [
        html.Td(
            html.A(
                _picture(picture, f"{sample_title}, fused by {title}"),
                href=f"{home}?{urlencode({'pair': address, 'method': id})}",
            )
        )
        for (address, sample_title, _), picture in zip(samples, pictures, strict=True)
    ]
    return [html.Th(title, scope="row"), *cells]


def failed_cells(title: str, message: str, columns: int) -> list[html.Th | html.Td]:
    """Make the cells of a method's row that say why there are no pictures."""
    return [html.Th(title, scope="row"), html.Td(message, colSpan=columns, className="remark")]


def _waiting(title: str, columns: int) -> list[html.Th | html.Td]:
    return [html.Th(title, scope="row"), html.Td(WAITING, colSpan=columns, className="waiting")]


def _picture(address: str, description: str) -> html.Img:
    return html.Img(src=address, alt=description, title=description)


def grouped_table(id: str, caption: str, columns: Sequence[str], groups: Sequence[Group]) -> html.Div:
    """Make a table with a body for each group; it scrolls by itself where the window is too narrow.

    Parameters
    ----------
    id : str
        Of the table.
    caption : str
        What it shows.
    columns : sequence of str
        Heads of the cells.
    groups : sequence of Group
        The content.
    """
    named = any(kind for _, lines in groups for kind, _ in lines)
    heads = ["network", *([""] if named else []), *columns]
    # An empty head names nothing: a plain cell.
    head = html.Tr([html.Th(text, scope="col") if text else html.Td() for text in heads])
    bodies = [html.Tbody(_lines(title, lines, named)) for title, lines in groups]
    table = html.Table(
        [html.Caption(caption), html.Thead(head), *bodies], id=id, className="table table-sm number-table"
    )
    return scrolling(table, caption)


def scrolling(wide: Component, caption: str) -> html.Div:
    """Let what is wide scroll by itself, by keyboard too; its caption's first sentence names the part."""
    label = attributes(aria_label=caption.partition(".")[0])
    return html.Div(wide, className="scrolling", tabIndex=0, role="region", **label)


def _lines(title: str, lines: Sequence[tuple[str, Sequence[str]]], named: bool) -> list[html.Tr]:
    made = []
    for index, (kind, cells) in enumerate(lines):
        heads = []
        if index == 0:
            scope = "rowgroup" if len(lines) > 1 else "row"
            heads.append(html.Th(title, scope=scope, rowSpan=len(lines), className="group-name"))
        if named:
            heads.append(html.Th(kind, scope="row", className="line-name"))
        made.append(
            html.Tr([*heads, *(html.Td(cell) for cell in cells)], className="first" if index == 0 else None)
        )
    return made

"""Fused images of every method on every sample, with the inputs on top; rows are filled one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from dash import html

from app.ids import TrainingId
from app.layout.tables import scrolling

Sample = tuple[str, str, tuple[str, str]]
"""A pair's address and title, and what x1 and x2 are."""

WAITING = "Computing…"
CAPTION = (
    "Every method on every sample; black is 0 and white is 1 in all images. An image leads to the same pair and "
    "method among the saliency pictures."
)


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

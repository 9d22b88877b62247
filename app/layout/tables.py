"""Tables whose lines belong together in groups."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from app.layout.attributes import attributes

Group = tuple[str, Sequence[tuple[str, Sequence[str]]]]
"""The name of a group, and its lines: what each is (nothing where there is one alone), and its cells."""


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


def scrolling(table: html.Table, caption: str) -> html.Div:
    """Let a wide table scroll by itself, by keyboard too; its caption's first sentence names the part."""
    label = attributes(aria_label=caption.partition(".")[0])
    return html.Div(table, className="scrolling", tabIndex=0, role="region", **label)


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

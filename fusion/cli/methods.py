"""The command that lists the methods, or describes them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

import fusion
from fusion.cli.options import console
from fusion.errors import FuseVisError
from fusion.methods.base import SupportRadius
from fusion.methods.cards import Card, method_card
from fusion.methods.registry import method_specification

IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Which; all unless named.", show_default=False)
]
DescribeOption = Annotated[
    bool,
    typer.Option(
        "--describe",
        help="Tell of each: source, support, way and cost of derivatives, checks with figures, what is adapted.",
    ),
]


def methods_command(ids: IdsArgument = None, describe: DescribeOption = False) -> None:
    """List the fusion methods, or describe them.

    The support is how far an input pixel can lie from a fused one and still influence it. The weights are
    named by the beginning of their SHA-256.
    """
    chosen = ids or list(fusion.method_ids())
    if describe:
        _describe(chosen)
        return
    table = Table(Column("id", no_wrap=True), "method", "support x1, x2", Column("weights", no_wrap=True))
    with console.status("Loading"):
        for id in chosen:
            declared = method_specification(id)
            radius, note = declared.support_radius, declared.note
            try:
                method = fusion.load_method(id, "cpu")
                radius, weights = method.support_radius if radius is None else radius, method.weights_id[:12]
            except FuseVisError as error:
                weights, note = "none", str(error)
            table.add_row(declared.id, described(declared.title, note), _shown_radius(radius), weights)
    Console().print(table)


def _describe(ids: list[str]) -> None:
    for id in ids:
        try:
            with console.status(f"Measuring {id}"):
                found = method_card(id)
        except FuseVisError as error:
            if len(ids) == 1:
                raise
            typer.echo(f"{id}\n  {error}\n")
            continue
        typer.echo(_text(found))


def _text(card: Card) -> str:
    lines = [f"{card.title} ({card.id})"]
    for name, said in (*card.facts, ("note", card.note)):
        first, *others = said.splitlines() or [""]
        lines += [f"  {name + ':':<10} {first}"] if first else []
        lines += [f"  {'':<10} {line}" for line in others]
    return "\n".join(lines) + "\n"


def described(title: str, sentence: str) -> Text:
    """Return a title, and a sentence under it."""
    return Text.assemble((title, "bold"), f"\n{sentence}" if sentence else "")


def _shown_radius(radius: SupportRadius) -> str:
    return "whole image" if radius is None else "{}, {}".format(*radius)

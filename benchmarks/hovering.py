"""Hovering as a user feels it: a server and a headless Chromium on the same machine, the pointer moving over the page.

``python -m benchmarks.hovering``. The pointer moves 2.5 screen pixels every 16 ms, 200 times. An update counts when
it is painted. For each method: updates a second, time from the pointer's event to the painted frame, where that time
goes, and how many bytes a hover sends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
import typer
from playwright.sync_api import Page
from rich.table import Table

from benchmarks import limits
from benchmarks.browser import (
    MOVES,
    STEP_PIXELS,
    STEP_SECONDS,
    chromium,
    move_along,
    path_of_the_pointer,
    show_modules,
)
from benchmarks.inputs import METHODS, HeightOption, MethodsOption, PairOption, WidthOption, link_to
from benchmarks.server import benchmark_server
from fusion.benchmark.figures import Figure, RecordOption, StrictOption, console, figures_table, finish
from fusion.benchmark.tables import machine_line

PANEL = "panel-fused"
GUIDANCE_SECONDS = 900
ATLAS_SECONDS = 3600
ATLAS = 4
"""The number of this path in the header of a window."""

READY = "() => window.fusevis && fusevis.state.window"
COMPLETE = """() => {
  const { state } = fusevis;
  return state.window && state.limits && !state.limits.provisional;
}"""
FOUND = """() => {
  const measures = performance.getEntriesByName("hover-to-paint").map((one) => [one.startTime, one.duration]);
  const paints = performance.getEntriesByName("hover-painting").map((one) => one.duration);
  const answers = performance.getEntriesByType("resource").filter((one) => /\\/(jacobian|atlas)\\//.test(one.name));
  return { measures, paints, answers: answers.map((one) => ({
    round: one.responseEnd - one.startTime, bytes: one.transferSize, request: one.name.length,
    server: one.serverTiming.filter((part) => part.name === "compute").reduce((sum, part) => sum + part.duration, 0),
  })) };
}"""
FORGET = """() => {
  performance.clearMeasures("hover-to-paint");
  performance.clearMeasures("hover-painting");
  performance.clearResourceTimings();
  performance.setResourceTimingBufferSize(5000);
}"""


@dataclass(frozen=True)
class Hover:
    """Outcome of 200 moves over one method's page; times in milliseconds.

    Attributes
    ----------
    updates : float
        Updates painted a second.
    paint_50, paint_95 : float
        Quantiles of the time from the pointer's event to the painted frame.
    server, wire, main_thread, rest : float
        Medians: computing on the server; the rest of the round trip; drawing; waiting for the newest request's
        turn and for the frame.
    bytes_received : float
        Median size of an answer with its head; 0 where the browser had it already.
    answers : int
        Requests sent.
    """

    method: str
    updates: float
    paint_50: float
    paint_95: float
    server: float
    wire: float
    main_thread: float
    rest: float
    bytes_received: float
    answers: int


def main(
    method: MethodsOption = None,
    pair: PairOption = None,
    guidance: Annotated[
        bool, typer.Option(help="Wait for complete guidance images first; without, hover while they come.")
    ] = True,
    atlas: Annotated[
        bool,
        typer.Option(
            help="Compute the atlas of each method first, which takes minutes each, and hover over it."
        ),
    ] = False,
    moves: Annotated[int, typer.Option(min=1, help="Of the pointer, over each method's page.")] = MOVES,
    width: WidthOption = 1440,
    height: HeightOption = 900,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Measure hovering in a browser."""
    console.print(machine_line(torch.device("cpu")))
    console.print(
        f"{moves} moves of {STEP_PIXELS} px every {STEP_SECONDS * 1e3:.0f} ms, window {width}×{height}."
    )
    with benchmark_server(pair) as server, chromium() as browser:
        found = []
        for id in method or METHODS:
            page = browser.new_page(viewport={"width": width, "height": height})
            show_modules(page)
            console.print(f"Hovering over {id} …")
            found.append(hover(page, f"{server.url}?{link_to(pair)}method={id}", id, guidance, atlas, moves))
            page.close()
    console.print(hover_table(found))
    # With the user's own pair the image has any size; while guidance images come, the cores are busy.
    is_standard = pair is None and guidance and moves == MOVES
    figures = [one for each in found for one in hover_figures(each, atlas, is_standard)]
    console.print(figures_table("Hovering over atlases" if atlas else "Hovering", figures))
    finish("atlas" if atlas else "hover", figures, strict, record)


def hover(page: Page, address: str, method: str, guidance: bool, atlas: bool, moves: int = MOVES) -> Hover:
    """Move the pointer over the fused image of one method's page."""
    page.set_default_timeout(GUIDANCE_SECONDS * 1e3)
    page.goto(address)
    page.wait_for_function(READY)
    if guidance:
        page.wait_for_function(COMPLETE)
    if atlas:
        make_atlas(page)
    page.wait_for_timeout(1500)
    box = page.evaluate(
        f"() => {{ const a = fusevis.graphs.area('{PANEL}'); const e = fusevis.graphs.graph('{PANEL}')"
        ".getBoundingClientRect(); return { x: e.left + a.left, y: e.top + a.top, width: a.width, height: a.height }; }"
    )
    points = path_of_the_pointer(box, moves)
    page.mouse.move(*points[0])
    page.wait_for_timeout(500)
    page.evaluate(FORGET)
    seconds = move_along(page, points)
    page.wait_for_timeout(600)
    if atlas and page.evaluate("fusevis.state.window.path") != ATLAS:
        raise RuntimeError(f"The page of {method} does not read the atlas that was made")
    return summary(method, page.evaluate(FOUND), seconds)


def make_atlas(page: Page) -> None:
    """Let the page make the atlas of its scene, and the server notice that it is complete."""
    page.click(".head-menu > summary")
    page.click("#atlas-button")
    page.click("#atlas-start:enabled")
    page.wait_for_function(
        "() => document.querySelector('#atlas-button').textContent === 'Atlas ✓'", timeout=ATLAS_SECONDS * 1e3
    )
    page.keyboard.press("Escape")
    page.wait_for_timeout(4000)


def summary(method: str, found: dict[str, Any], seconds: float) -> Hover:
    """Condense what the browser measured."""
    durations = np.array([duration for _, duration in found["measures"]])
    answers = found["answers"]

    def middle(values: list[float]) -> float:
        return float(np.median(values)) if values else math.nan

    server = middle([one["server"] for one in answers])
    round_trip = middle([one["round"] for one in answers])
    drawing = middle(found["paints"])
    half, most = (
        float(np.quantile(durations, share)) if len(durations) else math.nan for share in (0.5, 0.95)
    )
    return Hover(
        method=method,
        updates=len(durations) / seconds,
        paint_50=half,
        paint_95=most,
        server=server,
        wire=round_trip - server,
        main_thread=drawing,
        rest=half - round_trip - drawing,
        bytes_received=middle([one["bytes"] for one in answers]),
        answers=len(answers),
    )


def hover_figures(found: Hover, atlas: bool, is_standard: bool) -> list[Figure]:
    """Return what has a limit, with it only where `is_standard`."""
    updates, median, slow = (
        (limits.ATLAS_UPDATES, limits.ATLAS_MEDIAN, limits.ATLAS_SLOW)
        if atlas
        else (limits.HOVER_UPDATES.get(found.method), limits.HOVER_MEDIAN, limits.HOVER_SLOW)
    )
    return [
        Figure.beside(f"{found.method}: {name}", value, unit, limit if is_standard else None)
        for name, value, unit, limit in (
            ("updates a second", found.updates, "", updates),
            ("to paint, p50", found.paint_50, "ms", median),
            ("to paint, p95", found.paint_95, "ms", slow),
        )
    ]


def hover_table(found: list[Hover]) -> Table:
    """Return the table that is printed."""
    table = Table(title="Hovering, server and browser on the same cores; ms", title_justify="left")
    headings = (
        "method", "updates a second", "to paint, p50", "p95", "server", "wire", "main thread", "turn and frame",
        "bytes", "requests",
    )  # fmt: skip
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    for one in found:
        table.add_row(
            one.method, f"{one.updates:.1f}", f"{one.paint_50:.0f}", f"{one.paint_95:.0f}", f"{one.server:.1f}",
            f"{one.wire:.1f}", f"{one.main_thread:.1f}", f"{one.rest:.1f}", f"{one.bytes_received:,.0f}",
            str(one.answers),
        )  # fmt: skip
    return table


if __name__ == "__main__":
    typer.run(main)

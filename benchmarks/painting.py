"""Painting with the brush: ``python -m benchmarks.painting``.

A stamp of 8 pixels is dragged over the second input, 2.5 screen pixels every 16 ms. For each network: how often a
second the true change of the fused image is painted, how long after the pointer that is, and how long after one stamp
the derivative's prediction is there, counted from when the brush has rested for 0.1 s.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
import typer
from playwright.sync_api import Page

from benchmarks import limits
from benchmarks.browser import MOVES, chromium, move_along, path_of_the_pointer, show_modules
from benchmarks.hovering import COMPLETE, GUIDANCE_SECONDS
from benchmarks.inputs import METHODS, HeightOption, MethodsOption, PairOption, WidthOption, link_to
from benchmarks.server import benchmark_server
from fusion.benchmark.figures import Figure, RecordOption, StrictOption, console, figures_table, finish
from fusion.benchmark.tables import machine_line

PREDICTED = "() => fusevis.change.responses().linear"
FORGET = """() => {
  fusevis.painted.clear();
  ["stroke-to-paint", "rest-to-prediction"].forEach((name) => performance.clearMeasures(name));
}"""
FOUND = """() => Object.fromEntries(["stroke-to-paint", "rest-to-prediction"].map((name) =>
  [name, performance.getEntriesByName(name).map((one) => one.duration)]))"""


def main(
    method: MethodsOption = None,
    pair: PairOption = None,
    moves: Annotated[int, typer.Option(min=1, help="Of the pointer, over each network's page.")] = MOVES,
    width: WidthOption = 1440,
    height: HeightOption = 900,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Measure painting in a browser, once guidance images are complete."""
    console.print(machine_line(torch.device("cpu")))
    figures = []
    with benchmark_server(pair) as server, chromium() as browser:
        for id in method or [one for one in METHODS if one != "weighted_averaging"]:
            page = browser.new_page(viewport={"width": width, "height": height})
            show_modules(page)
            page.set_default_timeout(GUIDANCE_SECONDS * 1e3)
            page.goto(f"{server.url}?{link_to(pair)}method={id}")
            page.wait_for_function(COMPLETE)
            figures += painted(page, id, moves)
            page.close()
    console.print(figures_table("Painting with a stamp of 8 pixels", figures))
    finish("brush", figures, strict, record)


def painted(page: Page, method: str, moves: int) -> list[Figure]:
    """Drag the brush over a page's second input, and return what the browser measured."""
    page.keyboard.press("b")
    page.wait_for_selector("#brush-panel:not([hidden])")
    page.wait_for_timeout(1000)
    box = page.locator("section[data-panel=panel-pet] .overlay").bounding_box()
    if box is None:
        raise RuntimeError("The page shows no second input")
    points = path_of_the_pointer({name: box[name] for name in ("x", "y", "width", "height")}, moves)
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function(PREDICTED)
    prediction = page.evaluate(FOUND)["rest-to-prediction"]
    page.evaluate(FORGET)
    page.mouse.down()
    seconds = move_along(page, points)
    page.mouse.up()
    page.wait_for_timeout(600)
    updates = page.evaluate(FOUND)["stroke-to-paint"]
    middle, slow = (float(np.quantile(updates, share)) if updates else float("nan") for share in (0.5, 0.95))
    return [
        Figure.beside(f"{method}: true updates a second", len(updates) / seconds, "", limits.BRUSH_UPDATES),
        Figure(f"{method}: to paint, p50", middle, "ms"),
        Figure(f"{method}: to paint, p95", slow, "ms"),
        Figure.beside(f"{method}: prediction after rest", prediction[0], "ms", limits.BRUSH_PREDICTION),
    ]


if __name__ == "__main__":
    typer.run(main)

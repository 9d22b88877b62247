"""Hovering over the compare page, all five methods: ``python -m benchmarks.comparing``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from playwright.sync_api import Page

from benchmarks.browser import chromium
from benchmarks.figures import Figure, console, figures_table
from benchmarks.hovering import FORGET, GUIDANCE_SECONDS, METHODS, STEP_SECONDS, path_of_the_pointer
from benchmarks.images import link_to
from benchmarks.server import benchmark_server

UPDATES = 12.0

COMPLETE = """() => {
  const compare = window.fusevis && fusevis.compare;
  return compare && compare.paint && compare.state.common() && compare.paint.drawn() && compare.state.a.shown
    && !compare.scale.isProvisional();
}"""
PICTURE = """() => {
  const { area } = fusevis.compare.paint.drawn().pictures.find((one) => one.kind === "fused" && !one.zoom);
  const { left, top } = document.querySelector(".compare-canvas").getBoundingClientRect();
  return { x: left + area.left, y: top + area.top, width: area.width, height: area.height };
}"""
FOUND = """() => {
  const answers = performance.getEntriesByType("resource").filter((one) => one.name.includes("/jacobians/"));
  return {
    paints: performance.getEntriesByName("compare-to-paint").map((one) => one.duration),
    rounds: answers.map((one) => one.responseEnd - one.startTime),
    computing: answers.flatMap((one) => one.serverTiming.map((part) => part.duration)),
  };
}"""


def main(
    method: Annotated[
        list[str] | None, typer.Option(help="Id; repeatable. Without: the paper's five.")
    ] = None,
    pair: Annotated[
        tuple[Path, Path] | None, typer.Option(metavar="MRI_FILE PET_FILE", help="Without: a sample.")
    ] = None,
    width: Annotated[int, typer.Option(help="Of the browser's window, pixels.")] = 1440,
    height: Annotated[int, typer.Option(help="Of the browser's window, pixels.")] = 900,
) -> None:
    """Measure the compare page once all its guidance images are there."""
    chosen = method or list(METHODS)
    with benchmark_server(pair) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(GUIDANCE_SECONDS * 1e3)
        page.goto(f"{server.url}compare?{link_to(pair)}methods={','.join(chosen)}")
        page.wait_for_function(COMPLETE)
        page.wait_for_timeout(1500)
        found, seconds = moved(page)
        page.close()
    console.print(
        figures_table(f"Hovering over {len(chosen)} methods side by side", figures_of(found, seconds))
    )


def moved(page: Page) -> tuple[dict[str, Any], float]:
    """Move the pointer over the first fused image; return what the browser measured, and for how many seconds."""
    points = path_of_the_pointer(page.evaluate(PICTURE))
    page.mouse.move(*points[0])
    page.wait_for_timeout(500)
    page.evaluate(FORGET)
    page.evaluate("performance.clearMeasures('compare-to-paint')")
    started = time.monotonic()
    for number, (x, y) in enumerate(points[1:], start=1):
        page.mouse.move(x, y)
        time.sleep(max(0.0, started + number * STEP_SECONDS - time.monotonic()))
    seconds = time.monotonic() - started
    page.wait_for_timeout(600)
    found: dict[str, Any] = page.evaluate(FOUND)
    return found, seconds


def figures_of(found: dict[str, Any], seconds: float) -> list[Figure]:
    """Condense what the browser measured."""

    def middle(values: list[float], share: float = 0.5) -> float:
        return float(np.quantile(values, share)) if values else float("nan")

    return [
        Figure("updates a second", len(found["paints"]) / seconds, "", UPDATES, at_most=False),
        Figure("to paint, p50", middle(found["paints"]), "ms"),
        Figure("to paint, p95", middle(found["paints"], 0.95), "ms"),
        Figure("round trip", middle(found["rounds"]), "ms"),
        Figure("computing on the server", middle(found["computing"]), "ms"),
    ]


if __name__ == "__main__":
    typer.run(main)

"""Hovering over the compare page, five methods: ``python -m benchmarks.comparing``; ``--atlas`` makes atlases first."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import typer
from playwright.sync_api import Page

from benchmarks import limits
from benchmarks.browser import MOVES, chromium, move_along, path_of_the_pointer, show_modules
from benchmarks.hovering import ATLAS, FORGET, GUIDANCE_SECONDS, READY, make_atlas
from benchmarks.inputs import METHODS, HeightOption, MethodsOption, PairOption, WidthOption, link_to
from benchmarks.server import benchmark_server
from fusion.benchmark.figures import Figure, RecordOption, StrictOption, console, figures_table, finish
from fusion.benchmark.limits import Limit

COMPLETE = """() => {
  const compare = window.fusevis && fusevis.compare;
  return compare && compare.table && compare.state.common() && compare.table.shown() && compare.state.a.shown
    && !compare.scale.isProvisional();
}"""
PICTURE = """() => {
  const { area } = fusevis.compare.table.shown().pictures.find((one) => one.kind === "fused" && !one.zoom);
  const { left, top } = document.querySelector(".compare-canvas").getBoundingClientRect();
  return { x: left + area.left, y: top + area.top, width: area.width, height: area.height };
}"""
PATHS = "() => [...fusevis.compare.state.a.shown.windows.values()].map((one) => one.path)"
FOUND = """() => {
  const answers = performance.getEntriesByType("resource").filter((one) => one.name.includes("/jacobians/"));
  return {
    paints: performance.getEntriesByName("compare-to-paint").map((one) => one.duration),
    rounds: answers.map((one) => one.responseEnd - one.startTime),
    computing: answers.flatMap((one) => one.serverTiming.map((part) => part.duration)),
  };
}"""


def main(
    method: MethodsOption = None,
    pair: PairOption = None,
    atlas: Annotated[
        bool,
        typer.Option(
            help="Compute the atlas of each method first, which takes minutes each, and hover over them."
        ),
    ] = False,
    moves: Annotated[int, typer.Option(min=1, help="Of the pointer.")] = MOVES,
    width: WidthOption = 1440,
    height: HeightOption = 900,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Measure the compare page once all its guidance images are there."""
    chosen = method or list(METHODS)
    with benchmark_server(pair) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": height})
        show_modules(page)
        page.set_default_timeout(GUIDANCE_SECONDS * 1e3)
        if atlas:
            # The compare page has no button for it: each method's own page makes its atlas.
            for id in chosen:
                console.print(f"Computing the atlas of {id} …")
                page.goto(f"{server.url}?{link_to(pair)}method={id}")
                page.wait_for_function(READY)
                make_atlas(page)
        page.goto(f"{server.url}compare?{link_to(pair)}methods={','.join(chosen)}")
        page.wait_for_function(COMPLETE)
        page.wait_for_timeout(1500)
        found, seconds = moved(page, moves)
        paths = set(page.evaluate(PATHS))
        page.close()
    if atlas and paths != {ATLAS}:
        raise RuntimeError("The compare page does not read all the atlases that were made")
    # With another number of methods an answer is another amount of work.
    is_standard = pair is None and set(chosen) == set(METHODS) and moves == MOVES
    wanted = limits.COMPARE_ATLAS_UPDATES if atlas else limits.COMPARE_UPDATES
    figures = figures_of(found, seconds, wanted if is_standard else None)
    title = f"Hovering over {len(chosen)} {'atlases' if atlas else 'methods'} side by side"
    console.print(figures_table(title, figures))
    finish("compare-atlas" if atlas else "compare", figures, strict, record)


def moved(page: Page, moves: int = MOVES) -> tuple[dict[str, Any], float]:
    """Move the pointer over the first fused image; return what the browser measured, and for how many seconds."""
    points = path_of_the_pointer(page.evaluate(PICTURE), moves)
    page.mouse.move(*points[0])
    page.wait_for_timeout(500)
    page.evaluate(FORGET)
    page.evaluate("performance.clearMeasures('compare-to-paint')")
    seconds = move_along(page, points)
    page.wait_for_timeout(600)
    found: dict[str, Any] = page.evaluate(FOUND)
    return found, seconds


def figures_of(
    found: dict[str, Any], seconds: float, updates: Limit | None = limits.COMPARE_UPDATES
) -> list[Figure]:
    """Condense what the browser measured; `updates` is what the updates a second must reach."""

    def middle(values: list[float], share: float = 0.5) -> float:
        return float(np.quantile(values, share)) if values else float("nan")

    return [
        Figure.beside("updates a second", len(found["paints"]) / seconds, "", updates),
        Figure("to paint, p50", middle(found["paints"]), "ms"),
        Figure("to paint, p95", middle(found["paints"], 0.95), "ms"),
        Figure("round trip", middle(found["rounds"]), "ms"),
        Figure("computing on the server", middle(found["computing"]), "ms"),
    ]


if __name__ == "__main__":
    typer.run(main)

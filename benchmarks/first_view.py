"""From the server's start to a page that shows everything: ``python -m benchmarks.first_view``."""

from __future__ import annotations

from statistics import median
from typing import Annotated

import typer
from playwright.sync_api import Browser

from benchmarks import limits
from benchmarks.browser import chromium, show_modules
from benchmarks.hovering import GUIDANCE_SECONDS
from benchmarks.inputs import METHODS, HeightOption, MethodsOption, PairOption, WidthOption, link_to
from benchmarks.server import benchmark_server
from fusion.benchmark.figures import Figure, RecordOption, StrictOption, console, figures_table, finish

FIRST = "() => performance.getEntriesByName('first-view-images').map((mark) => mark.startTime)[0]"
PICTURES = "() => performance.getEntriesByName('first-view-complete').map((mark) => mark.startTime)[0]"
GRAPHS = """() => {
  if (!window.fusevis || !fusevis.graphs || !fusevis.state.window) return false;
  const { state, graphs } = fusevis;
  const drawn = graphs.ALL.every((panel) => {
    const graph = graphs.graph(panel);
    return graph && graph.data && graph.data.length && [state.scene.key, undefined].includes(graphs.meta(panel).key);
  });
  return drawn && state.limits && !state.limits.provisional && performance.now();
}"""
MOMENTS = (FIRST, PICTURES, GRAPHS)


def main(
    method: MethodsOption = None,
    pair: PairOption = None,
    visits: Annotated[int, typer.Option(min=1, help="Of whose times the median is taken, each method.")] = 5,
    width: WidthOption = 1440,
    height: HeightOption = 900,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Measure the start of a server, and visits once the guidance images are kept."""
    with benchmark_server(pair) as server, chromium() as browser:
        figures = [Figure.beside("server's start to ready", server.seconds_to_ready, "s", limits.READY)]
        for id in method or METHODS:
            console.print(f"Visiting {id} …")
            address = f"{server.url}?{link_to(pair)}method={id}"
            visit(browser, address, (width, height), MOMENTS[-1:])
            seen = [visit(browser, address, (width, height)) for _ in range(visits)]
            figures += visit_figures(id, seen, is_standard=pair is None)
    console.print(figures_table("First view", figures))
    finish("page", figures, strict, record)


def visit_figures(method: str, seen: list[list[float]], is_standard: bool) -> list[Figure]:
    """Return the medians of some visits' times, each visit's in the order of `MOMENTS`, seconds."""
    first, pictures, graphs = (median(times) for times in zip(*seen, strict=True))
    wanted = (limits.FIRST_PICTURES, limits.ALL_PICTURES) if is_standard else (None, None)
    return [
        Figure.beside(f"{method}: navigation to inputs and fused image", first, "s", wanted[0]),
        Figure.beside(f"{method}: navigation to the pictures of all panels", pictures, "s", wanted[1]),
        Figure(f"{method}: navigation to Plotly's graphs of all panels", graphs, "s"),
    ]


def visit(
    browser: Browser, address: str, size: tuple[int, int], moments: tuple[str, ...] = MOMENTS
) -> list[float]:
    """Open the page with an empty browser cache; return the seconds until each of `moments`."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    show_modules(context)
    page = context.new_page()
    page.set_default_timeout(GUIDANCE_SECONDS * 1e3)
    page.goto(address, wait_until="commit")
    times = [float(page.wait_for_function(shown).json_value()) / 1e3 for shown in moments]
    context.close()
    return times


if __name__ == "__main__":
    typer.run(main)

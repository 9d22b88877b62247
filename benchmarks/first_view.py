"""From the server's start to a page that shows everything: ``python -m benchmarks.first_view``."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from playwright.sync_api import Browser

from benchmarks.browser import chromium
from benchmarks.figures import Figure, console, figures_table
from benchmarks.hovering import GUIDANCE_SECONDS
from benchmarks.images import link_to
from benchmarks.server import benchmark_server

READY_SECONDS, FIRST_SECONDS, ALL_SECONDS = 6.0, 1.5, 3.0

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
    method: Annotated[str, typer.Option(help="Id of the method.")] = "funfusean",
    pair: Annotated[
        tuple[Path, Path] | None, typer.Option(metavar="MRI_FILE PET_FILE", help="Without: a sample.")
    ] = None,
    visits: Annotated[int, typer.Option(min=1, help="Of whose times the median is taken.")] = 5,
    width: Annotated[int, typer.Option(help="Of the browser's window, pixels.")] = 1440,
    height: Annotated[int, typer.Option(help="Of the browser's window, pixels.")] = 900,
) -> None:
    """Measure the start of a server, and visits once the guidance images are kept."""
    with benchmark_server(pair) as server, chromium() as browser:
        ready = server.seconds_to_ready
        address = f"{server.url}?{link_to(pair)}method={method}"
        visit(browser, address, (width, height), MOMENTS[-1:])
        seen = [visit(browser, address, (width, height)) for _ in range(visits)]
    first, pictures, graphs = (median(times) for times in zip(*seen, strict=True))
    console.print(
        figures_table(
            f"First view of {method}",
            [
                Figure("server's start to ready", ready, "s", READY_SECONDS),
                Figure("navigation to inputs and fused image", first, "s", FIRST_SECONDS),
                Figure("navigation to the pictures of all panels", pictures, "s", ALL_SECONDS),
                Figure("navigation to Plotly's graphs of all panels", graphs, "s"),
            ],
        )
    )


def visit(
    browser: Browser, address: str, size: tuple[int, int], moments: tuple[str, ...] = MOMENTS
) -> list[float]:
    """Open the page with an empty browser cache; return the seconds until each of `moments`."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.set_default_timeout(GUIDANCE_SECONDS * 1e3)
    page.goto(address, wait_until="commit")
    times = [float(page.wait_for_function(shown).json_value()) / 1e3 for shown in moments]
    context.close()
    return times


if __name__ == "__main__":
    typer.run(main)

"""Pointing at pixels and reading pictures back, as a person with very good eyes would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

WHERE = """([panel, row, col]) => {
  const graph = fusevis.graphs.graph(panel);
  const { left, top } = graph.getBoundingClientRect();
  const { xaxis, yaxis } = graph._fullLayout;
  return [left + xaxis._offset + xaxis.c2p(col), top + yaxis._offset + yaxis.c2p(row)];
}"""

WINDOW = """() => {
  const { row, col, top, left, height, width, values } = fusevis.state.window;
  return { row, col, top, left, height, width, values: Array.from(values) };
}"""

HEATMAP = """(panel) => {
  const graph = fusevis.graphs.graph(panel);
  const trace = graph.data[0];
  const z = Array.isArray(trace.z) ? trace.z : graph._fullData[0].z;
  const { zmin, zmax, colorscale } = trace;
  return { z: Array.from(z, (row) => Array.from(row)), zmin, zmax, colorscale };
}"""

POINTS = """() => {
  const trace = fusevis.graphs.graph("panel-scatter")._fullData[1];
  return { x: Array.from(trace.x), y: Array.from(trace.y) };
}"""


WAIT_MILLISECONDS = 180_000
"""How long a busy machine may take for what a test waits for."""


def wait_until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait until what a test asks of the page holds, however long the page takes to paint."""
    for _ in range(WAIT_MILLISECONDS // 50):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("what the page should show does not come")


def at_rest(page: Page, where: str, arg: object) -> tuple[float, float]:
    """Return a place in the window that a script finds, once it has stayed for some frames.

    What was done before may still lay the page out anew, and a pointer that is sent to where a pixel was hits another.
    """
    x, y = page.evaluate(AT_REST % where, arg)
    return x, y


FITTED = """() => [...document.querySelectorAll(".panel-graph")].every((graph) => {
  const drawn = graph.querySelector(".main-svg")?.getBoundingClientRect();
  return !drawn || Math.abs(graph.clientWidth - drawn.width) < 2 && Math.abs(graph.clientHeight - drawn.height) < 2;
})"""
"""Whether all graphs fill their places: Plotly draws them anew some time after those have another size."""
AT_REST = f"""async (arg) => {{
  const where = %s;
  let before = "";
  for (let same = 0; same < 3; ) {{
    await new Promise(requestAnimationFrame);
    const now = JSON.stringify(where(arg));
    same = now === before && ({FITTED})() ? same + 1 : 0;
    before = now;
  }}
  return JSON.parse(before);
}}"""

# The status line says nothing of an answer a second later: here its words are kept until others come.
KEEP_STATUS = """(id) => {
  const line = document.getElementById(id);
  const keep = () => {
    if (/ · /.test(line.textContent)) window.told = line.textContent;
  };
  new MutationObserver(keep).observe(line, { childList: true, characterData: true, subtree: true });
  keep();
}"""


def keep_status(page: Page, id: str = "status-line") -> None:
    """Keep what the status line says of answers, so that a slow test can still read it."""
    page.evaluate(KEEP_STATUS, id)


def wait_for_status(page: Page, pattern: str) -> None:
    """Wait until the status line says, or has said last, words like these."""
    page.wait_for_function("(pattern) => new RegExp(pattern).test(window.told || '')", arg=pattern)


def place(page: Page, panel: str, row: float, col: float) -> tuple[float, float]:
    """Return where on the screen a pixel of a panel is."""
    return at_rest(page, WHERE, [panel, row, col])


def point_at(page: Page, panel: str, row: int, col: int) -> None:
    """Move the pointer onto a pixel and wait for its Jacobian to be painted."""
    page.mouse.move(*place(page, panel, row, col), steps=2)
    wait_for_pixel(page, row, col)


def click_at(page: Page, panel: str, row: int, col: int) -> None:
    """Click on a pixel."""
    page.mouse.click(*place(page, panel, row, col))


def wait_for_pixel(page: Page, row: int, col: int) -> None:
    """Wait until the window of this pixel is painted."""
    page.wait_for_function(
        "([row, col]) => fusevis.state.window && fusevis.state.window.row === row && fusevis.state.window.col === col",
        arg=[row, col],
    )


def painted_window(page: Page) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return the values (2, h, w) of the window that is painted, and where it lies."""
    window = page.evaluate(WINDOW)
    return np.array(window["values"]).reshape(2, window["height"], window["width"]), window


def heatmap(page: Page, panel: str) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return what a Plotly heatmap holds, and its colours."""
    trace = page.evaluate(HEATMAP, panel)
    rows = [[np.nan if value is None else value for value in row] for row in trace.pop("z")]
    return np.array(rows, dtype=np.float64), trace


def green_points(page: Page) -> NDArray[np.float64]:
    """Return the green points of the scatterplot as an (n, 2) array."""
    points = page.evaluate(POINTS)
    return np.stack([points["x"], points["y"]], axis=-1)


def readout(page: Page) -> dict[str, str]:
    """Return the readout's fields."""
    fields: dict[str, str] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("#pixel-readout [data-field]")]
            .map((field) => [field.dataset.field, field.textContent]))"""
    )
    return fields


def box_pixels(page: Page) -> dict[str, list[int]]:
    """Return the pixel around which the red box of each full panel lies, where it is visible."""
    boxes: dict[str, list[int]] = page.evaluate(
        """() => Object.fromEntries(fusevis.graphs.FULL.map((panel) => {
            const { box } = fusevis.overlays.overlay(panel);
            const visible = getComputedStyle(box).visibility === "visible";
            return [panel, visible ? [Number(box.dataset.row), Number(box.dataset.col)] : []];
        }))"""
    )
    return boxes


def choose_mode(page: Page, label: str) -> None:
    """Choose what dragging does on the explore page, and wait until it does, as a person's hand would."""
    page.locator("#toolbar-mode label", has_text=label).click()
    page.wait_for_function("(mode) => document.body.dataset.mode === mode", arg=label.lower())

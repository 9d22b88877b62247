"""The compare page, as a visitor sees and uses it."""

from __future__ import annotations

import itertools
import re
from itertools import chain
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

import fusion
from app.ids import CompareColumn
from app.link.view_state import CompareState
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import at_rest, wait_until

METHODS = ("weighted_averaging", "deepfuse")
SETTLED = """() => {
  const compare = window.fusevis && fusevis.compare;
  if (!compare || !compare.table || !compare.state.common() || !compare.table.shown()) return false;
  return compare.state.points().every((point) => point.shown) && !compare.scale.isProvisional()
    && !document.querySelector(".compare-empty:not([hidden])");
}"""
WHERE = """([kind, row, col]) => {
  const { table, state } = fusevis.compare;
  const { area } = table.shown().pictures.find((one) => one.kind === kind && !one.zoom);
  const { left, top } = document.querySelector(".compare-canvas").getBoundingClientRect();
  const { height, width } = state.common();
  return [left + area.left + (col + 0.5) * area.width / width, top + area.top + (row + 0.5) * area.height / height];
}"""
SHOWN = """(name) => {
  const { shown } = fusevis.compare.state[name];
  return [...shown.windows].map(([key, { row, col, top, left, height, width, values }]) =>
    ({ key, row, col, top, left, height, width, values: Array.from(values) }));
}"""
NUMBERS = """(method) => [...document.querySelectorAll(`[data-method="${method}"] .compare-line`)].map((line) =>
  Object.fromEntries([...line.children].map((part) => [part.dataset.field, part.lastChild.textContent])))"""


def open_compare(open_page: Opener, server: Server, query: str = "", **options: Any) -> Page:
    chosen = f"compare?pair={server.pair}&methods={','.join(METHODS)}{query}"
    return open_page(chosen, settled=False, ready=SETTLED, **options)


def place(page: Page, row: float, col: float, kind: str = "fused") -> tuple[float, float]:
    return at_rest(page, WHERE, [kind, row, col])


def wait_for_pixel(page: Page, row: int, col: int, name: str = "a") -> None:
    page.wait_for_function(
        """([name, row, col]) => { const { shown } = fusevis.compare.state[name];
            return shown && shown.row === row && shown.col === col; }""",
        arg=[name, row, col],
    )


def wait_for_address(page: Page, query: str) -> None:
    page.wait_for_function("(query) => location.search === query", arg=query)


def wait_for_numbers(page: Page, id: str, right: list[float]) -> None:
    """Wait until a row tells the fused value and both guidances of the pixel."""

    def told() -> list[float]:
        (numbers,) = page.evaluate(NUMBERS, id)
        return [float(numbers[name].replace("−", "-")) for name in ("y", "g1", "g2")]

    wait_until(page, lambda: np.allclose(told(), right, rtol=0, atol=6e-5))


def test_all_rows_follow_the_pointer_with_one_request_a_move(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    pair = fusion.load_pair(*server.pair_paths)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    pixels = [(20, 33), (2, 57), (47, 0)]
    for (row, col), kind in zip(pixels, itertools.cycle(("fused", "guidance", "inputs"))):
        page.mouse.move(*place(page, row, col, kind))
        wait_for_pixel(page, row, col)
        windows = page.evaluate(SHOWN, "a")
        for window, id in zip(sorted(windows, key=lambda one: one["key"]), sorted(METHODS), strict=True):
            method = fusion.load_method(id, "cpu")
            expected = fusion.jacobian(method, pair, (row, col))
            assert (window["top"], window["left"]) == (expected.top, expected.left)
            values = np.array(window["values"]).reshape(2, window["height"], window["width"])
            np.testing.assert_allclose(values, expected.values, rtol=1e-4, atol=1e-6)
            right = [fusion.fuse(method, pair)[row, col], *expected.at_principal]
            wait_for_numbers(page, id, right)
    jacobians = [url for url in asked if "/jacobian" in url]
    assert len(jacobians) == len(pixels), jacobians
    page.mouse.move(*place(page, *pixels[0]))
    wait_for_pixel(page, *pixels[0])
    assert len([url for url in asked if "/jacobian" in url]) == len(pixels), "remembered"
    assert page.locator("canvas.compare-canvas").count() == 1
    assert page.locator(".js-plotly-plot").count() == 0


def test_scales_are_shared_unless_asked_otherwise(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    ends = "() => fusevis.compare.state.ready().map(fusevis.compare.scale.endFor)"
    pair = fusion.load_pair(*server.pair_paths)
    own = [float(fusion.guidance(fusion.load_method(id, "cpu"), pair).max()) for id in METHODS]
    assert page.evaluate(ends) == pytest.approx([max(own)] * 2, rel=1e-4)
    page.uncheck("#compare-shared")
    page.wait_for_function("() => fusevis.compare.state.display.shared === false")
    assert page.evaluate(ends) == pytest.approx(own, rel=1e-4)


def test_a_link_opens_the_same_view_again(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server, "&columns=fused,guidance_rgb,jacobian_pet,scatter")
    page.mouse.click(*place(page, 10, 12))
    page.keyboard.down("Shift")
    page.mouse.click(*place(page, 30, 40))
    page.keyboard.up("Shift")
    page.keyboard.press("ArrowRight")
    page.select_option("#compare-scale", "signed")
    page.fill("#compare-zoom", "7")
    state = CompareState(
        pair=server.pair, methods=METHODS, pixel=(10, 13), pin=(30, 40), scale="signed", zoom=7, air=True, gray="own",
        columns=(CompareColumn.FUSED, CompareColumn.GUIDANCE_RGB, CompareColumn.JACOBIAN_PET, CompareColumn.SCATTER),
        weights=tuple(fusion.load_method(id, "cpu").weights_id[:8] for id in METHODS),
    )  # fmt: skip
    wait_for_address(page, state.to_query())
    wait_for_pixel(page, 10, 13)
    wait_for_pixel(page, 30, 40, "b")
    again = open_page("compare" + state.to_query(), settled=False, ready=SETTLED)
    for one in (page, again):
        one.mouse.move(5, 5)
    picture = "() => document.querySelector('.compare-canvas').toDataURL()"
    wait_until(page, lambda: page.evaluate(picture) == again.evaluate(picture))
    numbers = again.evaluate(NUMBERS, "deepfuse")
    assert [line["letter"] for line in numbers] == ["A", "B"]
    again.keyboard.press("Escape")
    wait_for_address(again, state.model_copy(update={"pixel": None, "pin": None}).to_query())


def is_number(text: str) -> bool:
    return re.fullmatch(r"[-+]?\d+\.\d+", text) is not None


OWN_BAR = """(end) => {
  const [low, high] = document.querySelectorAll('[data-method="difference"] [data-kind=guidance] span');
  return high?.textContent.endsWith(" guidance") && Math.abs(parseFloat(high.textContent) - end) < 0.006 * end
    && parseFloat(low.textContent.replace("−", "-")) === -parseFloat(high.textContent);
}"""


def test_a_difference_is_a_row_of_its_own(open_page: Opener, server: Server) -> None:
    page = open_compare(
        open_page, server, "&pixel=10,13&pin=30,40&columns=fused,guidance_mri,jacobian_pet,scatter"
    )
    rows = len(page.query_selector_all(".compare-row"))
    page.select_option("#compare-minuend", "deepfuse")
    page.select_option("#compare-subtrahend", "weighted_averaging")
    page.wait_for_selector('[data-method="difference"]')
    page.wait_for_function("() => location.search.includes('difference=deepfuse,weighted_averaging')")
    assert len(page.query_selector_all(".compare-row")) == rows + 1
    assert "DeepFuse − Weighted Averaging" in page.inner_text('[data-method="difference"]')
    pair = fusion.load_pair(*server.pair_paths)
    first, second = (fusion.load_method(id, "cpu") for id in ("deepfuse", "weighted_averaging"))
    wanted = []
    for row, col in ((10, 13), (30, 40)):
        both = [fusion.jacobian(method, pair, (row, col)).at_principal for method in (first, second)]
        fused = [fusion.fuse(method, pair)[row, col] for method in (first, second)]
        wanted.append([fused[0] - fused[1], *(both[0] - both[1])])

    def told() -> list[list[str]]:
        lines = page.evaluate(NUMBERS, "difference")
        return [[line[name].replace("−", "-") for name in ("y", "g1", "g2")] for line in lines]

    wait_until(page, lambda: len(told()) == len(wanted) and all(map(is_number, chain(*told()))))
    np.testing.assert_allclose(np.array(told(), dtype=float), wanted, atol=1.1e-4)
    window = page.evaluate(
        """() => { const { difference, state } = fusevis.compare;
            const { top, left, height, width, values } = difference.windowAt(difference.row(), state.a.shown);
            return { top, left, height, width, values: Array.from(values) }; }"""
    )
    expected = (
        fusion.jacobian(first, pair, (10, 13)).dense() - fusion.jacobian(second, pair, (10, 13)).dense()
    )
    rows_, columns = (slice(window[side], window[side] + window[length])
                      for side, length in (("top", "height"), ("left", "width")))  # fmt: skip
    values = np.array(window["values"]).reshape(2, window["height"], window["width"])
    np.testing.assert_allclose(values, expected[:, rows_, columns], atol=1e-6)
    expected[:, rows_, columns] = 0
    assert not expected.any(), "nothing is outside"
    images = page.evaluate(
        """() => Array.from(fusevis.compare.images.get(fusevis.compare.difference.row(), "guidance").values)"""
    )
    right = fusion.guidance(first, pair) - fusion.guidance(second, pair)
    np.testing.assert_allclose(np.array(images), right.ravel(), atol=1e-6)
    page.wait_for_function(OWN_BAR, arg=float(np.abs(right).max()))
    bars = page.locator('[data-method="difference"] .compare-difference-bar')
    assert [bar.get_attribute("data-kind") for bar in bars.all()] == ["fused", "guidance", "jacobian"]
    page.select_option("#compare-minuend", "masknet")
    page.wait_for_function(
        "() => document.querySelector('#compare-difference-note').textContent.includes('among the rows')"
    )
    assert page.locator('[data-method="difference"]').count() == 0

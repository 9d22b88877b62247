"""The part that the full pictures show: what a page writes into its link, every page takes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from app.link.view_state import ExploreState
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import choose_mode, place


def drag(page: Page, first: tuple[float, float], last: tuple[float, float]) -> None:
    page.mouse.move(*place(page, "panel-fused", *first))
    page.mouse.down()
    page.mouse.move(*place(page, "panel-fused", *last), steps=4)
    page.mouse.up()


def wait_for_part(page: Page, before: str) -> str:
    page.wait_for_function("(before) => location.search !== before", arg=before)
    return str(page.evaluate("location.search"))


def test_zooming_far_in_and_moving_far_away_gives_links_that_open(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging&area=10.0,10.0,12.0,12.5")
    choose_mode(page, "Zoom")
    search = page.evaluate("location.search")
    drag(page, (10.8, 10.9), (11.2, 11.3))
    page.wait_for_function(
        """() => { const { yaxis } = fusevis.graphs.graph("panel-pet")._fullLayout;
            return Math.abs(yaxis.range[0] - yaxis.range[1]) < 0.9; }"""
    )
    search = wait_for_part(page, search)
    area = ExploreState.from_query(search)[0].area
    assert area and min(area[2] - area[0], area[3] - area[1]) == pytest.approx(1)
    other = open_page(search)
    assert other.locator(".toast").count() == 0 and other.evaluate("location.search") == search


# Two figures come anew from the server, whole, the second one while the first is given its part.
COME_ANEW = """async () => {
  const { graphs, state } = fusevis;
  const { react, relayout } = window.Plotly;
  let asked, go;
  const moving = new Promise((done) => (asked = done));
  const held = new Promise((done) => (go = done));
  const move = (graph, ranges) => { asked(); return held.then(() => relayout(graph, ranges)); };
  const come = async (panel) => {
    const graph = graphs.graph(panel);
    const { data, layout } = graph;
    const [xaxis, yaxis] = [[-0.5, state.scene.width - 0.5], [state.scene.height - 0.5, -0.5]]
      .map((range, at) => ({ ...[layout.xaxis, layout.yaxis][at], range, autorange: false }));
    await react(graph, { data, layout: { ...layout, xaxis, yaxis, uirevision: "anew" } });
    return graph._fullLayout.xaxis.range[0];
  };
  Object.defineProperty(window.Plotly, "relayout", { value: move, configurable: true });
  const first = await come("panel-guidance-mri");
  await moving;
  const second = await come("panel-guidance-pet");
  delete window.Plotly.relayout;
  go();
  return [first, second];
}"""
SHOW_PART = """([left, right]) => fusevis.graphs.FULL.every((panel) => {
  const { range } = fusevis.graphs.graph(panel)._fullLayout.xaxis;
  return Math.abs(range[0] - left) + Math.abs(range[1] - right) < 1e-6;
})"""


def test_a_figure_that_comes_while_others_get_the_part_gets_it_too(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging&area=4.0,10.0,30.0,44.0")
    page.wait_for_function(SHOW_PART, arg=[10, 44])
    assert page.evaluate(COME_ANEW) == [-0.5, -0.5], "they were whole"
    page.wait_for_function(SHOW_PART, arg=[10, 44])


def test_a_part_in_which_nothing_can_be_seen_is_named_and_the_whole_shown(
    open_page: Opener, server: Server
) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging&area=-900,-900,900,900")
    assert "area" in page.inner_text(".notices")
    ranges = page.evaluate(
        """() => fusevis.graphs.FULL.map((panel) => fusevis.graphs.graph(panel)._fullLayout)
            .map(({ xaxis, yaxis }) => [...xaxis.range, ...yaxis.range])"""
    )
    assert {tuple(one) for one in ranges} == {(-0.5, 59.5, 47.5, -0.5)}
    page.wait_for_function("() => location.search === fusevis.address.query()")
    assert "area" not in page.evaluate("location.search")

"""What panels say while they wait and when a request has failed, and colours that stay while guidance images grow."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Opener, Pages, Server, wait_until_settled
from tests.browser.pictures import place, point_at, wait_for_pixel
from tests.browser.seen import DASH, Held, plot, screen
from tests.browser.visitors import Visitors

WINDOWS = "**/jacobian/**"
JACOBIAN = "panel-jacobian-mri"
LONG = "?pair=healthy-t2&method=deep_pedestrian"
"""A view whose guidance images take a while."""


@pytest.fixture(scope="module")
def opened(visitors: Visitors, server: Server) -> Iterator[Page]:
    """Open a page whose console may have errors: the browser itself writes of every answer that is one."""
    pages = Pages(visitors, server)
    yield pages(f"?pair={server.pair}&method=weighted_averaging")
    pages.close()


@pytest.fixture
def page(opened: Page) -> Iterator[Page]:
    """Return the page, which has no pinned pixel and this method at the end of each test too."""
    yield opened
    opened.unroute_all()


def said(page: Page, panel: str) -> Locator:
    """Find where a panel says what it waits for."""
    return page.locator(f'section[data-panel="{panel}"] > .waiting')


def dash_fails(output: str) -> Callable[[Route], None]:
    """Make what keeps Dash's requests for an output from the server."""

    def handle(route: Route) -> None:
        if output in (route.request.post_data or ""):
            route.abort()
        else:
            route.fallback()

    return handle


def test_panels_say_which_pixel_they_wait_for_and_keep_their_pictures(page: Page) -> None:
    point_at(page, "panel-fused", 20, 20)
    wait_until_settled(page)
    assert page.locator(".waiting:visible").count() == 0
    held = Held(page, WINDOWS)
    page.mouse.move(*place(page, "panel-fused", 18, 27))
    held.wait()
    expect(said(page, JACOBIAN)).to_have_text(re.compile(r"^Jacobian of \(18, 27\)"))
    expect(said(page, "panel-pet-zoom")).to_have_text(re.compile(r"^Zoom at \(18, 27\)"))
    # It goes on to be seen that somebody waits.
    expect(said(page, JACOBIAN)).to_have_text(re.compile(r"^Jacobian of \(18, 27\) · [1-9]\d* s"))
    assert page.locator(".waiting:visible").count() == 10, "two Jacobian images and eight zooms"
    title, words = (
        page.locator(f'section[data-panel="{JACOBIAN}"] {part}').bounding_box()
        for part in (".panel-title", ".waiting")
    )
    assert title and words and words["y"] >= title["y"] + title["height"] - 1, "the title is not covered"
    held.release()
    wait_for_pixel(page, 18, 27)
    expect(page.locator(".waiting:visible")).to_have_count(0)


def test_a_window_that_was_refused_can_be_asked_for_again_where_it_is_missing(page: Page) -> None:
    refuse = lambda route: route.fulfill(status=404, json={"error": "There is no such pair."})  # noqa: E731
    page.route(WINDOWS, refuse)
    page.mouse.move(*place(page, "panel-fused", 23, 29))  # a pixel that no other test has asked for
    expect(said(page, JACOBIAN)).to_have_text(
        re.compile(r"Jacobian of \(23, 29\): There is no such pair\.\s*Try again")
    )
    page.unroute(WINDOWS)
    said(page, JACOBIAN).get_by_role("button").click()
    wait_for_pixel(page, 23, 29)
    expect(page.locator(".waiting:visible")).to_have_count(0)


def test_a_choice_that_did_not_arrive_can_be_made_again(page: Page) -> None:
    fails = dash_fails("..scene.data..")
    page.route(DASH, fails)
    page.select_option("#method-select", "weighted_averaging_true")
    expect(said(page, "panel-fused")).to_contain_text("does not answer")
    assert page.evaluate("() => fusevis.state.scene.method_id") == "weighted_averaging"
    page.unroute(DASH, fails)
    said(page, "panel-fused").get_by_role("button", name="Try again").click()
    page.wait_for_function("() => fusevis.state.scene.method_id === 'weighted_averaging_true'")
    wait_until_settled(page)
    expect(page.locator(".waiting:visible")).to_have_count(0)
    page.select_option("#method-select", "weighted_averaging")
    page.wait_for_function("() => fusevis.state.scene.method_id === 'weighted_averaging'")
    wait_until_settled(page)


def test_figures_of_a_rest_that_did_not_arrive_can_be_asked_for_again(page: Page) -> None:
    fails = dash_fails(".green-points.data.")
    page.route(DASH, fails)
    point_at(page, "panel-fused", 31, 37)
    expect(said(page, JACOBIAN)).to_contain_text("Values to read off: The server does not answer")
    page.unroute(DASH, fails)
    said(page, JACOBIAN).get_by_role("button", name="Try again").click()
    wait_until_settled(page)
    expect(page.locator(".waiting:visible")).to_have_count(0)


def test_guidance_images_grow_and_can_be_fetched_cancelled_and_computed_again(
    open_failing_page: Opener,
) -> None:
    images = "**/images/*/deep_pedestrian/*/guidance*"
    fail = lambda route: route.fulfill(status=500, json={"error": "No memory."})  # noqa: E731
    page = open_failing_page(
        LONG, settled=False, ready="() => window.fusevis && fusevis.state.isGrowing()",
        prepare=lambda page: page.route(images, fail),
    )  # fmt: skip
    expect(said(page, "panel-guidance-rgb")).to_contain_text("Guidance images: No memory.")
    page.unroute(images)
    said(page, "panel-guidance-rgb").get_by_role("button", name="Try again").click()
    page.wait_for_function("() => fusevis.state.grown")
    expect(said(page, "panel-guidance-mri")).to_have_text(re.compile(r"^Guidance \d+ %"))
    assert page.evaluate("() => fusevis.state.limits.provisional")
    assert page.locator(f'section[data-panel="{JACOBIAN}"] .provisional-mark').is_visible()
    page.wait_for_function(
        "() => document.querySelector('#guidance-progress [role=progressbar]').ariaValueNow > 0"
    )
    point_at(page, "panel-fused", 100, 120)  # The page is usable meanwhile.
    shape, end = page.evaluate(
        """() => {
          const { rows } = fusevis.graphs.image("panel-guidance-mri");
          return [[rows.length, rows[0].length], fusevis.state.guidanceEnd()];
        }"""
    )
    assert shape == [256, 256] and end > 0
    page.click("#guidance-button")
    expect(page.locator("#guidance-status")).to_have_text(re.compile("cancelled"))
    expect(page.locator("#guidance-button")).to_have_text("Compute")
    expect(said(page, "panel-guidance-mri")).to_contain_text("not complete")
    said(page, "panel-guidance-mri").get_by_role("button", name="Compute").click()
    page.wait_for_function("() => fusevis.state.isGrowing()")
    expect(page.locator("#guidance-button")).to_have_text("Cancel")
    page.click("#guidance-button")
    expect(page.locator("#guidance-button")).to_have_text("Compute")
    page.click("#guidance-button")
    expect(page.locator("#guidance-button")).to_have_text("Cancel")
    page.click("#guidance-button")
    expect(page.locator("#guidance-button")).to_have_text("Compute")


NOTE_ENDS = """() => {
  window.ends = [];
  const look = () => {
    const { overlays, state } = fusevis;
    if (state.endWait() && overlays.overlay("panel-jacobian-mri").background) window.early = true;
    if (state.limits?.known && state.window) {
      const provisional = state.limits.provisional;
      window.ends.push({ provisional, end: state.jacobianEnd(), fraction: state.limits.fraction });
      if (!provisional) return;
    }
    requestAnimationFrame(look);
  };
  look();
}"""


def test_completing_guidance_images_changes_the_colours_of_jacobian_images_by_little(
    open_page: Opener,
) -> None:
    page = open_page("?pair=healthy-t1&method=deepfuse", settled=False)
    page.evaluate(NOTE_ENDS)
    wait_until_settled(page)
    ends = page.evaluate("() => window.ends")
    assert not page.evaluate("() => window.early"), (
        "nothing is coloured before anybody knows where the scale ends"
    )
    before = [one["end"] for one in ends if one["provisional"] and one["fraction"] > 0]
    assert before, "this test needs a computation that takes longer"
    assert max(ends[-1]["end"] / before[-1], before[-1] / ends[-1]["end"]) < 1.1
    assert all(max(one / other, other / one) < 1.6 for one, other in itertools.pairwise(before))


def test_the_status_line_empties_and_keeps_what_still_holds(page: Page) -> None:
    point_at(page, "panel-fused", 20, 20)
    expect(page.locator("#status-line")).to_have_text("")
    expect(page.locator("#guidance-status")).to_have_text("Guidance complete")
    page.mouse.click(*place(page, "panel-fused", 22, 33))
    expect(page.locator("#status-line")).to_have_text("pinned (click or Esc lets go)")
    page.keyboard.press("Escape")


# Where the points of the shown pixel's neighbourhood lie on the screen, as Plotly's axes say.
POINTS = """() => {
  const { graphs, state } = fusevis;
  const [first, second] = ["panel-guidance-mri", "panel-guidance-pet"].map((panel) => graphs.image(panel).rows);
  const graph = graphs.graph(graphs.SCATTER);
  const { left, top } = graph.getBoundingClientRect();
  const { xaxis, yaxis } = graph._fullLayout;
  const found = [];
  for (let row = state.window.row - 2; row <= state.window.row + 2; row += 1) {
    for (let col = state.window.col - 2; col <= state.window.col + 2; col += 1) {
      const [x, y] = [xaxis.c2p(first[row][col]), yaxis.c2p(second[row][col])];
      found.push([left + xaxis._offset + x, top + yaxis._offset + y]);
    }
  }
  return found;
}"""


def stray_greens(page: Page) -> int:
    """Count green pixels of the scatterplot that belong to no point of the neighbourhood of the pixel that is shown."""
    image, area = screen(page), plot(page, "panel-scatter")
    top, left = int(area.top), int(area.left)
    part = image[top : int(area.top + area.height), left : int(area.left + area.width)]
    green = (part[..., 1] - part[..., [0, 2]].max(axis=-1)) > 60
    at = np.argwhere(green)[:, ::-1] + [left, top]
    points = np.array(page.evaluate(POINTS))
    assert len(at), "there are green points"
    return int((np.abs(at[:, None] - points[None]).max(axis=-1).min(axis=1) > 5).sum())


def test_no_green_point_of_the_pixel_before_stays_under_those_of_the_new_one(
    open_page: Opener, server: Server
) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging&zoom=2")
    point_at(page, "panel-fused", 5, 5)
    wait_until_settled(page)
    assert stray_greens(page) == 0
    held = Held(page, DASH)  # so that Plotly gets nothing new
    point_at(page, "panel-fused", 40, 50)
    page.wait_for_timeout(100)
    assert stray_greens(page) == 0
    held.release()
    wait_until_settled(page)
    assert stray_greens(page) == 0

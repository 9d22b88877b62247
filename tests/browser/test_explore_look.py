"""What the explore page looks like: sizes, narrow and wide windows, the head, words, large panels, the dark theme."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.ids import IMAGE_PANELS, Panel
from tests.browser.conftest import Opener, Server, wait_until_settled
from tests.browser.pictures import AT_REST, choose_mode, click_at, heatmap, place, point_at, wait_until
from tests.browser.seen import plot, screen
from tests.browser.visitors import HEIGHT, WIDTH

WIDTHS = (390, 720, 768, 1100, 1440, 1920, 2560)
"""Of a telephone to that of a large screen; 720 is 1440 at 200 %."""
LEAST_PICTURE = 215
BESIDE = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const { left, right, width, height } = element.getBoundingClientRect();
  const apart = ".visually-hidden, .offcanvas, .panel-graph svg, .overlay, #js-plotly-tester, #js-plotly-tester *, "
    + ".btn-check, details:not([open]) > :not(summary)";
  if (!width || !height || !element.checkVisibility() || element.closest(apart)) return false;
  return getComputedStyle(element).clipPath === "none" && (right > innerWidth + 1 || left < -1);
}).map((element) => `${element.tagName} ${element.id} ${element.className}`)"""
RECTANGLES = """() => [...document.querySelectorAll(".panel-graph, .page-head, .status-row")].map((one) => {
  const { left, top, width, height } = one.getBoundingClientRect();
  return [left, top, width, height];
})"""
OVERLAPS = """() => {
  const parts = [...document.querySelectorAll(".page-head :is(a, button, select, .btn, summary, .form-control)")]
    .filter((element) => element.checkVisibility() && getComputedStyle(element).clipPath === "none")
    .map((element) => [element.id || element.className, element.getBoundingClientRect()]);
  return parts.flatMap(([name, a], index) => parts.slice(index + 1).filter(([, b]) => a.left < b.right - 1
    && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1).map(([other]) => `${name} and ${other}`));
}"""
JACOBIANS = ("panel-jacobian-mri", "panel-jacobian-pet")
PLACES = """(panels) => panels.flatMap((panel) => {
  const section = document.querySelector(`section[data-panel="${panel}"]`);
  return [".overlay-canvas", ".nsewdrag"].map((part) => {
    const { left, top, width, height } = section.querySelector(part).getBoundingClientRect();
    return [left, top, width, height];
  });
})"""
NEAR = f"""([panels, before]) => {{
  const found = ({PLACES})(panels);
  const near = (one, other) => one.every((value, at) => Math.abs(value - other[at]) <= 1);
  return !near(found[1], before) && found.every((place, at) => at % 2 || near(place, found[at + 1]));
}}"""
SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => list.getEntries().forEach((entry) => shifts.push({
  value: entry.value, what: entry.sources.map(({ node, previousRect, currentRect }) => [
    node && (node.id || node.className || node.textContent), previousRect.toJSON(), currentRect.toJSON(),
  ]),
}))).observe({ type: "layout-shift", buffered: true });"""


def resize(page: Page, width: int, height: int) -> None:
    """Give the window another size, and wait until all graphs fit into it and stay where they are."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function("(width) => innerWidth === width", arg=width)
    page.evaluate(AT_REST % RECTANGLES, None)


def pixel(page: Page) -> tuple[int, int]:
    row, col = page.evaluate("() => [fusevis.state.pixel.row, fusevis.state.pixel.col]")
    return row, col


def pinned(page: Page) -> bool:
    return bool(page.evaluate("() => fusevis.state.pinned"))


@pytest.fixture
def page(share_page: Opener, server: Server) -> Page:
    return share_page(f"?pair={server.pair}&method=weighted_averaging", prepare=note_shifts)


def note_shifts(page: Page) -> None:
    page.add_init_script(SHIFTS)


# The next two are of a page that comes for the first time.
def test_nothing_moves_while_the_page_comes(page: Page) -> None:
    shifts = page.evaluate("shifts")
    assert sum(one["value"] for one in shifts) < 0.005, shifts


def test_the_page_says_how_to_begin_until_one_has_begun(page: Page) -> None:
    hint = page.get_by_text("Point at a pixel to see where it comes from. Click to pin.")
    assert hint.is_visible()
    click_at(page, "panel-fused", 10, 12)
    expect(hint).to_be_hidden()
    page.keyboard.press("Escape")
    page.wait_for_function("() => !fusevis.state.pinned && !location.search.includes('pixel=')")
    page.reload()
    page.wait_for_function("() => window.fusevis && fusevis.state.window")
    assert not hint.is_visible()
    wait_until_settled(page)


def test_pictures_have_the_place(share_page: Opener) -> None:
    page = share_page("?method=weighted_averaging")
    for width, height in ((1920, 1080), (1440, 900)):
        resize(page, width, height)
        for panel in IMAGE_PANELS:
            whole, zoom = plot(page, panel), plot(page, panel.zoom)
            assert whole.width >= LEAST_PICTURE and zoom.width >= LEAST_PICTURE, panel
            assert 0 < zoom.left - (whole.left + whole.width) < 40 and zoom.top == whole.top, "beside it"
        strip = page.locator(".scale-strip").bounding_box()
        last = page.locator(".status-row").bounding_box()
        assert strip is not None and last is not None
        assert last["y"] + last["height"] <= height, "nothing scrolls"


def test_a_double_click_enlarges_and_escape_brings_back(page: Page) -> None:
    click_at(page, "panel-fused", 10, 12)
    page.wait_for_function("() => fusevis.state.pinned")
    wait_until_settled(page)
    before = plot(page, "panel-fused")
    page.mouse.dblclick(*place(page, "panel-fused", 30, 30))
    page.wait_for_function("() => fusevis.graphs.area('panel-fused').width > 500")
    assert (pinned(page), pixel(page)) == (True, (10, 12)), "it was no click"
    large = plot(page, "panel-fused")
    assert large.width > 2 * before.width
    page.keyboard.press("Escape")
    page.wait_for_function(
        "(width) => fusevis.graphs.area('panel-fused').width < width + 2", arg=before.width
    )
    wait_until(page, lambda: plot(page, "panel-fused") == before)
    assert (pinned(page), pixel(page)) == (True, (10, 12)), "Esc brought the panel back and no more"
    page.keyboard.press("Escape")
    assert not pinned(page)
    page.hover("section[data-panel=panel-scatter]")
    button = page.locator("section[data-panel=panel-scatter] .panel-enlarge")
    button.click()
    page.wait_for_function("() => fusevis.graphs.area('panel-scatter').width > 900")
    button.click()
    page.wait_for_function("() => fusevis.graphs.area('panel-scatter').width < 600")


def test_gammas_are_read_and_typed(page: Page) -> None:
    number = page.locator("#gamma2-number")
    expect(number).to_have_value("0.5")
    number.fill("1.35")
    page.wait_for_function("() => fusevis.state.display.gamma2 === 1.35")
    number.fill("9")
    page.keyboard.press("Tab")
    expect(number).to_have_value("1.35")
    page.locator("#gamma2 [role=slider]").first.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => fusevis.state.display.gamma2 < 1.35")
    shown = page.evaluate("fusevis.state.display.gamma2")
    expect(number).to_have_value(f"{shown:g}")
    page.select_option("#colour-scale", "signed")
    low = page.locator("[data-end=guidance-low]")
    expect(low).to_have_text(f"−{page.locator('[data-end=guidance-high]').inner_text()}")
    page.click(".scale-reset")
    expect(number).to_have_value("0.5")
    expect(page.locator("#colour-scale")).to_have_value("paper")
    expect(low).to_have_text("0")


def test_panels_explain_themselves_in_words_of_the_pair(page: Page) -> None:
    names = page.evaluate("fusevis.state.scene.modalities")
    legend = page.locator(".rgb-legend li")
    assert legend.all_inner_texts() == [f"{names[0]} counts", f"{names[1]} counts", "both", "neither, bright"]
    assert f"answers to that very pixel of {names[1]}" in (legend.nth(1).get_attribute("title") or "")
    for index, panel in enumerate(("panel-guidance-mri", "panel-guidance-pet")):
        ranged = legend.nth(index).locator(f"[data-range-of={panel}]")
        values, _ = heatmap(page, panel)
        told = [
            float(end.replace("−", "-")) for end in (ranged.get_attribute("data-range") or "").split(" to ")
        ]
        np.testing.assert_allclose(told, (np.nanmin(values), np.nanmax(values)), rtol=5e-3)
    for panel, words in (
        ("guidance-pet", "equation 2"),
        ("jacobian-mri", "equation 1"),
        ("mri-zoom", "half-width"),
    ):
        about = page.locator(f"section[data-panel=panel-{panel}] .panel-about")
        about.locator("summary").click()
        assert words in about.inner_text()
        assert page.evaluate(BESIDE) == []
    assert page.locator(".panel-about[open]").count() == 1, "another one closes the one before"
    page.keyboard.press("Escape")
    assert page.locator(".panel-about[open]").count() == 0
    for panel in ("guidance-mri", "jacobian-mri"):
        assert f"∂y/∂{names[0]}" in page.evaluate(
            "(panel) => fusevis.graphs.graph(panel).data[0].colorbar.title.text", f"panel-{panel}"
        )


def test_what_is_painted_follows_its_axes(page: Page) -> None:
    """Pictures of which nothing is painted again lie over their axes wherever these go."""
    for relayout in (
        lambda: page.click("#region-open"),
        lambda: page.click("#region-close"),
        lambda: page.set_viewport_size({"width": 1100, "height": 800}),
        lambda: page.set_viewport_size({"width": WIDTH, "height": HEIGHT}),
    ):
        before = page.evaluate(PLACES, list(JACOBIANS))[1]
        relayout()
        page.wait_for_function(NEAR, arg=[list(JACOBIANS), before])


def test_windows_of_any_width_have_everything(page: Page) -> None:
    click_at(page, "panel-fused", 20, 20)
    page.wait_for_function("() => fusevis.state.pinned")
    page.evaluate("() => [...'abcdefghijkl'].forEach((name) => fusevis.regions.add(name))")
    expect(page.locator("#region-open")).to_have_text("Regions (12)")
    for width in WIDTHS:
        resize(page, width, 900)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scroll"
        assert page.evaluate(BESIDE) == [], width
        assert page.evaluate(OVERLAPS) == [], width
        assert width < 1280 or page.evaluate("document.querySelector('.page-head').offsetHeight") == 44
        sides = [page.locator(f"#{panel}").bounding_box() for panel in (*Panel, Panel.PET.zoom)]
        assert all(side is not None and side["width"] > 150 and side["height"] > 150 for side in sides), width
    resize(page, WIDTH, HEIGHT)
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.search.includes('pixel=')")


def test_the_dark_theme_is_dark_and_the_box_has_a_white_edge(page: Page) -> None:
    point_at(page, "panel-fused", 20, 20)
    shadow = page.evaluate(
        "getComputedStyle(document.querySelector('[data-panel=panel-mri] .pixel-box')).boxShadow"
    )
    assert "255, 255, 255" in shadow
    page.click("#theme-switch")
    page.wait_for_function("() => document.documentElement.dataset.bsTheme === 'dark'")
    where = plot(page, "panel-scatter")
    image = screen(page)[
        round(where.top) + 2 : round(where.top + where.height) - 2,
        round(where.left) + 2 : round(where.left + where.width) - 2,
    ]
    assert np.median(image) < 60, "its ground"
    assert (image.min(axis=-1) > 120).any(), "its points"
    green = (image[..., 1] > 90) & (image[..., 1] > image[..., 0] + 40) & (image[..., 1] > image[..., 2])
    assert green.any(), "the neighbourhood is green in this theme too"
    page.click("#theme-switch")
    page.wait_for_function("() => document.documentElement.dataset.bsTheme === 'light'")


# Leaves the pictures zoomed in.
def test_tools_have_keys_and_are_one_stop(page: Page) -> None:
    for key, tool in (("z", "zoom"), ("h", "pan"), ("r", "box"), ("l", "lasso"), ("v", "pixel")):
        page.keyboard.press(key)
        page.wait_for_function("(tool) => document.body.dataset.mode === tool", arg=tool)
    page.focus("#toolbar-mode input:checked")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#toolbar-mode')") is None
    choose_mode(page, "Zoom")
    point_at(page, "panel-mri", 10, 10)
    page.mouse.down()
    x, y = place(page, "panel-mri", 30, 34)
    page.mouse.move(x, y, steps=5)
    page.mouse.up()
    page.wait_for_function("() => fusevis.graphs.area('panel-mri').x[1] < 50")
    # Not where the drag began, which may lie outside by now.
    page.wait_for_function(
        """([x, y]) => { const { row, col } = fusevis.graphs.pixelAt("panel-mri", x, y);
            return fusevis.state.pixel.row === row && fusevis.state.pixel.col === col; }""",
        arg=[x, y],
    )
    assert pixel(page) != (10, 10)

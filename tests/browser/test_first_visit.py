"""What a visitor sees without touching anything."""

from __future__ import annotations

from playwright.sync_api import Page

from app.ids import IMAGE_PANELS, Panel
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import box_pixels, readout
from tests.browser.test_explore_look import resize


def opened(share_page: Opener) -> Page:
    """Return a page that nobody changes for good."""
    return share_page("?method=weighted_averaging")


def overflowing(page: Page) -> bool:
    """Whether one would have to scroll sideways."""
    return bool(page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"))


def test_everything_fits(share_page: Opener) -> None:
    page = opened(share_page)
    for width, height in ((1440, 900), (1920, 1080), (1440, 900)):
        resize(page, width, height)
        assert not overflowing(page)
        for panel in [*Panel, *(panel.zoom for panel in IMAGE_PANELS)]:
            box = page.locator(f"#{panel} .main-svg").first.bounding_box()
            assert box is not None and box["width"] > 180 and box["height"] > 180, panel
            assert 0 <= box["x"] and box["x"] + box["width"] <= width, panel
            assert 0 <= box["y"] and box["y"] + box["height"] <= height, panel


# Guidance images of the first sample take longer than this test needs; its inputs and its fused image must be there.
INPUTS_DRAWN = """() => window.fusevis?.state?.window && fusevis.state.scene
  && ["panel-mri", "panel-pet", "panel-fused"].every((panel) => fusevis.graphs.image(panel)
    && document.querySelector(`#${panel} .gtitle`) && fusevis.overlays.overlay(panel).box.dataset.row)
  && ["x1", "x2", "y"].every((name) => {
    const text = document.querySelector(`#pixel-readout [data-field="${name}"]`)?.textContent;
    return text && Number.isFinite(Number(text));
  })"""


def test_ones_own_pair_comes_first(open_page: Opener, server: Server) -> None:
    page = open_page(settled=False)
    assert page.input_value("#pair-select") == server.pair
    assert page.locator("#pair-select option:not([value=''])").first.get_attribute("value") == server.pair
    page.wait_for_function("(part) => location.search.includes(part)", arg=f"pair={server.pair}&v=4")
    other = open_page("compare", settled=False, ready="() => window.fusevis?.compare?.state?.common()")
    assert other.input_value("#compare-pair") == server.pair


def test_the_first_view_means_something(open_page: Opener) -> None:
    """A glioma sample, FunFuseAn, the principal pixel in the dark core of the PET lesion.

    It is that of all links of version 1, and of servers without pairs of one's own.
    """
    page = open_page("?v=1", settled=False, ready=INPUTS_DRAWN)
    assert page.input_value("#pair-select") == "glioma-t2"
    assert page.input_value("#method-select") == "funfusean"
    assert "simulated" in page.locator("#pair-select option:checked").inner_text()
    fields = readout(page)
    assert float(fields["x1"]) > 0.6 and float(fields["x2"]) < 0.2
    assert {"MRI T2 ", "∂y/∂PET "} <= set(page.locator(".readout-label").all_text_contents())
    scene = page.evaluate("() => fusevis.state.scene")
    boxes = box_pixels(page)
    for panel in ("panel-mri", "panel-pet", "panel-fused"):
        assert boxes[panel] == scene["default_pixel"], panel
    titles = page.locator("#panel-mri .gtitle, #panel-pet .gtitle").all_text_contents()
    assert len(titles) == 2 and all("simulated" in title for title in titles)


def test_units_and_legend(share_page: Opener) -> None:
    page = opened(share_page)
    for gamma in ("gamma1", "gamma2"):
        assert "dimensionless" in (page.locator(f"label[for={gamma}]").get_attribute("title") or "")
    for axis in ("xtitle", "ytitle"):
        assert "dimensionless" in (page.locator(f"#panel-scatter .{axis}").first.text_content() or "")
    assert len(page.locator(".rgb-legend li").all()) == 4
    page.click("#help-open")
    page.wait_for_selector(".offcanvas.show:not(.showing)")
    text = page.locator(".offcanvas").inner_text()
    for word in ("Jacobian images", "Guidance images", "Guidance RGB", "Scatterplot", "magenta"):
        assert word in text
    page.keyboard.press("Escape")
    page.wait_for_selector(".offcanvas", state="detached")


def test_every_control_has_a_name(share_page: Opener) -> None:
    page = opened(share_page)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll(":is(.page-head, .scale-strip, .status-row) :is(select, input, button)")]
            .filter((element) => element.offsetParent !== null)
            .filter((element) => !(element.labels && element.labels.length) && !element.getAttribute("aria-label")
                && !element.getAttribute("aria-labelledby") && !element.textContent.trim())
            .map((element) => element.outerHTML)"""
    )
    assert unnamed == []


def test_themes(share_page: Opener) -> None:
    page = opened(share_page)
    background = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.click("#theme-switch")
    page.wait_for_function("() => document.documentElement.dataset.bsTheme === 'dark'")
    assert page.evaluate(background) != light
    assert page.evaluate("() => getComputedStyle(document.querySelector('#panel-mri .gtitle')).fill") == (
        page.evaluate("() => getComputedStyle(document.body).color")
    )
    page.click("#theme-switch")
    page.wait_for_function("() => document.documentElement.dataset.bsTheme === 'light'")

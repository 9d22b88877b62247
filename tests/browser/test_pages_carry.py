"""The links between both pages carry all that both can show, and what is drawn is drawn with it.

Catches by hand-made faults: a link that loses zoom, either gamma, scale, pixel, pair, method or regions, either way.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page

from tests.browser.conftest import Opener
from tests.browser.seen import cells, eventually, plot, require_colours, screen
from tests.browser.test_colours_by_hand import expected_cell, require_cells
from tests.browser.test_compare_page import SETTLED as COMPARE_SETTLED

METHOD = "weighted_averaging"
GAMMAS = (0.7, 1.2)
"""None is what a page begins with, which links leave out."""
REGION = "box~d6336c~b4.0.6.2"
REGIONS = "() => fusevis.regions.all().map(({ name, count }) => [name, count])"
CARRIED = {
    "pair": "drawn", "pixel": "2,3", "gamma1": "0.7", "gamma2": "1.2", "scale": "signed", "zoom": "2",
    "regions": REGION,
}  # fmt: skip


def parts(page: Page) -> dict[str, str]:
    """Return the parts of the page's address, once it has those of its regions, which come last."""
    page.wait_for_function(
        "() => location.search.includes('regions=') && location.search.includes('weights=')"
    )
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def controls(page: Page, prefix: str) -> dict[str, str]:
    """Return what the page's own controls say."""
    zoom = "#compare-zoom" if prefix else "#zoom-half-width"
    return {
        "pair": page.input_value("#compare-pair" if prefix else "#pair-select"),
        "scale": page.input_value("#compare-scale" if prefix else "#colour-scale"),
        "zoom": page.input_value(zoom),
        **{
            gamma: page.locator(f"#{gamma} [role=slider], #{gamma}-wrapper [role=slider]").first.get_attribute(
                "aria-valuenow"
            ) or ""
            for gamma in ("gamma1", "gamma2")
        },
    }  # fmt: skip


def require_region(page: Page) -> None:
    """Wait for the region of the link, which comes a moment after the page."""
    page.wait_for_function("() => window.fusevis?.regions?.all().length")
    assert page.evaluate(REGIONS) == [["box", 4]]


def require_controls(page: Page, prefix: str) -> None:
    found = controls(page, prefix)
    assert found == {key: CARRIED[key] for key in found}


def test_from_explore_to_compare_and_back(open_page: Opener) -> None:
    query = "&".join(f"{key}={value}" for key, value in CARRIED.items())
    page = open_page(f"?method={METHOD}&{query}", height=1700)
    assert {key: parts(page).get(key) for key in CARRIED} == CARRIED
    page.get_by_role("link", name="Compare", exact=True).click()
    page.wait_for_function(COMPARE_SETTLED)
    assert page.title() == "Compare · FuseVis"
    assert page.evaluate("() => fusevis.compare.state.a.pixel") == {"row": 2, "col": 3}
    there = parts(page)
    require_region(page)
    # The compare page begins with these colours, which its control has to say.
    assert {key: there.get(key) for key in CARRIED} == CARRIED | {"scale": None}
    require_controls(page, "compare")
    first_method = page.locator("[data-method]").first.get_attribute("data-method")
    assert first_method == METHOD
    page.get_by_role("link", name="Explore", exact=True).click()
    page.wait_for_function("() => document.querySelector('#pixel-readout [data-field=g1]')")
    back = parts(page)
    assert {key: back.get(key) for key in CARRIED} == CARRIED
    assert back["method"] == METHOD
    page.wait_for_function("() => window.fusevis?.state?.window")
    require_region(page)
    assert page.evaluate("() => fusevis.state.pixel") == {"row": 2, "col": 3}
    require_controls(page, "")


def test_what_is_carried_is_drawn(open_page: Opener) -> None:
    """The pictures after the way over are those of both gammas, the scale and the zoom, by hand."""
    query = "&".join(f"{key}={value}" for key, value in CARRIED.items() if key != "regions")
    page = open_page(f"compare?methods={METHOD}&{query}&columns=guidance_mri,jacobian_mri,jacobian_mri_zoom",
                     settled=False, ready=COMPARE_SETTLED)  # fmt: skip
    columns = ("guidance_mri", "jacobian_mri", "jacobian_mri_zoom")
    eventually(page, lambda: require_cells(page, columns, (2, 3), True, GAMMAS))
    page.set_viewport_size({"width": 1440, "height": 1700})
    page.get_by_role("link", name="Explore", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('.nsewdrag').length >= 17")

    def check() -> None:
        image = screen(page)
        for panel in columns:
            expected = expected_cell(panel, (2, 3), signed=True, gammas=GAMMAS)
            found = cells(image, plot(page, f"panel-{panel.replace('_', '-')}"), expected.shape)
            require_colours(found, expected, panel)

    eventually(page, check)

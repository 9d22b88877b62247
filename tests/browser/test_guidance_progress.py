"""Guidance images that grow, can be cancelled, and are found again."""

from __future__ import annotations

from app.ids import Id
from app.layout.parts import POLL_MILLISECONDS
from tests.browser.conftest import Opener, Server, wait_until_settled
from tests.browser.pictures import heatmap, point_at


def test_growing_cancelling_and_computing_again(open_page: Opener) -> None:
    page = open_page("?pair=healthy-t2&method=deep_pedestrian", settled=False)
    page.wait_for_function("() => fusevis.graphs.image('panel-guidance-mri') !== null")
    assert page.evaluate("() => fusevis.state.limits.provisional")
    assert page.locator('section[data-panel="panel-jacobian-mri"] .provisional-mark').is_visible()
    page.wait_for_function(
        "() => document.querySelector('#guidance-progress [role=progressbar]').ariaValueNow > 0"
    )
    # The page is usable meanwhile.
    point_at(page, "panel-fused", 100, 120)
    z, colours = heatmap(page, "panel-guidance-mri")
    assert z.shape == (256, 256) and colours["zmax"] > 0
    page.click("#guidance-button")
    page.wait_for_function("() => /cancelled/.test(document.getElementById('guidance-status').textContent)")
    page.wait_for_function("() => document.getElementById('guidance-button').textContent === 'Compute'")
    page.click("#guidance-button")
    page.wait_for_function("() => document.getElementById('guidance-button').textContent === 'Cancel'")
    page.click("#guidance-button")
    page.wait_for_function("() => document.getElementById('guidance-button').textContent === 'Compute'")


def test_the_compare_page_cancels_all_guidance_and_goes_on(open_page: Opener) -> None:
    ready = """() => window.fusevis && fusevis.compare && fusevis.compare.state
        && Object.values(fusevis.compare.state.progress).some(({ stage }) => stage === "running")"""
    query = "compare?pair=healthy-t2&methods=deep_pedestrian,funfusean"
    page = open_page(query, settled=False, ready=ready)
    button = page.locator("#compare-guidance")
    stages = """() => Object.values(fusevis.compare.state.progress).map(({ stage }) => stage)"""

    def wait_for(words: str, *wanted: str) -> None:
        page.wait_for_function(
            f"""([words, wanted]) => document.getElementById("compare-guidance").textContent === words
                && ({stages})().join() === wanted""",
            arg=[words, ",".join(wanted)],
        )

    assert button.inner_text() == "Cancel guidance" and button.is_enabled()
    button.click()
    wait_for("Compute guidance", "cancelled", "cancelled")
    page.wait_for_timeout(1000)
    assert page.evaluate(stages) == ["cancelled"] * 2, "no poll starts them again"
    button.click()
    wait_for("Cancel guidance", "running", "waiting")
    button.click()
    wait_for("Compute guidance", "cancelled", "cancelled")


def test_finished_guidance_is_remembered(open_page: Opener, server: Server) -> None:
    query = f"?pair={server.pair}&method=masknet"
    open_page(query)
    page = open_page(query, settled=False)
    page.wait_for_function("() => fusevis.state.limits && !fusevis.state.limits.provisional")
    assert page.locator("#guidance-status").inner_text() == "Guidance complete"
    assert page.locator("#guidance-button").is_disabled()
    wait_until_settled(page)


SLOW = """(milliseconds) => {
  const real = window.fetch;
  window.fetch = async (address, options) => {
    const answer = await real(address, options);
    if (String(options?.body).includes("panel-guidance-mri.figure")) {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
    }
    return answer;
  };
}"""


def test_guidance_images_come_over_a_connection_slower_than_the_poll(
    open_page: Opener, server: Server
) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging")
    page.evaluate(SLOW, 2 * POLL_MILLISECONDS[Id.GUIDANCE_POLL])
    page.select_option("#pair-select", "healthy-t1")
    page.wait_for_function("() => fusevis.state.scene.pair_address === 'healthy-t1' && fusevis.state.window")
    wait_until_settled(page)

"""Links of before open with the weights of then, and one click leads to today's."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Server, wait_until_settled

SEEN = "funfusean@c9cdf247"
TITLE = "FunFuseAn, earlier weights c9cdf247"
NEWER = "#newer-weights"


def scene_is(page: Page, method: str) -> None:
    page.wait_for_function("(id) => fusevis.state.scene?.method_id === id", arg=method)


def test_an_old_link_shows_its_weights_until_newer_ones_are_asked_for(
    open_page: Opener, server: Server
) -> None:
    page = open_page(f"?pair={server.pair}&method=funfusean&weights=c9cdf247&pixel=7,41&v=3")
    scene_is(page, SEEN)
    assert page.input_value("#method-select") == SEEN
    assert page.evaluate("() => fusevis.state.scene.weights_id").startswith("c9cdf247")
    expect(page.locator("#method-select option:checked")).to_have_text(TITLE)
    expect(page.locator(NEWER)).to_be_visible()
    assert page.locator(".toast").count() == 0, "nothing is missing"
    page.wait_for_function("() => location.search.includes('weights=c9cdf247')")
    page.click(NEWER)
    scene_is(page, "funfusean")
    wait_until_settled(page)
    expect(page.locator(NEWER)).to_be_hidden()
    page.wait_for_function(
        "() => location.search.includes('pixel=7,41') && !location.search.includes('c9cdf247')"
    )


def test_an_old_table_too(open_page: Opener, server: Server) -> None:
    methods = "() => fusevis.compare.state.scenes.map((scene) => scene.method_id).join()"
    page = open_page(
        f"compare?pair={server.pair}&methods=plain_mean,funfusean&weights=,c9cdf247&columns=fused&v=3",
        settled=False,
        ready=f"() => window.fusevis?.compare?.state?.scenes?.length && ({methods})()",
    )
    assert page.evaluate(methods) == f"plain_mean,{SEEN}"
    page.click(NEWER)
    page.wait_for_function(f"() => ({methods})() === 'plain_mean,funfusean'")
    expect(page.locator(NEWER)).to_be_hidden()

"""The address follows the view; whoever opens it sees the same, and nobody sees anybody else's."""

from __future__ import annotations

from playwright.sync_api import Page

from app.link.view_state import CompareState, ExploreState
from tests.browser.conftest import Opener, Server, wait_until_settled
from tests.browser.pictures import choose_mode, click_at, place, wait_for_pixel

LEFT_AT_ONCE = """() => {
  fusevis.state.display.gamma1 = 0.9;
  const link = document.querySelector("a[data-page=compare]");
  link.addEventListener("click", (event) => event.preventDefault(), { once: true });
  link.click();
  return location.search;
}"""


def view_of(page: Page) -> ExploreState:
    """Read the page's address as the server would; nothing in it may be wrong."""
    view, notices = ExploreState.from_query(page.evaluate("location.search"))
    assert notices == []
    return view


def wait_for(page: Page, part: str) -> None:
    page.wait_for_function("(part) => location.search.includes(part)", arg=part)


def test_the_address_follows_the_view_without_a_loop(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging")
    wait_for(page, "weights=")
    entries = page.evaluate("history.length")
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.post_data or "") if request.method == "POST" else None
    )
    click_at(page, "panel-mri", 11, 23)
    wait_for(page, "pixel=11,23")
    assert view_of(page).pixel == (11, 23)
    page.keyboard.press("ArrowDown")
    wait_for(page, "pixel=12,23")
    page.select_option("#colour-scale", "signed")
    wait_for(page, "scale=signed")
    page.fill("#zoom-half-width", "5")
    wait_for(page, "zoom=5")
    page.check("#zoom-follows-support")
    wait_for(page, "zoom=support")
    choose_mode(page, "Zoom")
    page.mouse.move(*place(page, "panel-fused", 8, 8))
    page.mouse.down()
    page.mouse.move(*place(page, "panel-fused", 32, 40), steps=4)
    page.mouse.up()
    wait_for(page, "area=")
    view = view_of(page)
    assert view.area is not None and 4 < view.area[0] < 14 and 26 < view.area[2] < 46
    assert (view.pixel, view.scale, view.zoom) == ((12, 23), "signed", "support")
    assert page.evaluate("location.search") == view.to_query(), "as Python writes it"
    page.wait_for_timeout(800)
    assert page.evaluate("location.search") == view.to_query()
    assert page.evaluate("history.length") == entries
    assert not [body for body in asked if '"location.search"' in body or '"id":"location"' in body]
    assert "gamma1=0.9" in page.evaluate(LEFT_AT_ONCE)


def test_two_visitors_never_meet_and_each_goes_back_to_the_views_that_it_has_left(
    open_page: Opener, server: Server
) -> None:
    one = open_page(f"?pair={server.pair}&method=weighted_averaging&pixel=3,4")
    other = open_page(f"?pair={server.pair}&method=deepfuse&pixel=40,50&gamma1=1.5")
    one.keyboard.press("ArrowRight")
    wait_for_pixel(one, 3, 5)
    wait_for(one, "pixel=3,5")
    wait_until_settled(other)
    assert (view_of(one).method, view_of(one).pixel, view_of(one).gamma1) == (
        "weighted_averaging",
        (3, 5),
        0.3,
    )
    assert (view_of(other).method, view_of(other).pixel, view_of(other).gamma1) == ("deepfuse", (40, 50), 1.5)
    require_way_back(other, (40, 50))


def require_way_back(page: Page, pixel: tuple[int, int]) -> None:
    """Go to the compare page, back, and forward again."""
    page.select_option("#colour-scale", "robust")
    wait_for(page, "scale=robust")
    left = page.evaluate("location.search")
    page.get_by_role("link", name="Compare").click()
    page.wait_for_function("() => window.fusevis && fusevis.compare && fusevis.compare.state.a.shown")
    wait_for(page, "weights=")
    view, _ = CompareState.from_query(page.evaluate("location.search"))
    assert (view.pixel, view.scale) == (pixel, "robust"), "carried along"
    compared = page.evaluate("location.search")
    page.go_back()
    page.wait_for_function(
        "() => window.fusevis && fusevis.state && fusevis.state.window && fusevis.state.pinned"
    )
    assert page.evaluate("location.search") == left
    assert page.evaluate("fusevis.state.pixel") == dict(zip(("row", "col"), pixel, strict=True))
    page.go_forward()
    page.wait_for_function("() => window.fusevis && fusevis.compare && fusevis.compare.state.a.shown")
    assert page.evaluate("location.search") == compared


def test_a_link_of_other_weights_says_so_and_one_of_these_is_copied_or_offered(
    open_page: Opener, server: Server
) -> None:
    for query in (
        f"?pair={server.pair}&method=deepfuse&weights=00000000",
        f"compare?pair={server.pair}&methods=weighted_averaging,deepfuse&weights=,00000000",
    ):
        page = open_page(query, settled=False, ready="() => window.fusevis && fusevis.address")
        page.wait_for_selector(".toast")
        assert "other weights of DeepFuse (00000000)" in page.locator(".notices").inner_text()
        page.wait_for_function(
            """() => location.search === fusevis.address.query() && location.search.includes("weights=")
              && !location.search.includes("00000000")"""
        )
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.click("#copy-link")
        page.wait_for_function("() => document.querySelector('#copy-link').textContent === 'Link copied'")
        assert page.evaluate("navigator.clipboard.readText()") == page.url
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
        page.click("#copy-link")
        assert page.input_value(".link-dialog input") == page.url
        page.keyboard.press("Escape")
        page.wait_for_selector(".link-dialog", state="detached")

"""The button beside the menu of pairs: x1 and x2 change places, and the link says so."""

from __future__ import annotations

from tests.browser.conftest import WAIT_MILLISECONDS, Opener, Server

MODALITIES = "() => fusevis.state.scene.modalities.join()"


def test_x1_and_x2_change_places_and_the_link_says_so(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={server.pair}~swapped&method=weighted_averaging")
    assert page.evaluate(MODALITIES) == "PET,MRI"
    page.wait_for_function("() => location.search === fusevis.address.query()")
    swapped = page.evaluate("() => location.search")
    page.click("#pair-swap")
    page.wait_for_function("() => !location.search.includes('~swapped')", timeout=WAIT_MILLISECONDS)
    assert page.evaluate(MODALITIES) == "MRI,PET"
    page.click("#pair-swap")
    page.wait_for_function("(link) => location.search === link", arg=swapped, timeout=WAIT_MILLISECONDS)
    assert page.evaluate(MODALITIES) == "PET,MRI"
    assert page.input_value("#pair-select") == f"{server.pair}~swapped"
    assert page.locator("#pair-select option:checked").inner_text().startswith("⇄ MRI / PET")

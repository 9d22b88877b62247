"""A network brought to the page: refused if it is a program, else read, described, tried, hovered, linked, deleted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Server, wait_until_settled
from tests.browser.pictures import painted_window, point_at
from tests.browser.test_axe import require_nothing_grave, still
from tests.unit.onnx_files import model_of, node

LONG_MILLISECONDS = 300_000
"""Three processes start one after the other, each of which loads torch."""
IS_SHOWN = "() => fusevis.state.scene?.method_id.startsWith('network-') && fusevis.state.window"


def open_more(page: Page, button: str) -> None:
    page.click(".head-menu > summary")
    page.click(button)


def test_a_network_is_brought_hovered_described_linked_and_deleted(
    open_page: Opener, server: Server, tmp_path: Path
) -> None:
    kernel = np.random.default_rng().normal(size=(1, 2, 3, 3)).astype(np.float32)
    nodes = [node("Concat", "x1 x2", "both", axis=1), node("Conv", "both kernel", pads=[1, 1, 1, 1])]
    (tmp_path / "sharp.onnx").write_bytes(model_of(nodes, {"kernel": kernel}).SerializeToString())
    (tmp_path / "sharp.pt2").write_bytes(b"PK")
    page = open_page(f"?pair={server.pair}&method=weighted_averaging", prepare=still)
    open_more(page, "#networks-open")
    message = page.locator(".networks-dialog .uploads-message")
    page.set_input_files(".networks-file", tmp_path / "sharp.pt2")
    expect(message).to_contain_text("sharp.pt2: networks are taken as ONNX files")
    page.set_input_files(".networks-file", tmp_path / "sharp.onnx")
    expect(page.locator(".network-form")).to_contain_text("and has 2 operators", timeout=LONG_MILLISECONDS)
    require_nothing_grave(page, "a network before it is used", ".networks-dialog")
    page.get_by_label("Black", exact=True).fill("9")
    page.get_by_role("button", name="Try and use it").click()
    expect(message).to_contain_text("black first")
    page.get_by_label("Black", exact=True).fill("0")
    page.get_by_label("Title").fill("Own kernel")
    page.get_by_role("button", name="Try and use it").click()
    page.wait_for_function(IS_SHOWN, timeout=LONG_MILLISECONDS)
    wait_until_settled(page)
    expect(page.locator("#method-select option:checked")).to_have_text("Own kernel (uploaded)")

    point_at(page, "panel-fused", 20, 9)
    values, window = painted_window(page)
    assert (window["top"], window["left"]) == (19, 8)
    np.testing.assert_allclose(values, kernel[0], atol=1e-6)

    open_more(page, "#method-card-open")
    cards = page.locator(".method-cards")
    expect(cards).to_contain_text("brought to the page", timeout=LONG_MILLISECONDS)
    for words in ("Own kernel", "1 pixels of x1, 1 of x2", "autograd through the whole image", "adapted"):
        expect(cards).to_contain_text(words)
    require_nothing_grave(page, "a method's card", "dialog[open]")
    page.keyboard.press("Escape")

    page.wait_for_function("() => location.search.includes('method=network-')")
    other = open_page(page.evaluate("() => location.search"))
    expect(other.locator("#method-select option:checked")).to_have_text("Own kernel (uploaded)")
    # It would ask for what is deleted below.
    other.close()

    open_more(page, "#networks-open")
    page.get_by_role("button", name="Delete Own kernel").click()
    expect(message).to_have_text("Deleted.")
    expect(page.locator(".networks-dialog .uploads-own li")).to_have_count(0)

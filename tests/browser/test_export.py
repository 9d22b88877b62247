"""Files of a view, as a visitor takes them away; conftest.py holds the console empty at the end of each test."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.ids import CompareColumn
from tests.browser.conftest import Opener, Server
from tests.browser.test_compare_page import METHODS, open_compare, place

REGION = "&regions=my%20region~d6336c~b4.6.20.30"


def open_menu(page: Page) -> None:
    page.locator("#export-menu summary").click()


def taken(page: Page, selector: str, folder: Path) -> Path:
    """Press a button of the menu and return the file that it gives."""
    button = page.locator(selector)
    expect(button).to_be_enabled()
    with page.expect_download() as download:
        button.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def require_alone(page: Page, path: Path, *words: str) -> Page:
    """Open an HTML file where nothing serves it: it shows its picture and these words, and loads nothing."""
    other = page.context.new_page()
    requests: list[str] = []
    other.on("request", lambda request: requests.append(request.url))
    other.on("console", lambda message: pytest.fail(message.text))
    other.goto(path.as_uri())
    other.wait_for_function(
        "() => document.images.length && [...document.images].every((one) => one.complete)"
    )
    assert other.evaluate("() => Math.min(...[...document.images].map((one) => one.naturalWidth))") > 500
    for word in words:
        expect(other.locator("body")).to_contain_text(word)
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    return other


def test_the_view_is_taken_away_as_files(open_page: Opener, server: Server, tmp_path: Path) -> None:
    page = open_compare(open_page, server, "&pin=2,3")
    open_menu(page)
    files = {
        form: taken(page, f"[data-export={form}]", tmp_path) for form in ("npz", "html", "svg", "png", "csv")
    }
    assert all(path.suffix == f".{form}" for form, path in files.items())
    shown = page.evaluate("() => fusevis.compare.state.a.pixel")
    with np.load(files["npz"], allow_pickle=False) as arrays:
        about = json.loads(str(arrays["metadata"]))
        assert arrays["jacobian_b"].shape[0] == 2
    assert about["pixels"] == {"a": [shown["row"], shown["col"]], "b": [2, 3]}
    assert "<svg" in files["svg"].read_text(encoding="utf-8")
    assert {
        row["method"] for row in csv.DictReader(files["csv"].read_text(encoding="utf-8").splitlines())
    } == set(METHODS)
    require_alone(page, files["html"], "The paper's requirements")


def test_figures_have_the_difference_and_the_regions(
    share_page: Opener, server: Server, tmp_path: Path
) -> None:
    page = open_compare(share_page, server, f"&difference={','.join(METHODS)}{REGION}")
    open_menu(page)
    text = taken(page, "[data-export=svg]", tmp_path).read_text(encoding="utf-8")
    assert "my region (384 pixels)" in text and "− DeepFuse" in text and "difference: guidance" in text


def test_a_difference_that_has_no_row_is_missed_aloud(
    open_page: Opener, server: Server, tmp_path: Path
) -> None:
    page = open_compare(open_page, server, f"&difference={METHODS[0]},masknet")
    open_menu(page)
    text = taken(page, "[data-export=svg]", tmp_path).read_text(encoding="utf-8")
    assert "masknet has no row" in " ".join(text.replace("</text>", " ").split())
    expect(page.locator("#export-menu [role=status]")).to_contain_text("The difference is not in it")


def test_all_numbers_are_waited_for(share_page: Opener, server: Server, tmp_path: Path) -> None:
    page = open_compare(share_page, server, REGION)
    open_menu(page)
    page.get_by_label("Compute missing numbers first").check()
    other = require_alone(page, taken(page, "[data-export=html]", tmp_path), "my region")
    expect(other.get_by_text("Not complete.")).to_have_count(0)
    influence = other.locator("table.numbers").nth(1)
    rows = influence.locator("tbody tr").filter(has_text="my region")
    assert rows.count() >= len(METHODS)
    assert other.locator(".checklist tbody tr").count() == len(METHODS)


def test_waiting_for_numbers_can_be_stopped(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server, REGION)
    # As a server would answer that never gets done.
    page.route(
        "**/export/compare-complete.csv?*",
        lambda route: route.fulfill(status=202, json={"waiting": "Half. Ask again."}),
    )
    open_menu(page)
    page.get_by_label("Compute missing numbers first").check()
    page.locator("[data-export=csv]").click()
    status = page.locator("#export-menu [role=status]")
    expect(status).to_have_text("Half.")
    expect(page.locator("[data-export=png]")).to_be_disabled()
    page.get_by_role("button", name="Stop waiting").click()
    expect(status).to_contain_text("Stopped.")
    expect(page.locator("[data-export=png]")).to_be_enabled()
    expect(page.get_by_role("button", name="Stop waiting")).to_be_hidden()


def test_a_picture_alone_by_the_pointer_and_by_the_keyboard(
    share_page: Opener, server: Server, tmp_path: Path
) -> None:
    page = open_compare(share_page, server, f"&difference={','.join(METHODS)}")
    page.mouse.move(*place(page, 5, 5, "guidance"))
    page.locator("#export-menu summary").focus()
    page.keyboard.press("Enter")
    row, column = page.get_by_label("Row", exact=True), page.get_by_label("Picture", exact=True)
    expect(row).to_have_value(METHODS[0])
    expect(column).to_have_value("guidance_mri")
    page.keyboard.press("Tab")
    while not page.evaluate("() => document.activeElement.id === 'export-row'"):
        page.keyboard.press("Tab")
    page.keyboard.type("Weighted Averaging, weights held constant −")
    expect(row).to_have_value("difference")
    options = column.locator("option").evaluate_all("(all) => all.map((one) => one.value)")
    assert options == [one for one in CompareColumn if one not in ("fused_colour", "guidance_rgb", "scatter")]
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith("difference-guidance_mri.png")
    page.keyboard.press("Escape")
    expect(page.locator("#export-menu")).not_to_have_attribute("open", "")


def test_the_explore_page_has_the_same_files_of_its_method(
    open_page: Opener, server: Server, tmp_path: Path
) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging&pixel=7,9&zoom=5&gamma1=0.7{REGION}")
    open_menu(page)
    forms = ("npz", "html", "svg", "png")
    files = {form: taken(page, f"[data-export={form}]", tmp_path) for form in forms}
    with np.load(files["npz"], allow_pickle=False) as arrays:
        about = json.loads(str(arrays["metadata"]))
        assert arrays["methods"].tolist() == ["weighted_averaging"]
    assert about["pixels"] == {"a": [7, 9]}
    assert about["link"] == page.url, "the file leads back to this page"
    text = files["svg"].read_text(encoding="utf-8")
    assert "my region (384 pixels)" in text and "Jacobian, gamma 0.7" in text
    assert files["png"].read_bytes().startswith(b"\x89PNG")
    require_alone(page, files["html"], "my region", "weighted_averaging")
    page.locator("#panel-fused-zoom").hover()
    open_menu(page)
    open_menu(page)
    expect(page.get_by_label("Picture", exact=True)).to_have_value("fused_zoom")
    alone = taken(page, "[data-export-panel=svg]", tmp_path)
    assert alone.name.endswith("weighted_averaging-fused_zoom.svg")

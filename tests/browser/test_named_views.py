"""Named views: saved on one page, found on the other, reopened, and passed on as a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from cache.services.named_views import SavedView
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import click_at

GONE = SavedView.model_validate({"name": "Gone", "page": "explore", "query": "?pair=nowhere&v=3"})
"""Its pair is not here: it has words instead of a picture."""


@pytest.mark.usefixtures("asked")
def test_views_are_saved_reopened_and_passed_on(open_page: Opener, server: Server, tmp_path: Path) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging&gamma1=0.8")
    click_at(page, "panel-fused", 20, 30)
    page.click("#views-open")
    page.wait_for_selector("#views-panel .region-empty:not([hidden])")
    page.click("#views-save")
    page.wait_for_function("() => document.querySelector('.views-message').textContent.includes('name')")
    page.fill("#views-name", "My core")
    page.fill("#views-note", "Look at the middle.")
    page.click("#views-save")
    page.wait_for_selector('.view[data-name="My core"]')
    page.wait_for_function("() => document.querySelector('.view img').naturalWidth === 96")
    assert "My core" in str(page.locator(".view img").get_attribute("alt"))
    saved = page.evaluate("location.search")
    assert "pixel=20,30" in saved and "v=4" in saved
    other = open_page(f"compare?pair={server.pair}&methods=deepfuse", settled=False,
                      ready="() => window.fusevis?.compare && fusevis.compare.state.common()")  # fmt: skip
    other.click("#views-open")
    other.wait_for_selector('.view[data-name="My core"]')
    assert other.input_value('.view[data-name="My core"] textarea') == "Look at the middle."
    other.fill("#views-name", "My table")
    other.click("#views-save")
    other.wait_for_selector('.view[data-name="My table"]')
    with other.expect_download() as download:
        other.click("#views-export")
    study = tmp_path / "study.json"
    download.value.save_as(study)
    other.get_by_label("Delete My core").click()
    other.get_by_label("Delete My core").click()
    other.wait_for_selector('.view[data-name="My core"]', state="detached")
    other.click(".views-undo")
    other.wait_for_selector('.view[data-name="My core"]')
    for name in ("My core", "My table"):
        other.get_by_label(f"Delete {name}").click()
        other.get_by_label(f"Delete {name}").click()
        other.wait_for_selector(f'.view[data-name="{name}"]', state="detached")
    content = json.loads(study.read_text(encoding="utf-8"))
    content["views"].append(GONE.model_dump(mode="json"))
    study.write_text(json.dumps(content), encoding="utf-8")
    with other.expect_file_chooser() as chooser:
        other.click("#views-import")
    chooser.value.set_files(study)
    other.wait_for_function("() => document.querySelector('.views-message').textContent.includes('3 views')")
    expect(other.locator('.view[data-name="Gone"] .view-picture')).to_have_text("No picture")
    (tmp_path / "other.json").write_text('{"format": "something else"}')
    with other.expect_file_chooser() as chooser:
        other.click("#views-import")
    chooser.value.set_files(tmp_path / "other.json")
    other.wait_for_function(
        "() => document.querySelector('.views-message').textContent.includes('not a study')"
    )
    other.get_by_label("Open My core").click()
    other.wait_for_function("() => window.fusevis?.state && fusevis.state.window && fusevis.state.pinned")
    assert other.evaluate("location.search") == saved
    assert other.evaluate("fusevis.state.pixel") == {"row": 20, "col": 30}

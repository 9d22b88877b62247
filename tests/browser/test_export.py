"""Files of the compare page's view, as a visitor takes them away."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Server
from tests.browser.test_compare_page import open_compare


def test_the_view_is_taken_away_as_files(open_page: Opener, server: Server, tmp_path: Path) -> None:
    page = open_compare(open_page, server, "&pin=2,3")
    page.locator("#compare-export summary").click()
    files = {}
    for form in ("npz", "html", "svg"):
        button = page.locator(f"[data-export={form}]")
        expect(button).to_be_enabled()
        with page.expect_download() as download:
            button.click()
        assert download.value.suggested_filename.endswith(f".{form}")
        files[form] = tmp_path / f"view.{form}"
        download.value.save_as(files[form])
    shown = page.evaluate("() => fusevis.compare.state.a.pixel")
    with np.load(files["npz"], allow_pickle=False) as arrays:
        about = json.loads(str(arrays["metadata"]))
        assert arrays["jacobian_b"].shape[0] == 2
    assert about["pixels"] == {"a": [shown["row"], shown["col"]], "b": [2, 3]}
    assert "<svg" in files["svg"].read_text(encoding="utf-8")
    other = page.context.new_page()
    requests: list[str] = []
    other.on("request", lambda request: requests.append(request.url))
    other.goto(files["html"].as_uri())
    expect(other.locator("img")).to_have_js_property("complete", True)
    assert other.evaluate("() => document.images[0].naturalWidth") > 500
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []

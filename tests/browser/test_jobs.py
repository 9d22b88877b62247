"""The page of jobs: rows that stay, what is yours, and stopping it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Route, expect

from tests.browser.conftest import Opener
from tests.browser.test_axe import require_nothing_grave

FIRST: dict[str, Any] = {
    "id": "a" * 16,
    "what": "Guidance images",
    "pair": "Glioma",
    "method": "MaskNet",
    "link": "./?pair=p&method=masknet",
    "yours": True,
    "others": 1,
    "state": "running",
    "fraction": 0.426,
    "seconds": 12.0,
    "left": 200.0,
}
SECOND = FIRST | {
    "id": "b" * 16,
    "link": None,
    "yours": False,
    "state": "waiting",
    "fraction": 0.0,
    "left": None,
}
READY = "() => document.querySelector('#jobs-nothing').textContent === 'Nothing is being computed.'"


def test_jobs_are_listed_and_stopped(open_page: Opener) -> None:
    jobs: list[dict[str, Any]] = []
    stopped: list[str] = []

    def stop(route: Route) -> None:
        stopped.append(route.request.url)
        jobs.clear()
        route.fulfill(json={"stopped": True})

    page = open_page("jobs", ready=READY, settled=False)
    page.route("**/jobs.json", lambda route: route.fulfill(json={"jobs": jobs}))
    page.route("**/jobs/*/stop", stop)
    jobs += [FIRST, SECOND]
    rows = page.locator("tr[data-job]")
    expect(rows).to_have_count(2)
    expect(page.locator("#jobs-nothing")).to_be_hidden()
    assert [row.inner_text().split("\t")[:5] for row in rows.all()] == [
        ["Guidance images", "Glioma, MaskNet", "you and one other", "42 %", "about 3 min"],
        ["Guidance images", "Glioma, MaskNet", "one other", "waits", "waits for its turn"],
    ]
    assert rows.nth(0).get_by_role("link").get_attribute("href") == FIRST["link"]
    expect(rows.nth(1).get_by_role("link")).to_have_count(0)
    expect(rows.nth(1).get_by_role("button")).to_have_count(0)
    button = rows.nth(0).get_by_role("button", name="Stop Guidance images of Glioma, MaskNet")
    require_nothing_grave(page, "jobs")
    button.focus()
    jobs[0] = FIRST | {"fraction": 0.5}
    expect(rows.nth(0)).to_contain_text("50 %")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Stopped; what was done of it is kept.")
    expect(rows).to_have_count(0)
    expect(page.locator("#jobs-nothing")).to_have_text("Nothing is being computed.")
    assert [url.rsplit("jobs/", 1)[1] for url in stopped] == [f"{'a' * 16}/stop"]

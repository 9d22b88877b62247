"""Studies as files: many views, views that are gone, and files that are none, all with words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from app.routes.views import LARGEST_STUDY
from cache.services.named_views import SavedView, Study
from tests.browser.conftest import Asked, Opener, Server
from tests.browser.test_compare_page import open_compare


def add(asked: Asked, count: int) -> list[str]:
    """Let the server have so many views; return their names, the newest first."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    views = [
        SavedView(name=f"view {number:03}", page="explore", saved=first + timedelta(seconds=number))
        for number in range(count)
    ]
    asked("/study", "POST", Study(views=views).model_dump_json().encode())
    return [view.name for view in reversed(views)]


def open_views(open_page: Opener, server: Server, count: int) -> Page:
    """Open the panel of views on the page that opens sooner; it is the same on both."""
    page = open_compare(open_page, server)
    page.click("#views-open")
    expect(page.locator("#views-panel .view")).to_have_count(count)
    return page


def import_file(page: Page, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click("#views-import")
    chooser.value.set_files(path)


def test_very_many_ticked_views_are_one_file(
    open_page: Opener, server: Server, asked: Asked, tmp_path: Path
) -> None:
    names = add(asked, 450)
    page = open_views(open_page, server, 450)
    page.evaluate(
        "() => document.querySelectorAll('.view [type=checkbox]').forEach((tick, at) => at && tick.click())"
    )
    with page.expect_download() as download:
        page.click("#views-export")
    assert download.value.suggested_filename == "fusevis-study.json"
    download.value.save_as(tmp_path / "study.json")
    study = Study.read((tmp_path / "study.json").read_bytes())
    assert [view.name for view in study.views] == names[1:]
    expect(page.locator(".views-message")).to_have_text("The study was handed to the browser.")


def test_a_ticked_view_that_is_gone_is_told_and_no_file_is_made(
    open_page: Opener, server: Server, asked: Asked
) -> None:
    gone, left = add(asked, 2)
    page = open_views(open_page, server, 2)
    downloads: list[object] = []
    page.on("download", lambda download: downloads.append(download))
    page.get_by_label(f"Export {gone}").check()
    (id,) = [view["id"] for view in asked()["views"] if view["name"] == gone]
    asked(f"/{id}", "DELETE")
    page.click("#views-export")
    expect(page.locator(".views-message")).to_contain_text("no such view any more")
    expect(page.locator("#views-panel .view")).to_have_count(1)
    assert downloads == []
    with page.expect_download():
        page.click("#views-export")
    assert page.locator(f'.view[data-name="{left}"]').count() == 1


def test_a_study_that_is_not_made_is_told(open_page: Opener, server: Server, asked: Asked) -> None:
    add(asked, 1)
    page = open_views(open_page, server, 1)
    page.route("**/views/study.json", lambda route: route.fulfill(status=200, body="<html>"))
    page.click("#views-export")
    expect(page.locator(".views-message")).to_contain_text("does not answer")


def test_a_file_that_is_too_large_is_not_sent(
    open_page: Opener, server: Server, asked: Asked, tmp_path: Path
) -> None:
    page = open_views(open_page, server, 0)
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(LARGEST_STUDY + 1)
    import_file(page, large)
    expect(page.locator(".views-message")).to_have_text("A study may have up to 64 MiB; this file has 65.")
    newer = tmp_path / "newer.json"
    newer.write_text('{"format": "fusevis-study", "version": 2, "views": []}')
    import_file(page, newer)
    expect(page.locator(".views-message")).to_contain_text("newer FuseVis")

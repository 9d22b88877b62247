"""Several people, or servers, at the same named views: nothing is lost, and what was deleted stays so."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

import cache.services.named_views
from cache.services.named_views import MOST_VIEWS, NamedViews, SavedView, ViewFolder
from cache.services.regions import RegionFolder
from fusion.errors import FuseVisError, OutputError

VIEW = {"name": "first", "note": "first", "page": "explore", "query": "?pair=own"}
LATE_SECONDS = 0.3


def server(folder: Path) -> NamedViews:
    """Return the views as one of several processes has them."""
    return NamedViews(ViewFolder(folder / "views"), RegionFolder(folder / "regions"))


@pytest.fixture
def during_a_change(monkeypatch: pytest.MonkeyPatch) -> Callable[[NamedViews, str, Callable[[], Any]], None]:
    """What changes a note and lets somebody else act between its reading and its writing, or after it."""

    def run(views: NamedViews, id: str, act: Callable[[], Any]) -> None:
        checked = cache.services.named_views._checked
        other = threading.Thread(target=act)

        def slowly(*given: Any) -> SavedView:
            if threading.current_thread() is not other and not other.ident:
                other.start()
                other.join(LATE_SECONDS)
            return checked(*given)

        monkeypatch.setattr(cache.services.named_views, "_checked", slowly)
        views.change(id, {"note": "second"})
        other.join()

    return run


def test_two_changes_at_once_are_both_kept(during_a_change: Callable[..., None], tmp_path: Path) -> None:
    here, there = server(tmp_path), server(tmp_path)
    id = here.save(VIEW)["id"]
    during_a_change(here, id, lambda: there.change(id, {"name": "second"}))
    (view,) = here.all()
    assert (view["name"], view["note"]) == ("second", "second")


def test_a_view_that_is_deleted_during_a_change_stays_deleted(
    during_a_change: Callable[..., None], tmp_path: Path
) -> None:
    here, there = server(tmp_path), server(tmp_path)
    id = here.save(VIEW)["id"]
    during_a_change(here, id, lambda: there.delete(id))
    assert here.all() == []
    with pytest.raises(FuseVisError, match="no such view"):
        here.change(id, {"note": "third"})


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    ids = [server(tmp_path).save(VIEW)["id"] for _ in range(3)]

    def change(id: str, key: str) -> None:
        views = server(tmp_path)
        for number in range(20):
            assert views.change(id, {key: f"{key} {number}"})[key] == f"{key} {number}"

    threads = [threading.Thread(target=change, args=(id, key)) for id in ids for key in ("name", "note")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(view["name"], view["note"]) for view in server(tmp_path).all()} == {("name 19", "note 19")}


def test_a_full_disk_keeps_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = ViewFolder(tmp_path)
    shelf.save(SavedView(name="before", page="explore"))
    before = sorted(path.name for path in tmp_path.iterdir())
    opened: list[int] = []
    fdopen = os.fdopen

    def full(handle: int, mode: str) -> IO[Any]:
        stream = fdopen(handle, mode)
        if len(opened) == 3:
            stream.close()
            raise OSError(28, "No space left on device")
        opened.append(handle)
        return stream

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OutputError, match="No space left"):
        shelf.add([SavedView(name=f"view {number}", page="explore") for number in range(5)])
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_more_views_than_there_is_room_for_are_refused_whole(tmp_path: Path) -> None:
    shelf = ViewFolder(tmp_path)
    views = [SavedView(name=f"view {number}", page="explore") for number in range(MOST_VIEWS + 1)]
    assert shelf.add(views[:-3]) == MOST_VIEWS - 2
    with pytest.raises(FuseVisError, match=r"3 views are new, and there is room for 2 more"):
        shelf.add(views)
    assert len(shelf.all()) == MOST_VIEWS - 2
    assert shelf.add(views[:-1]) == 2
    with pytest.raises(FuseVisError, match="room for 2000 views"):
        shelf.save(views[-1])
    shelf.delete(views[0].id)
    shelf.save(views[-1])

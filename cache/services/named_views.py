"""Named views as pages and routes ask for them: list, save, change, delete, bring back, and studies as files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from cache.services.regions import RegionFolder
from cache.services.saved_views import (
    MOST_VIEWS,
    PEOPLE,
    STUDY_FORMAT,
    SavedView,
    Study,
    ViewConflict,
    ViewError,
)
from cache.services.view_folder import ViewFolder
from fusion.errors import RegionError

__all__ = [
    "MOST_VIEWS",
    "STUDY_FORMAT",
    "NamedViews",
    "SavedView",
    "Study",
    "ViewConflict",
    "ViewError",
    "ViewFolder",
]

CHANGEABLE = ("name", "note")

_KEPT_REGION = re.compile(r"~s([0-9a-f]{32})")


class NamedViews:
    """Views as JSON. All errors that a user can cause are `UserError`.

    Parameters
    ----------
    views : ViewFolder
        Where they are kept.
    regions : RegionFolder
        Where regions are kept that links name by id.
    """

    def __init__(self, views: ViewFolder, regions: RegionFolder) -> None:
        self._views = views
        self._regions = regions

    def all(self) -> list[dict[str, Any]]:
        """Return all views, the newest first."""
        return self.all_and_damaged()[0]

    def all_and_damaged(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Return all views, the newest first, and the ids of those whose files are damaged."""
        views, damaged = self._views.all_and_damaged()
        return [view.values() for view in views], damaged

    def save(self, values: Any, by: str = "") -> dict[str, Any]:
        """Save ``{"name", "note", "page", "query"}`` as a new view and return it.

        Parameters
        ----------
        values : anything
            As JSON has them.
        by : str
            Who saves it, where that is known.

        Raises
        ------
        UserError
            If something is missing, too long or not printable.
        """
        view = _checked(values, {"name", "note", "page", "query"}, {"saved_by": by})
        self._views.save(view)
        return view.values()

    def change(self, id: str, values: Any, by: str = "") -> dict[str, Any]:
        """Give a view another ``name`` or ``note``, and return it.

        Parameters
        ----------
        id : str
            Of the view.
        values : anything
            As JSON has them. ``was`` among them says what the name or the note was for whoever changes it.
        by : str
            Who changes it, where that is known.

        Raises
        ------
        ViewConflict
            If it was something else by then, so that the change of somebody else would be lost.
        UserError
            If there is no such view, or something is wrong with the values.
        """

        def changed(before: SavedView) -> SavedView:
            _require_as_it_was(before, values)
            people = {"changed": datetime.now(UTC), "changed_by": by}
            return _checked(values, set(CHANGEABLE), before.model_dump() | people)

        return self._views.change(id, changed).values()

    def delete(self, id: str) -> None:
        """Remove a view, which `restore` brings back; `UserError` if there is none."""
        self._views.delete(id)

    def restore(self, id: str) -> dict[str, Any]:
        """Bring back a view that was deleted lately, and return it; `UserError` if that cannot be."""
        return self._views.restore(id).values()

    def get(self, id: str) -> SavedView:
        """Return a view; `UserError` if there is none."""
        return self._views.get(id)

    def thumbnail(self, id: str) -> bytes | None:
        """Return the JPEG that is kept of a view, ``None`` where there is none yet; `UserError` if there is no view."""
        return self._views.thumbnail(id)

    def keep_thumbnail(self, id: str, drawn: bytes) -> None:
        """Keep a view's JPEG; see `ViewFolder.keep_thumbnail`."""
        self._views.keep_thumbnail(id, drawn)

    def study(self, ids: list[str]) -> str:
        """Return views as one JSON file; without ids, all of them.

        Raises
        ------
        UserError
            If one of them is not there.
        """
        views = [self._views.get(id) for id in ids] if ids else self._views.all()
        regions = {}
        for id in sorted(_named_regions(views)):
            try:
                regions[id] = self._regions.code(id)
            except RegionError:
                continue  # the link says so itself when it is opened
        passed_on = [view.passed_on() for view in views]
        # Nothing of people in it, and no empty places for them, which earlier versions would not read.
        study = Study(views=passed_on, regions=regions)
        return study.model_dump_json(indent=1, exclude={"views": {"__all__": set(PEOPLE)}})

    def take(self, content: bytes) -> dict[str, int]:
        """Take all of a study's views over, or none; return how many were ``added`` and how many ``known`` already.

        Raises
        ------
        UserError
            If it is no study, or there is no room for all of it.
        """
        study = Study.read(content)
        self._views.new_among(study.views)  # refuses what there is no room for, before anything is kept
        if any(not self._regions.is_code_of(id, code) for id, code in study.regions.items()):
            raise ViewError("This study is damaged: a region in it is not the one that its views name.")
        # Regions first: views without their regions would be worse than regions without a view.
        for id in _named_regions(study.views) & study.regions.keys():
            self._regions.keep(study.regions[id])
        added = self._views.add([view.passed_on() for view in study.views])
        return {"added": added, "known": len({view.id for view in study.views}) - added}


def _named_regions(views: Iterable[SavedView]) -> set[str]:
    return {id for view in views for id in _KEPT_REGION.findall(view.query)}


def _require_as_it_was(view: SavedView, values: Any) -> None:
    """Raise `ViewConflict` where a name or note that is to be changed is not any more what somebody has seen."""
    was = values.get("was") if isinstance(values, Mapping) else None
    for key in CHANGEABLE:
        now = getattr(view, key)
        if isinstance(was, Mapping) and key in values and was.get(key, now) != now and values[key] != now:
            somebody = view.changed_by or "Somebody"
            raise ViewConflict(f"{somebody} has changed the {key} meanwhile. It is now: “{now}”.")


def _checked(values: Any, wanted: set[str], before: dict[str, Any]) -> SavedView:
    given = {key: value for key, value in values.items() if key in wanted} if isinstance(values, dict) else {}
    try:
        return SavedView.model_validate(before | given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ViewError(
            f"The view's {first['loc'][0] if first['loc'] else 'data'} will not do: {first['msg']}."
        ) from None

"""What the pages can do with named views: save, change, delete, and pass on as a study."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import flask
from pydantic import ValidationError

from cache.services.region_files import RegionShelf
from cache.services.view_files import SavedView, Study, ViewError, ViewShelf
from fusion.errors import RegionError

EXTENSION = "fusevis-views"

_KEPT_REGION = re.compile(r"~s([0-9a-f]{32})")


def views_of(server: flask.Flask) -> NamedViews:
    """Return the named views of a server that `cache.services.building.build_services` has set up."""
    views = server.extensions[EXTENSION]
    if not isinstance(views, NamedViews):
        raise TypeError(f"The server's extension {EXTENSION} is another one")
    return views


class NamedViews:
    """Views as JSON. All errors that a user can cause are `UserError`.

    Parameters
    ----------
    views : ViewShelf
        Where they are kept.
    regions : RegionShelf
        Where regions are kept that links name by id.
    """

    def __init__(self, views: ViewShelf, regions: RegionShelf) -> None:
        self._views = views
        self._regions = regions

    def all(self) -> list[dict[str, Any]]:
        """Return all views, the newest first."""
        return [view.model_dump(mode="json") for view in self._views.all()]

    def save(self, values: Any) -> dict[str, Any]:
        """Save ``{"name", "note", "page", "query"}`` as a new view and return it.

        Raises
        ------
        UserError
            If something is missing, too long or not printable.
        """
        view = _checked(values, {"name", "note", "page", "query"}, {})
        self._views.save(view)
        return view.model_dump(mode="json")

    def change(self, id: str, values: Any) -> dict[str, Any]:
        """Give a view another ``name`` or ``note``, and return it.

        Raises
        ------
        UserError
            If there is no such view, or something is wrong with the values.
        """
        view = self._views.change(id, lambda before: _checked(values, {"name", "note"}, before.model_dump()))
        return view.model_dump(mode="json")

    def delete(self, id: str) -> None:
        """Remove a view; `UserError` if there is none."""
        self._views.delete(id)

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
        return Study(views=views, regions=regions).model_dump_json(indent=1)

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
        added = self._views.add(study.views)
        return {"added": added, "known": len({view.id for view in study.views}) - added}


def _named_regions(views: Iterable[SavedView]) -> set[str]:
    return {id for view in views for id in _KEPT_REGION.findall(view.query)}


def _checked(values: Any, wanted: set[str], before: dict[str, Any]) -> SavedView:
    given = {key: value for key, value in values.items() if key in wanted} if isinstance(values, dict) else {}
    try:
        return SavedView.model_validate(before | given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ViewError(
            f"The view's {first['loc'][0] if first['loc'] else 'data'} will not do: {first['msg']}."
        ) from None

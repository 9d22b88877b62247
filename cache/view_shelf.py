"""The folder of named views: one small file each, shared by all who use the server."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pydantic import ValidationError

from cache.saved_view import MOST_VIEWS, STUDY_FORMAT, SavedView, Study, ViewError
from fusion.errors import OutputError

__all__ = ["MOST_VIEWS", "STUDY_FORMAT", "SavedView", "Study", "ViewError", "ViewShelf"]


class ViewShelf:
    """All named views of a server. Safe to use from several threads and processes.

    Parameters
    ----------
    folder : Path
        Where they are kept; made when the first one is saved.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[SavedView]:
        """Return all views, the newest first; files that are damaged are left out."""
        found = [self._read(path) for path in self._folder.glob("*.json")]
        return sorted(filter(None, found), key=lambda view: (view.saved, view.id), reverse=True)

    def get(self, id: str) -> SavedView:
        """Return a view.

        Raises
        ------
        ViewError
            If there is none of this id.
        """
        view = self._read(self._path(id)) if len(id) == 16 and id.isalnum() else None
        if view is None:
            raise ViewError("There is no such view any more. Somebody may have deleted it.")
        return view

    def save(self, view: SavedView) -> None:
        """Keep a view, in the place of the one with the same id if there is one.

        Raises
        ------
        ViewError
            If there are too many.
        OutputError
            If it cannot be written.
        """
        path = self._path(view.id)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not path.exists() and len(list(self._folder.glob("*.json"))) >= MOST_VIEWS:
                raise ViewError(f"There is room for {MOST_VIEWS} views. Delete some that nobody needs.")
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(view.model_dump_json())
            Path(name).replace(path)
        except OSError as error:
            raise OutputError(f"The view cannot be kept in {self._folder}: {error.strerror}.") from error

    def delete(self, id: str) -> None:
        """Remove a view.

        Raises
        ------
        ViewError
            If there is none of this id.
        """
        self.get(id)
        self._path(id).unlink(missing_ok=True)

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.json"

    def _read(self, path: Path) -> SavedView | None:
        try:
            view = SavedView.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        return view if path.stem == view.id else None

"""The folder of named views: one small file each, shared by all who use the server."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from cache.services.saved_view import MOST_VIEWS, STUDY_FORMAT, SavedView, Study, ViewError
from fusion.errors import OutputError

__all__ = ["MOST_VIEWS", "STUDY_FORMAT", "SavedView", "Study", "ViewError", "ViewShelf"]

LOCK = ".lock"


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
        with self._alone():
            if self._room([view]) < 0:
                raise ViewError(f"There is room for {MOST_VIEWS} views. Delete some that nobody needs.")
            self._write([view])

    def change(self, id: str, made: Callable[[SavedView], SavedView]) -> SavedView:
        """Put another view into the place of one, and return it.

        Parameters
        ----------
        id : str
            Of the view.
        made : callable
            Makes the new one, with the same id, from the one that is kept.

        Raises
        ------
        ViewError
            If there is none of this id.
        OutputError
            If it cannot be written.
        """
        with self._alone():
            view = made(self.get(id))
            self._write([view])
        return view

    def new_among(self, views: Sequence[SavedView]) -> list[SavedView]:
        """Return those views that are not kept yet, each once.

        Raises
        ------
        ViewError
            If there is no room for all of them.
        """
        known = {view.id for view in self.all()}
        new = list({view.id: view for view in reversed(views) if view.id not in known}.values())[::-1]
        if (room := self._room(new)) < 0:
            raise ViewError(
                f"Nothing was taken over: {len(new)} views are new, and there is room for {len(new) + room} more "
                f"({MOST_VIEWS} in all). Delete some that nobody needs, or export fewer."
            )
        return new

    def add(self, views: Sequence[SavedView]) -> int:
        """Keep those views that are not kept yet, all or none of them, and return how many they are.

        Raises
        ------
        ViewError
            If there is no room for all of them.
        OutputError
            If they cannot be written.
        """
        with self._alone():
            new = self.new_among(views)
            self._write(new)
        return len(new)

    def delete(self, id: str) -> None:
        """Remove a view.

        Raises
        ------
        ViewError
            If there is none of this id.
        OutputError
            If it cannot be removed.
        """
        self.get(id)  # without a lock: where nothing is kept there may be no folder for one
        with self._alone():
            self._path(id).unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others out, so that what was read is still so when it is written; `OutputError` for what goes wrong.

        One lock for all views and not one each, because the room for them is counted. It ends with the process.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / LOCK).open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise OutputError(f"Views cannot be kept in {self._folder}: {error.strerror}.") from error

    def _room(self, views: Sequence[SavedView]) -> int:
        """Return for how many more views there is room once these are kept."""
        return MOST_VIEWS - len(
            {path.stem for path in self._folder.glob("*.json")} | {view.id for view in views}
        )

    def _write(self, views: Sequence[SavedView]) -> None:
        """Write all of them, then put all in their places: a full disk leaves everything as it was."""
        parts: dict[Path, Path] = {}
        try:
            for view in views:
                handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
                parts[self._path(view.id)] = Path(name)
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    stream.write(view.model_dump_json())
        except OSError:
            for part in parts.values():
                part.unlink(missing_ok=True)
            raise
        for path, part in parts.items():
            part.replace(path)

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.json"

    def _read(self, path: Path) -> SavedView | None:
        try:
            view = SavedView.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        return view if path.stem == view.id else None

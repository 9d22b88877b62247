"""The folder of all named views. Files carry checksums, so that a damaged one is told and never shown."""

from __future__ import annotations

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cache.services.saved_views import ID, MOST_VIEWS, SavedView, ViewError
from cache.store.sealed import (
    bytes_on_disk,
    remove_folder,
    sealed_bytes,
    sealed_values,
    unsealed_bytes,
    unsealed_values,
)
from fusion.errors import OutputError

LARGEST_THUMBNAIL = 10_000
MOST_BYTES = 100_000_000
"""What all views take on the disk, with their thumbnails and those that were deleted."""
DELETED_FOR_S = 7 * 86_400.0
"""So long a view that was deleted can be brought back, unless its space is needed."""

logger = logging.getLogger(__name__)

LOCK = ".lock"


class ViewFolder:
    """All named views of a server. Safe to use from several threads and processes.

    Parameters
    ----------
    folder : Path
        Where they are kept; made when the first one is saved.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: set[Path] = set()

    def all(self) -> list[SavedView]:
        """Return all views, the newest first; files that are damaged are left out."""
        return self.all_and_damaged()[0]

    def all_and_damaged(self) -> tuple[list[SavedView], list[str]]:
        """Return all views, the newest first, and the ids of those whose files are damaged or cannot be read.

        Raises
        ------
        OutputError
            If the folder cannot be read.
        """
        found = {path.stem: self._read(path) for path in self._paths()}
        views = sorted(filter(None, found.values()), key=lambda view: (view.saved, view.id), reverse=True)
        return views, sorted(id for id, view in found.items() if view is None and ID.fullmatch(id))

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
            self._make_room()
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
            self._make_room()
            self._write(new)
        return len(new)

    def delete(self, id: str) -> None:
        """Remove a view; for `DELETED_FOR_S` it can be brought back.

        Raises
        ------
        ViewError
            If there is none of this id.
        OutputError
            If it cannot be removed.
        """
        # Without a lock: where nothing is kept there may be no folder for one. A damaged one can be removed too.
        if id not in self.all_and_damaged()[1]:
            self.get(id)
        with self._alone():
            self._forget_deleted(time.time() - DELETED_FOR_S)
            for path in (self._path(id), self._thumbnail_path(id)):
                remove_folder(path)
            self._thumbnail_path(id).unlink(missing_ok=True)
            if self._path(id).exists():
                self._path(id).replace(self._deleted_path(id))
                os.utime(self._deleted_path(id))

    def restore(self, id: str) -> SavedView:
        """Bring a view back that was deleted, and return it.

        Raises
        ------
        ViewError
            If none of this id was, or too long ago, or there is no room for it.
        OutputError
            If it cannot be brought back.
        """
        with self._alone():
            self._forget_deleted(time.time() - DELETED_FOR_S)
            path = self._deleted_path(id) if ID.fullmatch(id) else None
            if path is None or not path.exists() or self._path(id).exists():
                raise ViewError(
                    "This view cannot be brought back: it is not among those that were deleted lately."
                )
            if len(self._paths()) >= MOST_VIEWS:
                raise ViewError(f"There is room for {MOST_VIEWS} views. Delete some that nobody needs.")
            path.replace(self._path(id))
        return self.get(id)

    def _forget_deleted(self, before: float) -> None:
        """Remove for good what was deleted before a moment, seconds since 1970; with the lock."""
        for path in self._folder.glob("*.deleted"):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)

    def _make_room(self) -> None:
        """Give up what was deleted, and then thumbnails, where the disk has no room left for views; with the lock.

        Raises
        ------
        ViewError
            If that is not enough.
        """
        if bytes_on_disk(self._folder) < MOST_BYTES:
            return
        self._forget_deleted(time.time() + DELETED_FOR_S)
        for path in self._folder.glob("*.jpg"):
            path.unlink(missing_ok=True)
        if bytes_on_disk(self._folder) >= MOST_BYTES:
            raise ViewError(f"Views may take {MOST_BYTES // 10**6} MB. Delete some that nobody needs.")

    def thumbnail(self, id: str) -> bytes | None:
        """Return the small picture that is kept of a view; ``None`` where there is none."""
        path = self._thumbnail_path(self.get(id).id)
        try:
            return unsealed_bytes(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            logger.warning("%s: this thumbnail is drawn anew (%s).", path, error)
            return None

    def keep_thumbnail(self, id: str, drawn: bytes) -> None:
        """Keep a small picture of a view beside it, as long as the view is kept.

        Raises
        ------
        ViewError
            If there is no such view, or the picture is too large. Where the disk has no room left it is not kept.
        OutputError
            If it cannot be written.
        """
        if len(drawn) > LARGEST_THUMBNAIL:
            raise ViewError(f"A view's thumbnail has up to {LARGEST_THUMBNAIL} bytes, not {len(drawn)}.")
        with self._alone():
            self.get(id)
            if bytes_on_disk(self._folder) >= MOST_BYTES:
                return
            # Behind the end of a JPEG may stand anything.
            self._replace({self._thumbnail_path(id): sealed_bytes(drawn)})

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
        return MOST_VIEWS - len({path.stem for path in self._paths()} | {view.id for view in views})

    def _paths(self) -> list[Path]:
        try:
            return list(self._folder.glob("*.json"))
        except OSError as error:
            raise OutputError(f"The views in {self._folder} cannot be read: {error.strerror}.") from error

    def _write(self, views: Sequence[SavedView]) -> None:
        self._replace({self._path(view.id): sealed_values(view.model_dump(mode="json")) for view in views})

    def _replace(self, contents: Mapping[Path, bytes]) -> None:
        """Write all files, then put all in their places: a full disk leaves everything as it was."""
        parts: dict[Path, Path] = {}
        try:
            for path, content in contents.items():
                handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
                parts[path] = Path(name)
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
        except OSError:
            for part in parts.values():
                part.unlink(missing_ok=True)
            raise
        for path, part in parts.items():
            remove_folder(path)
            part.replace(path)

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.json"

    def _deleted_path(self, id: str) -> Path:
        return self._folder / f"{id}.deleted"

    def _thumbnail_path(self, id: str) -> Path:
        return self._folder / f"{id}.jpg"

    def _read(self, path: Path) -> SavedView | None:
        try:
            view = SavedView.model_validate(unsealed_values(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            if path not in self._told:
                self._told.add(path)
                logger.warning("%s: this view cannot be used (%s).", path, error)
            return None
        return view if path.stem == view.id else None

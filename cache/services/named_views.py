"""Named views: what is allowed in one and in a study of many, the folder of all, and what pages can do with them.

Files carry checksums, so that a damaged one is told and never shown.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import secrets
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from cache.services.regions import RegionFolder
from cache.store.sealed import remove_folder, sealed_bytes, sealed_values, unsealed_bytes, unsealed_values
from fusion.errors import FuseVisError, OutputError, RegionError

MOST_VIEWS = 2000
STUDY_FORMAT = "fusevis-study"
STUDY_VERSION = 1
LONGEST_TOLD = 80
LARGEST_THUMBNAIL = 10_000
"""Bytes."""

logger = logging.getLogger(__name__)

_ID = re.compile("[0-9a-f]{16}")
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")
_UNSEEN = {"Cc", "Cf", "Cs"}
_ALLOWED = "\n\t\u200c\u200d"
"""Of what is not seen: ends of lines, tabulators, and the joiners that Persian and emoji are written with."""


class ViewError(FuseVisError):
    """A view cannot be saved, found or imported."""


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("letters that one can read are needed")
    return text.strip()


def _plain(text: str) -> str:
    """Leave out of a note what is not seen but does something, as escapes and turns of the writing's direction do.

    It is left out and not refused, because it comes along with what people paste, and in files of earlier versions.
    """
    return "".join(
        letter
        for letter in _LINE_END.sub("\n", text)
        if letter in _ALLOWED or unicodedata.category(letter) not in _UNSEEN
    )


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this is no time of our calendar") from None


Id = Annotated[str, Field(pattern=f"^{_ID.pattern}$")]
ViewName = Annotated[str, Field(max_length=80), AfterValidator(_printable)]
Note = Annotated[str, Field(max_length=2000), AfterValidator(_plain)]
Query = Annotated[str, Field(max_length=8000, pattern=r"^(\?[\x21-\x7e]*)?$")]
# Without a time zone it could not be compared with the others, by which they are sorted.
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class SavedView(BaseModel):
    """A view that has been saved.

    Attributes
    ----------
    id : str
        16 hexadecimal digits, drawn at random.
    name, note : str
        What people wrote: up to 80 and 2,000 characters.
    page : str
        ``explore`` or ``compare``.
    query : str
        The query string of the page's address, with its question mark.
    saved : datetime
        When, in UTC, to the microsecond, so that views which follow each other quickly keep their order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id = Field(default_factory=lambda: secrets.token_hex(8))
    name: ViewName
    note: Note = ""
    page: Literal["explore", "compare"]
    query: Query = ""
    saved: Moment = Field(default_factory=lambda: datetime.now(UTC))


class _Head(BaseModel):
    """The part of a study that any version has."""

    format: Literal["fusevis-study"]
    version: Annotated[int, Field(gt=STUDY_VERSION)]


class Study(BaseModel):
    """Views in one file, with the codes of regions that their links name by id."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["fusevis-study"] = "fusevis-study"
    version: Literal[1] = 1
    views: Annotated[list[SavedView], Field(max_length=MOST_VIEWS)]
    regions: dict[Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")], str] = {}

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read a study's file.

        Raises
        ------
        ViewError
            If it is none, with words on what is wrong.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            if (version := _newer_version(content)) is not None:
                raise ViewError(
                    f"This study was exported by a newer FuseVis (version {version} of its form; this server reads "
                    f"version {STUDY_VERSION}). Import it on a server of that age, or update this one."
                ) from None
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise ViewError(
                f"This is not a study that FuseVis has exported: {_told(where)}: {_told(first['msg'])}."
            ) from None


def _newer_version(content: bytes) -> int | None:
    try:
        return _Head.model_validate_json(content).version
    except ValidationError:
        return None


def _told(text: str) -> str:
    """Return what can be read of a text that somebody else may have chosen, or its beginning."""
    return "".join(filter(str.isprintable, text[:LONGEST_TOLD]))


__all__ = ["MOST_VIEWS", "STUDY_FORMAT", "SavedView", "Study", "ViewError", "ViewFolder"]

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
        return views, sorted(id for id, view in found.items() if view is None and _ID.fullmatch(id))

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
        # Without a lock: where nothing is kept there may be no folder for one. A damaged one can be removed too.
        if id not in self.all_and_damaged()[1]:
            self.get(id)
        with self._alone():
            for path in (self._path(id), self._thumbnail_path(id)):
                remove_folder(path)
                path.unlink(missing_ok=True)

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
            If there is no such view, or the picture is too large.
        OutputError
            If it cannot be written.
        """
        if len(drawn) > LARGEST_THUMBNAIL:
            raise ViewError(f"A view's thumbnail has up to {LARGEST_THUMBNAIL} bytes, not {len(drawn)}.")
        with self._alone():
            self.get(id)
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
        return [view.model_dump(mode="json") for view in views], damaged

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

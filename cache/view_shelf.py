"""Named views: links with a name and a note, one small file each, that a group shares and passes on as a study."""

from __future__ import annotations

import os
import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from fusion.errors import FuseVisError, OutputError

MOST_VIEWS = 2000
STUDY_FORMAT = "fusevis-study"


class ViewError(FuseVisError):
    """A view cannot be saved, found or imported."""


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("letters that one can read are needed")
    return text.strip()


Id = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
ViewName = Annotated[str, Field(max_length=80), AfterValidator(_printable)]
Note = Annotated[str, Field(max_length=2000)]
Query = Annotated[str, Field(max_length=8000, pattern=r"^(\?[\x21-\x7e]*)?$")]


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
        When, in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id = Field(default_factory=lambda: secrets.token_hex(8))
    name: ViewName
    note: Note = ""
    page: Literal["explore", "compare"]
    query: Query = ""
    saved: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))


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
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise ViewError(
                f"This is not a study that FuseVis has exported: {where}: {first['msg']}."
            ) from None


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

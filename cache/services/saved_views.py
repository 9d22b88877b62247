"""Named views as they are kept and passed on: what is allowed in one, and in a study of many."""

from __future__ import annotations

import re
import secrets
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from fusion.errors import FuseVisError

MOST_VIEWS = 2000
STUDY_FORMAT = "fusevis-study"
STUDY_VERSION = 1
PEOPLE: dict[str, Any] = {"saved_by": "", "changed": None, "changed_by": ""}
"""What a view has only on the server that keeps it, with the values that say nothing."""
LONGEST_TOLD = 80

ID = re.compile("[0-9a-f]{16}")
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")
_UNSEEN = {"Cc", "Cf", "Cs"}
_ALLOWED = "\n\t\u200c\u200d"
"""Of what is not seen: ends of lines, tabulators, and the joiners that Persian and emoji are written with."""


class ViewError(FuseVisError):
    """A view cannot be saved, found or imported."""


class ViewConflict(ViewError):
    """A view is not any more as it was when somebody began to change it."""


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


def person(name: str) -> str:
    """Return a person's name as views carry it: what can be read of it, up to `LONGEST_TOLD` letters."""
    return _told(name.strip())


Person = Annotated[str, AfterValidator(person)]
Id = Annotated[str, Field(pattern=f"^{ID.pattern}$")]
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
    saved_by, changed_by : str
        Who has saved it, and who has changed it last; empty where the server does not know its users.
    changed : datetime, optional
        When it was changed last, in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id = Field(default_factory=lambda: secrets.token_hex(8))
    name: ViewName
    note: Note = ""
    page: Literal["explore", "compare"]
    query: Query = ""
    saved: Moment = Field(default_factory=lambda: datetime.now(UTC))
    saved_by: Person = ""
    changed: Moment | None = None
    changed_by: Person = ""

    def values(self) -> dict[str, Any]:
        """Return it for JSON, without what is not known."""
        known = self.model_dump(mode="json")
        return {key: value for key, value in known.items() if key not in PEOPLE or value}

    def passed_on(self) -> Self:
        """Return it for a study: who has saved it here, and when it was changed, is nobody's business elsewhere."""
        return self.model_copy(update=PEOPLE)


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

"""Named views as people write them and as files hold them: what is allowed in one, and in a study of many."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from fusion.errors import FuseVisError

MOST_VIEWS = 2000
STUDY_FORMAT = "fusevis-study"


class ViewError(FuseVisError):
    """A view cannot be saved, found or imported."""


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("letters that one can read are needed")
    return text.strip()


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this is no time of our calendar") from None


Id = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
ViewName = Annotated[str, Field(max_length=80), AfterValidator(_printable)]
Note = Annotated[str, Field(max_length=2000)]
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

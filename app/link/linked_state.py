"""What every state that a link carries has in common: reading a query that anybody may have written, and writing it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self
from urllib.parse import parse_qs, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.link.link_problem import NEWER, TOO_MANY_PARTS, LinkProblem, repeated, unknown, unusable
from app.link.linked_region import MOST_REGIONS, linked_region
from app.link.linked_text import UNSEEN, shortened
from fusion.colours import Scale

VERSION = 1

Gamma = Annotated[float, Field(ge=0.1, le=2.0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=rf"^[^{UNSEEN}]+$")]
Index = Annotated[int, Field(ge=0, lt=2**31)]
Version = Annotated[int, Field(ge=1)]
LARGEST_ZOOM = 64
HalfWidth = Annotated[int, Field(ge=1, le=LARGEST_ZOOM)]
"""Half-width of the zooms, pixels."""
WEIGHTS = "the id of weights is 8 to 64 digits from 0 to f"


class LinkedState(BaseModel):
    """The part of a page's state that a link reopens; each page has a kind of its own.

    Attributes
    ----------
    LISTS : frozenset of str
        Keys whose values are several, separated by commas.
    EXPECTED : dict
        What a value of each key has to be, for the notice that names a wrong one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    LISTS: ClassVar[frozenset[str]] = frozenset({"pixel", "regions"})
    EXPECTED: ClassVar[dict[str, str]] = {
        "v": "a version is a whole number from 1",
        "pair": "a pair's address is a short name without control characters",
        "pixel": "a pixel is written row,column with whole numbers from 0",
        "gamma1": "gamma 1 is a number from 0.1 to 2",
        "gamma2": "gamma 2 is a number from 0.1 to 2",
        "regions": f"regions are up to {MOST_REGIONS} times name~colour~code with commas between them",
        "scale": f"a colour scale is one of {', '.join(Scale)}",
    }

    v: Version = VERSION
    pair: Name | None = None
    pixel: tuple[Index, Index] | None = None
    gamma1: Gamma = 0.3
    gamma2: Gamma = 0.5
    scale: Scale = Scale.PAPER
    regions: Annotated[tuple[str, ...], Field(max_length=MOST_REGIONS)] = ()

    @classmethod
    def from_query(cls, search: str) -> tuple[Self, list[str]]:
        """Read a query string; whatever is wrong in it is left out and named.

        Parameters
        ----------
        search : str
            As the browser gives it, ``"?pair=…&pixel=12,34"``; may be empty or hostile.

        Returns
        -------
        LinkedState
            Defaults wherever the query says nothing usable.
        list of str
            One notice for each key that was ignored.
        """
        state, problems = cls.read(search)
        return state, [problem.ignored for problem in problems]

    @classmethod
    def read(cls, search: str) -> tuple[Self, list[LinkProblem]]:
        """Read a query string as `from_query` does, for those who refuse it where it has a problem."""
        values: dict[str, Any] = {}
        problems: list[LinkProblem] = []
        try:
            query = parse_qs(search.removeprefix("?"), keep_blank_values=True, max_num_fields=50)
        except ValueError:
            return cls(), [TOO_MANY_PARTS]
        for key, given in query.items():
            if key not in cls.model_fields:
                problems.append(unknown(f"“{shortened(key)}”"))
                continue
            if len(given) > 1:
                problems.append(repeated(key, len(given)))
            values[key] = cls.split(key, given[-1], problems) if key in cls.LISTS else given[-1]
        while True:
            try:
                state = cls.model_validate(values)
                break
            except ValidationError as error:
                for key in dict.fromkeys(str(problem["loc"][0]) for problem in error.errors()):
                    del values[key]
                    problems.append(unusable(f"{key}={shortened(query[key][-1])}", cls.EXPECTED[key]))
        if state.v > VERSION:
            problems.append(NEWER)
        return state.model_copy(update={"v": VERSION}), problems

    @classmethod
    def split(cls, key: str, value: str, problems: list[LinkProblem]) -> tuple[str, ...]:
        """Return the parts of a list; a kind of state may leave some out, each with a problem."""
        parts = tuple(value.split(","))
        if key != "regions":
            return parts
        known = tuple(part for part in parts if linked_region(part))
        problems += [
            unusable(f"region “{shortened(part)}”", "it is not name~colour~code")
            for part in parts[:MOST_REGIONS]
            if part not in known
        ]
        return known

    def to_query(self) -> str:
        """Write the query string of this view, keys sorted, defaults left out."""
        parts = {}
        for key, value in sorted(self.model_dump(exclude_defaults=True).items()):
            if isinstance(value, bool):
                parts[key] = str(int(value))
            else:
                parts[key] = ",".join(map(str, value)) if isinstance(value, tuple) else value
        return "?" + urlencode(parts, safe=",") if parts else ""

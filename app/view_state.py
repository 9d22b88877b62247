"""What a link carries: the state of a view, read from a query string that anybody may have written."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

VERSION = 1

Gamma = Annotated[float, Field(ge=0.1, le=2.0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Index = Annotated[int, Field(ge=0, lt=2**31)]
Version = Annotated[int, Field(ge=1)]


class ViewState(BaseModel):
    """The state of the explore page that a link reopens.

    Attributes
    ----------
    pair : str or None
        A pair's address: a sample's slug, a file id, or a prefix of a content id. ``None``: the first view.
    method : str
        A method's id.
    pixel : tuple of int or None
        The pinned principal pixel (row, col), 0-based; ``None``: not pinned.
    gamma1, gamma2 : float
        Gamma of the Jacobian images and of the guidance images, 0.1 to 2 (paper, section 3.2.5).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Version = VERSION
    pair: Name | None = None
    method: Name = "funfusean"
    pixel: tuple[Index, Index] | None = None
    gamma1: Gamma = 0.3
    gamma2: Gamma = 0.5

    @classmethod
    def from_query(cls, search: str) -> tuple[ViewState, list[str]]:
        """Read a query string; whatever is wrong in it is left out and named.

        Parameters
        ----------
        search : str
            As the browser gives it, ``"?pair=…&pixel=12,34"``; may be empty or hostile.

        Returns
        -------
        ViewState
            Defaults wherever the query says nothing usable.
        list of str
            One notice for each key that was ignored.
        """
        values: dict[str, Any] = {}
        notices: list[str] = []
        try:
            query = parse_qs(search.removeprefix("?"), keep_blank_values=True, max_num_fields=50)
        except ValueError:
            return cls(), ["The link has too many parts to be read; the first view is shown instead."]
        for key, given in query.items():
            if key not in cls.model_fields:
                notices.append(f"The link's “{_shortened(key)}” is not known here and was ignored.")
                continue
            values[key] = tuple(given[-1].split(",")) if key == "pixel" else given[-1]
        while True:
            try:
                state = cls.model_validate(values)
                break
            except ValidationError as error:
                for key in dict.fromkeys(str(problem["loc"][0]) for problem in error.errors()):
                    del values[key]
                    shown = _shortened(query[key][-1])
                    notices.append(f"The link's {key}={shown} was ignored: {_EXPECTED[key]}.")
        if state.v > VERSION:
            notices.append("The link was made by a newer version; what this one understands is shown.")
        return state.model_copy(update={"v": VERSION}), notices

    def to_query(self) -> str:
        """Write the query string of this view, keys sorted, defaults left out."""
        parts = {}
        for key, value in sorted(self.model_dump(exclude_defaults=True).items()):
            parts[key] = ",".join(map(str, value)) if isinstance(value, tuple) else value
        return "?" + urlencode(parts, safe=",") if parts else ""


_EXPECTED = {
    "v": "a version is a whole number from 1",
    "pair": "a pair's address is a short name without control characters",
    "method": "a method's id is a short name without control characters",
    "pixel": "a pixel is written row,column with whole numbers from 0",
    "gamma1": "gamma 1 is a number from 0.1 to 2",
    "gamma2": "gamma 2 is a number from 0.1 to 2",
}


def _shortened(text: str, length: int = 40) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"

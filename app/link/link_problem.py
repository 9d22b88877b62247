"""What cannot be used in a link, in words for a page, where the rest counts, and for a request that is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LinkProblem:
    """Something in a link that cannot be used as it stands.

    Attributes
    ----------
    ignored : str
        A sentence for a notice on a page, which shows everything else.
    refused : str
        A sentence for the answer to a request, of which nothing is done.
    """

    ignored: str
    refused: str


def unknown(what: str) -> LinkProblem:
    """Of something that nothing here has the name of."""
    return LinkProblem(f"The link's {what} is not known here and was ignored.", f"There is no {what} here.")


def unusable(what: str, expected: str) -> LinkProblem:
    """Of a value that will not do, and what it has to be."""
    return LinkProblem(f"The link's {what} was ignored: {expected}.", f"{what} cannot be used: {expected}.")


def repeated(key: str, times: int) -> LinkProblem:
    """Of a key that stands there several times."""
    return LinkProblem(
        f"The link has {key} {times} times; only the last was read.",
        f"{key} is given {times} times; give it once.",
    )


TOO_MANY_PARTS = LinkProblem(
    "The link has too many parts to be read; the first view is shown instead.",
    "The query has too many parts to be read.",
)
NEWER = LinkProblem(
    "The link was made by a newer version; what this one understands is shown.",
    "The query is of a newer version than this server reads.",
)

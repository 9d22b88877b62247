"""Texts of a link, which anybody may have written: names, regions, and what is said of those that will not do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import unquote

UNSEEN = r"\p{Cc}\p{Zl}\p{Zp}\x{202a}-\x{202e}\x{2066}-\x{2069}"
"""What no name has, as classes of a regular expression: control characters, ends of lines, and those that turn the
direction of all that follows. Everything else is left to whoever names files: letters, spaces and accents of all kinds,
and the joiners of scripts that need them."""

_JOINERS = "\u200c\u200d"


def visible(text: str) -> str:
    """Return a text in which nothing can hide or act: what is not seen stands as its number, as Python writes it."""
    return "".join(letter if _seen(letter) else letter.encode("unicode_escape").decode() for letter in text)


def shortened(text: str, length: int = 40) -> str:
    """Return a text for a notice: made visible, and only its beginning where it is too long."""
    shown = visible(text[: length + 1])
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def _seen(letter: str) -> bool:
    return letter.isprintable() or unicodedata.category(letter) == "Zs" or letter in _JOINERS


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
    """Return the problem of something that nothing here has the name of."""
    return LinkProblem(f"The link's {what} is not known here and was ignored.", f"There is no {what} here.")


def unusable(what: str, expected: str) -> LinkProblem:
    """Return the problem of a value that will not do; `expected` says what it has to be."""
    return LinkProblem(f"The link's {what} was ignored: {expected}.", f"{what} cannot be used: {expected}.")


def repeated(key: str, times: int) -> LinkProblem:
    """Return the problem of a key that stands there several times."""
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


MOST_REGIONS = 12
LONGEST_NAME = 40

_REGION = re.compile(
    r"([^~,]{1,400})~([0-9a-f]{6})~(s[0-9a-f]{32}|b[0-9._]*|r[A-Za-z0-9_-]+)((?:~[a-z][0-9]{0,3}){0,8})",
    re.ASCII,
)


@dataclass(frozen=True)
class RegionLook:
    """Looks of a region; in a link, keys behind its code, none of which an ordinary region has.

    Attributes
    ----------
    hidden : bool
        True where it is not drawn at all (``h``).
    outline, filled : bool
        What is drawn of it, one of them at least (``o``: the outline alone, ``f``: the filling alone).
    opacity : int
        In percent (``p`` and the number).
    """

    hidden: bool = False
    outline: bool = True
    filled: bool = True
    opacity: int = 100

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the keys behind a region's code, ``~h~f~p40``; what a newer version may have there says nothing."""
        keys = {key[0]: key[1:] for key in text.split("~")[1:]}
        alone = keys.keys() & {"o", "f"}
        return cls(
            hidden="h" in keys,
            outline=alone != {"f"},
            filled=alone != {"o"},
            opacity=min(int(keys.get("p") or 100), 100),
        )


PLAIN = RegionLook()


@dataclass(frozen=True)
class LinkedRegion:
    """A region as a link has it.

    Attributes
    ----------
    name : str
        What people call it, 1 to 40 printable characters.
    colour : str
        ``#rrggbb``.
    code : str
        Of `fusion.statistics.region_code`, or ``s`` and the id of one that the server keeps.
    look : RegionLook
        How it is drawn.
    """

    name: str
    colour: str
    code: str
    look: RegionLook = PLAIN


def linked_region(text: str) -> LinkedRegion | None:
    """Read a region of a link; ``None`` where it is none. That its code fits the images is not known by then."""
    found = _REGION.fullmatch(text)
    if found is None:
        return None
    name = unquote(found[1]).strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return None
    return LinkedRegion(name, f"#{found[2]}", found[3], RegionLook.read(found[4]))


def linked_regions(texts: Iterable[str]) -> list[LinkedRegion]:
    """Read the regions of a link, each with a name of its own, as on the page: a second ``core`` is ``core 2``."""
    found: dict[str, LinkedRegion] = {}
    for region in filter(None, map(linked_region, texts)):
        name, number = region.name, 2
        while name in found:
            name, number = f"{region.name} {number}", number + 1
        found[name] = replace(region, name=name)
    return list(found.values())

"""Texts of a link, which anybody may have written: what a name may be made of, and how any text is shown."""

from __future__ import annotations

import unicodedata

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

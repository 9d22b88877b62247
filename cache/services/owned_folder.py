"""Folders of what visitors bring: each thing in a folder of its own, with a card that says whose it is and since when.

A card has who brought it, as a hash from which nobody can be found, and what each of them calls it.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from cache.store.sealed import sealed_values, unsealed_values
from cache.store.serializer import CorruptEntryError

logger = logging.getLogger(__name__)

CARD = "card.json"
DAY_S = 86_400.0
ID_DIGITS = 32


@dataclass(frozen=True)
class OwnedCard:
    """All that is kept of something besides its files.

    Attributes
    ----------
    id : str
        From its content, so that the same is kept once.
    bytes : int
        Of all its files.
    brought : float
        When, seconds since 1970.
    owners : dict of str to str
        From the hash of each who has brought it to what they call it.
    """

    id: str
    bytes: int
    brought: float
    owners: dict[str, str]


Kept = TypeVar("Kept", bound=OwnedCard)


class OwnedFolder(Generic[Kept]):
    """A folder of such folders. Safe to use from several threads and processes.

    Parameters
    ----------
    folder : Path
        Made when the first one comes.
    most_bytes : int
        Of all together; beyond it those go that were brought first.
    keep_days : int
        Those that were brought longer ago go.
    what : str
        What they are, for the log.
    card_of : callable
        Makes a card of its values; raises ``KeyError``, ``TypeError`` or ``ValueError`` where they are none.
    """

    def __init__(
        self,
        folder: Path,
        most_bytes: int,
        keep_days: int,
        what: str,
        card_of: Callable[[dict[str, Any]], Kept],
    ) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._what, self._card_of = what, card_of
        self.keep_days = keep_days
        self._known: dict[tuple[str, int], Kept] = {}

    def cards(self) -> list[Kept]:
        """Return the cards of all that are not too old, those that were brought last first."""
        oldest = time.time() - self.keep_days * DAY_S
        found = [card for card in self._cards() if card.brought >= oldest]
        return sorted(found, key=lambda card: (-card.brought, card.id))

    def kept(
        self,
        id: str,
        owner: str,
        name: str,
        make: Callable[[Path], Kept],
        noted: Callable[[Kept], Kept] = lambda card: card,
    ) -> Kept:
        """Keep something, or note that somebody else has brought it too.

        Parameters
        ----------
        id, owner, name : str
            What it is, who brings it, as a hash, and what they call it.
        make : callable
            Fills the folder that it is given, which is empty, and returns the card.
        noted : callable, optional
            Returns the card with what else is of this owner.
        """
        target = self._folder / id
        known = self._read(target / CARD)
        if known is not None:
            card = replace(known, owners=known.owners | {owner: name}, brought=time.time())
        else:
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            card = make(target)
        card = noted(card)
        self._write(card)
        return card

    def release(self, id: str, owner: str) -> bool:
        """Remove something, if it is somebody's own: return that. It stays while somebody else has brought it too."""
        card = next((card for card in self._cards() if card.id == id and owner in card.owners), None)
        if card is None:
            return False
        others = {one: name for one, name in card.owners.items() if one != owner}
        if others:
            self._write(replace(card, owners=others))
        else:
            shutil.rmtree(self._folder / id, ignore_errors=True)
        return True

    def prune(self, coming: int = 0) -> None:
        """Remove what is too old, and what was brought first until there is room for some bytes."""
        kept = self.cards()
        stay = {card.id for card in kept}
        for card in self._cards():
            if card.id not in stay:
                self._evict(card, f"it was kept for {self.keep_days} days")
        total = sum(card.bytes for card in kept) + coming
        while kept and total > self._most_bytes:
            card = kept.pop()
            total -= card.bytes
            self._evict(card, "its room was needed")

    def _evict(self, card: Kept, why: str) -> None:
        logger.info("The uploaded %s %s was removed: %s.", self._what, card.id[:8], why)
        shutil.rmtree(self._folder / card.id, ignore_errors=True)

    def _cards(self) -> Iterator[Kept]:
        if not self._folder.is_dir():
            return
        for place in sorted(self._folder.iterdir()):
            card = self._read(place / CARD)
            if card is not None:
                yield card

    def _read(self, path: Path) -> Kept | None:
        """Return a card, read again only if it has changed; ``None`` where there is none, or it is damaged."""
        try:
            key = path.parent.name, path.stat().st_mtime_ns
            if key not in self._known:
                self._known[key] = self._card_of(unsealed_values(path.read_bytes()))
            return self._known[key]
        except FileNotFoundError:
            return None
        except (OSError, CorruptEntryError, KeyError, TypeError, ValueError) as error:
            logger.warning(
                "%s: this card of an uploaded %s cannot be used (%s).", path, self._what, type(error).__name__
            )
            return None

    def _write(self, card: Kept) -> None:
        path = self._folder / card.id / CARD
        part = path.with_suffix(".part")
        part.write_bytes(sealed_values(asdict(card)))
        part.replace(path)


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def owned(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values that all cards have, of their types."""
    return {
        "id": str(values["id"]),
        "bytes": int(values["bytes"]),
        "brought": float(values["brought"]),
        "owners": {str(owner): str(name) for owner, name in values["owners"].items()},
    }

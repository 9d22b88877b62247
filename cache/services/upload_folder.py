"""Pairs that were brought to the page: a folder each, under their content id, with a card that says what they show.

A card has who brought the pair, as a hash from which nobody can be found, and what each of them calls it.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cache.store.sealed import sealed_values, unsealed_values
from cache.store.serializer import CorruptEntryError
from fusion.data.entries import READ_AS, UPLOADED, PairEntry, PairSource

logger = logging.getLogger(__name__)

CARD = "card.json"
DAY_S = 86_400.0
ID_DIGITS = 32


@dataclass(frozen=True)
class Card:
    """All that is kept of a pair besides its images.

    Attributes
    ----------
    id : str
        32 digits of the sha256 of the files.
    modalities : tuple of str
        What x1 and x2 show.
    files : tuple of str
        Names in the folder of x1 and x2.
    bytes : int
        Of both.
    brought : float
        When, seconds since 1970.
    owners : dict of str to str
        From the hash of each who has brought it to what they call it.
    readings : dict of str to str
        The same to the code by which they have it read, where they chose one.
    """

    id: str
    modalities: tuple[str, str]
    files: tuple[str, str]
    bytes: int
    brought: float
    owners: dict[str, str]
    readings: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """How links call the pair."""
        return f"{UPLOADED}{self.id}"

    def address_of(self, owner: str) -> str:
        """Return the address of the pair as somebody who has brought it has it read."""
        code = self.readings.get(owner, "")
        return f"{self.address}{READ_AS}{code}" if code else self.address

    def entry(self, folder: Path) -> PairEntry:
        """Return what the catalogue has of it, without a name that somebody has given it."""
        return PairEntry(
            address=self.address,
            title=f"{self.modalities[0]} / {self.modalities[1]}, uploaded ({self.id[:8]})",
            modalities=self.modalities,
            paths=(folder / self.files[0], folder / self.files[1]),
            source=PairSource.UPLOAD,
            about="Brought to this page by somebody who uses it.",
        )

    def label(self, owner: str) -> str:
        """Return what the menu of whoever brought it calls it."""
        return (
            f"{self.modalities[0]} / {self.modalities[1]} {self.owners.get(owner, '')}".strip()
            + " (uploaded)"
        )


class UploadFolder:
    """The folder of all uploaded pairs. Safe to use from several threads and processes.

    Parameters
    ----------
    folder : Path
        Made when the first one comes.
    most_bytes : int
        Of all together; beyond it those go that were brought first.
    keep_days : int
        Those that were brought longer ago go.
    """

    def __init__(self, folder: Path, most_bytes: int, keep_days: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self.keep_days = keep_days
        self._known: dict[tuple[str, int], Card] = {}

    def cards(self) -> list[Card]:
        """Return the cards of all pairs that are not too old, those that were brought last first."""
        oldest = time.time() - self.keep_days * DAY_S
        found = [card for card in self._cards() if card.brought >= oldest]
        return sorted(found, key=lambda card: (-card.brought, card.id))

    def entries(self) -> tuple[PairEntry, ...]:
        """Return all pairs, as the catalogue has them."""
        return tuple(card.entry(self._folder / card.id) for card in self.cards())

    def keep(
        self,
        files: tuple[Path, Path],
        id: str,
        modalities: tuple[str, str],
        owner: str,
        name: str,
        code: str = "",
    ) -> Card:
        """Keep a pair, or note that somebody else has brought it too.

        Parameters
        ----------
        files : tuple of Path
            Images x1 and x2, files or folders, which are taken away from where they are.
        id : str
            See `content_id`.
        modalities : tuple of str
            What they show.
        owner, name : str
            Who brings it, as a hash, and what they call it.
        code : str
            By which they have it read.
        """
        target = self._folder / id
        known = self._read(target / CARD)
        if known is not None:
            card = replace(
                known,
                owners=known.owners | {owner: name},
                readings=known.readings | {owner: code},
                brought=time.time(),
            )
        else:
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            names = []
            for number, path in enumerate(files, 1):
                names.append(f"x{number}{''.join(path.suffixes)}")
                path.rename(target / names[-1])
            size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
            card = Card(id, modalities, (names[0], names[1]), size, time.time(), {owner: name}, {owner: code})
        self._write(card)
        return card

    def release(self, id: str, owner: str) -> bool:
        """Remove a pair, if it is somebody's own: return that. It stays while somebody else has brought it too."""
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

    def _evict(self, card: Card, why: str) -> None:
        logger.info("The uploaded pair %s was removed: %s.", card.id[:8], why)
        shutil.rmtree(self._folder / card.id, ignore_errors=True)

    def _cards(self) -> Iterator[Card]:
        if not self._folder.is_dir():
            return
        for place in sorted(self._folder.iterdir()):
            card = self._read(place / CARD)
            if card is not None:
                yield card

    def _read(self, path: Path) -> Card | None:
        """Return a card, read again only if it has changed; ``None`` where there is none, or it is damaged."""
        try:
            key = path.parent.name, path.stat().st_mtime_ns
            if key not in self._known:
                self._known[key] = _card_of(unsealed_values(path.read_bytes()))
            return self._known[key]
        except FileNotFoundError:
            return None
        except (OSError, CorruptEntryError, KeyError, TypeError, ValueError) as error:
            logger.warning(
                "%s: this card of an uploaded pair cannot be used (%s).", path, type(error).__name__
            )
            return None

    def _write(self, card: Card) -> None:
        path = self._folder / card.id / CARD
        part = path.with_suffix(".part")
        part.write_bytes(sealed_values(asdict(card)))
        part.replace(path)


def content_id(images: Sequence[Sequence[Path]]) -> str:
    """Return the content id of the images x1 and x2: digits of the sha256 of their files' bytes.

    Parameters
    ----------
    images : sequence of sequence of Path
        The files of each.
    """
    whole = hashlib.sha256()
    for files in images:
        for path in files:
            with path.open("rb") as stream:
                whole.update(hashlib.file_digest(stream, "sha256").digest())
        whole.update(b"/")
    return whole.hexdigest()[:ID_DIGITS]


def _card_of(values: dict[str, Any]) -> Card:
    first, second = (str(one) for one in values["modalities"])
    file1, file2 = (str(one) for one in values["files"])
    owners = {str(owner): str(name) for owner, name in values["owners"].items()}
    return Card(
        str(values["id"]),
        (first, second),
        (file1, file2),
        int(values["bytes"]),
        float(values["brought"]),
        owners,
        {str(owner): str(code) for owner, code in values.get("readings", {}).items()},
    )

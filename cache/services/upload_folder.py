"""Pairs that were brought to the page: a folder each, under their content id, with a card that says what they show."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cache.services.owned_folder import DAY_S, ID_DIGITS, OwnedCard, OwnedFolder, owned, size_of
from fusion.data.entries import READ_AS, UPLOADED, PairEntry, PairSource

__all__ = ["DAY_S", "Card", "UploadFolder", "content_id"]


@dataclass(frozen=True)
class Card(OwnedCard):
    """All that is kept of a pair besides its images; its id is 32 digits of the sha256 of the files.

    Attributes
    ----------
    modalities : tuple of str
        What x1 and x2 show.
    files : tuple of str
        Names in the folder of x1 and x2.
    readings : dict of str to str
        From the hash of each who has brought it to the code by which they have it read, where they chose one.
    """

    modalities: tuple[str, str]
    files: tuple[str, str]
    readings: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The pair's address in links."""
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


class UploadFolder(OwnedFolder[Card]):
    """The folder of all uploaded pairs.

    Parameters
    ----------
    folder, most_bytes, keep_days
        See `OwnedFolder`.
    """

    def __init__(self, folder: Path, most_bytes: int, keep_days: int) -> None:
        super().__init__(folder, most_bytes, keep_days, "pair", _card_of)

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

        def made(target: Path) -> Card:
            names = []
            for number, path in enumerate(files, 1):
                names.append(f"x{number}{''.join(path.suffixes)}")
                path.rename(target / names[-1])
            return Card(id, size_of(target), time.time(), {owner: name}, modalities, (names[0], names[1]))

        def read_so(card: Card) -> Card:
            return replace(card, readings=card.readings | {owner: code})

        return self.kept(id, owner, name, made, read_so)


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
    return Card(
        **owned(values),
        modalities=(first, second),
        files=(file1, file2),
        readings={str(owner): str(code) for owner, code in values.get("readings", {}).items()},
    )

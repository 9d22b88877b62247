"""Images that visitors bring to the page: taken, looked at, used, listed and let go."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cache.errors import UserError
from cache.services.upload_folder import Card, UploadFolder, content_id
from cache.services.upload_stage import Found, UploadError, UploadStage
from cache.settings import ServiceSettings
from fusion.choices import PLAIN, Reading, load_read
from fusion.data.entries import PairEntry
from fusion.data.preview import Preview, preview
from fusion.errors import DifferentSizesError
from fusion.extents import extent_of
from fusion.pair import Pair

FOLDER = "uploads"
"""In the cache's folder."""
OFF = "This server takes no images from the page: whoever runs it has switched that off (FUSEVIS_UPLOADS)."
UNEQUAL = "The two images have different sizes."
UNKNOWN = ("x1", "x2")
"""What images are called that nobody knows."""
LONGEST_NAME = 60
SHORTEST_KEY = 16


@dataclass(frozen=True)
class Looked:
    """The view of a pair before it is used.

    Attributes
    ----------
    images : tuple of Preview or None
        Of x1 and x2; ``None`` where it cannot be read.
    notes : tuple of str
        What was done to the images.
    problem : str
        Why the pair cannot be used, or nothing.
    unequal : bool
        Whether the second has to be stretched onto the first.
    """

    images: tuple[Preview | None, Preview | None]
    notes: tuple[str, ...]
    problem: str
    unequal: bool = False


def bringer_of(key: str, user: str = "") -> str:
    """Return the hash under which somebody's pairs are kept, empty where nobody says who it is.

    Parameters
    ----------
    key : str
        The secret name that a browser has given itself.
    user : str
        The user's name, where a web server in front knows it: then pairs are in all browsers of that user.
    """
    if user:
        return hashlib.sha256(f"user {user}".encode()).hexdigest()
    return hashlib.sha256(f"key {key}".encode()).hexdigest() if len(key) >= SHORTEST_KEY else ""


class Uploads:
    """Images that visitors bring. Safe to use from several threads.

    All errors that a user can cause are `cache.errors.UserError`.

    Parameters
    ----------
    settings : ServiceSettings
        Whether any are taken, how many, and for how long.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        folder = settings.cache_dir / FOLDER
        self.on = settings.uploads
        self.keep_days = settings.uploads_keep_days
        self._pixel_limit = settings.pixel_limit
        most = int(settings.uploads_max_gb * 2**30)
        self._stage = UploadStage(
            folder / "under-way", min(settings.upload_max_mb * 2**20, most), settings.modalities
        )
        self._folder = UploadFolder(folder / "pairs", most, settings.uploads_keep_days)

    @property
    def most_bytes(self) -> int:
        """The most bytes of one upload."""
        return self._stage.most_bytes

    def entries(self) -> tuple[PairEntry, ...]:
        """Return all pairs that were brought, for those who know their addresses."""
        return self._folder.entries() if self.on else ()

    def owned(self, owner: str) -> list[Card]:
        """Return the pairs that somebody has brought, the last first."""
        if not self.on or not owner:
            return []
        return [card for card in self._folder.cards() if owner in card.owners]

    def begin(self, files: Any) -> str:
        """Begin an upload; see `UploadStage.begin`."""
        self._require_on()
        self._stage.prune()
        id = self._stage.begin(files)
        self._folder.prune(sum(size for _, size in files))
        return id

    def add(self, id: str, file: int, at: int, content: bytes) -> int:
        """Take a piece of a file; see `UploadStage.add`."""
        self._require_on()
        return self._stage.add(id, file, at, content)

    def found(self, id: str) -> Found:
        """Return the pairs of an upload; see `UploadStage.found`."""
        self._require_on()
        return self._stage.found(id)

    def look(self, id: str, place: int) -> Looked:
        """Look at a pair of an upload.

        Raises
        ------
        UploadError
            If there is no such.
        """
        self._require_on()
        pair = self._pair(id, place)
        problems: list[str] = []
        images: list[Preview | None] = []
        try:
            paths = self._stage.prepared(id, place, pair[1])
        except UserError as error:
            return Looked((None, None), (), _named(error, pair, ()))
        for path in paths:
            try:
                images.append(preview(path, self._pixel_limit))
            except UserError as error:
                images.append(None)
                problems.append(_named(error, pair, paths))
        notes: tuple[str, ...] = ()
        if not problems:
            try:
                notes = self._notes(paths)
            except UserError as error:
                problems.append(_named(error, pair, paths))
        return Looked((images[0], images[1]), notes, " ".join(dict.fromkeys(problems)), UNEQUAL in notes)

    def inputs(self, id: str, place: int, swap: bool, code: str) -> Pair:
        """Read a pair of an upload as it is shown in the registration view.

        Parameters
        ----------
        id, place
            See `look`.
        swap : bool
            Whether x1 and x2 change places.
        code : str
            How the files are read, see `fusion.choices`.

        Raises
        ------
        UploadError
            If there is no such pair, or the two images do not lie on each other.
        """
        self._require_on()
        reading = _reading(code)
        pair = self._pair(id, place)
        paths = self._stage.prepared(id, place, pair[1])
        try:
            shown = paths[::-1] if swap else paths
            extents = [extent_of(path, self._pixel_limit) for path in shown]
            return load_read(shown, self._pixel_limit, reading.settled(extents))
        except UserError as error:
            raise UploadError(_named(error, pair, paths)) from error

    def use(self, id: str, chosen: Any, owner: str) -> list[Card]:
        """Keep chosen pairs of an upload and forget the rest of it; return them.

        Parameters
        ----------
        id : str
            Of the upload.
        chosen : list of dict
            With the ``place`` of a pair, its ``name``, ``swap`` where x1 and x2 change places, and the code of its
            ``reading``; may be anything.
        owner : str
            See `bringer_of`.

        Raises
        ------
        UploadError
            If nothing is chosen, or nobody says who it is.
        ImageFileError, DifferentSizesError
            If a pair cannot be read.
        """
        self._require_on()
        if not owner:
            raise UploadError("This browser has not said whose images these are. Reload the page.")
        choices = [_choice(one) for one in chosen] if isinstance(chosen, list) else []
        if not choices:
            raise UploadError("Choose at least one pair.")
        kept = []
        for place, name, swap, code in choices:
            entry, units = pair = self._pair(id, place)
            paths = self._stage.prepared(id, place, units)
            modalities, sources = entry.modalities, [unit.paths for unit in units]
            if swap:
                paths, sources = paths[::-1], sources[::-1]
                modalities = modalities if modalities == UNKNOWN else modalities[::-1]
            try:
                self._notes(paths)
            except UserError as error:
                raise UploadError(_named(error, pair, paths)) from error
            kept.append(self._folder.keep(paths, content_id(sources), modalities, owner, name, code))
        self._stage.discard(id)
        self._folder.prune()
        return kept

    def discard(self, id: str) -> None:
        """Forget an upload that is not used."""
        self._stage.discard(id)

    def delete(self, id: str, owner: str) -> None:
        """Delete a pair that somebody has brought.

        Raises
        ------
        UploadError
            If it is not theirs.
        """
        if not self._folder.release(id, owner):
            raise UploadError("These images are not here any more, or somebody else has brought them.")

    def _pair(self, id: str, place: int) -> Any:
        pairs = self._stage.found(id).pairs
        if not 0 <= place < len(pairs):
            raise UploadError("There is no such pair in this upload. Begin again.")
        return pairs[place]

    def _notes(self, paths: tuple[Path, Path]) -> tuple[str, ...]:
        """Read a pair, and return what should be known of it; different sizes are no reason not to use it."""
        try:
            return load_read(paths, self._pixel_limit).notes
        except DifferentSizesError:
            return (UNEQUAL,)

    def _require_on(self) -> None:
        if not self.on:
            raise UploadError(OFF)


def _reading(code: str) -> Reading:
    try:
        return Reading.parse(code) if code else PLAIN
    except ValueError as error:
        raise UploadError(f"{code[:80]!r} does not say how images are read: {error}.") from error


def _choice(one: Any) -> tuple[int, str, bool, str]:
    if not isinstance(one, dict) or not isinstance(one.get("place"), int):
        raise UploadError("Pairs are chosen by their places.")
    name = " ".join("".join(c if c.isprintable() else " " for c in str(one.get("name") or "")).split())
    code = _reading(str(one.get("reading") or "")).code
    return one["place"], name[:LONGEST_NAME], one.get("swap") is True, code


def _named(error: UserError, pair: Any, paths: tuple[Path, ...]) -> str:
    """Return what went wrong with the names that files had, not with those that they have here."""
    text = str(error)
    for number, unit in enumerate(pair[1]):
        for path in (*paths[number : number + 1], *unit.paths):
            text = text.replace(f"{path}/", f"{unit.name}/").replace(str(path), unit.name)
    return text

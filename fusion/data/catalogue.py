"""The pairs that can be chosen: the user's own, those of a data folder, and the samples that ship.

What was read from files is remembered for as long as they stay as they were.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from fusion.data.entries import (
    SUFFIXES,
    SWAPPED,
    UNREADABLE_SUFFIXES,
    UPLOADED,
    PairEntry,
    PairSource,
    folder_entries,
    sample_entries,
    swapped,
    user_entry,
)
from fusion.data.pairing import split_extension, summarized
from fusion.errors import FuseVisError, UnknownPairError
from fusion.pair import Pair, load_pair
from fusion.reading import DEFAULT_PIXEL_LIMIT, read_gray

logger = logging.getLogger(__name__)

SAMPLES = Path(__file__).parent / "samples"
DEFAULT_SAMPLE = "glioma-t2"

SHORTEST_PREFIX = 12
"""The fewest characters of a content id that are an address."""

GONE = (
    "These uploaded images are not here any more: whoever brought them has deleted them, or they were kept for as long "
    "as this server keeps them. Bring them again by “Your images…”."
)

PAIR_BYTES_IN_MEMORY = 128 * 2**20
IDS_IN_MEMORY = 10_000

MOST_FILES = 20_000
MOST_FOLDERS_DEEP = 8
"""What is looked at in a data folder: somebody may name a whole disk by mistake."""

Value = TypeVar("Value")
Signature = tuple[int, ...]

SETTLED_NS = 2_000_000_000
"""Nanoseconds that a file must have been left alone to be remembered.

A second change within one tick of the file system's clock (up to 2 s) would leave no trace in its times.
"""


class Catalogue:
    """All pairs that can be chosen, and the way to them. Safe to use from several threads.

    Parameters
    ----------
    user_pairs : iterable of (Path, Path)
        Files x1 and x2 of the user's own pairs.
    data_dir : Path or None
        Folder of pairs, see `fusion.data.entries.folder_entries`; looked at again whenever somebody asks for pairs.
    pixel_limit : int
        The most pixels that an image of the user may have.
    samples_dir : Path
        Folder of the samples.
    modalities : (str, str), optional
        What x1 and x2 of the user's pairs show; the names of files and folders say so unless given.
    unlisted : callable
        Returns pairs that are found by those who know their addresses and that stand in no list.
    """

    def __init__(
        self,
        user_pairs: Iterable[Sequence[Path | str]] = (),
        data_dir: Path | None = None,
        pixel_limit: int = DEFAULT_PIXEL_LIMIT,
        samples_dir: Path = SAMPLES,
        modalities: tuple[str, str] | None = None,
        unlisted: Callable[[], tuple[PairEntry, ...]] = tuple,
    ) -> None:
        self._unlisted = unlisted
        self._pixel_limit = pixel_limit
        self._modalities = modalities
        self._samples = sample_entries(samples_dir)
        self._user = tuple(
            user_entry(Path(file1).absolute(), Path(file2).absolute(), modalities)
            for file1, file2 in user_pairs
        )
        self._listing = None if data_dir is None else FolderListing(Path(data_dir).absolute())
        self._pairs: FileMemo[Pair] = FileMemo(PAIR_BYTES_IN_MEMORY, lambda pair: pair.nbytes)
        self._ids: FileMemo[str | None] = FileMemo(IDS_IN_MEMORY)
        self._paired: tuple[tuple[Path, ...], tuple[PairEntry, ...], tuple[str, ...]] = ((), (), ())
        self._problems: tuple[str, ...] = ()
        self._lock = Lock()

    def entries(self) -> tuple[PairEntry, ...]:
        """Return all pairs: the user's in the order given, those of the data folder by id, then the samples.

        No image is read for this.
        """
        folder: tuple[PairEntry, ...] = ()
        if self._listing is not None:
            folder, problems = self._folder_pairs(self._listing)
            if not folder:
                problems += (f"{self._listing.folder} has no pair of images, see docs/your-own-pairs.md.",)
            self._report(self._listing.folder, problems)
        # Samples keep their slugs whatever a user's files are called: links that are about lead to them.
        named = _unique_addresses([*self._samples, *_without_repetitions([*self._user, *folder])])
        count = len(self._samples)
        return (*named[count:], *named[:count])

    def problems(self) -> tuple[str, ...]:
        """Return what of the data folder is in no pair, one sentence for each reason."""
        self.entries()
        return self._problems

    def default(self) -> PairEntry:
        """Return the first sample, a simulated glioma: for a first visit where nobody has pairs of their own.

        Raises
        ------
        UnknownPairError
            If the samples are not installed.
        """
        return self.find(DEFAULT_SAMPLE)

    def find(self, address: str) -> PairEntry:
        """Return the pair that an address leads to.

        Parameters
        ----------
        address : str
            An address of `entries` (a sample's slug, the id in a user's file names), or the content id of
            a pair, or at least 12 of its first characters. With `fusion.data.entries.SWAPPED` at its end, x1 and x2
            have changed places.

        Raises
        ------
        UnknownPairError
            If it leads nowhere, or to several pairs with different content.
        """
        entries = self.entries()
        for entry in (*entries, *self._unlisted()):
            if entry.address == address:
                return entry
        if address.endswith(SWAPPED):
            return swapped(self.find(address.removesuffix(SWAPPED)))
        if re.fullmatch(rf"[0-9a-fA-F]{{{SHORTEST_PREFIX},64}}", address):
            return self._find_content(address.lower(), entries)
        if address.startswith(UPLOADED):
            raise UnknownPairError(GONE)
        if re.fullmatch(r"[0-9a-fA-F]+", address) and len(address) < SHORTEST_PREFIX:
            hint = f" If it is the beginning of a content id, give at least {SHORTEST_PREFIX} characters."
        else:
            hint = ""
        raise UnknownPairError(f"There is no pair {_shortened(address)}.{hint} {_known(entries)}")

    def load(self, entry: PairEntry) -> Pair:
        """Load a pair; read again only if its files have changed.

        Raises
        ------
        ImageFileError, DifferentSizesError
            See `fusion.pair.load_pair`.
        """
        return self._pairs.get_or_load(entry.paths, lambda: self._read(entry))

    def regions(self, entry: PairEntry) -> dict[str, NDArray[np.bool_]]:
        """Return the masks of the known regions of a pair.

        Parameters
        ----------
        entry : PairEntry
            One of `entries`.

        Returns
        -------
        dict
            From the region's name to a bool (H, W); empty for most pairs.

        Raises
        ------
        ImageFileError
            If a mask cannot be read.
        """
        return {name: read_gray(path) > 0 for name, path in entry.region_files}

    def _find_content(self, prefix: str, entries: tuple[PairEntry, ...]) -> PairEntry:
        candidates = (*entries, *self._unlisted())
        found = self._with_content(prefix, candidates) or self._with_content(prefix, map(swapped, candidates))
        if not found:
            raise UnknownPairError(
                f"No pair has a content id that begins with {_shortened(prefix)}. {_known(entries)}"
            )
        if len(found) > 1:
            addresses = ", ".join(entry.address for entry in found.values())
            raise UnknownPairError(
                f"Several pairs have a content id that begins with {_shortened(prefix)}: {addresses}. "
                "Give more characters, or one of these addresses."
            )
        return next(iter(found.values()))

    def _with_content(self, prefix: str, entries: Iterable[PairEntry]) -> dict[str, PairEntry]:
        """Return the first pair of each content id that begins so."""
        found: dict[str, PairEntry] = {}
        for entry in entries:
            content_id = self._content_id(entry)
            if content_id is not None and content_id.startswith(prefix):
                found.setdefault(content_id, entry)
        return found

    def _content_id(self, entry: PairEntry) -> str | None:
        """Return the content id, ``None`` where the pair cannot be loaded; remembered for unchanged files."""

        def read() -> str | None:
            try:
                return self._read(entry).id
            except FuseVisError as error:
                logger.warning("The pair %s has no content id: %s", entry.address, error)
                return None

        return self._ids.get_or_load(entry.paths, read)

    def _read(self, entry: PairEntry) -> Pair:
        limit = DEFAULT_PIXEL_LIMIT if entry.source == PairSource.SAMPLE else self._pixel_limit
        return load_pair(*entry.paths, limit)

    def _folder_pairs(self, listing: FolderListing) -> tuple[tuple[PairEntry, ...], tuple[str, ...]]:
        """Return the pairs of the data folder and its problems; names are read again only if there are others."""
        files, unusable = listing.files()
        with self._lock:
            known, entries, problems = self._paired
        if known is not files:
            entries, problems = folder_entries(files, self._modalities, listing.folder)
            with self._lock:
                self._paired = (files, entries, problems)
        return entries, (*problems, *unusable)

    def _report(self, folder: Path, problems: tuple[str, ...]) -> None:
        """Warn of what is new since the folder was last looked at."""
        with self._lock:
            new = [problem for problem in problems if problem not in self._problems]
            self._problems = problems
        for problem in new:
            logger.warning("Data folder %s: %s", folder, problem)


def _without_repetitions(entries: Iterable[PairEntry]) -> list[PairEntry]:
    """Leave out pairs of the very same files, in the same order, as an earlier one."""
    first: dict[tuple[Path, ...], PairEntry] = {}
    for entry in entries:
        first.setdefault(tuple(file.resolve() for file in entry.paths), entry)
    return list(first.values())


def _unique_addresses(entries: Sequence[PairEntry]) -> list[PairEntry]:
    """Add -2, -3 … to addresses that an earlier pair has, none of which is the wish of another pair."""
    wishes = {entry.address for entry in entries}
    taken: set[str] = set()
    unique = []
    for entry in entries:
        address, number = entry.address, 2
        while address in taken or (number > 2 and address in wishes):
            address, number = f"{entry.address}-{number}", number + 1
        taken.add(address)
        title = entry.title if address == entry.address else f"{entry.title} [{address}]"
        unique.append(dataclasses.replace(entry, address=address, title=title))
    return unique


def _shortened(address: str) -> str:
    return repr(address if len(address) <= 80 else f"{address[:80]}…")


def _known(entries: Sequence[PairEntry]) -> str:
    shown = ", ".join(entry.address for entry in entries[:12]) or "none"
    return f"Known pairs: {shown}{', …' if len(entries) > 12 else ''}."


class FileMemo(Generic[Value]):
    """Values read from groups of files, the least recently used dropped first. Safe for several threads.

    Parameters
    ----------
    capacity : int
        How much is kept, in the unit of `cost`; without it, how many values. A value of a higher cost than
        this is not kept at all.
    cost : callable
        What a value takes up.
    """

    def __init__(self, capacity: int, cost: Callable[[Value], int] = lambda value: 1) -> None:
        self._values: LRUCache[tuple[Path, ...], tuple[tuple[Signature, ...], Value]] = LRUCache(
            capacity, lambda remembered: cost(remembered[1])
        )
        self._lock = Lock()

    def get_or_load(self, files: Sequence[Path], load: Callable[[], Value]) -> Value:
        """Return the remembered value of some files, or load it.

        Parameters
        ----------
        files : sequence of Path
            All that the value depends on.
        load : callable
            Loads the value; what it raises is not remembered.
        """
        key = tuple(files)
        before = _signatures(key)
        if before is not None:
            with self._lock:
                known = self._values.get(key)
            if known is not None and known[0] == before:
                return known[1]
        value = load()
        if before is not None and before == _signatures(key):
            # A value that costs more than all that there is room for is refused.
            with self._lock, contextlib.suppress(ValueError):
                self._values[key] = before, value
        return value


class FolderListing:
    """The files of a folder and of those in it, read again only if some were added, removed or renamed.

    Parameters
    ----------
    folder : Path
        May disappear and come back; while it is away it counts as empty, with a logged warning.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: tuple[dict[Path, Signature | None], tuple[Path, ...], tuple[str, ...]] | None = None
        self._missing = False

    def files(self) -> tuple[tuple[Path, ...], tuple[str, ...]]:
        """Return all files but hidden ones, and a sentence for each reason why something is no file."""
        known = self._known
        if (
            known is not None
            and known[0]
            and all(sign and signature(at) == sign for at, sign in known[0].items())
        ):
            return known[1], known[2]
        walk = _Walk(self.folder)
        try:
            walk.look(self.folder, 0)
        except OSError as error:
            if not self._missing:
                logger.warning("The data folder %s cannot be read (%s): it has no pairs.", self.folder, error)
            self._missing = True
            return (), ()
        self._missing = False
        files, problems = tuple(walk.files), summarized(walk.unusable)
        if known is not None and set(known[1]) == walk.files:
            files = known[1]
        self._known = ({} if walk.unsettled else walk.folders, files, problems)
        return files, problems


class _Walk:
    """Findings in a folder and those in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: set[Path] = set()
        self.folders: dict[Path, Signature | None] = {}
        self.unusable: list[tuple[str, str]] = []
        self.unsettled = False
        self._met: set[tuple[int, int]] = set()

    def look(self, folder: Path, depth: int) -> None:
        """Look into a folder; those that link to where one has been are passed over."""
        found = folder.stat()
        if (found.st_dev, found.st_ino) in self._met:
            return
        self._met.add((found.st_dev, found.st_ino))
        self.folders[folder] = signature(folder)
        for path in sorted(folder.iterdir()):
            if not path.name.startswith((".", "__MACOSX")):
                self._take(path, depth)

    def _take(self, path: Path, depth: int) -> None:
        name = path.relative_to(self.root).as_posix()
        image = split_extension(path.name)[1] in SUFFIXES | UNREADABLE_SUFFIXES
        if path.is_file():
            if len(self.files) < MOST_FILES:
                self.files.add(path)
            else:
                self.unusable.append(
                    (name, f"there are more than {MOST_FILES:,} files. Use a smaller folder")
                )
        elif path.is_dir():
            if image:
                self.unusable.append((name, "this is a folder with the name of an image. Rename it"))
            elif depth == MOST_FOLDERS_DEEP:
                self.unusable.append((name, f"it lies more than {MOST_FOLDERS_DEEP} folders deep"))
            else:
                self._descend(path, depth, name)
        elif path.is_symlink():
            self.unsettled = True  # What it leads to may come without a trace in this folder.
            self.unusable.append((name, "this is a link to something that is not there"))
        elif image:
            self.unusable.append((name, "this is not a regular file"))

    def _descend(self, folder: Path, depth: int, name: str) -> None:
        try:
            self.look(folder, depth + 1)
        except OSError as error:
            self.unsettled = True
            self.unusable.append((name, f"this folder cannot be read ({error.strerror})"))


def signature(path: Path) -> Signature | None:
    """Return what changes whenever a file or folder does; ``None`` if it is not there, or just changed."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    now = time.time_ns()
    if abs(now - found.st_mtime_ns) < SETTLED_NS or abs(now - found.st_ctime_ns) < SETTLED_NS:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _signatures(files: Sequence[Path]) -> tuple[Signature, ...] | None:
    found = tuple(signature(file) for file in files)
    return None if None in found else tuple(one for one in found if one is not None)

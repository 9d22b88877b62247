"""The pairs that can be chosen: the user's own, those of a data folder, and the samples that ship.

What was read from files is remembered for as long as they stay as they were.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from threading import Lock

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from fusion.archives import SERIES, files_of
from fusion.choices import PLAIN, Reading, load_read
from fusion.data.entries import (
    DICOM_SUFFIXES,
    READ_AS,
    SUFFIXES,
    SWAPPED,
    UNREADABLE_SUFFIXES,
    UPLOADED,
    PairEntry,
    PairSource,
    folder_entries,
    read_as,
    sample_entries,
    swapped,
    user_entry,
    without_archives,
)
from fusion.data.file_memo import FileMemo
from fusion.data.listing import MOST_FILES, FolderListing
from fusion.data.pairing import split_extension
from fusion.data.preview import small
from fusion.data.series import Series, SeriesHeader, header_of, headers_of, series_among
from fusion.errors import FuseVisError, UnknownPairError
from fusion.extents import Extent, extent_of
from fusion.pair import Pair
from fusion.positions import Volume
from fusion.reading import DEFAULT_PIXEL_LIMIT, read_gray

logger = logging.getLogger(__name__)

SAMPLES = Path(__file__).parent / "samples"
DEFAULT_SAMPLE = "glioma-t2"

SHORTEST_PREFIX = 12
"""The fewest characters of a content id that are an address."""

WHOLE_ID = 64

GONE = (
    "These uploaded images are not here any more: whoever brought them has deleted them, or they were kept for as long "
    "as this server keeps them. Bring them again by “Your images…”."
)

PAIR_BYTES_IN_MEMORY = 128 * 2**20
SMALL_BYTES_IN_MEMORY = 32 * 2**20
VOLUME_BYTES_IN_MEMORY = 512 * 2**20
IDS_IN_MEMORY = 10_000


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
        self._small: FileMemo[NDArray[np.uint8]] = FileMemo(
            SMALL_BYTES_IN_MEMORY, lambda picture: picture.nbytes
        )
        self._ids: FileMemo[str | None] = FileMemo(IDS_IN_MEMORY)
        self._extents: FileMemo[Extent] = FileMemo(IDS_IN_MEMORY)
        self._headers: FileMemo[SeriesHeader | None] = FileMemo(2 * MOST_FILES)
        self._volumes: FileMemo[Volume] = FileMemo(VOLUME_BYTES_IN_MEMORY, _decoded_bytes)
        self._chosen: LRUCache[str, str] = LRUCache(IDS_IN_MEMORY)
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
            a pair, or at least 12 of its first characters. With `fusion.data.entries.READ_AS` and a code behind it, its
            files are read so; with `fusion.data.entries.SWAPPED` at its end, x1 and x2 have changed places.

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
        if READ_AS in address:
            base, _, code = address.rpartition(READ_AS)
            return read_as(self.find(base), _reading_of(code))
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
        pair = self._pairs.get_or_load(_files(entry), lambda: self._read(entry), (entry.paths, entry.reading))
        if entry.reading != PLAIN:
            # Content ids are looked for among pairs as they are read by themselves, and among these.
            with self._lock:
                self._chosen[pair.id] = entry.address
        return pair

    def extents(self, entry: PairEntry) -> tuple[Extent, Extent]:
        """Return what can be chosen of the files of a pair: how many slices and pictures they have.

        Raises
        ------
        ImageFileError
            See `fusion.extents.extent_of`.
        """
        first, second = (self._extent(path) for path in entry.paths)
        return first, second

    def reading(self, entry: PairEntry) -> Reading:
        """Return how a pair is read, with every choice that its files need.

        Raises
        ------
        ImageFileError
            See `extents`.
        """
        return entry.reading.settled(self.extents(entry))

    def small_picture(self, entry: PairEntry) -> NDArray[np.uint8]:
        """Return both images of a pair in small, beside each other; made again only if its files have changed.

        The pair is not kept in memory for it: whoever looks through hundreds would drop those that are shown.

        Returns
        -------
        ndarray of uint8, shape (h, w)
            0 is black. At most `fusion.data.preview.SIDE` rows, a white line between both.

        Raises
        ------
        ImageFileError, DifferentSizesError
            See `fusion.pair.load_pair`.
        """

        def draw() -> NDArray[np.uint8]:
            pair = self._read(entry)
            one, two = (small(image, aspect=pair.aspect) for image in pair.images)
            return np.hstack([one, np.full((len(one), 2), 255, np.uint8), two])

        return self._small.get_or_load(_files(entry), draw, (entry.paths, entry.reading))

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
        chosen = list(self._chosen_entries(prefix))
        # Whoever has a whole content id has it from here: no other file need be read for what was chosen.
        known = self._with_content(prefix, chosen) if len(prefix) == WHOLE_ID else {}
        found = (
            known
            or self._with_content(prefix, candidates)
            or self._with_content(prefix, map(swapped, candidates))
            or self._with_content(prefix, chosen)
        )
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

    def _chosen_entries(self, prefix: str) -> Iterator[PairEntry]:
        """Yield pairs that were read in ways that somebody chose and had content ids that begin so."""
        with self._lock:
            addresses = [address for content, address in self._chosen.items() if content.startswith(prefix)]
        for address in addresses:
            with contextlib.suppress(UnknownPairError):
                yield self.find(address)

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

        return self._ids.get_or_load(_files(entry), read, (entry.paths, entry.reading))

    def _read(self, entry: PairEntry) -> Pair:
        limit = DEFAULT_PIXEL_LIMIT if entry.source == PairSource.SAMPLE else self._pixel_limit
        return load_read(entry.paths, limit, self.reading(entry), self._keep)

    def _extent(self, path: Path) -> Extent:
        return self._extents.get_or_load(files_of(path), lambda: extent_of(path, self._pixel_limit), path)

    def _keep(self, path: Path, frame: int | None, load: Callable[[], Volume]) -> Volume:
        return self._volumes.get_or_load(files_of(path), load, (path, frame))

    def _folder_pairs(self, listing: FolderListing) -> tuple[tuple[PairEntry, ...], tuple[str, ...]]:
        """Return the pairs of the data folder and its problems; names are read again only if there are others."""
        files, unusable = listing.files()
        with self._lock:
            known, entries, problems = self._paired
        if known is not files:
            images, series = self._with_series(files, listing.folder)
            entries, problems = folder_entries(images, self._modalities, listing.folder, series)
            with self._lock:
                self._paired = (files, entries, problems)
        return entries, (*problems, *unusable)

    def _with_series(self, files: tuple[Path, ...], root: Path) -> tuple[list[Path], dict[Path, Series]]:
        """Return files, with those of a DICOM series as one, and what is known of each series."""
        plain = SUFFIXES - DICOM_SUFFIXES
        seen = {file: split_extension(file.name)[1] for file in files}
        unlikely = plain | UNREADABLE_SUFFIXES
        headers = headers_of((file for file in files if seen[file] not in unlikely), self._header)
        below = {file: without_archives(PurePosixPath(file.relative_to(root).as_posix())) for file in files}
        at = {name: file for file, name in below.items()}
        others = [below[file] for file in files if seen[file] in plain]
        found = series_among(
            {below[file]: header for file, header in headers.items()}, others, self._modalities
        )
        series: dict[Path, Series] = {}
        for one in found:
            folder = at[one.files[0]].parent
            whole = folder if one.only and not folder.is_file() else folder / f"{SERIES}{one.choice}"
            path = at[one.files[0]] if len(one.files) == 1 else whole
            # Nobody can tell two of one modality apart by it, and an archive is searched with its folders.
            if path in series or (folder.is_file() and len(one.files) > 1):
                path = folder / f"{SERIES}{one.header.series}"
            series[path] = one
        return [*(file for file in files if file not in headers), *series], series

    def _header(self, file: Path) -> SeriesHeader | None:
        return self._headers.get_or_load(files_of(file), lambda: header_of(file), file)

    def _report(self, folder: Path, problems: tuple[str, ...]) -> None:
        """Warn of what is new since the folder was last looked at."""
        with self._lock:
            new = [problem for problem in problems if problem not in self._problems]
            self._problems = problems
        for problem in new:
            logger.warning("Data folder %s: %s", folder, problem)


def _files(entry: PairEntry) -> tuple[Path, ...]:
    """Return all that the images of a pair depend on."""
    return (*files_of(entry.paths[0]), *files_of(entry.paths[1]))


def _decoded_bytes(volume: Volume) -> int:
    """Return how many bytes the values of a volume take up, or will when all of them are decoded."""
    known = getattr(volume.values, "nbytes", None)
    return int(known) if known is not None else int(np.prod(volume.values.shape)) * 8


def _reading_of(code: str) -> Reading:
    try:
        return Reading.parse(code)
    except ValueError as error:
        where = _shortened(READ_AS + code)
        raise UnknownPairError(f"The pair's address ends on {where}: {error}.") from error


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

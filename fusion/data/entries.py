"""Entries: all that is known of a pair before it is loaded. Files become pairs by name, by order or by a card.

A card is the ``sample.json`` of a sample folder::

    {"title": "...", "modalities": ["MRI T2", "PET"], "files": ["mri.png", "pet.png"], "simulated": true,
     "default_pixel": [row, column], "regions": {"core": "core.png"}, "about": "..."}

The last three may be missing.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath

from fusion.archives import SUFFIX
from fusion.choices import PLAIN, Reading
from fusion.data.modalities import Vocabulary, distinct_names
from fusion.data.pairing import Match, match_names, named_by_hand, readings_of, split_extension, summarized
from fusion.data.series import Series, same_patient, same_patient_known

_FORMATS = "png jpg jpeg gif bmp webp jp2 j2k jpx tif tiff ome.tif ome.tiff npy npz dcm dicom ima nii nii.gz"
SUFFIXES = frozenset(f".{extension}" for extension in _FORMATS.split())
"""Files of a data folder that are taken for images; what they really are, their content decides."""

DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})

_OTHER_FORMATS = (
    "hdr img img.gz mha mhd mgh mgz mnc nrrd nhdr par rec h5 hdf5 mat fits fit exr heic heif avif jxl pgm ppm pnm pbm "
    "tga psd dng cr2 nef arw czi lif nd2 oib oif svs ndpi vsi zarr"
)
UNREADABLE_SUFFIXES = frozenset(f".{extension}" for extension in _OTHER_FORMATS.split())
"""Files of a data folder that are images, too, but none that can be chosen."""


class PairSource(StrEnum):
    """The origin of a pair."""

    USER = "user"
    FOLDER = "folder"
    UPLOAD = "upload"
    SAMPLE = "sample"


@dataclass(frozen=True)
class PairEntry:
    """A pair of image files that can be chosen.

    Attributes
    ----------
    address : str
        The name used in links and on the command line: unique in its catalogue.
    title : str
        The name shown to people.
    modalities : tuple of str
        What x1 and x2 show, as shown to people.
    paths : tuple of Path
        The files of the images x1 and x2.
    source : PairSource
        Where it comes from.
    simulated : bool
        Whether it must be labelled as simulated.
    default_pixel : tuple of int or None
        The (row, column) of a meaningful first view; ``None`` where nobody knows one.
    region_files : tuple of (name, Path)
        Masks of known regions.
    about : str
        One sentence, or nothing.
    reading : Reading
        How the files are read.
    """

    address: str
    title: str
    modalities: tuple[str, str]
    paths: tuple[Path, Path]
    source: PairSource
    simulated: bool = False
    default_pixel: tuple[int, int] | None = None
    region_files: tuple[tuple[str, Path], ...] = ()
    about: str = ""
    reading: Reading = PLAIN


OTHER_PATIENT = (
    "their headers name two patients, and nothing else pairs them. Give both the names of one pair"
)
"""Why two DICOM images in one folder are no pair."""
UPLOADED = "upload-"
"""The beginning of the address of a pair that somebody has brought to the page."""
SWAPPED = "~swapped"
"""The end of the address of a pair whose x1 and x2 have changed places."""


READ_AS = "@"
"""Between a pair's address and the code by which its files are read, see `fusion.choices`."""


def swapped(entry: PairEntry) -> PairEntry:
    """Return a pair with x1 and x2 in each other's place, under an address of its own."""
    plain = read_as(entry, PLAIN)
    turned = replace(
        plain,
        address=f"{plain.address}{SWAPPED}",
        title=f"{plain.title}, swapped",
        modalities=entry.modalities[::-1],
        paths=entry.paths[::-1],
    )
    return read_as(turned, entry.reading.swapped())


def read_as(entry: PairEntry, reading: Reading) -> PairEntry:
    """Return a pair whose files are read in another way, under an address of its own."""
    title = entry.title.removesuffix(_words(entry.reading))
    code = f"{READ_AS}{reading.code}" if reading != PLAIN else ""
    return replace(
        entry, address=f"{plain_address(entry)}{code}", title=f"{title}{_words(reading)}", reading=reading
    )


def plain_address(entry: PairEntry) -> str:
    """Return a pair's address without how its files are read."""
    # An address may have an @ of its own.
    return entry.address if entry.reading == PLAIN else entry.address.rpartition(READ_AS)[0]


def _words(reading: Reading) -> str:
    return f" · {reading.words()}" if reading != PLAIN else ""


def sample_entries(folder: Path) -> tuple[PairEntry, ...]:
    """Return the samples of a folder, one in each sub-folder with a card, in the order of their slugs."""
    return tuple(_sample_entry(card) for card in sorted(folder.glob("*/sample.json")))


def user_entry(file1: Path, file2: Path, modalities: tuple[str, str] | None = None) -> PairEntry:
    """Return the pair of two files.

    Parameters
    ----------
    file1, file2 : Path
        In the order x1, x2. The modalities are those that names or folders say, x1 and x2 where they say none. Where
        both show the same id, it is the address, else the address is made of both names.
    modalities : tuple of str, optional
        What they show; found in the names unless given.
    """
    found, identity = named_by_hand(_parts(file1), _parts(file2))
    first, second = distinct_names(*(modalities or (name and name.shown for name in found)))
    address = identity or f"{_slug(file1.stem)}-{_slug(file2.stem)}".strip("-") or "pair"
    shown = f" {identity}" if identity else ""
    return PairEntry(
        address=address,
        title=f"{first} / {second}{shown} ({_files_shown(file1, file2)})",
        modalities=(first, second),
        paths=(file1, file2),
        source=PairSource.USER,
    )


def folder_entries(
    files: Iterable[Path],
    modalities: tuple[str, str] | None = None,
    root: Path | None = None,
    series: Mapping[Path, Series] | None = None,
) -> tuple[tuple[PairEntry, ...], tuple[str, ...]]:
    """Make pairs of all files that show the same in two modalities.

    Parameters
    ----------
    files : iterable of Path
        Names ``<modality>_<id>`` or ``<id>_<modality>``, or equal names in folders that are named after modalities.
        Other files than images are passed over.
    modalities : tuple of str, optional
        The words for x1 and x2 in the names; any that are known unless given. Of these, every kind of MRI is x1, else
        the alphabetically first.
    root : Path, optional
        The folder whose own name says nothing; the innermost that all files share unless given.
    series : mapping, optional
        Those of `files` that are DICOM series, which are paired by their aliases below the root.

    Returns
    -------
    entries : tuple of PairEntry
        In the order of their ids, 2 before 10.
    problems : tuple of str
        Which images are in no pair, and why.
    """
    files = sorted(files)
    root = root if root is not None else _shared_folder(files)
    known = series or {}
    images, others = [], []
    for file in files:
        if file in known:
            if known[file].problem:
                others.append((_below(file, root), known[file].problem))
            else:
                images.append(file)
            continue
        extension = split_extension(file.name)[1]
        if extension in SUFFIXES:
            images.append(file)
        elif reason := _why_no_image(file, extension):
            others.append((_below(file, root), reason))
    names = [root / known[file].alias if file in known else file for file in images]
    matches, reasons = match_names([_parts(name, root) for name in names], Vocabulary(modalities))
    matches += _by_headers(images, reasons, known, root)
    paired = {place for match in matches for place in match.places}
    left_over = [(_below(images[place], root), why) for place, why in reasons.items() if place not in paired]
    entries = []
    for match in matches:
        if same_patient(*(known.get(images[place]) for place in match.places)):
            entries.append(_entry(match, images))
        else:
            left_over += [(_below(images[place], root), OTHER_PATIENT) for place in match.places]
    entries.sort(key=lambda entry: (_natural_order(entry.address), entry.paths))
    return tuple(entries), summarized(left_over + others)


def _by_headers(
    images: Sequence[Path], left_over: Iterable[int], known: Mapping[Path, Series], root: Path
) -> list[Match]:
    """Pair the two series of a folder whose folders' names say what their headers do, but are not alike otherwise.

    As ``2.000-CT`` and ``3.000-PET``: they have to be the only two of one patient there.
    """
    beside: defaultdict[PurePosixPath, list[int]] = defaultdict(list)
    for place, file in enumerate(images):
        if file in known:
            beside[known[file].folder.parent].append(place)
    free = set(left_over)
    matches = []
    for places in beside.values():
        aliases = {place: alias for place in places if (alias := known[images[place]].second_alias)}
        two = len(places) == len(aliases) == 2 and free.issuperset(places)
        if two and same_patient_known(*(known[images[place]] for place in places)):
            found, _ = match_names([_parts(root / alias, root) for alias in aliases.values()], Vocabulary())
            matches += [
                replace(match, places=(places[match.places[0]], places[match.places[1]])) for match in found
            ]
    return matches


def _why_no_image(file: Path, extension: str) -> str:
    """Return why a file that seems to be an image cannot be used; nothing for files that are none."""
    if extension in UNREADABLE_SUFFIXES:
        return f"images of this format ({extension}) cannot be read. Export them as PNG, TIFF or .npy, one slice each"
    if not extension and readings_of([file.name], Vocabulary()):
        return "a name without an extension does not say that this is an image. Add one, such as .png"
    return ""


def _entry(match: Match, files: Sequence[Path]) -> PairEntry:
    file1, file2 = (files[place] for place in match.places)
    first, second = distinct_names(*(modality.shown for modality in match.modalities))
    identity = match.identity or "pair"
    return PairEntry(
        address=identity,
        title=f"{first} / {second} {identity} ({_files_shown(file1, file2)})",
        modalities=(first, second),
        paths=(file1, file2),
        source=PairSource.FOLDER,
    )


def _files_shown(file1: Path, file2: Path) -> str:
    """Name two files, with their folders where the names are the same."""
    if file1.name == file2.name and file1.parent.name and file1.parent.name != file2.parent.name:
        return f"{file1.parent.name}/{file1.name} + {file2.parent.name}/{file2.name}"
    return f"{file1.name} + {file2.name}"


def _parts(file: Path, root: Path | None = None) -> tuple[str, ...]:
    """Return the names of a file's folders, below the root if there is one, and its own without the extension."""
    below = file if root is None else Path(_below(file, root))
    folders = without_archives(PurePosixPath(below)).parent.parts
    return (*(part for part in folders if part != file.anchor), split_extension(file.name)[0])


def without_archives(path: PurePosixPath) -> PurePosixPath:
    """Return a name with its folders, those that are archives without their extensions."""
    folders = (part[: -len(SUFFIX)] if part.lower().endswith(SUFFIX) else part for part in path.parent.parts)
    return PurePosixPath(*folders, path.name)


def _below(file: Path, root: Path) -> str:
    return (file.relative_to(root) if file.is_relative_to(root) else file).as_posix()


def _shared_folder(files: Sequence[Path]) -> Path:
    folders = [file.parent.parts for file in files]
    shared = 0
    for names in zip(*folders, strict=False):
        if len(set(names)) > 1:
            break
        shared += 1
    return Path(*folders[0][:shared]) if folders else Path()


def _sample_entry(card: Path) -> PairEntry:
    described = json.loads(card.read_text(encoding="utf-8"))
    file1, file2 = (card.with_name(name) for name in described["files"])
    modality1, modality2 = described["modalities"]
    pixel = described.get("default_pixel")
    return PairEntry(
        address=card.parent.name,
        title=described["title"],
        modalities=(modality1, modality2),
        paths=(file1, file2),
        source=PairSource.SAMPLE,
        simulated=described["simulated"],
        default_pixel=None if pixel is None else (pixel[0], pixel[1]),
        region_files=tuple(
            (name, card.with_name(file)) for name, file in described.get("regions", {}).items()
        ),
        about=described.get("about", ""),
    )


def _slug(text: str) -> str:
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")


def _natural_order(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which runs of digits count as numbers."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts)

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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".npy"})
"""Files of a data folder that are taken for images; what they really are, their content decides."""

DEFAULT_MODALITIES = ("MRI", "PET")

_ACRONYMS = frozenset(
    {"cbf", "ct", "dwi", "fdg", "fet", "flair", "mr", "mri", "pet", "spect", "t1", "t2", "us"}
)


class PairSource(StrEnum):
    """The origin of a pair."""

    USER = "user"
    FOLDER = "folder"
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


def split_name(path: Path) -> tuple[str, str] | None:
    """Split ``<modality>_<id>.<extension>`` into modality and id; ``None`` where the name is another.

    The first underscore divides: an id may have more of them, a modality none.
    """
    modality, underscore, identity = path.stem.partition("_")
    return (modality, identity) if modality and underscore and identity else None


def sample_entries(folder: Path) -> tuple[PairEntry, ...]:
    """Return the samples of a folder, one in each sub-folder with a card, in the order of their slugs."""
    return tuple(_sample_entry(card) for card in sorted(folder.glob("*/sample.json")))


def user_entry(file1: Path, file2: Path) -> PairEntry:
    """Return the pair of two files.

    Parameters
    ----------
    file1, file2 : Path
        In the order x1, x2. Names ``<modality>_<id>`` with the same id give the address and the modalities. Any others
        give an address made of both names, and the modalities are the paper's, MRI and PET.
    """
    name1, name2 = split_name(file1), split_name(file2)
    if name1 and name2 and name1[1] == name2[1]:
        return _named_entry((name1[0], name2[0]), name1[1], (file1, file2), PairSource.USER)
    return PairEntry(
        address=f"{_slug(file1.stem)}-{_slug(file2.stem)}".strip("-") or "pair",
        title=f"{' / '.join(DEFAULT_MODALITIES)} ({file1.name} + {file2.name})",
        modalities=DEFAULT_MODALITIES,
        paths=(file1, file2),
        source=PairSource.USER,
    )


def folder_entries(files: Iterable[Path]) -> tuple[tuple[PairEntry, ...], tuple[str, ...]]:
    """Make pairs of all files ``<modality>_<id>.<extension>`` with two modalities for an id.

    Parameters
    ----------
    files : iterable of Path
        Those with other extensions than `SUFFIXES` are passed over. x1 is ``mri`` if there is one, else the
        alphabetically first modality; capitals make no difference.

    Returns
    -------
    entries : tuple of PairEntry
        In the order of their ids, 2 before 10.
    problems : tuple of str
        Why files that might be meant as pairs are none.
    """
    problems: list[str] = []
    by_id: defaultdict[str, list[tuple[str, Path]]] = defaultdict(list)
    for file in sorted(files):
        if file.suffix.lower() not in SUFFIXES:
            continue
        name = split_name(file)
        if name is None:
            problems.append(f"{file} is left out: its name is not <modality>_<id>.<extension>.")
        else:
            by_id[name[1]].append((name[0], file))
    entries = []
    for identity, found in sorted(by_id.items(), key=lambda item: _natural_order(item[0])):
        found.sort(key=lambda item: (item[0].lower() != "mri", item[0].lower(), item[1].name))
        modalities = {modality.lower() for modality, _ in found}
        if len(found) == len(modalities) == 2:
            (modality1, file1), (modality2, file2) = found
            entries.append(_named_entry((modality1, modality2), identity, (file1, file2), PairSource.FOLDER))
        else:
            problems.append(_why_no_pair(identity, len(modalities), [file for _, file in found]))
    return tuple(entries), tuple(problems)


def _why_no_pair(identity: str, modalities: int, files: Sequence[Path]) -> str:
    names = ", ".join(file.name for file in files)
    if modalities == 1 and len(files) == 1:
        reason = "it has only one image; add that of a second modality"
    elif modalities <= 2:
        reason = "it has several images of one modality; keep one of each"
    else:
        reason = f"it has {modalities} modalities, and nobody can tell which two to fuse; keep two"
    return f"{files[0].parent}: id {identity!r} is left out: {reason} ({names})."


def _named_entry(
    modalities: tuple[str, str], identity: str, files: tuple[Path, Path], source: PairSource
) -> PairEntry:
    first, second = (_shown_modality(modality) for modality in modalities)
    return PairEntry(
        address=identity,
        title=f"{first} / {second} {identity} ({files[0].name} + {files[1].name})",
        modalities=(first, second),
        paths=files,
        source=source,
    )


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


def _shown_modality(modality: str) -> str:
    """Write acronyms in capitals: ``mri`` is MRI, ``mri-t2`` is MRI-T2; other words stay as they are."""
    return "-".join(word.upper() if word.lower() in _ACRONYMS else word for word in modality.split("-"))


def _slug(text: str) -> str:
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")


def _natural_order(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which runs of digits count as numbers."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts)

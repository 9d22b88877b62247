"""DICOM series among files: the files of one are one image, which is paired by its folder or by what its header says.

Whom a header names is compared and never kept, shown or logged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from fusion.archives import open_file
from fusion.data.modalities import Vocabulary
from fusion.data.pairing import readings_of
from fusion.errors import ImageFileError
from fusion.formats import HEAD_BYTES, is_dicom

KINDS = {"MR": "MRI", "PT": "PET", "NM": "SPECT"}
"""Modalities as DICOM abbreviates them, and as names have them."""
NAMED = {"CT", *KINDS.values()}
"""Kinds of images that both headers and names know."""


@dataclass(frozen=True)
class SeriesHeader:
    """Ids that a DICOM file has in its header: of its series, its modality and its patient, empty where it has none."""

    series: str
    modality: str
    patient: str

    @property
    def kind(self) -> str:
        """The modality as names have it."""
        return KINDS.get(self.modality, self.modality)


@dataclass(frozen=True)
class Series:
    """An image of one or several DICOM files.

    Attributes
    ----------
    folder : PurePosixPath
        Where its files lie.
    files : tuple of PurePosixPath
        Their names, with folders.
    header : SeriesHeader
        Of the first.
    only : bool
        Whether no other series lies in the folder.
    alias : PurePosixPath
        The name by which it is paired.
    by_header : bool
        Whether that name is from its header, as those of files and folders say nothing.
    problem : str
        Why it cannot be paired, or nothing.
    second_alias : PurePosixPath or None
        The name that its header gives where its folder agrees, for what no folder pairs.
    """

    folder: PurePosixPath
    files: tuple[PurePosixPath, ...]
    header: SeriesHeader
    only: bool
    alias: PurePosixPath
    by_header: bool
    problem: str = ""
    second_alias: PurePosixPath | None = None

    @property
    def choice(self) -> str:
        """Part of a folder's files that it is, as `fusion.archives.series_place` reads it."""
        return self.header.modality or self.header.series


def header_of(path: Path) -> SeriesHeader | None:
    """Return what the header of a DICOM file says of its series; ``None`` for other files."""
    with open_file(path) as stream:
        if not is_dicom(stream.read(HEAD_BYTES)):
            return None
        stream.seek(0)
        import pydicom  # nobody else should wait for it

        # The reader says what is wrong with a damaged one, later and in words.
        with suppress(Exception):
            names: list[Any] = ["SeriesInstanceUID", "Modality", "PatientID"]
            header = pydicom.dcmread(stream, force=True, stop_before_pixels=True, specific_tags=names)
            return SeriesHeader(*(str(header.get(name) or "") for name in names))
    return None


def series_among(
    headers: Mapping[PurePosixPath, SeriesHeader],
    others: Iterable[PurePosixPath],
    modalities: tuple[str, str] | None = None,
) -> list[Series]:
    """Sort DICOM files into series, those of each folder by itself.

    Parameters
    ----------
    headers : mapping
        From the name of each DICOM file, with its folders, to what its header says.
    others : iterable of PurePosixPath
        Names of images of other formats beside them.
    modalities : tuple of str, optional
        The words for x1 and x2 in names, any that are known unless given.

    Returns
    -------
    list of Series
        In the order of their first files.
    """
    grouped: defaultdict[tuple[PurePosixPath, str], list[PurePosixPath]] = defaultdict(list)
    for name, header in headers.items():
        grouped[(name.parent, header.series or name.name)].append(name)
    in_folder = Counter(folder for folder, _ in grouped)
    beside = {folder for name in others for folder in name.parents}
    beside |= {above for folder in in_folder for above in folder.parents}
    vocabulary = Vocabulary(modalities)
    found = []
    for (folder, _), files in grouped.items():
        only = in_folder[folder] == 1
        # A folder of its own says what the series is; one that it shares says what all in it show.
        own = only and folder not in beside and folder.name != ""
        found.append(_named(folder, files, headers[files[0]], only, own, vocabulary))
    return found


def _named(
    folder: PurePosixPath,
    files: list[PurePosixPath],
    header: SeriesHeader,
    only: bool,
    own: bool,
    vocabulary: Vocabulary,
) -> Series:
    """Name a series so that it can be paired."""
    plain = files[0] if len(files) == 1 else (folder.with_name(f"{folder.name}.dcm") if own else None)
    parts = () if plain is None else (*plain.parent.parts, plain.stem)
    said = {reading.modality.kind for reading in readings_of(parts, vocabulary)} if parts else set()
    if plain is not None and (said or not header.kind):
        disagree = len(files) > 1 and header.kind in NAMED and said and header.kind not in said
        shown = " or ".join(sorted(said))
        problem = (
            f"its folder says {shown}, its header {header.kind}, and nobody can tell which is right"
            if disagree and vocabulary.given is None
            else ""
        )
        agree = own and said == {header.kind} and vocabulary.given is None
        second = folder.parent / f"{header.kind}.dcm" if agree else None
        return Series(folder, tuple(files), header, only, plain, False, problem, second)
    above = folder.parent if own and len(files) > 1 else folder
    return Series(
        folder, tuple(files), header, only, above / f"{header.kind or 'series'}.dcm", bool(header.kind)
    )


def same_patient_known(*several: Series) -> bool:
    """Tell whether headers name one patient, and the same in all."""
    return len({one.header.patient for one in several}) == 1 and several[0].header.patient != ""


def same_patient(one: Series | None, two: Series | None) -> bool:
    """Tell whether two images may show one patient: not where headers alone pair them and name two."""
    if one is None or two is None or not (one.by_header or two.by_header):
        return True
    first, second = one.header.patient, two.header.patient
    return not first or not second or first == second


def headers_of(
    files: Iterable[Path], known: Callable[[Path], SeriesHeader | None] = header_of
) -> dict[Path, SeriesHeader]:
    """Return what the headers of those files say that are DICOM; what cannot be opened is passed over."""
    found: dict[Path, SeriesHeader] = {}
    for file in files:
        with suppress(OSError, ImageFileError):
            header = known(file)
            if header is not None:
                found[file] = header
    return found

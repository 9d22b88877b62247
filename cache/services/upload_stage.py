"""Files that somebody is bringing: sent piece by piece, unpacked and sorted into pairs before any of them is used.

No file on the disk has the name that it had: names stand in one list, which goes with the files.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import stat
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from cache.errors import UserError
from fusion.archives import MAGIC, MOST_RATIO, SUFFIX
from fusion.data.entries import SUFFIXES, PairEntry, folder_entries, user_entry
from fusion.data.pairing import split_extension
from fusion.data.series import Series, headers_of, same_patient, series_among
from fusion.formats import HEAD_BYTES, format_name, is_archive

MOST_FILES = 4096
"""In one upload, packed and unpacked."""
LARGEST_PIECE = 4 * 2**20
"""Bytes of one request; `app.guard.limits` holds it."""
LONGEST_NAME = 300
MOST_FOLDERS_DEEP = 8
STALE_S = 3600.0
"""How long what nobody goes on with is kept, seconds."""
ID = re.compile(r"[0-9a-f]{32}")
HIDDEN = (".", "__MACOSX", "Thumbs.db", "DICOMDIR")


class UploadError(UserError):
    """An upload cannot be taken: its files, their sizes or their names."""


class UploadTooLargeError(UploadError):
    """An upload has more bytes or files than the settings allow."""


@dataclass(frozen=True)
class Member:
    """A file of an upload: what it was called, with its folders, and where it lies."""

    name: str
    path: Path


@dataclass(frozen=True)
class Unit:
    """An image of an upload: its name, and its file, or the files of a series."""

    name: str
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Found:
    """Pairs of an upload, each with its two images, and sentences on what is in none."""

    pairs: tuple[tuple[PairEntry, tuple[Unit, Unit]], ...]
    problems: tuple[str, ...]


class UploadStage:
    """The folder of uploads under way. Safe to use from several threads and processes, one upload from one of them.

    Parameters
    ----------
    folder : Path
        Made when the first one comes.
    most_bytes : int
        Of one upload, all files together, packed and unpacked.
    modalities : tuple of str, optional
        What x1 and x2 show; names say so unless given.
    """

    def __init__(self, folder: Path, most_bytes: int, modalities: tuple[str, str] | None = None) -> None:
        self._folder = folder
        self.most_bytes = most_bytes
        self._modalities = modalities

    def begin(self, files: Any) -> str:
        """Make room for files, and return the id of the upload.

        Parameters
        ----------
        files : list of [name, bytes]
            As a browser says; may be anything.

        Raises
        ------
        UploadTooLargeError
            If these are too many files or bytes.
        UploadError
            If these are no names and sizes.
        """
        named = _named(files)
        if len(named) > MOST_FILES:
            raise UploadTooLargeError(
                f"These are {len(named):,} files; up to {MOST_FILES:,} are taken at once. Bring fewer."
            )
        total = sum(size for _, size in named)
        if total > self.most_bytes:
            largest = max(named, key=lambda one: one[1])
            raise UploadTooLargeError(
                f"These files have {_mib(total)}, {largest[0]} alone {_mib(largest[1])}; up to {_mib(self.most_bytes)} "
                "are taken at once. Bring fewer or smaller files."
            )
        id = secrets.token_hex(16)
        place = self._folder / id
        place.mkdir(parents=True)
        (place / "plan.json").write_text(json.dumps(named), encoding="utf-8")
        return id

    def add(self, id: str, file: int, at: int, content: bytes) -> int:
        """Take the next piece of a file, and return how many bytes of it are here.

        Raises
        ------
        UploadError
            If it is not the next one, or there is no such file.
        """
        plan, place = self._plan(id), self._folder / id
        if not 0 <= file < len(plan):
            raise UploadError("There is no such file in this upload. Begin again.")
        name, size = plan[file]
        path = place / str(file)
        known = path.stat().st_size if path.exists() else 0
        if at != known or at + len(content) > size:
            raise UploadError(f"{name} has changed while it was sent, or a part of it was lost. Begin again.")
        with path.open("ab") as stream:
            stream.write(content)
        return known + len(content)

    def place(self, id: str) -> Path:
        """Return the folder of an upload.

        Raises
        ------
        UploadError
            If there is none.
        """
        self._plan(id)
        return self._folder / id

    def whole_file(self, id: str) -> Path:
        """Return the only file of an upload of one."""
        return self.place(id) / "0"

    def is_whole(self, id: str) -> bool:
        """Tell whether the only file of an upload of one is here to its end."""
        ((_, size),) = self._plan(id)
        path = self.whole_file(id)
        return path.exists() and path.stat().st_size == size

    def found(self, id: str) -> Found:
        """Sort a complete upload into pairs.

        Raises
        ------
        UploadError
            If files are missing, or an archive cannot be unpacked.
        """
        units, series = _units(self._members(id), self._modalities)
        # The folder that all share, as that of an archive, names no pair; but a series may have no other name.
        root = Path() if series else None
        entries, problems = folder_entries(units, self._modalities, root, series)
        images = [name for name in units if name in series or split_extension(name.name)[1] in SUFFIXES]
        two = [series[name].alias if name in series else name for name in images]
        if not entries and len(images) == 2 and same_patient(*(series.get(name) for name in images)):
            by_hand = user_entry(Path(two[0]), Path(two[1]), self._modalities)
            entries, problems = (replace(by_hand, paths=(images[0], images[1])),), ()
        if not entries and not problems:
            problems = (_why_nothing(list(units.values())),)
        pairs = tuple((entry, (units[entry.paths[0]], units[entry.paths[1]])) for entry in entries)
        return Found(pairs, problems)

    def prepared(self, id: str, place: int, units: Sequence[Unit]) -> tuple[Path, Path]:
        """Return the two images of a pair as they would be kept: without what they say about a patient.

        Raises
        ------
        ImageFileError
            If one cannot be read for that.
        """
        folder = self._folder / id / f"pair{place}"
        images = []
        for number, unit in enumerate(units, 1):
            extension = "" if len(unit.paths) > 1 else split_extension(unit.name)[1]
            known = extension if extension in SUFFIXES else ""
            image = folder / f"x{number}{known}"
            if not image.exists():
                folder.mkdir(exist_ok=True)
                self._prepare(id, unit, image)
            images.append(image)
        return images[0], images[1]

    def discard(self, id: str) -> None:
        """Remove an upload; nothing happens where there is none."""
        if ID.fullmatch(id):
            shutil.rmtree(self._folder / id, ignore_errors=True)

    def prune(self) -> None:
        """Remove uploads that nobody goes on with."""
        if not self._folder.is_dir():
            return
        for place in self._folder.iterdir():
            newest = max((path.stat().st_mtime for path in (place, *place.glob("*"))), default=0.0)
            if newest < time.time() - STALE_S:
                shutil.rmtree(place, ignore_errors=True)

    def _prepare(self, id: str, unit: Unit, image: Path) -> None:
        from fusion.data.deidentify import deidentified_copy  # it loads pydicom, for which no server waits

        if len(unit.paths) == 1:
            deidentified_copy(unit.paths[0], image, id, self.most_bytes)
            return
        image.mkdir()
        for number, path in enumerate(unit.paths):
            deidentified_copy(path, image / f"{number:04}.dcm", id, self.most_bytes)

    def _plan(self, id: str) -> list[tuple[str, int]]:
        try:
            if not ID.fullmatch(id):
                raise FileNotFoundError
            found = json.loads((self._folder / id / "plan.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise UploadError(
                "This upload is not here any more: it was used, discarded or left alone for an hour. Begin again."
            ) from None
        return [(str(name), int(size)) for name, size in found]

    def _members(self, id: str) -> list[Member]:
        """Return all files of a complete upload, those of its archives instead of these."""
        plan, place = self._plan(id), self._folder / id
        room = self.most_bytes
        members: list[Member] = []
        for number, (name, size) in enumerate(plan):
            path = place / str(number)
            if size == 0:
                path.touch()
            if not path.exists() or path.stat().st_size != size:
                raise UploadError(f"{name} has not arrived as a whole. Begin again.")
            with path.open("rb") as stream:
                head = stream.read(HEAD_BYTES)
            # An archive that begins with an array looks like a .npz file.
            packed = is_archive(head) or (head.startswith(MAGIC) and name.lower().endswith(SUFFIX))
            inside = _unpacked(Member(name, path), room) if packed else [Member(name, path)]
            room -= sum(one.path.stat().st_size for one in inside if packed)
            members += [one for one in inside if not _is_hidden(one.name)]
            if len(members) > MOST_FILES:
                raise UploadTooLargeError(
                    f"{name}: there are more than {MOST_FILES:,} files in it and beside it. Bring fewer."
                )
        return members


def _named(files: Any) -> list[tuple[str, int]]:
    """Return the names and sizes that a browser has sent."""
    wrong = UploadError("An upload begins with the names and sizes of its files.")
    if not isinstance(files, list) or not files:
        raise wrong
    found = []
    for one in files:
        if not isinstance(one, list) or len(one) != 2 or not isinstance(one[0], str):
            raise wrong
        if not isinstance(one[1], int) or isinstance(one[1], bool) or one[1] < 0:
            raise wrong
        found.append((safe_name(one[0]), one[1]))
    return found


def safe_name(name: str) -> str:
    """Return the name of a file with its folders, which is only shown and read, and leads nowhere.

    Raises
    ------
    UploadError
        If it leads out of where it is, or is too long.
    """
    parts = name.replace("\\", "/").split("/")
    plain = "".join(
        character if character.isprintable() else "?" for character in "/".join(filter(None, parts))
    )
    if ".." in parts or not parts[0] or re.match(r"[A-Za-z]:", name) or not plain.strip():
        raise UploadError(
            f"{plain[:80]!r} is the name of a file that lies elsewhere. Bring files with plain names."
        )
    if len(plain) > LONGEST_NAME or len(parts) > MOST_FOLDERS_DEEP + 1:
        raise UploadError(
            f"{plain[:80]}… has a name that is too long, or lies more than {MOST_FOLDERS_DEEP} folders deep. Rename it."
        )
    return plain


def _is_hidden(name: str) -> bool:
    return any(part.startswith(HIDDEN) for part in PurePosixPath(name).parts)


def _unpacked(archive: Member, room: int) -> list[Member]:
    """Unpack an archive beside it, once; nothing of it is read that is larger than there is room for."""
    above = PurePosixPath(archive.name).with_suffix("").as_posix()
    try:
        with zipfile.ZipFile(archive.path) as opened:
            infos = [info for info in opened.infolist() if not info.is_dir()]
            _require_harmless(archive.name, infos, room)
            members = []
            for number, info in enumerate(infos):
                path = archive.path.with_name(f"{archive.path.name}-{number}")
                if not path.exists():
                    with opened.open(info) as packed:
                        path.write_bytes(packed.read(info.file_size))
                members.append(Member(f"{above}/{safe_name(info.filename)}", path))
            return members
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise UploadError(
            f"{archive.name} is damaged, or packed in an unusual way ({type(error).__name__}). Pack it again, or bring "
            "its files."
        ) from error


def _require_harmless(name: str, infos: Sequence[zipfile.ZipInfo], room: int) -> None:
    """Refuse an archive before it is unpacked: too many files or bytes, names that lead out of it, links, secrets."""
    if len(infos) > MOST_FILES:
        raise UploadTooLargeError(
            f"{name} has {len(infos):,} files; up to {MOST_FILES:,} are taken. Bring fewer."
        )
    if (total := sum(info.file_size for info in infos)) > room:
        raise UploadTooLargeError(
            f"{name} has {_mib(total)} unpacked; there is room for {_mib(room)}. Bring fewer or smaller files."
        )
    for info in infos:
        if info.flag_bits & 1:
            raise UploadError(f"{name} is encrypted. Unpack it, and bring its files.")
        if info.file_size > MOST_RATIO * max(info.compress_size, 4096):
            raise UploadError(
                f"{name}: a file in it becomes suspiciously large when it is unpacked. Bring the files."
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise UploadError(f"{name}: there are links in it. Pack the files that they lead to.")
        try:
            safe_name(info.filename)
        except UploadError as error:
            raise UploadError(f"{name}: {error}") from None


def _units(
    members: Sequence[Member], modalities: tuple[str, str] | None
) -> tuple[dict[Path, Unit], dict[Path, Series]]:
    """Return the images by name, files of one DICOM series in one folder as one, and what is known of each series."""
    names = {PurePosixPath(member.name): member for member in members}
    found = headers_of(member.path for member in members)
    headers = {name: found[member.path] for name, member in names.items() if member.path in found}
    images = [name for name in names if name not in headers and split_extension(name.name)[1] in SUFFIXES]
    units = {
        Path(name): Unit(member.name, (member.path,)) for name, member in names.items() if name not in headers
    }
    series: dict[Path, Series] = {}
    for one in series_among(headers, images, modalities):
        name = _unit_name(one)
        number = 2
        while Path(name) in units:
            name, number = f"{_unit_name(one)} ({number})", number + 1
        units[Path(name)] = Unit(name, tuple(names[file].path for file in one.files))
        series[Path(name)] = one
    return units, series


def _unit_name(series: Series) -> str:
    """Return what people see as the name of a series: its file, its folder, or its kind in a folder with others."""
    if len(series.files) == 1:
        return str(series.files[0])
    if series.only and series.folder.name:
        return str(series.folder)
    return str(series.folder / (series.header.kind or "series"))


def _why_nothing(units: Sequence[Unit]) -> str:
    if not units:
        return "There is no file in it."
    with units[0].paths[0].open("rb") as stream:
        kind = format_name(stream.read(HEAD_BYTES))
    return (
        f"{units[0].name} is {kind or 'no image in a format that is known'}. Bring two images: PNG, JPEG, TIFF, .npy, "
        "DICOM and others, or a folder or a ZIP archive of such."
    )


def _mib(count: int) -> str:
    return f"{max(count / 2**20, 0.1):,.1f} MiB"

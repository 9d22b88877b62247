"""Paths to images: files, folders of DICOM series, and what lies in a ZIP archive.

A path may lead into an archive as into a folder, ``study.zip/p1/mri.png``; nothing is unpacked onto a disk.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from fusion.errors import EmptyFileError, MissingFileError, TooManyPixelsError, UnreadableImageError

SUFFIX = ".zip"
MAGIC = b"PK\x03\x04"
SERIES = "series="
"""Behind a folder, before the modality or the id of one of several DICOM series in it."""

MOST_FILES = 4096
"""In a folder or an archive that is looked into."""
MOST_UNPACKED = 2**31
"""Bytes that an archive may have unpacked."""
MOST_UNPACKED_FILE = 2**29
"""Bytes that a file of an archive may have unpacked: it is held in memory."""
MOST_RATIO = 200
"""How much larger a file may become when it is unpacked; pixels of one value alone are packed more tightly."""

NOT_AN_IMAGE = "not a PNG, TIFF or another image. Export one picture of it."


def place_in_archive(path: Path) -> tuple[Path, str] | None:
    """Return the archive that a path leads into, and the name in it; ``None`` for what leads into none."""
    try:
        above = next((folder for folder in (path, *path.parents) if folder.exists()), path)
        if above == path or not above.is_file():
            return None
    except OSError:  # a name that no disk takes; whoever opens it will say so
        return None
    with above.open("rb") as stream:
        packed = stream.read(len(MAGIC)) == MAGIC
    return (above, path.relative_to(above).as_posix()) if packed else None


def series_place(path: Path) -> tuple[Path, str] | None:
    """Return the folder that holds a DICOM series and which one it is, empty for the only one; ``None`` for a file.

    ``study/series=CT`` is the CT of a folder ``study`` with several series; the folder may be an archive or lie in one.
    """
    if path.is_dir():
        return path, ""
    named = path.name.startswith(SERIES)
    if named and path.parent.is_dir():
        return path.parent, path.name.removeprefix(SERIES)
    place = place_in_archive(path)
    if place is None:
        return None
    if named:
        return path.parent, path.name.removeprefix(SERIES)
    names = names_in(place[0])
    folder = place[1] not in names and any(name.startswith(f"{place[1]}/") for name in names)
    return (path, "") if folder else None


def files_of(path: Path) -> tuple[Path, ...]:
    """Return all files that an image depends on: of a folder, the folder and all that is in it."""
    place = series_place(path)
    container = path if place is None else place[0]
    if place is not None and container.is_dir():
        return (container, *sorted(container.iterdir()))
    inside = place_in_archive(container)
    return (container if inside is None else inside[0],)


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder that may be a DICOM series, or of one in an archive; of an archive all.

    Raises
    ------
    ImageFileError
        If they are too many, or the archive is damaged or a trap.
    """
    if folder.is_dir():
        files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
        _require_few(len(files), folder)
        return files
    archive, inner = place_in_archive(folder) or (folder, "")
    names = names_in(archive)
    return [archive / name for name in names if not inner or str(PurePosixPath(name).parent) == inner]


def open_file(path: Path) -> BinaryIO:
    """Open a file, or one in an archive, which is then unpacked in memory.

    Raises
    ------
    OSError
        As `open` does.
    ImageFileError
        If there is no such file in the archive, or it is damaged, encrypted or too large.
    """
    place = place_in_archive(path)
    if place is None:
        return path.open("rb")
    archive, name = place
    member = _member(path, archive, name)
    if member.file_size > MOST_UNPACKED_FILE:
        raise TooManyPixelsError(
            path, f"it has more than {MOST_UNPACKED_FILE // 2**20} MB. Unpack the archive."
        )
    with _damage_told(archive), _opened(archive)[0].open(member) as packed:
        return io.BytesIO(packed.read(member.file_size + 1))


def require_member(path: Path, archive: Path, name: str) -> None:
    """Refuse what is no file with bytes in an archive.

    Raises
    ------
    MissingFileError, EmptyFileError, ImageFileError
    """
    if _member(path, archive, name).file_size == 0:
        raise EmptyFileError(path, "the file is empty (0 bytes). Save or copy it again.")


def names_in(archive: Path) -> list[str]:
    """Return the names of the files of an archive, none of which is unpacked for it.

    Raises
    ------
    UnreadableImageError
        If it is damaged or encrypted, or names of files lead out of it.
    TooManyPixelsError
        If there are too many files in it, or they become too large.
    """
    return list(_opened(archive)[1])


_Opened = tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]


def _member(path: Path, archive: Path, name: str) -> zipfile.ZipInfo:
    found = _opened(archive)[1].get(name)
    if found is None:
        raise MissingFileError(path, "there is no such file in the archive. Check the name and the folder.")
    return found


def _opened(archive: Path) -> _Opened:
    with _damage_told(archive):
        found = archive.stat()
        return _open_archive(archive, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=4)
def _open_archive(archive: Path, _signature: tuple[int, ...]) -> _Opened:
    """Open an archive, once for as long as it stays as it is; it is closed when nobody holds it."""
    opened = zipfile.ZipFile(archive)
    members = [member for member in opened.infolist() if not member.is_dir()]
    _require_few(len(members), archive)
    if sum(member.file_size for member in members) > MOST_UNPACKED:
        raise TooManyPixelsError(archive, f"it has more than {MOST_UNPACKED // 2**20} MB unpacked.")
    if any(member.file_size > MOST_RATIO * max(member.compress_size, 4096) for member in members):
        raise TooManyPixelsError(archive, "a file in it becomes suspiciously large when it is unpacked.")
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableImageError(archive, "this ZIP archive is encrypted. Unpack it.")
    named = {PurePosixPath(member.filename): member for member in members}
    if any(name.is_absolute() or ".." in name.parts for name in named):
        raise UnreadableImageError(archive, "names of files in it lead out of it. Pack it again.")
    return opened, {str(name): member for name, member in named.items()}


def _require_few(count: int, path: Path) -> None:
    if count > MOST_FILES:
        raise TooManyPixelsError(
            path, f"there are more than {MOST_FILES:,} files in it. Name a smaller folder."
        )


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise UnreadableImageError(
            path,
            f"this is a ZIP archive that is damaged, encrypted or packed in an unusual way "
            f"({type(error).__name__}), {NOT_AN_IMAGE}",
        ) from error

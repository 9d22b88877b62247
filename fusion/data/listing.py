"""The files of a data folder, with reasons why something in it is none."""

from __future__ import annotations

import logging
from pathlib import Path

from fusion.archives import SUFFIX, names_in
from fusion.data.entries import SUFFIXES, UNREADABLE_SUFFIXES
from fusion.data.file_memo import Signature, signature
from fusion.data.pairing import split_extension, summarized
from fusion.errors import ImageFileError

logger = logging.getLogger(__name__)

MOST_FILES = 20_000
MOST_FOLDERS_DEEP = 8
"""What is looked at in a data folder: somebody may name a whole disk by mistake."""


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
        if path.is_file() and path.suffix.lower() == SUFFIX:
            self._look_inside(path, name)
        elif path.is_file():
            self._add(path, name)
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

    def _add(self, path: Path, name: str) -> None:
        if len(self.files) < MOST_FILES:
            self.files.add(path)
        else:
            self.unusable.append((name, f"there are more than {MOST_FILES:,} files. Use a smaller folder"))

    def _look_inside(self, archive: Path, name: str) -> None:
        """Take what is in an archive as if it were a folder."""
        self.folders[archive] = signature(archive)
        if archive.with_suffix("").is_dir():
            self.unusable.append((name, "the folder of the same name beside it is used instead"))
            return
        try:
            inside = names_in(archive)
        except ImageFileError as error:
            self.unusable.append((name, str(error).removeprefix(f"{archive}: ").rstrip(".")))
            return
        for one in inside:
            if any(part.startswith((".", "__MACOSX")) for part in one.split("/")):
                continue
            if one.lower().endswith(SUFFIX):
                self.unusable.append((f"{name}/{one}", "this is an archive in an archive. Unpack one"))
            else:
                self._add(archive / one, f"{name}/{one}")

    def _descend(self, folder: Path, depth: int, name: str) -> None:
        try:
            self.look(folder, depth + 1)
        except OSError as error:
            self.unsettled = True
            self.unusable.append((name, f"this folder cannot be read ({error.strerror})"))

"""Regions whose codes are too long for a link: kept in files named by their content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fusion.errors import OutputError, RegionError
from fusion.statistics.region_code import LONGEST_CODE, require_code

ID_DIGITS = 32
MOST_BYTES = 500_000_000
"""What all kept regions may take together."""


class RegionShelf:
    """Codes of regions by their ids. Safe to use from several threads and processes.

    Parameters
    ----------
    folder : Path
        Where they are kept; made when the first one comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, code: str) -> str:
        """Keep a code and return its id, 32 digits of the sha256.

        Raises
        ------
        RegionError
            If it is too long, or not the code of a region.
        OutputError
            If it cannot be written, or there is no room left.
        """
        if len(code) > LONGEST_CODE:
            raise RegionError("The region is too large to be kept. Select fewer, or less scattered, pixels.")
        require_code(code)
        id = _id(code)
        path = self._path(id)
        if path.exists():
            return id
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if _bytes_in(list(self._folder.iterdir())) + len(code) > MOST_BYTES:
                raise OutputError(f"No room is left for regions. Remove old files from {self._folder}.")
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.write(code)
            Path(name).replace(path)
        except OSError as error:
            raise OutputError(f"The region cannot be kept in {self._folder}: {error.strerror}.") from error
        return id

    def code(self, id: str) -> str:
        """Return the code that was kept under an id.

        Raises
        ------
        RegionError
            If none was, or its file is damaged.
        """
        try:
            code = self._path(id).read_text(encoding="ascii") if len(id) == ID_DIGITS and id.isalnum() else ""
        except (OSError, UnicodeDecodeError):
            code = ""
        if not self.is_code_of(id, code):
            raise RegionError(
                "This server does not keep that region. Ask whoever sent the link for its PNG mask."
            )
        return code

    @staticmethod
    def is_code_of(id: str, code: str) -> bool:
        """Whether a text is the code of a region, and the one of this id."""
        try:
            require_code(code)
        except RegionError:
            return False
        return _id(code) == id

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.region"


def _id(code: str) -> str:
    return hashlib.sha256(code.encode("ascii")).hexdigest()[:ID_DIGITS]


def _bytes_in(paths: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())

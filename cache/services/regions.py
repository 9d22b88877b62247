"""Regions of interest: of a pair, from PNG masks, drawn by a visitor, and those too long for a link, kept in files."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cache.errors import UserError
from cache.store.sealed import bytes_on_disk, remove_folder
from fusion.data.catalogue import Catalogue
from fusion.errors import OutputError, RegionError
from fusion.statistics.region_code import LONGEST_CODE, decode_mask, encode_mask, require_code
from fusion.statistics.region_files import INSIDE_ABOVE, known_regions, read_region
from fusion.statistics.regions import Region

logger = logging.getLogger(__name__)

ID_DIGITS = 32
MOST_BYTES = 500_000_000
"""What all kept regions may take together on the disk."""
PAGE = 4096
"""What a file takes there at least, on the disks that are common."""


class RegionFolder:
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
        if self.is_code_of(id, self._read(path)):
            return id
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if bytes_on_disk(self._folder) + max(len(code), PAGE) > MOST_BYTES:
                raise OutputError(f"No room is left for regions. Remove old files from {self._folder}.")
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.write(code)
            remove_folder(path)
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
        path = self._path(id) if len(id) == ID_DIGITS and id.isalnum() else None
        code = "" if path is None else self._read(path)
        if self.is_code_of(id, code):
            return code
        if path is not None and os.path.lexists(path):
            logger.warning("%s: this region is damaged or cannot be read, and not used.", path)
            raise RegionError(
                "This server does not keep that region any more: its file is damaged. Ask whoever sent the link for "
                "its PNG mask."
            )
        raise RegionError(
            "This server does not keep that region. Ask whoever sent the link for its PNG mask."
        )

    @staticmethod
    def is_code_of(id: str, code: str) -> bool:
        """Return whether a text is the code of a region, and the one of this id."""
        try:
            require_code(code)
        except RegionError:
            return False
        return _id(code) == id

    @staticmethod
    def _read(path: Path) -> str:
        """Return what a file says; nothing where there is none, or none that can be read."""
        try:
            return path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return ""

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.region"


def _id(code: str) -> str:
    return hashlib.sha256(code.encode("ascii")).hexdigest()[:ID_DIGITS]


def drawn_regions(stored: Any, shape: tuple[int, int]) -> tuple[list[Region], list[str]]:
    """Return the regions in the browser's store, and a sentence for each that cannot be used.

    Parameters
    ----------
    stored : anything
        A list of ``{"name": …, "code": …}``, see `fusion.statistics.region_code`; nothing for no regions.
    shape : tuple of int
        (H, W) of the images.
    """
    found: dict[str, Region] = {}
    problems: list[str] = []
    for part in stored if isinstance(stored, list) else ():
        if not isinstance(part, dict) or not all(isinstance(part.get(key), str) for key in ("name", "code")):
            problems.append("A region has no name or no code. Draw it again.")
            continue
        name = part["name"]
        try:
            region = Region(name, decode_mask(part["code"], shape))
        except RegionError as error:
            problems.append(f"Region {name}: {error}")
            continue
        if name in found:
            problems.append(f"Two regions are named {name}; the numbers are of the first.")
        else:
            found[name] = region
    return list(found.values()), problems


class Regions:
    """Regions as codes of `fusion.statistics.region_code`. All errors that a user can cause are `UserError`.

    Parameters
    ----------
    catalogue : Catalogue
        The pairs, some of which come with masks.
    pair_shape : callable
        Returns (H, W) of the images of the pair at an address.
    folder : RegionFolder
        Where long codes are kept.
    """

    def __init__(
        self, catalogue: Catalogue, pair_shape: Callable[[str], tuple[int, int]], folder: RegionFolder
    ) -> None:
        self._catalogue = catalogue
        self._pair_shape = pair_shape
        self._folder = folder

    def of_pair(self, pair: str) -> dict[str, np.ndarray]:
        """Return the masks that come with the pair at an address, bool (H, W) each, by name; none for most pairs.

        Raises
        ------
        UserError
            If there is no such pair, or a mask cannot be read.
        """
        return dict(self._catalogue.regions(self._catalogue.find(pair)))

    def known(self, pair: str) -> list[tuple[str, str]]:
        """Return (name, code) of the regions that come with a pair; none for most pairs.

        Raises
        ------
        UserError
            If there is no such pair, or a mask cannot be read.
        """
        entry = self._catalogue.find(pair)
        return [(region.name, encode_mask(region.mask)) for region in known_regions(self._catalogue, entry)]

    def read_png(self, pair: str, name: str, content: bytes) -> tuple[str, str]:
        """Read a PNG mask of a pair's size; return its name and code.

        Raises
        ------
        UserError
            If it is no such mask, or has nothing inside.
        """
        shape = self._pair_shape(pair)
        own = Path(name.replace("\\", "/")).name or "mask.png"
        # The reader takes files; its messages shall name the user's own file, whose name may be none for a file here.
        with tempfile.TemporaryDirectory(prefix="fusevis-mask-") as folder:
            path = Path(folder) / "mask.png"
            path.write_bytes(content)
            try:
                region = read_region(path, shape, Path(own).stem)
            except UserError as error:
                error.args = tuple(
                    text.replace(str(path), own) if isinstance(text, str) else text for text in error.args
                )
                raise
        if not region.size:
            raise RegionError(
                f"{own} has no pixel above {INSIDE_ABOVE} that is not transparent: nothing would be inside."
            )
        return region.name, encode_mask(region.mask)

    def keep(self, code: str) -> str:
        """Keep a code for links and return its id; see `RegionFolder.keep`."""
        return self._folder.keep(code)

    def resolve(self, code: str, shape: tuple[int, int]) -> str:
        """Return the code of a region that a link names, which fits images of (H, W) pixels.

        Raises
        ------
        UserError
            If it does not fit, or the server does not keep it.
        """
        found = self._folder.code(code[1:]) if code.startswith("s") else code
        decode_mask(found, shape)
        return found

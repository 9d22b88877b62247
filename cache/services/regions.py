"""Regions of interest: those that come with a pair, PNG masks of users, and codes that the server keeps for links."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Protocol

import flask

from cache.errors import UserError
from cache.services.region_files import RegionShelf
from fusion.data.catalogue import Catalogue
from fusion.errors import RegionError
from fusion.statistics.region_code import decode_mask, encode_mask
from fusion.statistics.region_files import INSIDE_ABOVE, known_regions, read_region

EXTENSION = "fusevis-regions"


class Pairs(Protocol):
    """What is needed of the services."""

    def pair_shape(self, address: str) -> tuple[int, int]:
        """Return (H, W) of a pair, pixels."""


def regions_of(server: flask.Flask) -> RegionSource:
    """Return the regions of a server that `cache.services.building.build_services` has set up."""
    source = server.extensions[EXTENSION]
    if not isinstance(source, RegionSource):
        raise TypeError(f"The server's extension {EXTENSION} is another one")
    return source


class RegionSource:
    """Regions as codes of `fusion.statistics.region_code`. All errors that a user can cause are `UserError`.

    Parameters
    ----------
    catalogue : Catalogue
        The pairs, some of which come with masks.
    pairs : Pairs
        Tells the size of a pair's images.
    shelf : RegionShelf
        Where long codes are kept.
    """

    def __init__(self, catalogue: Catalogue, pairs: Pairs, shelf: RegionShelf) -> None:
        self._catalogue = catalogue
        self._pairs = pairs
        self._shelf = shelf

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
        shape = self._pairs.pair_shape(pair)
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
        """Keep a code for links and return its id; see `RegionShelf.keep`."""
        return self._shelf.keep(code)

    def resolve(self, code: str, shape: tuple[int, int]) -> str:
        """Return the code of a region that a link names, which fits images of (H, W) pixels.

        Raises
        ------
        UserError
            If it does not fit, or the server does not keep it.
        """
        found = self._shelf.code(code[1:]) if code.startswith("s") else code
        decode_mask(found, shape)
        return found

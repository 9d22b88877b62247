"""Pairs in memory under their content ids."""

from __future__ import annotations

from cache.store.memory_tier import MemoryTier
from fusion import Pair
from fusion.data.catalogue import Catalogue
from fusion.data.entries import PairEntry
from fusion.errors import UnknownPairError

PAIR_MEMORY_BYTES = 256 * 2**20


class PairShelf:
    """Finds pairs by address, and again by content.

    What is kept by content cannot be out of date. So a hover, which says the content id, needs no look at
    the files, while an address is looked up in the catalogue each time, which sees when a file has changed.

    Parameters
    ----------
    catalogue : Catalogue
        Where pairs come from.
    limit_bytes : int
        The most bytes of images kept in memory.
    """

    def __init__(self, catalogue: Catalogue, limit_bytes: int = PAIR_MEMORY_BYTES) -> None:
        self._catalogue = catalogue
        self._pairs: MemoryTier[Pair] = MemoryTier(limit_bytes)

    def by_address(self, address: str) -> tuple[PairEntry, Pair]:
        """Return the pair that an address leads to now, and what the catalogue says of it.

        Raises
        ------
        UnknownPairError, ImageFileError, DifferentSizesError
        """
        entry = self._catalogue.find(address)
        pair = self._catalogue.load(entry)
        self._pairs.put(pair.id, pair, pair.images.nbytes)
        return entry, pair

    def by_content(self, pair_id: str, address: str | None = None) -> Pair:
        """Return the pair with this content id.

        Parameters
        ----------
        pair_id : str
            All 64 hexadecimal digits.
        address : str, optional
            Where it was found before; saves the catalogue from looking at all its pairs.

        Raises
        ------
        UnknownPairError
            If there is none (any more).
        ImageFileError, DifferentSizesError
            If it cannot be read again.
        """
        pair = self._pairs.get(pair_id)
        if pair is not None:
            return pair
        entry, pair = self.by_address(address or pair_id)
        if pair.id != pair_id:
            raise UnknownPairError(
                f"The images of the pair “{entry.title}” have changed since they were shown. Reload the page."
            )
        return pair

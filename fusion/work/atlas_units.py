"""An atlas cut into units: a tile each, which is two chunks of its Zarr group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.atlas import Atlas, atlas_folder
from fusion.work.addresses import Kind, Work
from fusion.work.store import ChunkStore
from fusion.work.stored_atlas import atlas_of


class AtlasUnits:
    """The Jacobian windows of all pixels of a fused image (paper, equation 1), cut into units. For several threads.

    Parameters
    ----------
    method : Method
        With a finite support.
    pair : Pair
        The images.
    root : Path or ChunkStore
        Folder of atlases, or the store that has them.

    Attributes
    ----------
    work : Work
        Their address.

    Raises
    ------
    AtlasError
        If the support is the whole image, or the folder cannot be used.
    """

    def __init__(self, method: Method, pair: Pair, root: Path | ChunkStore) -> None:
        self.work = Work.of(Kind.ATLAS, method, pair.id)
        self._method, self._pair = method, pair
        if isinstance(root, ChunkStore):
            self._atlas = atlas_of(root, method, pair)
        else:
            self._atlas = Atlas(atlas_folder(root, method, pair), method, pair)

    def __len__(self) -> int:
        """Return how many units there are."""
        return self._atlas.tiles_done[1]

    def missing(self) -> list[int]:
        """Return the units that are not kept by now, or damaged, in a good order; reads all others."""
        return self._atlas.missing_tiles()

    def compute(self, number: int, go_on: Callable[[], None] = lambda: None) -> None:
        """Compute a unit and keep it, unless it is there; another process that is at it is waited for.

        Parameters
        ----------
        number : int
            Of the tile, row by row.
        go_on : callable
            Called now and then; what it raises ends the work.
        """
        self._atlas.fill_tile(self._method, self._pair, number, go_on)

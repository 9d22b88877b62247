"""How much of what pixels have in common is computed when one of them is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fusion.pair import Pair
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.sheets import Sheet
from fusion.saliency.chain.shelf import SheetShelf, positions
from fusion.saliency.window import Pixel

DOUBLINGS = 3
"""Misses after which whole sheets are filled: the first fills a tile, and each a square of twice the side."""
SHEETS_ONE_BY_ONE = 5
"""Misses after those, after which all that is left of the pair is filled."""


def fill(
    sheets: SheetShelf, chain: Chain, pair: Pair, sheet: Sheet, pixels: Sequence[Pixel], ahead: bool
) -> None:
    """Fill a sheet for some pixels, and ahead of those that may follow.

    One pixel alone costs one small forward pass; whoever goes on to look at pixels all over an image soon finds
    everything there. All that is done ahead takes about as long as `fill_all`, in few calls. Nothing is done
    ahead in images that are too large for all of it to be kept, or once something of a pair had to make room.

    Parameters
    ----------
    sheets : SheetShelf
        Where sheets are kept.
    chain, pair
        The method's chain, and the two input images.
    sheet : Sheet
        The one that the pixels are in.
    pixels : sequence of (row, col)
        Principal pixels.
    ahead : bool
        Whether to fill more than the tiles of these pixels.
    """
    if sheet.has(pixels):
        return
    if not (ahead and sheets.fits(chain, pair)):
        sheet.ensure(pixels)
        return
    missed = sheets.missed(chain, pair)
    if missed == 0:
        sheet.ensure(pixels)
        return
    if missed <= DOUBLINGS:
        sheet.ensure_around(pixels, 2 ** (missed - 1))
        return
    sheet.ensure_all()
    if missed > DOUBLINGS + SHEETS_ONE_BY_ONE:
        fill_all(sheets, chain, pair)


def fill_all(
    sheets: SheetShelf, chain: Chain, pair: Pair, progress: Callable[[float], None] | None = None
) -> None:
    """Fill all sheets of a pair; none of an image that is too large for all of them to be kept.

    Parameters
    ----------
    sheets, chain, pair
        As for `fill`.
    progress : callable, optional
        Called with the share that is done, 0 to 1, after each sheet; what it raises ends the work.
    """
    if not sheets.fits(chain, pair):
        return
    side = sheets.side(chain)
    all_positions = list(positions(side, pair.shape))
    for number, (row, column) in enumerate(all_positions, start=1):
        sheets.sheet(chain, pair, row * side, column * side).ensure_all()
        if progress is not None:
            progress(number / len(all_positions))

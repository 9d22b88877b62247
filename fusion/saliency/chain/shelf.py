"""Chains by method, and kept maps by pair: made once, bounded in memory, safe to use from several threads."""

from __future__ import annotations

import itertools
import logging
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import nn

from fusion.device import give_back
from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.checking import WrongChainError, checked_chain
from fusion.saliency.chain.nodes import NotUnderstoodError
from fusion.saliency.chain.sheets import Sheet
from fusion.saliency.window import Box

logger = logging.getLogger(__name__)

KEPT_BYTES = 256 * 2**20
"""Memory for the kept maps of all scenes together while one is in use whose maps do not all fit into `WHOLE_BYTES`;
those unused for longest are dropped."""
WHOLE_BYTES = 2**30
"""The same while scenes are in use whose maps are all kept."""
WHOLE_PIXELS = 2**20
"""Of the largest image whose maps are all kept although they take more than `KEPT_BYTES`."""
COUNTED_SCENES = 256
"""Scenes whose misses are counted, and of which it is known that sheets were dropped; the oldest are forgotten."""

SHEET_SIDES = (256, 128, 64, 32)
"""Pixels along the side of a sheet: the first that lets several sheets be kept."""
SHEETS_AT_LEAST = 4


@dataclass
class _Entry:
    """A method's chain for one precision, or that there is none, and the network that it was made of."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    network: nn.Module | None = None
    chain: Chain | None = None

    def is_current(self, network: nn.Module) -> bool:
        """Whether it is known what there is for this network with its present weights."""
        return self.network is network and (self.chain is None or self.chain.is_current())


class ChainShelf:
    """Makes chains and sheets, and finds them again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: weakref.WeakKeyDictionary[Method, dict[torch.dtype, _Entry]] = (
            weakref.WeakKeyDictionary()
        )

    def chain(self, method: Method, dtype: torch.dtype) -> Chain | None:
        """Return a method's chain; ``None`` where its network is not understood and windows must do.

        It is made and checked at the first call, in less than a second, and again if weights were changed.
        """
        radius = method.locality.radius
        if radius is None or method.locality.alignment != 1:
            return None
        with self._lock:
            entry = self._entries.setdefault(method, {}).setdefault(dtype, _Entry())
        network = method.network_as(dtype)
        if entry.is_current(network):
            return entry.chain
        with entry.lock:
            if not entry.is_current(network):
                entry.chain = _made(method, network, dtype, radius)
                entry.network = network
            return entry.chain


def _made(method: Method, network: nn.Module, dtype: torch.dtype, radius: int) -> Chain | None:
    try:
        chain = checked_chain(network, dtype, method.device, radius)
    except NotUnderstoodError as reason:
        logger.info("Derivatives of %s are computed window by window: %s", method.id, reason)
        return None
    except WrongChainError as reason:
        logger.warning(
            "The chain derived for %s is wrong and not used; its derivatives are computed window by window. %s",
            method.id,
            reason,
        )
        return None
    except Exception:  # whatever is wrong with a chain, windows can do without
        logger.exception(
            "Making a chain of %s failed, which is a defect of FuseVis; its derivatives are computed window by window.",
            method.id,
        )
        return None
    give_back()
    return chain


class SheetShelf:
    """Keeps the most recently used sheets.

    Parameters
    ----------
    limit : int
        Bytes that all together may take while a scene is in use whose sheets cannot all be kept.
    whole : int
        The same while a scene is in use of which everything is kept; at least `limit`.
    """

    def __init__(self, limit: int, whole: int) -> None:
        self._limit, self._whole = limit, max(limit, whole)
        self._missed: OrderedDict[tuple[int, str], int] = OrderedDict()
        self._dropped: OrderedDict[tuple[int, str], None] = OrderedDict()
        self._lock = threading.Lock()
        self._sheets: OrderedDict[tuple[int, str, int, int], Sheet] = OrderedDict()
        self._bytes = 0
        self._sides: dict[int, int] = {}

    @property
    def nbytes(self) -> int:
        """What all kept sheets take together when they are full."""
        return self._bytes

    def side(self, chain: Chain) -> int:
        """Return how many pixels a sheet has along its side, so that several of them may be kept."""
        # Every hover asks, and adding the bytes up takes a tenth of its time.
        if chain.number not in self._sides:
            share = self._limit / SHEETS_AT_LEAST
            fitting = [side for side in SHEET_SIDES if chain.kept_bytes(side, side) <= share]
            self._sides[chain.number] = fitting[0] if fitting else SHEET_SIDES[-1]
        return self._sides[chain.number]

    def fits(self, chain: Chain, pair: Pair) -> bool:
        """Whether all sheets of a pair may be kept together."""
        side, (height, width) = self.side(chain), pair.shape
        cores = [_core(position, side, pair.shape).shape for position in positions(side, pair.shape)]
        limit = self._whole if height * width <= WHOLE_PIXELS else self._limit
        return len(cores) == 1 or sum(chain.kept_bytes(*core) for core in cores) <= limit

    def missed(self, chain: Chain, pair: Pair) -> int:
        """Count that something of a pair was asked for that is not there; return how often that was, from 1.

        0 where sheets of the pair were dropped for others': it is one of many that are visited in turn, and what
        is filled ahead of what is asked for would be dropped again before it is of use.
        """
        key = (chain.number, pair.id)
        with self._lock:
            if key in self._dropped:
                return 0
            self._missed[key] = self._missed.pop(key, 0) + 1
            if len(self._missed) > COUNTED_SCENES:
                self._missed.popitem(last=False)
            return self._missed[key]

    def sheet(self, chain: Chain, pair: Pair, row: int, column: int) -> Sheet:
        """Return the sheet that a pixel of a pair lies in, made empty if it is not there yet."""
        side = self.side(chain)
        key = (chain.number, pair.id, row // side, column // side)
        with self._lock:
            sheet = self._sheets.get(key)
            if sheet is not None:
                self._sheets.move_to_end(key)
                return sheet
            sheet = self._sheets[key] = chain.sheet(pair.images, _core(key[2:], side, pair.shape))
            self._bytes += sheet.nbytes
            limit = self._whole if self.fits(chain, pair) else self._limit
            while self._bytes > limit and len(self._sheets) > 1:
                self._drop_oldest()
            return sheet

    def _drop_oldest(self) -> None:
        (number, pair, *_), sheet = self._sheets.popitem(last=False)
        self._bytes -= sheet.nbytes
        self._dropped[number, pair] = None
        self._dropped.move_to_end((number, pair))
        if len(self._dropped) > COUNTED_SCENES:
            self._dropped.popitem(last=False)


def positions(side: int, shape: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Give the row and column of each sheet of an image, counted in sheets."""
    return itertools.product(range(-(-shape[0] // side)), range(-(-shape[1] // side)))


def _core(position: tuple[int, int], side: int, shape: tuple[int, int]) -> Box:
    top, left = position[0] * side, position[1] * side
    return Box(top, left, min(top + side, shape[0]), min(left + side, shape[1]))

"""Caches, safe to use from several threads: chains by method, derivative maps by pair, filled ahead of who moves on."""

from __future__ import annotations

import itertools
import logging
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from fusion.device import give_back
from fusion.methods.base import Method
from fusion.network_copies import InSingle
from fusion.pair import Pair
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.check import WrongChainError, checked_chain
from fusion.saliency.chain.graph import NotUnderstoodError
from fusion.saliency.chain.maps import DerivativeMaps
from fusion.saliency.window import Box, Pixel

logger = logging.getLogger(__name__)

MAP_BYTES = 192 * 2**20
"""Memory for the derivative maps of all scenes together; those unused for longest are dropped."""
WHOLE_BYTES = 2**30
"""The most that the maps of one scene may take by themselves, beside which no others are kept."""
WHOLE_PIXELS = 2**20
"""Of the largest image whose maps are all kept although they take more than `MAP_BYTES`."""
COUNTED_SCENES = 256
"""Scenes whose misses are counted, and of which it is known that maps were dropped; the oldest are forgotten."""

PART_SIDES = (256, 128, 64, 32)
"""Pixels along the side of a part of an image whose maps are kept together: the first that lets several be kept."""
PARTS_AT_LEAST = 4


@dataclass
class _Entry:
    """A method's chain for one precision, or that there is none, and the network that it was made of."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    network: nn.Module | None = None
    chain: Chain | None = None

    def is_current(self, network: nn.Module) -> bool:
        """Tell whether it is known what there is for this network with its present weights."""
        return self.network is network and (self.chain is None or self.chain.is_current())


class ChainCache:
    """Makes chains, and finds them again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: weakref.WeakKeyDictionary[Method, dict[torch.dtype, _Entry]] = (
            weakref.WeakKeyDictionary()
        )

    def chain(self, method: Method, dtype: torch.dtype) -> Chain | None:
        """Return a method's chain; ``None`` where its network is not understood and windows must do.

        It is made and checked at the first call, in less than a second, and again if weights were changed.
        """
        if method.locality.radius is None or isinstance(method.network, InSingle):
            return None
        with self._lock:
            entry = self._entries.setdefault(method, {}).setdefault(dtype, _Entry())
        network = method.network_as(dtype)
        if entry.is_current(network):
            return entry.chain
        with entry.lock:
            if not entry.is_current(network):
                entry.chain = _made(method, network, dtype)
                entry.network = network
            return entry.chain


def _made(method: Method, network: nn.Module, dtype: torch.dtype) -> Chain | None:
    locality = method.locality
    assert locality.radius is not None
    try:
        chain = checked_chain(network, dtype, method.device, locality.radius, locality)
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


class MapCache:
    """Keeps the derivative maps of the parts of images that were used last.

    Parameters
    ----------
    limit : int
        Bytes that all together may take, unless the maps of one scene take more.
    whole : int
        Bytes up to which one scene may have more than `limit`; at least that.
    """

    def __init__(self, limit: int, whole: int) -> None:
        self._limit, self._whole = limit, max(limit, whole)
        self._missed: OrderedDict[tuple[int, str], int] = OrderedDict()
        self._dropped: OrderedDict[tuple[int, str], None] = OrderedDict()
        self._lock = threading.Lock()
        self._parts: OrderedDict[tuple[int, str, int, int], DerivativeMaps] = OrderedDict()
        self._bytes = 0
        self._sides: dict[int, int] = {}
        self._whole_bytes: dict[tuple[int, tuple[int, int]], int] = {}

    @property
    def nbytes(self) -> int:
        """Bytes that all of them take together when they are full."""
        return self._bytes

    def side(self, chain: Chain) -> int:
        """Return how many pixels a part has along its side, so that the maps of several may be kept."""
        # Every hover asks, and adding the bytes up takes a tenth of its time.
        if chain.number not in self._sides:
            share = self._limit / PARTS_AT_LEAST
            sides = [max(side - side % chain.step, chain.step) for side in PART_SIDES]
            fitting = [side for side in sides if chain.map_bytes(side, side) <= share]
            self._sides[chain.number] = fitting[0] if fitting else sides[-1]
        return self._sides[chain.number]

    def fits(self, chain: Chain, pair: Pair) -> bool:
        """Tell whether the maps of all parts of a pair may be kept together."""
        height, width = pair.shape
        limit = self._whole if height * width <= WHOLE_PIXELS else self._limit
        return max(pair.shape) <= self.side(chain) or self._bytes_of(chain, pair.shape) <= limit

    def _bytes_of(self, chain: Chain, shape: tuple[int, int]) -> int:
        """Return how much the maps of all parts of a pair take together."""
        key = (chain.number, shape)
        if key not in self._whole_bytes:
            side = self.side(chain)
            known = chain.known(shape)
            cores = [_core(position, side, known).shape for position in positions(side, known)]
            self._whole_bytes[key] = sum(chain.map_bytes(*core) for core in cores)
        return self._whole_bytes[key]

    def missed(self, chain: Chain, pair: Pair) -> int:
        """Count that something of a pair was asked for that is not there; return how often that was, from 1.

        0 where maps of the pair were dropped for others': it is one of many that are visited in turn, and what
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

    def derivatives(self, chain: Chain, pair: Pair, row: int, column: int) -> DerivativeMaps:
        """Return the maps of the part that a pixel of a pair lies in, empty if they are not there yet."""
        side = self.side(chain)
        key = (chain.number, pair.id, row // side, column // side)
        with self._lock:
            derivatives = self._parts.get(key)
            if derivatives is not None:
                self._parts.move_to_end(key)
                return derivatives
            derivatives = self._parts[key] = chain.derivatives(
                pair.images, _core(key[2:], side, chain.known(pair.shape))
            )
            self._bytes += derivatives.nbytes
            limit = (
                max(self._limit, self._bytes_of(chain, pair.shape)) if self.fits(chain, pair) else self._limit
            )
            while self._bytes > limit and len(self._parts) > 1:
                self._drop_oldest()
            return derivatives

    def _drop_oldest(self) -> None:
        (number, pair, *_), derivatives = self._parts.popitem(last=False)
        self._bytes -= derivatives.nbytes
        self._dropped[number, pair] = None
        self._dropped.move_to_end((number, pair))
        if len(self._dropped) > COUNTED_SCENES:
            self._dropped.popitem(last=False)


def positions(side: int, shape: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Give the row and column of each part of an image, counted in parts."""
    return itertools.product(range(-(-shape[0] // side)), range(-(-shape[1] // side)))


def _core(position: tuple[int, int], side: int, shape: tuple[int, int]) -> Box:
    top, left = position[0] * side, position[1] * side
    return Box(top, left, min(top + side, shape[0]), min(left + side, shape[1]))


DOUBLINGS = 3
"""Misses after which whole parts are filled: the first fills a tile, and each a square of twice the side."""
PARTS_ONE_BY_ONE = 5
"""Misses after those, after which all that is left of the pair is filled."""


def fill(
    cache: MapCache,
    chain: Chain,
    pair: Pair,
    derivatives: DerivativeMaps,
    pixels: Sequence[Pixel],
    ahead: bool,
) -> None:
    """Fill maps for some pixels, and ahead of those that may follow.

    One pixel alone costs one small forward pass; whoever goes on to look at pixels all over an image soon finds
    everything there. All that is done ahead takes about as long as `fill_all`, in few calls. A visit of 256 pixels all
    over an image of 256×256 takes 1.5 times as long without, of 48 pixels 0.9 times (FunFuseAn; the former is what
    `python -m benchmarks.chain_parts --part filled` prints). Nothing is done
    ahead in images that are too large for all of it to be kept, or once something of a pair had to make room.

    Parameters
    ----------
    cache : MapCache
        Where maps are kept.
    chain, pair
        The method's chain, and the two input images.
    derivatives : DerivativeMaps
        Those of the part that the pixels are in.
    pixels : sequence of (row, col)
        Principal pixels.
    ahead : bool
        Whether to fill more than the tiles of these pixels.
    """
    if derivatives.has(pixels):
        return
    if not (ahead and cache.fits(chain, pair)):
        derivatives.ensure(pixels)
        return
    missed = cache.missed(chain, pair)
    if missed == 0:
        derivatives.ensure(pixels)
        return
    if missed <= DOUBLINGS:
        derivatives.ensure_around(pixels, 2 ** (missed - 1))
        return
    derivatives.ensure_all()
    if missed > DOUBLINGS + PARTS_ONE_BY_ONE:
        fill_all(cache, chain, pair)


def fill_all(
    cache: MapCache, chain: Chain, pair: Pair, progress: Callable[[float], None] | None = None
) -> None:
    """Fill all maps of a pair; none of an image that is too large for all of them to be kept.

    Parameters
    ----------
    cache, chain, pair
        As for `fill`.
    progress : callable, optional
        Called with the share that is done, 0 to 1, after each part; what it raises ends the work.
    """
    if not cache.fits(chain, pair):
        return
    side = cache.side(chain)
    all_positions = list(positions(side, chain.known(pair.shape)))
    for number, (row, column) in enumerate(all_positions, start=1):
        cache.derivatives(chain, pair, row * side, column * side).ensure_all()
        if progress is not None:
            progress(number / len(all_positions))

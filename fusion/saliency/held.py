"""Derivatives of networks that see the whole image through a few numbers, with the numbers of a pair held.

The fused image is y(x, g) with the numbers g(x) (`fusion.saliency.numbers`), so that
dy(i)/dx = ∂y(i)/∂x + Σ over g of ∂y(i)/∂g · dg/dx. The first term is that of a local network: by a chain, a window or
colouring. Of the sum, dg/dx is one backward pass a number through the whole image, whatever numbers depend on each
other, and ∂y/∂g of all fused pixels one product with the Jacobian a number, both once a pair.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusion.errors import NoDerivativeError
from fusion.methods.base import Method
from fusion.network import NetworkState, apply_network, images_tensor
from fusion.pair import Pair
from fusion.saliency.crops import Locality
from fusion.saliency.numbers import Held, Result, needed_bytes, recorded, run_held
from fusion.saliency.probing import close, graph_bytes_a_pixel
from fusion.saliency.tiles import Tile, tiles
from fusion.saliency.window import Box, Pixel, gradient

logger = logging.getLogger(__name__)

MOST_BYTES = 512 * 2**20
"""Of the derivatives of a pair's numbers; where they would take more, the network is treated as any global one."""
KEPT_PAIRS = 2
"""Pairs, of a method and a precision, whose numbers and derivatives are kept."""
GRAPH_BYTES = 512 * 2**20
"""Of a forward pass whose backward pass is differentiated, which takes about three times as much."""
SIDE = 32
"""Pixels, about, of the image on which memory is measured."""
AGREEING = {torch.float32: 1e-3, torch.float64: 1e-9}
"""How far the two ways may be apart at the pixels at which they are compared, relative to the largest derivative."""

GoOn = Callable[[float], None]
"""Called with the share that is done, 0 to 1; what it raises ends the work."""


class HeldMethod(Method):
    """A method with the numbers of a pair held: local, and for this pair, precision and thread of results only."""

    def __init__(self, method: Method, held: Held, locality: Locality) -> None:
        self.id, self.title, self.note = method.id, method.title, method.note
        self.network: nn.Module = held
        self.locality = locality
        self.weights_id, self.device = method.weights_id, method.device
        self._localities = {}
        self._checking = threading.Lock()

    def network_as(self, dtype: torch.dtype) -> nn.Module:
        """Return the network, which has one precision, that of its numbers."""
        return self.network


@dataclass(frozen=True)
class Terms:
    """The contributions of a pair's numbers to derivatives.

    Attributes
    ----------
    of_fused : ndarray
        (K, H, W), ∂y(i)/∂g.
    of_numbers : ndarray
        (K, 2, H, W), dg/dx(j), what depends on other numbers included.
    """

    of_fused: NDArray[np.floating]
    of_numbers: NDArray[np.floating]

    def at(self, pixel: Pixel) -> NDArray[np.floating]:
        """Return Σ ∂y(i)/∂g · dg/dx of one fused pixel i, (2, H, W)."""
        count = len(self.of_fused)
        weights = self.of_fused[:, *pixel]
        found: NDArray[np.floating] = weights @ self.of_numbers.reshape(count, -1)
        return found.reshape(self.of_numbers.shape[1:])

    def diagonal(self, rows: slice, columns: slice) -> NDArray[np.floating]:
        """Return the same of fused pixels by the input pixels in the same places, (2, h, w)."""
        own = self.of_fused[:, rows, columns]
        found: NDArray[np.floating] = np.einsum("khw,kchw->chw", own, self.of_numbers[:, :, rows, columns])
        return found


class HeldPair:
    """One pair of a method that sees the whole image through numbers.

    Parameters
    ----------
    method : Method
        With `numbers`.
    pair : Pair
        The two input images.
    dtype : torch.dtype
        float32 or float64.

    Attributes
    ----------
    local : HeldMethod
        The method with the numbers held.
    """

    def __init__(self, method: Method, pair: Pair, dtype: torch.dtype) -> None:
        assert method.numbers is not None
        self._network = method.network_as(dtype)
        self._images = images_tensor(pair, dtype, method.device)
        self._state = NetworkState(method.network)
        self._numbers = method.numbers
        self._lock = threading.Lock()
        self._terms: Terms | None = None
        leaf = self._images[None].detach().clone().requires_grad_(True)
        with torch.enable_grad():
            fused, results = recorded(self._network, leaf)
        held = self._numbers.of(results)
        if held is None:
            raise NoDerivativeError(f"for {pair.shape[0]}×{pair.shape[1]} pixels it has other numbers")
        self._held = held
        self.local = HeldMethod(method, Held(self._network, held), self._numbers.locality)
        self._check(fused, held, leaf)

    def is_current(self) -> bool:
        """Tell whether the network has the weights that it had."""
        return self._state.is_current()

    def terms(self, go_on: GoOn = lambda share: None) -> Terms:
        """Return what the numbers contribute, computed once."""
        with self._lock:
            if self._terms is None:
                used, of_fused = self._of_fused(go_on)
                self._terms = Terms(of_fused, self._of_numbers(used, go_on))
            return self._terms

    def _check(self, fused: Tensor, results: dict[int, Result], leaf: Tensor) -> None:
        """Hold the sum of both terms against the derivative through the whole image, at some pixels.

        Raises
        ------
        NoDerivativeError
            If they differ: then the network does something that is not noticed here.
        """
        height, width = fused.shape
        numbers, held = _differentiable(results), self._leaves()
        inside = leaf.detach().clone().requires_grad_(True)
        with torch.enable_grad():
            local = apply_network(_Running(self._network, held), inside)[0]
        leaves = _differentiable(held)
        for row, column in ((height // 2, width // 2), (0, width - 1), (height - 1, width // 3)):
            expected = gradient(fused[row, column], leaf, keep_graph=True)
            found = gradient(local[row, column], inside, keep_graph=True)
            weights = [gradient(local[row, column], one, keep_graph=True) for one in leaves]
            with torch.enable_grad():
                total = sum(
                    ((number * weight).sum() for number, weight in zip(numbers, weights, strict=True)),
                    start=fused.new_zeros(()),
                )
            found = found + gradient(total, leaf, keep_graph=True)
            if not close(found, expected, AGREEING[fused.dtype]):
                raise NoDerivativeError(f"with numbers held, derivatives at ({row}, {column}) are others")

    def _leaves(self) -> dict[int, Result]:
        """Return the numbers as leaves of autograd's graph."""
        return {
            call: Result(
                tuple(
                    part.detach().clone().requires_grad_() if part.is_floating_point() else part
                    for part in result.parts
                ),
                result.kind,
                result.seen,
            )
            for call, result in self._held.items()
        }

    def _of_fused(self, go_on: GoOn) -> tuple[list[int], NDArray[np.floating]]:
        """Return which numbers the fused image depends on when all others are held, and ∂y/∂g of those."""
        shape = (self._images.shape[1], self._images.shape[2])
        locality = self.local.locality_at(shape)
        parts = tiles(shape, locality, self._pixels_a_tile(locality, shape))
        total: list[NDArray[np.floating] | None] = []
        for place, tile in enumerate(parts):
            for number, values in enumerate(self._of_tile(tile)):
                if place == 0:
                    total.append(None)
                if values is not None:
                    whole = total[number]
                    if whole is None:
                        whole = total[number] = np.zeros(shape, dtype=_NUMPY[self._images.dtype])
                    whole[tile.core.rows(), tile.core.columns()] = values.cpu().numpy()
                go_on((place + number / self._numbers.count) / len(parts) / 2)
        used = [number for number, values in enumerate(total) if values is not None]
        found = [values for values in total if values is not None]
        return used, np.stack(found) if found else np.zeros((0, *shape), dtype=_NUMPY[self._images.dtype])

    def _pixels_a_tile(self, locality: Locality, shape: tuple[int, int]) -> int:
        small = locality.crop(Box(0, 0, min(SIDE, shape[0]), min(SIDE, shape[1])), shape)
        network, device = self.local.network, self._images.device
        return int(GRAPH_BYTES / graph_bytes_a_pixel(network, self._images.dtype, device, small.shape) / 3)

    def _of_tile(self, tile: Tile) -> Iterator[Tensor | None]:
        """Yield ∂y/∂g in the core of a tile, number after number; ``None`` where y does not depend on it."""
        inputs = self._images[None, :, tile.crop.rows(), tile.crop.columns()]
        held = self._leaves()
        leaves = _differentiable(held)
        with torch.enable_grad():
            fused = apply_network(_Running(self._network, held), inputs)[0][tile.inner]
            weights = torch.ones_like(fused).requires_grad_(True)
            total = (fused * weights).sum()
            backs = torch.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
        for leaf, back in zip(leaves, backs, strict=True):
            if back is None or not back.requires_grad:
                yield from [None] * leaf.numel()
                continue
            for one in back.reshape(-1):
                yield torch.autograd.grad(one, weights, retain_graph=True)[0]

    def _of_numbers(self, used: list[int], go_on: GoOn) -> NDArray[np.floating]:
        """Return dg/dx of some numbers."""
        leaf = self._images[None].detach().clone().requires_grad_(True)
        with torch.enable_grad():
            _, results = recorded(self._network, leaf)
            numbers = _differentiable({call: results[call] for call in self._numbers.calls})
            flat = [one for number in numbers for one in number.reshape(-1)]
        found = np.zeros((len(used), *self._images.shape), dtype=_NUMPY[self._images.dtype])
        for place, number in enumerate(used):
            found[place] = gradient(flat[number], leaf, keep_graph=True)[0].cpu().numpy()
            go_on((1 + (place + 1) / len(used)) / 2)
        return found


def _differentiable(results: dict[int, Result]) -> list[Tensor]:
    """Return the tensors among results that can have a derivative."""
    return [part for result in results.values() for part in result.parts if part.is_floating_point()]


class _Running(nn.Module):
    """A network with numbers that are leaves of autograd's graph, which a `Held` would make constants."""

    def __init__(self, network: nn.Module, held: dict[int, Result]) -> None:
        super().__init__()
        self.network, self._held = network, held

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of crops."""
        result: Tensor = run_held(self.network, self._held, x1, x2)
        return result


_NUMPY = {torch.float32: np.float32, torch.float64: np.float64}


class _HeldPairs:
    """Keeps the pairs that were used last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: weakref.WeakKeyDictionary[Method, OrderedDict[object, HeldPair | None]] = (
            weakref.WeakKeyDictionary()
        )

    def of(self, method: Method, pair: Pair, dtype: torch.dtype) -> HeldPair | None:
        """See `held_pair`."""
        numbers = method.numbers
        if numbers is None or needed_bytes(numbers.count, pair.shape, dtype) > MOST_BYTES:
            return None
        with self._lock:
            kept = self._kept.setdefault(method, OrderedDict())
            key = (pair.id, dtype)
            found = kept.get(key)
            if key in kept and (found is None or found.is_current()):
                kept.move_to_end(key)
                return found
            found = kept[key] = self._made(method, pair, dtype)
            while len(kept) > KEPT_PAIRS:
                kept.popitem(last=False)
            return found

    def _made(self, method: Method, pair: Pair, dtype: torch.dtype) -> HeldPair | None:
        try:
            found = HeldPair(method, pair, dtype)
        except NoDerivativeError as error:
            logger.info("Derivatives of %s take the whole image: %s", method.id, error)
            return None
        return found if found.local.locality_at(pair.shape).radius is not None else None


_PAIRS = _HeldPairs()


def held_pair(method: Method, pair: Pair, dtype: torch.dtype) -> HeldPair | None:
    """Return a pair with its numbers held; ``None`` where the whole image has to be differentiated.

    Parameters
    ----------
    method : Method
        One whose support is the whole image.
    pair : Pair
        The two input images.
    dtype : torch.dtype
        float32 or float64.
    """
    return _PAIRS.of(method, pair, dtype)

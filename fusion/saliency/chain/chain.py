"""A network's derivative as a chain, for one precision and device."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from numpy.typing import NDArray
from torch import Tensor, nn

from fusion.network import NetworkState
from fusion.saliency.chain.gpu import CapturedGraphs, GraphRecorder
from fusion.saliency.chain.graph import Convolution, Graph, Reach, blocks
from fusion.saliency.chain.maps import DerivativeMaps, map_dtype, map_shape
from fusion.saliency.chain.plan import BackwardPlan, plan
from fusion.saliency.chain.rules import graph_of
from fusion.saliency.chain.steps import OnePixel, PixelBatch, PixelLattice, Pixels, Slots
from fusion.saliency.chain.threads import ThreadChoice
from fusion.saliency.crops import Locality
from fusion.saliency.window import Box, Pixel

_NUMBERS = itertools.count()


class Chain:
    """The derivative of a network, ready to be applied at any pixel of any pair.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2), in evaluation mode. Its weights are copied; `is_current` tells whether they have changed.
    dtype, device
        Of the computation; those of the network.
    without : set of str
        Optimisations to leave out, so that `benchmarks.chain_parts` can measure them: ``"narrowed"`` and
        ``"grouped"``.
    locality : Locality, optional
        Of a network that strides, from how many pixels on it can be run, and on multiples of how many.

    Attributes
    ----------
    number : int
        No other chain has it.
    step : int
        Pixels: of images whose sides are multiples of it all is known, see `known`.
    least : int
        Pixels along each side of the smallest image that it is used for.
    holds_at : callable or None
        Tells whether it holds for images of a shape (H, W), where that has to be tried: asked once for each.
    graph : Graph
        What it was derived from.
    windows, diagonal : BackwardPlan
        What to do for Jacobian images, and for guidance images.
    thread_choice : ThreadChoice
        How many threads of torch a single Jacobian image takes on a CPU.
    capturing : CapturedGraphs or None
        The graphs by which a GPU computes single Jacobian images.

    Raises
    ------
    NotUnderstoodError
        If no chain can be made of the network.
    """

    def __init__(
        self,
        network: nn.Module,
        dtype: torch.dtype,
        device: torch.device,
        without: frozenset[str] = frozenset(),
        locality: Locality | None = None,
    ) -> None:
        self.number = next(_NUMBERS)
        self._state = NetworkState(network)
        self.dtype, self.device = dtype, device
        self.thread_choice = ThreadChoice()
        shape = None if locality is None else sample_shape(locality)
        self.graph: Graph = graph_of(network, without, shape)
        self.windows: BackwardPlan = plan(self.graph, dtype, device, diagonal=False)
        self.step = math.lcm(self.windows.stride, locality.alignment if locality else 1)
        self.holds_at: Callable[[tuple[int, int]], bool] | None = None
        self._tried: dict[tuple[int, int], bool] = {}
        self.least = locality.least if locality and locality.alignment > 1 else 1
        self.capturing = (
            CapturedGraphs(self.windows_at, device, GraphRecorder(device)) if device.type == "cuda" else None
        )

    @cached_property
    def diagonal(self) -> BackwardPlan:
        """The plan for dy(i)/dx(i) alone."""
        return plan(self.graph, self.dtype, self.device, diagonal=True)

    @property
    def radius(self) -> int:
        """The reach of its windows, pixels."""
        return max((max(result[1]) for result in self.windows.results if result is not None), default=0)

    @property
    def forward_multiplications(self) -> int:
        """Multiplications in convolutions of a forward pass, a pixel; those of groups with each other are none."""
        stride, sides = blocks(self.graph)
        return sum(
            int(node.weight.count_nonzero()) * side**2 // stride**2
            for node, side in zip(self.graph.nodes, sides, strict=True)
            if isinstance(node, Convolution)
        )

    def known(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return of how many rows and columns of an image the chain knows all: sides that are multiples of a stride.

        The fused pixels that do not see the few rows and columns that are left are the same without them.
        """
        height, width = (side - side % self.step for side in shape)
        if min(height, width) < self.least:
            return 0, 0
        if self.holds_at is not None and shape not in self._tried:
            self._tried[shape] = self.holds_at(shape)
        return (height, width) if self._tried.get(shape, True) else (0, 0)

    def covers(self, pixel: Pixel, radius: int, shape: tuple[int, int]) -> bool:
        """Tell whether the chain has the derivatives of a fused pixel that sees so far in an image of this shape."""
        return all(
            at + radius < known or (known == side and at < known)
            for at, known, side in zip(pixel, self.known(shape), shape, strict=True)
        )

    def map_bytes(self, rows: int, columns: int, diagonal: bool = False) -> int:
        """Return what the derivative maps of a box of principal pixels take, bytes."""
        chosen = self.diagonal if diagonal else self.windows
        return sum(
            math.prod(map_shape(item, rows, columns)) * map_dtype(self.graph, item, self.dtype).itemsize
            for item in chosen.maps
        )

    def is_current(self) -> bool:
        """Tell whether the network still has the weights that the chain was made of."""
        return self._state.is_current()

    def derivatives(self, images: NDArray[np.float32], core: Box, diagonal: bool = False) -> DerivativeMaps:
        """Return empty maps for a part of a pair, see `DerivativeMaps`."""
        chosen = self.diagonal if diagonal else self.windows
        height, width = self.known((images.shape[1], images.shape[2]))
        return DerivativeMaps(self.graph, chosen, images[:, :height, :width], core, self.dtype, self.device)

    def jacobian(self, derivatives: DerivativeMaps, pixel: Pixel, radius: int) -> NDArray[np.floating]:
        """Return both Jacobian images of one pixel in the way that is quickest here, see `jacobians`.

        Parameters
        ----------
        derivatives : DerivativeMaps
            Of the part that the pixel is in, filled there.
        pixel : tuple of int
            (row, column) in the image.
        radius : int
            How wide the windows shall be.

        Returns
        -------
        ndarray
            (2, 2·radius + 1, 2·radius + 1).
        """
        one = derivatives.pixel(pixel)
        if self.capturing is not None:
            return self.capturing.jacobian(derivatives, one, radius)
        with self.thread_choice.threads():
            return self.jacobians([one], radius)[0]

    def jacobians(self, pixels: Sequence[OnePixel], radius: int) -> NDArray[np.floating]:
        """Return both Jacobian images (paper, equation 1) of some pixels.

        Parameters
        ----------
        pixels : sequence of OnePixel
            The pixels, all in one part, whose maps must be filled there.
        radius : int
            How wide the windows shall be, at least as wide as the chain's.

        Returns
        -------
        ndarray
            (B, 2, 2·radius + 1, 2·radius + 1), of no meaning outside the image.
        """
        where = pixels[0] if len(pixels) == 1 else PixelBatch.of(pixels)
        return self.windows_at(where, radius).cpu().numpy()

    @torch.inference_mode()
    def windows_at(self, pixels: Pixels, radius: int) -> Tensor:
        """Return the same as a tensor on the chain's device, without waiting for the device."""
        slots = self._applied(self.windows, pixels)
        side = 2 * radius + 1
        both = torch.zeros((pixels.count, 2, side, side), dtype=self.dtype, device=self.device)
        for index, result in enumerate(self.windows.results):
            if result is None:
                continue
            slot, (rows, columns) = result
            if self.graph.regridded:
                _put_around(slots[slot][..., 0], (rows, columns), radius, pixels, both[:, index])
            else:
                both[:, index, radius - rows : radius + rows + 1, radius - columns : radius + columns + 1] = (
                    slots[slot][..., 0]
                )
        return both

    @torch.inference_mode()
    def diagonals(self, pixels: PixelLattice) -> NDArray[np.floating]:
        """Return dy(i)/dx1(i) and dy(i)/dx2(i) (paper, equation 2) for a lattice of pixels, (2, rows, columns)."""
        slots = self._applied(self.diagonal, pixels)
        both = np.zeros((2, *pixels.shape), dtype=_NUMPY_TYPES[self.dtype])
        for index, result in enumerate(self.diagonal.results):
            if result is not None:
                slot, (rows, columns) = result
                rows, columns = rows + pixels.row % pixels.stride, columns + pixels.column % pixels.stride
                both[index] = slots[slot][:, rows, columns, 0].reshape(pixels.shape).cpu().numpy()
        return both

    def _applied(self, chosen: BackwardPlan, pixels: Pixels) -> Slots:
        nothing = torch.empty(0, dtype=self.dtype, device=self.device)
        slots = [nothing] * chosen.slots
        make = torch.ones if chosen.stride == 1 else torch.zeros
        begun = make((pixels.count, chosen.stride, chosen.stride, 1), dtype=self.dtype, device=self.device)
        slots[0] = begun if chosen.stride == 1 else pixels.begun(begun)
        for step, released in zip(chosen.steps, chosen.releases, strict=True):
            step(slots, pixels)
            # Memory that was just in use is still in the processor's cache: large batches take a third less time.
            for slot in released:
                slots[slot] = nothing
        return slots


def sample_shape(locality: Locality) -> tuple[int, int] | None:
    """Return the height and width of noise that a network which strides is read on; ``None`` where it does not."""
    step = locality.alignment
    if step == 1:
        return None
    rows = step * max(-(-locality.least // step), 3)
    return rows, rows + 2 * step


def _put_around(values: Tensor, reach: Reach, radius: int, pixels: Pixels, found: Tensor) -> None:
    """Put what windows of squares (B, rows, columns) have around pixels into (B, 2·radius + 1, 2·radius + 1) zeros."""
    stride, side = pixels.stride, 2 * radius + 1
    if isinstance(pixels, OnePixel):
        starts = [
            far + at % stride - radius for far, at in zip(reach, (pixels.row, pixels.column), strict=True)
        ]
        to = [
            slice(max(-start, 0), min(size - start, side))
            for start, size in zip(starts, values.shape[1:], strict=True)
        ]
        of = [slice(start + one.start, start + one.stop) for start, one in zip(starts, to, strict=True)]
        found[:, *to] = values[:, *of]
        return
    assert isinstance(pixels, PixelBatch)
    margin = [max(radius - far, 0) for far in reach]
    padded = F.pad(values, (margin[1], margin[1], margin[0], margin[0]))
    rows, columns = (far + more - radius for far, more in zip(reach, margin, strict=True))
    places = torch.arange(side, device=values.device)
    which = torch.arange(len(values), device=values.device)[:, None, None]
    down = rows + (pixels.rows % stride)[:, None, None] + places[:, None]
    across = columns + (pixels.columns % stride)[:, None, None] + places
    found.copy_(padded[which, down, across])


_NUMPY_TYPES = {torch.float32: np.float32, torch.float64: np.float64}

"""A chain's work for one pixel, captured as a graph of a GPU: launched at once instead of operation by operation.

A Jacobian image is some dozens of operations of a few microseconds each. A GPU would wait most of the time for the
processor to call the next one. Captured, they are a single launch, for a pixel whose row and column are read
from its memory.

No processor can say what that gains: `python -m benchmarks.chain_parts --part graphs` does on a machine with a GPU.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, WeakMethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.saliency.chain.maps import DerivativeMaps
from fusion.saliency.chain.steps import OnePixel, PixelBatch, Pixels

logger = logging.getLogger(__name__)

WORTH = 4
"""Pixels of a part that are computed step by step before a graph is captured, which takes as long as several."""
WARMING = 3
"""Times that the work is done before it is captured, so that libraries have chosen and loaded what they need."""
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}
"""Largest relative error of a graph's first result that counts as the same."""

Compute = Callable[[Pixels, int], Tensor]
"""Windows of some pixels, of a radius, see `fusion.saliency.chain.chain.Chain.windows_at`."""
Replay = Callable[[], Tensor]
"""Does captured work again, and returns its result, which the next call overwrites."""
Record = Callable[[Callable[[], Tensor]], Replay]

_ONE_CAPTURE = threading.Lock()
"""Torch allows one capture at a time in a process."""
_FAILED: list[torch.cuda.CUDAGraph] = []


class WrongGraphError(Exception):
    """A captured graph gives something else than what was captured."""


class GraphRecorder:
    """Captures work as CUDA graphs, which share the memory that they compute in.

    They may be captured at any time, but only one may run at a time, and its result must be read before the next does.

    Parameters
    ----------
    device : torch.device
        A GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        with torch.cuda.device(device):
            self._stream = torch.cuda.Stream(device)
            self._pool = torch.cuda.graph_pool_handle()
        self._first: torch.cuda.CUDAGraph | None = None

    def __call__(self, compute: Callable[[], Tensor]) -> Replay:
        """Capture what a function gives the GPU to do. It must not wait for the GPU."""
        with _ONE_CAPTURE, torch.cuda.device(self._device):
            before = torch.cuda.current_stream()
            self._stream.wait_stream(before)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.stream(self._stream):
                try:
                    for _ in range(WARMING):
                        compute()
                finally:
                    # Whatever happens now, nothing reads any more what others may soon write to.
                    self._stream.synchronize()
                try:
                    result = _result_of_capture(graph, self._pool, compute)
                except BaseException:
                    # Some versions of torch still ask a graph that failed when they capture the next one.
                    _FAILED.append(graph)
                    raise
        # Memory that no graph is left of cannot be shared again: torch refuses to capture there.
        self._first = self._first or graph

        def replay() -> Tensor:
            graph.replay()
            return result

        return replay


def _result_of_capture(graph: torch.cuda.CUDAGraph, pool: Any, compute: Callable[[], Tensor]) -> Tensor:
    # What other threads do at the same time is their own affair, as long as this one waits for nothing.
    graph.capture_begin(pool=pool, capture_error_mode="thread_local")
    try:
        return compute()
    finally:
        graph.capture_end()


@dataclass(frozen=True)
class _Captured:
    """A graph for one part of an image, and where it reads which pixel it shall compute."""

    row: Tensor
    column: Tensor
    radius: int
    replay: Replay

    @torch.inference_mode()
    def at(self, pixel: OnePixel) -> NDArray[np.floating]:
        self.row.fill_(pixel.row)
        self.column.fill_(pixel.column)
        return self.replay().to("cpu", copy=True).numpy()[0]


class CapturedGraphs:
    """The graphs of one chain, one for each part of an image that is looked at. Safe to use from several threads.

    Parameters
    ----------
    compute : callable
        The chain's windows.
    device : torch.device
        Where it computes.
    record : callable
        Captures; `GraphRecorder` on a GPU.
    """

    def __init__(self, compute: Compute, device: torch.device, record: Record) -> None:
        # The chain has this object: if this one had the chain as well, graphs would outlive both for a while.
        self._compute = WeakMethod(compute)
        self._device, self._record = device, record
        self._graphs: WeakKeyDictionary[DerivativeMaps, _Captured] = WeakKeyDictionary()
        self._asked: WeakKeyDictionary[DerivativeMaps, int] = WeakKeyDictionary()
        self._refused = False
        self._capturing, self._replaying = threading.Lock(), threading.Lock()

    def jacobian(self, derivatives: DerivativeMaps, pixel: OnePixel, radius: int) -> NDArray[np.floating]:
        """Return both Jacobian images of a pixel, (2, 2·radius + 1, 2·radius + 1); see `Chain.jacobians`.

        By the graph of its part where there is one. The pixel that makes it worth while captures it; others do not wait
        for that.
        """
        captured = self._graphs.get(derivatives)
        if captured is None or captured.radius != radius:
            self._asked[derivatives] = self._asked.get(derivatives, 0) + 1
            if self._asked[derivatives] > WORTH:
                self.capture(derivatives, pixel, radius, wait=False)
            return self._step_by_step(pixel, radius)
        with self._replaying:
            return captured.at(pixel)

    def capture(self, derivatives: DerivativeMaps, pixel: OnePixel, radius: int, wait: bool = True) -> None:
        """Capture the graph of a part, if it has none, and compare what it gives for a pixel, which must be filled.

        Where that fails, it is logged, and everything is computed step by step from then on. While another thread
        captures, this one waits, or else lets be.
        """
        if self._refused or not self._capturing.acquire(blocking=wait):
            return
        try:
            captured = self._graphs.get(derivatives)
            if not self._refused and (captured is None or captured.radius != radius):
                self._graphs[derivatives] = self._checked(pixel, radius)
        except Exception:  # whatever is wrong with graphs, single steps can do without
            self._refused = True
            logger.exception(
                "CapturedGraphs a Jacobian image as a graph of %s failed; they are computed step by step, which takes "
                "longer.",
                self._device,
            )
        finally:
            self._capturing.release()

    def _checked(self, pixel: OnePixel, radius: int) -> _Captured:
        # Not made in inference mode, outside of which they could not be written to.
        corner = torch.tensor([pixel.row, pixel.column], device=self._device)
        row, column = corner[:1], corner[1:]
        where = PixelBatch(pixel.tensors, row, column, pixel.stride)
        captured = _Captured(row, column, radius, self._record(lambda: self._windows(where, radius)))
        # Twice: what is kept of the pixel may be filled anew meanwhile, with other last digits.
        if not any(self._agrees(captured, pixel) for _ in range(2)):
            raise WrongGraphError(
                "A captured graph gives another Jacobian image than the steps that it was made of."
            )
        return captured

    def _agrees(self, captured: _Captured, pixel: OnePixel) -> bool:
        expected = self._step_by_step(pixel, captured.radius)
        with self._replaying:
            found = captured.at(pixel)
        finite = np.isfinite(expected)
        allowed = TOLERANCE[found.dtype.name] * np.abs(expected[finite]).max(initial=0)
        # Written so that NaN counts as wrong; where steps give none either, windows are computed anyway.
        return bool((np.abs(found[finite] - expected[finite]) <= allowed).all())

    def _step_by_step(self, pixel: OnePixel, radius: int) -> NDArray[np.floating]:
        return self._windows(pixel, radius).cpu().numpy()[0]

    def _windows(self, pixels: Pixels, radius: int) -> Tensor:
        compute = self._compute()
        assert compute is not None, "whoever asks has the chain"
        return compute(pixels, radius)

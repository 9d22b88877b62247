"""Methods whose network somebody else has made, each in a process of its own with limits on time and memory.

Loading and probing, hovering and guidance: whatever a foreign network does to its process (no end, all memory, a crash)
ends that process only, and whoever asked is told with the figures. The next question starts it again.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import fusion.errors
from fusion.errors import FuseVisError, NetworkError, WeightsError
from fusion.methods.base import Method
from fusion.methods.packed.folders import PackedMethod
from fusion.methods.packed.wire import Ended, Message, TooLate, receive, send
from fusion.pair import Pair
from fusion.saliency.crops import Locality
from fusion.saliency.window import JacobianWindow, Pixel

logger = logging.getLogger(__name__)

PAIRS = 2
"""Pairs that the process keeps; `child` counts them too."""
PROGRAM = (sys.executable, "-m", "fusion.methods.packed.child")


@dataclass(frozen=True)
class Limits:
    """Limits of what the process of a foreign network may take.

    Attributes
    ----------
    seconds : int
        Until it has loaded, answered, or told how far it is.
    memory : int
        Bytes; on a GPU, those of the GPU are not counted.
    """

    seconds: int = 600
    memory: int = max(4 * 2**30, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)


BROUGHT_LIMITS = Limits(seconds=120, memory=min(4 * 2**30, Limits().memory))
"""Those of a network that a visitor of the page has brought."""


class ForeignProcess:
    """One process with one method in it. Questions of several threads are answered one after the other.

    Parameters
    ----------
    packed : PackedMethod
        What to load.
    device : torch.device
        Where it computes.
    limits : Limits
        What it may take.
    locality : Locality, optional
        What was found of the method before.
    program : sequence of str
        What to start, with the memory limit behind it.
    """

    def __init__(
        self,
        packed: PackedMethod,
        device: torch.device,
        limits: Limits,
        locality: Locality | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._packed, self._device, self._limits, self._program = packed, device, limits, program
        self._locality = locality
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pairs: OrderedDict[str, None] = OrderedDict()
        self._weights_id = ""

    def start(self) -> dict[str, Any]:
        """Start it and load the method; return title, note, weights id and locality.

        Raises
        ------
        PackedMethodError, NetworkError
            If the method cannot be used, or takes more than it may.
        """
        with self._lock:
            return self._started()

    def look(self) -> dict[str, Any]:
        """Start it and return what the ONNX file says of itself (`onnx_graph.facts_of`); no weights are loaded.

        Raises
        ------
        PackedMethodError, NetworkError
            If the file cannot be read, or reading it takes more than it may.
        """
        with self._lock:
            self._spawn()
            return self._exchange(Message("look", {"path": str(self._packed.path.absolute())}), None).facts

    def _spawn(self) -> None:
        limit = self._limits.memory if self._device.type == "cpu" else 0
        folder = str(Path(fusion.errors.__file__).parents[1])
        self._pairs.clear()
        self._process = subprocess.Popen(
            [*self._program, str(limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((folder, os.environ.get("PYTHONPATH", "")))},
        )
        weakref.finalize(self, _end, self._process)

    def _started(self) -> dict[str, Any]:
        self._spawn()
        known = None if self._locality is None else asdict(self._locality)
        facts = {"path": str(self._packed.path.absolute()), "device": str(self._device), "locality": known}
        loaded = self._exchange(Message("load", facts), None).facts
        self._locality = locality_of(loaded["locality"])
        if self._weights_id not in ("", loaded["weights_id"]):
            self._stop()
            raise WeightsError(
                f"{self._packed.path}: the files have changed since this was shown. Reload the page."
            )
        self._weights_id = str(loaded["weights_id"])
        return loaded

    def ask(
        self,
        kind: str,
        facts: dict[str, Any] | None = None,
        arrays: Sequence[NDArray[np.floating]] = (),
        pair: Pair | None = None,
        progress: Callable[[Message], None] | None = None,
    ) -> Message:
        """Ask something, and wait for the answer.

        Parameters
        ----------
        kind, facts, arrays
            The message; see `child`.
        pair : Pair, optional
            What it is about; sent if it is not there.
        progress : callable, optional
            Told how far it is; what it raises ends the work.

        Raises
        ------
        FuseVisError
            What the computation raises, or `NetworkError` if the process took more than it may.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._started()
            if pair is not None:
                facts = {**(facts or {}), "pair": pair.id}
                arrays = () if pair.id in self._pairs else tuple(pair.images)
                self._pairs[pair.id] = None
                self._pairs.move_to_end(pair.id)
                while len(self._pairs) > PAIRS:
                    self._pairs.popitem(last=False)
            return self._exchange(Message(kind, facts or {}, arrays), progress)

    def _exchange(self, message: Message, progress: Callable[[Message], None] | None) -> Message:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        inward, outward = process.stdin.fileno(), process.stdout.fileno()
        asked = {"threads": torch.get_num_threads(), "seconds": self._limits.seconds * (os.cpu_count() or 1)}
        try:
            send(inward, Message(message.kind, {**message.facts, **asked}, message.arrays))
            while True:
                answer = receive(outward, self._limits.seconds)
                if answer.kind not in ("progress", "share"):
                    return self._checked(answer)
                with self._told(inward, outward):
                    if progress is not None:
                        progress(answer)
                send(inward, Message("on"))
        except TooLate:
            self._stop()
            raise NetworkError(
                f"{self._packed.id}: its process was ended because it gave no answer within {self._limits.seconds} s. "
                "Take a smaller network or image."
            ) from None
        except Ended as end:
            raise self._dead(process, end) from None

    @contextmanager
    def _told(self, inward: int, outward: int) -> Iterator[None]:
        """Let the process stop where whoever is told how far it is wants no more."""
        try:
            yield
        except BaseException:
            send(inward, Message("stop"))
            receive(outward, self._limits.seconds)
            raise

    def _checked(self, answer: Message) -> Message:
        """Raise what the process has raised."""
        facts = answer.facts
        match answer.kind:
            case "error":
                kind = getattr(fusion.errors, str(facts["type"]), NetworkError)
                known = isinstance(kind, type) and issubclass(kind, FuseVisError)
                error = NetworkError if not known or issubclass(kind, fusion.errors.ImageFileError) else kind
                raise error(str(facts["message"]))
            case "memory":
                self._stop()
                raise NetworkError(
                    f"{self._packed.id}: its process was ended because it needs more memory than the "
                    f"{self._limits.memory / 2**30:.1f} GiB that it may take. Take a smaller network or image."
                )
            case "defect":
                logger.warning("The network of %s failed: %s", self._packed.id, facts)
                raise NetworkError(f"{facts['message'] or facts['type']}")
        return answer

    def _dead(self, process: subprocess.Popen[bytes], end: Ended) -> NetworkError:
        self._stop()
        code = process.returncode
        if code is None or code >= 0:
            how = f"ended by itself with code {code}"
        elif -code == signal.SIGXCPU:
            how = f"used more than {self._limits.seconds * (os.cpu_count() or 1)} s of processors"
        else:
            how = f"was ended by the signal {signal.Signals(-code).name}"
        logger.warning("The process of %s %s (%s)", self._packed.id, how, end)
        return NetworkError(f"{self._packed.id}: its process {how}. The network cannot be used as it is.")

    def _stop(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None

    def close(self) -> None:
        """End the process once the question under way is answered."""
        with self._lock:
            self._stop()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and wait until it is gone; one that has ended by itself keeps its code."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(timeout=0.2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def locality_of(facts: dict[str, Any]) -> Locality:
    """Return a locality from what a process has said of it."""
    radius = facts["support_radius"]
    return Locality(
        None if radius is None else (int(radius[0]), int(radius[1])),
        int(facts["alignment"]),
        int(facts["least"]),
        bool(facts["by_program"]),
    )


class IsolatedMethod(Method):
    """A method whose network runs in a process of its own; for all functions of `fusion` it is a method as any other.

    Parameters
    ----------
    packed : PackedMethod
        What to load.
    device : torch.device
        Where it computes.
    limits : Limits
        What its processes may take.

    Raises
    ------
    PackedMethodError, NetworkError
        If it cannot be used, or takes more than it may.
    """

    def __init__(self, packed: PackedMethod, device: torch.device, limits: Limits | None = None) -> None:
        problem = "" if packed.foreign else packed.problem()
        if problem:
            raise fusion.errors.PackedMethodError(problem)
        self._packed, self._limits = packed, limits or Limits()
        self._quick = ForeignProcess(packed, device, self._limits)
        loaded = self._quick.start()
        locality = locality_of(loaded["locality"])
        network = _Asked(self._quick)
        super().__init__(
            packed.id, loaded["title"], network, locality, loaded["weights_id"], device, loaded["note"]
        )
        self.elsewhere, self.checks = self, tuple(loaded["checks"])

    def close(self) -> None:
        """End its process; the next question starts it again."""
        self._quick.close()

    def locality_at(self, shape: tuple[int, int]) -> Locality:
        """See `Method.locality_at`."""
        if self.locality.holds_for(shape):
            return self.locality
        if shape not in self._localities:
            answer = self._quick.ask("locality", {"height": shape[0], "width": shape[1]})
            self._localities[shape] = locality_of(answer.facts)
        return super().locality_at(shape)

    def fuse(self, pair: Pair, dtype: str) -> NDArray[np.floating]:
        """See `fusion.fuse`."""
        return self._quick.ask("fuse", {"dtype": dtype}, pair=pair).arrays[0].copy()

    def jacobians(
        self, pair: Pair, pixels: list[Pixel], dtype: str, batch_size: int, ahead: bool
    ) -> list[JacobianWindow]:
        """See `fusion.jacobians`."""
        facts = {"pixels": pixels, "dtype": dtype, "batch_size": batch_size, "ahead": ahead}
        answer = self._quick.ask("jacobians", facts, pair=pair)
        return [
            JacobianWindow(values, top, left, *pixel, pair.shape, path=path)
            for values, (top, left, path), pixel in zip(
                answer.arrays, answer.facts["places"], pixels, strict=True
            )
        ]

    def guidance(
        self, pair: Pair, progress: Callable[[int, int, NDArray[np.floating]], None] | None, dtype: str
    ) -> NDArray[np.floating]:
        """See `fusion.guidance`. It has a process of its own meanwhile, so that no hover waits for it."""
        growing = np.full((2, *pair.shape), np.nan, dtype=dtype)

        def tell(message: Message) -> None:
            growing[:] = message.arrays[0]
            if progress is not None:
                progress(message.facts["done"], message.facts["total"], growing)

        growing[:] = self._apart("guidance", {"dtype": dtype}, pair, tell).arrays[0]
        return growing

    def estimated_guidance(
        self,
        pair: Pair,
        rounds: int,
        spacing: int,
        seed: int,
        progress: Callable[[int, int], None] | None,
        dtype: str,
    ) -> tuple[NDArray[np.floating], NDArray[np.floating], int, int]:
        """See `fusion.estimated_guidance`. It has a process of its own, as guidance images have."""

        def tell(message: Message) -> None:
            if progress is not None:
                progress(message.facts["done"], message.facts["total"])

        facts = {"rounds": rounds, "spacing": spacing, "seed": seed, "dtype": dtype}
        answer = self._apart("estimate", facts, pair, tell)
        values, error = (array.copy() for array in answer.arrays)
        return values, error, int(answer.facts["rounds"]), int(answer.facts["passes"])

    def _apart(
        self, kind: str, facts: dict[str, Any], pair: Pair, progress: Callable[[Message], None]
    ) -> Message:
        """Ask a process of its own for something long."""
        process = ForeignProcess(self._packed, self.device, self._limits, self.locality)
        try:
            if process.start()["weights_id"] != self.weights_id:
                raise WeightsError(
                    f"{self.title} has other weights now than when this was shown. Reload the page."
                )
            return process.ask(kind, facts, pair=pair, progress=progress)
        finally:
            process.close()

    def prepare(self, pair: Pair, dtype: str, progress: Callable[[float], None] | None) -> None:
        """See `fusion.prepare`."""
        told = (lambda message: progress(message.facts["share"])) if progress is not None else None
        self._quick.ask("prepare", {"dtype": dtype}, pair=pair, progress=told)


class _Asked(nn.Module):
    """The network as a module of this process, for whoever calls it: each call and each derivative is asked for."""

    def __init__(self, process: ForeignProcess) -> None:
        super().__init__()
        self._process = process

    def __deepcopy__(self, memo: dict[int, Any]) -> _Asked:
        return self

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Fuse a batch of pairs (B, 1, H, W)."""
        result: Tensor = _Run.apply(self._process, x1, x2)
        return result


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, process: ForeignProcess, *images: Tensor) -> Tensor:
        ctx.process = process
        ctx.save_for_backward(*images)
        return _asked(process, images)[0].to(images[0].device)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        gradients = _asked(ctx.process, (*ctx.saved_tensors, cotangents[0]))
        return None, *(gradient.to(cotangents[0].device) for gradient in gradients)


def _asked(process: ForeignProcess, tensors: Sequence[Tensor]) -> list[Tensor]:
    answer = process.ask("run", arrays=[tensor.detach().cpu().numpy() for tensor in tensors])
    return [torch.from_numpy(array.copy()) for array in answer.arrays]

"""The process of a foreign network: loads it under limits, and computes what it is asked for until nobody asks.

``python -m fusion.methods.packed.child`` reads messages (`wire`) from its standard input and answers on its standard
output; `elsewhere` starts it.
"""

from __future__ import annotations

import os
import resource
import sys
from collections import OrderedDict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fusion.errors import Cancelled, FuseVisError
from fusion.fusing import fuse
from fusion.methods.base import Method
from fusion.methods.packed.folders import PackedMethod
from fusion.methods.packed.onnx_graph import facts_of
from fusion.methods.packed.wire import Ended, Message, receive, send
from fusion.pair import Pair
from fusion.saliency.crops import Locality
from fusion.saliency.estimated_guidance import estimated_guidance
from fusion.saliency.guidance import guidance
from fusion.saliency.jacobian import jacobians, prepare

PAIRS = 2
"""Pairs that are kept, those asked for last; `elsewhere` counts them too."""


def set_limits(memory: int | None) -> None:
    """Let this process write no files, leave no dump, and take no more memory than it may."""
    for kind, most in ((resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_DATA, memory)):
        if most is not None:
            resource.setrlimit(kind, (most, most))


def allow_seconds(seconds: int) -> None:
    """Let this process use so many more seconds of processors; the system ends it after them."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, hard))


class Server:
    """Answers messages about one method.

    Parameters
    ----------
    inward, outward : int
        File descriptors.
    """

    def __init__(self, inward: int, outward: int) -> None:
        self._inward, self._outward = inward, outward
        self._pairs: OrderedDict[str, Pair] = OrderedDict()
        self._method: Method | None = None
        self._seconds = 0

    def serve(self) -> None:
        """Answer until the other side has ended."""
        while True:
            try:
                message = receive(self._inward)
            except Ended:
                return
            send(self._outward, self._answer(message))

    def _answer(self, message: Message) -> Message:
        facts = message.facts
        self._seconds = int(facts["seconds"])
        allow_seconds(self._seconds)
        torch.set_num_threads(int(facts["threads"]))
        try:
            if message.kind == "look":
                return Message("looked", facts_of(PackedMethod(Path(facts["path"])).model()))
            return self._load(facts) if message.kind == "load" else self._computed(message)
        except FuseVisError as error:
            if "allocate memory" in str(error):
                return Message("memory")
            return Message("error", {"type": type(error).__name__, "message": str(error)})
        except (MemoryError, torch.OutOfMemoryError):
            return Message("memory")
        except Exception as error:  # noqa: BLE001 - whatever a network may raise; it is told where somebody reads it
            if "allocate memory" in str(error):
                return Message("memory")
            return Message("defect", {"type": type(error).__name__, "message": str(error)[:2000]})

    def _load(self, facts: dict[str, Any]) -> Message:
        known = facts["locality"]
        if known is not None and known["support_radius"] is not None:
            known |= {"support_radius": tuple(known["support_radius"])}
        locality = None if known is None else Locality(**known)
        method = PackedMethod(Path(facts["path"])).load_here(torch.device(facts["device"]), locality)
        self._method = method
        about = {"title": method.title, "note": method.note, "weights_id": method.weights_id}
        found = {"checks": list(method.checks), "locality": asdict(method.locality)}
        return Message("loaded", about | found)

    def _computed(self, message: Message) -> Message:
        assert self._method is not None
        method, facts = self._method, message.facts
        if message.kind == "locality":
            return Message("locality", asdict(method.locality_at((facts["height"], facts["width"]))))
        if message.kind == "run":
            return self._run(message)
        pair, dtype = self._pair(message), facts["dtype"]
        match message.kind:
            case "fuse":
                return Message("fused", {}, [fuse(method, pair, dtype)])
            case "guidance":
                return Message("guidance", {}, [guidance(method, pair, self._progress, dtype)])
            case "estimate":
                rounds, spacing, seed = (int(facts[name]) for name in ("rounds", "spacing", "seed"))
                found = estimated_guidance(method, pair, rounds, spacing, seed, self._passed, dtype)
                counts = {"rounds": found.rounds, "passes": found.passes}
                return Message("estimate", counts, [found.values, found.standard_error])
            case "prepare":
                prepare(method, pair, dtype, lambda share: self._ask(Message("share", {"share": share})))
                return Message("prepared")
            case "jacobians":
                pixels = [(row, column) for row, column in facts["pixels"]]
                windows = jacobians(method, pair, pixels, dtype, facts["batch_size"], facts["ahead"])
                places = [[window.top, window.left, window.path] for window in windows]
                return Message("windows", {"places": places}, [window.values for window in windows])
        raise ValueError(message.kind)

    def _run(self, message: Message) -> Message:
        """Run the network on two images and, if there is a third array, bring that back to both."""
        assert self._method is not None
        first, second, *cotangent = (torch.from_numpy(array.copy()) for array in message.arrays)
        images = [image.to(self._method.device).requires_grad_(bool(cotangent)) for image in (first, second)]
        fused = self._method.network_as(first.dtype)(*(image.clone() for image in images))
        if not cotangent:
            return Message("fused", {}, [fused.detach().cpu().numpy()])
        given = cotangent[0].to(self._method.device)
        found = torch.autograd.grad(fused, images, given, allow_unused=True)
        gradients: list[Tensor] = [torch.zeros_like(images[0]) if one is None else one for one in found]
        return Message("gradients", {}, [one.cpu().numpy() for one in gradients])

    def _pair(self, message: Message) -> Pair:
        id = str(message.facts["pair"])
        if message.arrays:
            self._pairs[id] = Pair(np.stack(list(message.arrays)))
        self._pairs.move_to_end(id)
        while len(self._pairs) > PAIRS:
            self._pairs.popitem(last=False)
        return self._pairs[id]

    def _progress(self, done: int, total: int, result: Any) -> None:
        self._ask(Message("progress", {"done": done, "total": total}, [result]))

    def _passed(self, done: int, total: int) -> None:
        self._ask(Message("progress", {"done": done, "total": total}))

    def _ask(self, message: Message) -> None:
        """Tell how far it is, and go on only if somebody still wants it."""
        send(self._outward, message)
        if receive(self._inward).kind != "on":
            raise Cancelled("Nobody wants it any more.")
        allow_seconds(self._seconds)


def main() -> None:
    """Serve standard input and output; whatever else is printed goes to the error stream."""
    inward, outward = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    memory = int(sys.argv[1])
    set_limits(memory or None)
    Server(inward, outward).serve()


if __name__ == "__main__":
    main()

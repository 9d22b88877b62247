"""Cards of methods: facts that whoever looks at a method's pictures should know, each measured or checked."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from fusion.durations import spoken
from fusion.methods.adapting import Adaptation
from fusion.methods.base import Method
from fusion.methods.packed.folders import PackedMethod
from fusion.methods.registered import registered_method
from fusion.methods.registry import built_in_ids, is_earlier, load_method, users_method
from fusion.pair import Pair
from fusion.saliency.guidance import guidance
from fusion.saliency.jacobian import jacobian, prepare

SIDE = 128
"""Pixels along a side of the noise on which a Jacobian is timed and checked."""
GUIDANCE_SIDE = 96
"""The same of guidance images; passes take as much longer as an image has more pixels."""
SHOWN_SIDE = 256
"""Pixels along a side of the images whose guidance is foretold."""
_WAYS = {
    "chain": "chain (the network's layers in reverse, prepared once for a pair)",
    "window": "crops of the image, each by autograd",
    "numbers": "numbers of the whole image such as means, held for a pair, and what is left by crops or chain",
    "whole image": "autograd through the whole image",
}


@dataclass(frozen=True)
class Card:
    """Facts about a method.

    Attributes
    ----------
    id, title, note : str
        See `fusion.methods.base.MethodSpecification`.
    facts : tuple of (str, str)
        What each is about, and the fact in words and figures.
    """

    id: str
    title: str
    note: str
    facts: tuple[tuple[str, str], ...]


def method_card(id: str, device: str = "cpu") -> Card:
    """Load a method and find out what a card says; it takes a few seconds.

    Parameters
    ----------
    id : str
        One of `method_ids`, or a path to a folder with a method.
    device : str
        See `load_method`.

    Raises
    ------
    FuseVisError
        If the method cannot be used.
    """
    method = load_method(id, device)
    own = _ships(id) or registered_method(id) is not None
    return card_of(method, None if own else users_method(id))


def _ships(id: str) -> bool:
    return id in built_in_ids() or is_earlier(id)


def card_of(method: Method, packed: PackedMethod | None = None) -> Card:
    """Find out what a card says of a method that is loaded; it takes a few seconds.

    Parameters
    ----------
    method : Method
        The method.
    packed : PackedMethod, optional
        The folder that it is from, if it is from one.
    """
    adapted = Adaptation() if packed is None else packed.description().adaptation
    shape = adapted.fixed or (_multiple(SIDE, adapted), _multiple(SIDE, adapted))
    pair = _noise(shape)
    facts = {
        "source": _source(method, packed),
        "weights": method.weights_id,
        "images": "" if packed is None else _names(packed),
        "support": _support(method, shape),
        **_timed(method, pair),
        "guidance": _guidance(method, adapted),
        "checks": "\n".join((*method.checks, _checked(method, pair))),
        "adapted": "\n".join(_adapted(adapted)) or "nothing",
    }
    return Card(
        method.id, method.title, method.note, tuple((key, said) for key, said in facts.items() if said)
    )


def _multiple(side: int, adapted: Adaptation) -> int:
    step = adapted.sizes if isinstance(adapted.sizes, int) else 1
    return max(-(-side // step) * step, adapted.least)


def _noise(shape: tuple[int, int]) -> Pair:
    return Pair.from_arrays(*np.random.default_rng(0).random((2, *shape)))


def _source(method: Method, packed: PackedMethod | None) -> str:
    if packed is None:
        return "built in" if _ships(method.id) else "of the program that shows it (fusion.register)"
    model = packed.model()
    kind = {".pt2": "a program of torch.export", ".onnx": "an ONNX file"}[model.suffix]
    if packed.foreign:
        return f"{kind} of {model.stat().st_size:,} bytes, brought to the page; runs in a process of its own"
    return f"{model.name}, {kind} of {model.stat().st_size:,} bytes, in {packed.path}; runs in a process of its own"


def _names(packed: PackedMethod) -> str:
    return ", ".join(
        f"{name}: {said}" for name, said in zip(("x1", "x2"), packed.description().modalities, strict=False)
    )


def _support(method: Method, shape: tuple[int, int]) -> str:
    radius = method.support_radius
    if radius is None:
        return "the whole image, of both inputs"
    found = f"{radius[0]} pixels of x1, {radius[1]} of x2"
    if not method.locality.by_program:
        found += f"; held against the whole image at each size ({shape[0]}×{shape[1]}: {_at(method, shape)})"
    return found


def _at(method: Method, shape: tuple[int, int]) -> str:
    found = method.locality_at(shape).support_radius
    return "the whole image" if found is None else "the same"


def _timed(method: Method, pair: Pair) -> dict[str, str]:
    """Return the way in which Jacobians are computed, and what one costs when the pair is prepared."""
    prepare(method, pair)
    pixel = pair.shape[0] // 2, pair.shape[1] // 2
    way = jacobian(method, pair, pixel).path
    started = time.perf_counter()
    jacobian(method, pair, pixel)
    took = 1000 * (time.perf_counter() - started)
    height, width = pair.shape
    return {
        "path": f"{method.numbers.count} {_WAYS[way]}" if method.numbers else _WAYS.get(way, way),
        "Jacobian": f"{took:.3g} ms at {height}×{width} pixels on this machine",
    }


def _guidance(method: Method, adapted: Adaptation) -> str:
    side = _multiple(GUIDANCE_SIDE, adapted)
    shape = adapted.fixed or (side, side)
    pair = _noise(shape)
    if method.locality_at(shape).support_radius is None and method.numbers is None:
        shape = adapted.fixed or (SHOWN_SIDE, SHOWN_SIDE)
        pair = _noise(shape)
        started = time.perf_counter()
        jacobian(method, pair, (0, 0))
        return _foretold((time.perf_counter() - started) * math.prod(shape), shape)
    passes: list[tuple[float, int, int]] = []
    guidance(method, pair, lambda done, total, _: passes.append((time.perf_counter(), done, total)))
    (began, first, total), (ended, last, _) = passes[0], passes[-1]
    wanted = adapted.fixed or (SHOWN_SIDE, SHOWN_SIDE)
    seconds = (ended - began) / max(last - first, 1) * total
    return _foretold(seconds * math.prod(wanted) / math.prod(shape), wanted)


def _foretold(seconds: float, shape: tuple[int, int]) -> str:
    return f"about {spoken(seconds)} for images of {shape[0]}×{shape[1]} pixels on this machine"


def _checked(method: Method, pair: Pair) -> str:
    """Return how far a Jacobian is from autograd through the whole image, in float64 where the network runs in it."""
    row, column = pair.shape[0] // 3, pair.shape[1] // 2
    ours = jacobian(method, pair, (row, column), "float64")
    network = method.network_as(torch.float64)
    images = [
        torch.tensor(image, dtype=torch.float64, device=method.device)[None, None] for image in pair.images
    ]
    images = [image.requires_grad_() for image in images]
    found = torch.autograd.grad(network(*images)[0, 0, row, column], images, allow_unused=True)
    wanted = np.stack([np.zeros(pair.shape) if one is None else one[0, 0].cpu().numpy() for one in found])
    apart = np.abs(ours.dense() - wanted).max() / (np.abs(wanted).max() or 1)
    return f"a Jacobian against autograd through the whole image in float64: {apart:.1g} of the largest value apart"


def _adapted(adapted: Adaptation) -> list[str]:
    """Return what is done to images before the network, and to its result, a line each."""
    usual, said = asdict(Adaptation()), asdict(adapted)
    words: dict[str, Any] = {
        "channels": "each gray image is given {} times, as channels",
        "value_range": "images in [0, 1] are brought to {}",
        "output": "result {} is the fused image",
        "sizes": "sides: {}",
        "mean": "{} is taken from channels",
        "std": "channels are divided by {}",
        "output_range": "the result is brought back from {}",
        "swapped": "the network takes x2 first",
        "channel": "of several channels the fused image is {}",
        "least": "at least {} pixels along each side",
        "single": "one pair at a time",
    }
    return [words[key].format(value) for key, value in said.items() if value != usual[key]]

"""Which operations of a program join channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fusion.saliency.chain.calls import Call
from fusion.saliency.chain.nodes import Joined, NotUnderstoodError
from fusion.saliency.chain.operations import CONCATENATIONS
from fusion.saliency.chain.values import Value, Whole

CHANNELS = (1, -3)
"""What programs call the dimension of the channels."""


def joined(call: Call) -> Value | None:
    """Return the node of a concatenation along channels, ``None`` if the operation is something else."""
    if call.layer is not None or call.kind not in CONCATENATIONS:
        return None
    given = {"dim": 0, **call.bound("tensors dim")}
    if given["dim"] not in CHANNELS:
        raise NotUnderstoodError(f"{call.name} does not join channels")
    sources = _numbers(call, given["tensors"])
    channels = sum(call.samples[source].shape[1] for source in sources)
    return Whole(call.add(Joined(sources, channels, lambda *values: torch.cat(values, dim=1))))


def _numbers(call: Call, tensors: Any) -> tuple[int, ...]:
    wholes = [part for part in tensors if type(part) is Whole] if isinstance(tensors, Sequence) else []
    if not wholes or len(wholes) != len(tensors):
        raise NotUnderstoodError(f"{call.name} puts together what are not all images")
    return tuple(whole.number for whole in wholes)

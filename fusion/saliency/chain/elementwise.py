"""Which operations of a program work on each pixel and channel by itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fusion.saliency.chain.calls import Call, keeps_size
from fusion.saliency.chain.nodes import (
    Node,
    NotUnderstoodError,
    Pointwise,
    Scale,
    Sum,
    TwoSlopes,
    with_derivatives_known,
)
from fusion.saliency.chain.operations import (
    ADDITIONS,
    DIVISIONS,
    EXTREMES_OF_TWO,
    LEAKY_DEFAULT,
    LEAKY_RECTIFIERS,
    MULTIPLICATIONS,
    NEGATIONS,
    POINTWISE_FUNCTIONS,
    POINTWISE_METHODS,
    POINTWISE_MODULES,
    RECTIFIERS,
    SUBTRACTIONS,
    leaky_slopes,
    rectifier_slopes,
)
from fusion.saliency.chain.values import Constant, Value, Whole, leaves


def elementwise(call: Call) -> Value | None:
    """Return the node of a pointwise operation, ``None`` if the operation is something else.

    Raises
    ------
    NotUnderstoodError
        If it is one, but its operands are not as many images.
    """
    if not _is_known(call):
        return None
    operands = [leaf for leaf in leaves((call.args, dict(call.kwargs))) if isinstance(leaf, Value)]
    if call.knows_sizes or not all(type(operand) in (Whole, Constant) for operand in operands):
        raise NotUnderstoodError(f"{call.name} works on something else than images")
    if not keeps_size(call.result):
        raise NotUnderstoodError(f"{call.name} does not keep the image's size")
    channels = call.result.shape[1]
    if any(call.samples[source].shape[1] not in (1, channels) for source in call.sources):
        raise NotUnderstoodError(f"{call.name} changes the number of channels")
    return Whole(call.add(_linear(call, channels) or _pointwise(call, channels)))


def _is_known(call: Call) -> bool:
    if call.layer is not None:
        return call.kind in POINTWISE_MODULES
    if call.kind in EXTREMES_OF_TWO:
        # A number in the second place is a dimension.
        return len(call.args) == 2 and not call.kwargs and _is_tensor(call.args[1])
    return call.kind in (POINTWISE_METHODS if isinstance(call.kind, str) else POINTWISE_FUNCTIONS)


def _is_tensor(operand: Any) -> bool:
    return isinstance(operand, Whole) or (isinstance(operand, Constant) and isinstance(operand.value, Tensor))


def _linear(call: Call, channels: int) -> Node | None:
    """Return a node whose derivative is the same everywhere, or None."""
    kind, sources = call.kind, call.sources
    if call.layer is not None or call.kwargs:
        return None
    samples = [call.samples[source] for source in sources]
    if any(sample.shape[1] != channels or not sample.is_floating_point() for sample in samples):
        return None
    common = (channels, call.run)
    if kind in NEGATIONS and len(call.args) == 1:
        return Sum(sources, *common, (-1.0,))
    if len(call.args) != 2:
        return None
    first, second = (operand if isinstance(operand, Value) else Constant(operand) for operand in call.args)
    if kind in ADDITIONS | SUBTRACTIONS:
        signs = [(first, 1.0), (second, 1.0 if kind in ADDITIONS else -1.0)]
        signed = [(operand.number, sign) for operand, sign in signs if isinstance(operand, Whole)]
        if tuple(number for number, _ in signed) == sources:  # but for x + x
            return Sum(sources, *common, tuple(sign for _, sign in signed))
        return None
    constant = second if isinstance(first, Whole) else first
    factors = _one_a_channel(constant, channels)
    if factors is not None and kind in MULTIPLICATIONS:
        return Scale(sources, *common, factors)
    if factors is not None and kind in DIVISIONS and isinstance(first, Whole):
        return Scale(sources, *common, 1 / factors)
    return None


def _one_a_channel(constant: Value, channels: int) -> Tensor | None:
    """Return a constant as one float64 number a channel, ``None`` where it is not that."""
    value = constant.value if isinstance(constant, Constant) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return torch.full((channels,), float(value), dtype=torch.float64)
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return None
    flat = value.detach().double().cpu().reshape(-1)
    if len(flat) == 1:
        return flat.expand(channels).clone()
    return flat if tuple(value.shape) in {(1, channels, 1, 1), (channels, 1, 1)} else None


def _pointwise(call: Call, channels: int) -> Node:
    sources = call.sources
    node = Pointwise(sources, channels, call.run, _two_slopes(call), (True,) * len(sources))
    return with_derivatives_known(node, [call.samples[source] for source in sources])


def _two_slopes(call: Call) -> TwoSlopes | None:
    if call.kind in RECTIFIERS:
        return rectifier_slopes()
    if call.kind not in LEAKY_RECTIFIERS:
        return None
    if call.layer is not None:
        slope: Any = call.layer.negative_slope
    else:
        slope = call.bound("input negative_slope").get("negative_slope", LEAKY_DEFAULT)
    return leaky_slopes(slope) if isinstance(slope, float) else None

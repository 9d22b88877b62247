"""ONNX's functions of single values, products and reductions, as functions of torch."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from fusion.methods.packed.onnx_calls import Call, integers, operator, scalar

_PLAIN: dict[str, Callable[..., Any]] = {
    "Relu": F.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Sqrt": torch.sqrt, "Exp": torch.exp,
    "Log": torch.log, "Abs": torch.abs, "Neg": torch.neg, "Sin": torch.sin, "Cos": torch.cos, "Erf": torch.erf,
    "Reciprocal": torch.reciprocal, "Softplus": F.softplus, "Softsign": F.softsign, "HardSwish": F.hardswish,
    "Mish": F.mish, "Sign": torch.sign, "Floor": torch.floor, "Ceil": torch.ceil, "Round": torch.round,
    "Not": torch.logical_not, "And": torch.logical_and, "Or": torch.logical_or, "Xor": torch.logical_xor,
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Pow": torch.pow, "MatMul": torch.matmul,
    "Equal": torch.eq, "Greater": torch.gt, "Less": torch.lt, "GreaterOrEqual": torch.ge, "LessOrEqual": torch.le,
    "Where": torch.where, "Atan": torch.atan, "IsNaN": torch.isnan,
}  # fmt: skip


def _plain(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    def run(call: Call, *values: Tensor) -> Tensor:
        if len(values) != count:
            raise ValueError(f"it takes {count} values, not {len(values)}")
        found: Tensor = function(*values)
        return found

    return run


_TWO = frozenset(
    (
        "And",
        "Or",
        "Xor",
        "Add",
        "Sub",
        "Mul",
        "Pow",
        "MatMul",
        "Equal",
        "Greater",
        "Less",
        "GreaterOrEqual",
        "LessOrEqual",
    )
)
for _name, _function in _PLAIN.items():
    operator(_name)(_plain(_function, 2 if _name in _TWO else 3 if _name == "Where" else 1))


@operator("Div")
def divide(call: Call, one: Tensor, other: Tensor) -> Tensor:
    """Divide; whole numbers are cut towards 0."""
    whole = not (one.is_floating_point() or other.is_floating_point())
    return torch.div(one, other, rounding_mode="trunc" if whole else None)


@operator("Mod")
def remainder(call: Call, one: Tensor, other: Tensor) -> Tensor:
    """Take the remainder, with the sign of the divisor, or of the dividend where fmod says so."""
    return torch.fmod(one, other) if call.get("fmod", 0) else torch.remainder(one, other)


@operator("Max")
def maximum(call: Call, *values: Tensor) -> Tensor:
    """Take the largest."""
    return functools.reduce(torch.maximum, values)


@operator("Min")
def minimum(call: Call, *values: Tensor) -> Tensor:
    """Take the smallest."""
    return functools.reduce(torch.minimum, values)


@operator("Sum")
def total(call: Call, *values: Tensor) -> Tensor:
    """Add all."""
    return functools.reduce(torch.add, values)


@operator("Mean")
def mean(call: Call, *values: Tensor) -> Tensor:
    """Take the mean of all."""
    return total(call, *values) / len(values)


@operator("LeakyRelu")
def leaky_relu(call: Call, tensor: Tensor) -> Tensor:
    """Let little of what is below 0 through."""
    return F.leaky_relu(tensor, call.get("alpha", 0.01))


@operator("PRelu")
def prelu(call: Call, tensor: Tensor, slope: Tensor) -> Tensor:
    """Let some of what is below 0 through, as the weights say; as torch's own where these are of channels."""
    if tensor.dim() > 1 and slope.numel() in (1, tensor.shape[1]) and slope.dim() in (1, tensor.dim() - 1):
        sides = slope.shape[1:] if slope.dim() > 1 else ()
        if slope.numel() == 1 or (slope.dim() > 1 and all(side == 1 for side in sides)):
            return F.prelu(tensor, slope.reshape(-1))
    return torch.where(tensor < 0, tensor * slope, tensor)


@operator("Elu")
def elu(call: Call, tensor: Tensor) -> Tensor:
    """Bend what is below 0 exponentially."""
    return F.elu(tensor, call.get("alpha", 1.0))


@operator("Celu")
def celu(call: Call, tensor: Tensor) -> Tensor:
    """Bend what is below 0 exponentially, with one slope at 0."""
    return F.celu(tensor, call.get("alpha", 1.0))


@operator("Selu")
def selu(call: Call, tensor: Tensor) -> Tensor:
    """Scale, and bend what is below 0."""
    alpha, gamma = call.get("alpha", 1.6732632423543772), call.get("gamma", 1.0507009873554805)
    return gamma * F.elu(tensor, alpha)


@operator("Gelu", since=20)
def gelu(call: Call, tensor: Tensor) -> Tensor:
    """Weight by the normal distribution."""
    return F.gelu(tensor, approximate=call.get("approximate", "none"))


@operator("HardSigmoid")
def hard_sigmoid(call: Call, tensor: Tensor) -> Tensor:
    """Cut a line at 0 and 1."""
    return torch.clamp(call.get("alpha", 0.2) * tensor + call.get("beta", 0.5), 0, 1)


@operator("ThresholdedRelu")
def thresholded_relu(call: Call, tensor: Tensor) -> Tensor:
    """Keep what is above a number."""
    return F.threshold(tensor, call.get("alpha", 1.0), 0.0)


@operator("Clip", tensors=(0,))
def clip(call: Call, tensor: Tensor, low: Any = None, high: Any = None) -> Tensor:
    """Cut at a least and a most."""
    low, high = scalar(low), scalar(high)
    if low is None and high is None:
        return tensor
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        low, high = (torch.as_tensor(end).to(tensor) if end is not None else None for end in (low, high))
    return torch.clamp(tensor, low, high)


@operator("Softmax")
def softmax(call: Call, tensor: Tensor) -> Tensor:
    """Bring values along an axis to a sum of 1; before opset 13, along this axis and all behind."""
    return _over_axis(call, tensor, torch.softmax)


@operator("LogSoftmax")
def log_softmax(call: Call, tensor: Tensor) -> Tensor:
    """Take the logarithm of softmax."""
    return _over_axis(call, tensor, torch.log_softmax)


def _over_axis(call: Call, tensor: Tensor, function: Callable[..., Tensor]) -> Tensor:
    if call.node.opset >= 13:
        return function(tensor, dim=call.get("axis", -1))
    axis = call.get("axis", 1) % tensor.dim()
    if axis == tensor.dim() - 1:
        return function(tensor, dim=axis)
    return function(tensor.flatten(axis), dim=axis).reshape(tensor.shape)


_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceMean": torch.mean,
    "ReduceSum": torch.sum,
    "ReduceMax": torch.amax,
    "ReduceMin": torch.amin,
    "ReduceL1": functools.partial(torch.linalg.vector_norm, ord=1),
    "ReduceL2": functools.partial(torch.linalg.vector_norm, ord=2),
    "ReduceLogSumExp": torch.logsumexp,
    "ReduceSumSquare": lambda tensor, dim, keepdim: (tensor * tensor).sum(dim=dim, keepdim=keepdim),
}


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(call: Call, tensor: Tensor, axes: Any = None) -> Tensor:
        chosen = integers(axes) or integers(call.get("axes"))
        if not chosen:
            if call.get("noop_with_empty_axes", 0):
                return tensor
            chosen = list(range(tensor.dim()))
        found: Tensor = function(tensor, dim=chosen, keepdim=bool(call.get("keepdims", 1)))
        return found

    return run


for _name, _function in _REDUCTIONS.items():
    operator(_name, tensors=(0,))(_reduction(_function))


@operator("Gemm")
def gemm(call: Call, one: Tensor, other: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply matrices, and add."""
    one = one.t() if call.get("transA", 0) else one
    other = other.t() if call.get("transB", 0) else other
    product = call.get("alpha", 1.0) * (one @ other)
    return product if bias is None else product + call.get("beta", 1.0) * bias


@operator("Einsum", since=12)
def einsum(call: Call, *values: Tensor) -> Tensor:
    """Multiply and add as letters say."""
    equation = call.get("equation", "")
    if not re.fullmatch(r"[A-Za-z., >-]{1,200}", equation):
        raise ValueError("an equation that is not read")
    found: Tensor = torch.einsum(equation, *values)
    return found


@operator("Dropout", tensors=(0,))
def dropout(call: Call, tensor: Tensor, ratio: Any = None, training: Any = None) -> Tensor:
    """Do nothing, as outside of training."""
    if training is not None and scalar(training):
        raise ValueError("it is random, as in training. Call .eval() before export")
    return tensor

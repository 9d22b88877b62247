"""What operations of torch do, by function, by method's name or by layer."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import nn

from fusion.saliency.chain.nodes import TwoSlopes

POINTWISE_MODULES: frozenset[type[nn.Module]] = frozenset(
    {
        nn.CELU, nn.ELU, nn.GELU, nn.Hardshrink, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.LeakyReLU,
        nn.LogSigmoid, nn.Mish, nn.PReLU, nn.RReLU, nn.ReLU, nn.ReLU6, nn.SELU, nn.SiLU, nn.Sigmoid, nn.Softplus,
        nn.Softshrink, nn.Softsign, nn.Tanh, nn.Tanhshrink, nn.Threshold,
    }
)  # fmt: skip

UNCHANGING_MODULES: frozenset[Any] = frozenset(
    {nn.Identity, nn.Dropout, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout}
)
"""In evaluation mode."""

DROPOUTS: frozenset[Any] = frozenset({F.dropout, F.dropout2d, F.alpha_dropout, F.feature_alpha_dropout})

COPIES: frozenset[Any] = frozenset({"clone", torch.clone})

CONVERSIONS = frozenset({"contiguous", "double", "float", "to", "type_as"})
"""Methods that return the tensor itself where it already is what is asked for."""

POINTWISE_METHODS = frozenset(
    {
        "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "asin", "asinh", "atan", "atan2", "atanh",
        "bool", "ceil", "clamp", "clamp_max", "clamp_min", "clip", "copysign", "cos", "cosh", "detach", "div",
        "divide", "double", "eq", "erf", "erfc", "exp", "exp2", "expm1", "float", "floor", "fmax", "fmin", "frac",
        "full_like", "ge", "gt", "hypot", "isfinite", "isinf", "isnan", "le", "lerp", "log", "log10", "log1p", "log2",
        "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "lt", "masked_fill",
        "maximum", "minimum", "mul", "multiply", "nan_to_num", "ne", "neg", "negative", "ones_like", "pow",
        "prelu", "reciprocal", "relu", "round", "rsqrt", "rsub", "sigmoid", "sign", "sin", "sinc", "sinh", "sqrt",
        "square", "sub", "subtract", "tan", "tanh", "to", "true_divide", "trunc", "type_as", "where", "xlogy",
        "zeros_like",
    }
)  # fmt: skip
"""Also functions of torch where it has one of that name."""

_OPERATORS: tuple[Callable[..., Any], ...] = (
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pos, operator.pow,
    operator.abs, operator.ge, operator.gt, operator.le, operator.lt, operator.eq, operator.ne,
    operator.and_, operator.or_, operator.invert,
)  # fmt: skip

_ACTIVATIONS: tuple[Callable[..., Any], ...] = (
    F.celu, F.elu, F.gelu, F.hardshrink, F.hardsigmoid, F.hardswish, F.hardtanh, F.leaky_relu, F.logsigmoid,
    F.mish, F.prelu, F.relu, F.relu6, F.selu, F.sigmoid, F.silu, F.softplus, F.softshrink, F.softsign, F.tanh,
    F.tanhshrink, F.threshold, torch.relu, torch.sigmoid, torch.tanh, torch.selu, torch.celu,
)  # fmt: skip

POINTWISE_FUNCTIONS: frozenset[Callable[..., Any]] = frozenset(
    (
        *_OPERATORS,
        *_ACTIVATIONS,
        *(getattr(torch, name) for name in POINTWISE_METHODS if hasattr(torch, name)),
    )
)

ADDITIONS: frozenset[Any] = frozenset({operator.add, torch.add, "add"})
SUBTRACTIONS: frozenset[Any] = frozenset({operator.sub, torch.sub, torch.subtract, "sub", "subtract"})
MULTIPLICATIONS: frozenset[Any] = frozenset({operator.mul, torch.mul, torch.multiply, "mul", "multiply"})
DIVISIONS: frozenset[Any] = frozenset(
    {operator.truediv, torch.div, torch.divide, torch.true_divide, "div", "divide", "true_divide"}
)
NEGATIONS: frozenset[Any] = frozenset({operator.neg, torch.neg, torch.negative, "neg", "negative"})
CONCATENATIONS: frozenset[Any] = frozenset({torch.cat, torch.concat, torch.concatenate})

CUTS: dict[Any, str] = {
    "chunk": "input chunks dim", torch.chunk: "input chunks dim",
    "split": "input split_size dim", torch.split: "input split_size_or_sections dim",
    "tensor_split": "input sections dim", torch.tensor_split: "input indices_or_sections dim",
    "narrow": "input dim start length", torch.narrow: "input dim start length",
    "index_select": "input dim index", torch.index_select: "input dim index",
}  # fmt: skip
"""What takes parts along a dimension, with the names of its arguments."""

REPETITIONS: frozenset[Any] = frozenset(
    {
        "broadcast_to", "expand", "expand_as", "repeat", "repeat_interleave", "tile",
        torch.broadcast_to, torch.repeat_interleave, torch.tile,
    }
)  # fmt: skip

_REDUCTIONS = {
    "amax": "input dim keepdim", "amin": "input dim keepdim", "argmax": "input dim keepdim",
    "argmin": "input dim keepdim", "logsumexp": "input dim keepdim", "max": "input dim keepdim",
    "mean": "input dim keepdim", "median": "input dim keepdim", "min": "input dim keepdim",
    "norm": "input p dim keepdim", "prod": "input dim keepdim", "std": "input dim unbiased keepdim correction",
    "sum": "input dim keepdim", "var": "input dim unbiased keepdim correction",
}  # fmt: skip

REDUCTIONS: dict[Any, str] = {
    **_REDUCTIONS,
    **{getattr(torch, name): names for name, names in _REDUCTIONS.items()},
    torch.linalg.vector_norm: "input ord dim keepdim",
}
"""What makes one number of those along a dimension, with the names of its arguments."""

SUMS: frozenset[Any] = frozenset({"sum", torch.sum})
MEANS: frozenset[Any] = frozenset({"mean", torch.mean})
SOFTMAXES: frozenset[Any] = frozenset({"softmax", torch.softmax, F.softmax, nn.Softmax, nn.Softmax2d})

EXTREMES_OF_TWO: frozenset[Any] = frozenset({"max", "min", torch.max, torch.min})
"""These work pixel by pixel with two tensors; with one, on the whole image or along a dimension."""

RECTIFIERS: frozenset[Any] = frozenset({nn.ReLU, torch.relu, F.relu, "relu"})
LEAKY_RECTIFIERS: frozenset[Any] = frozenset({nn.LeakyReLU, F.leaky_relu})
LEAKY_DEFAULT = 0.01
LARGEST_CODE = 255


def rectifier_slopes() -> TwoSlopes:
    """Return the slopes of a plain rectifier: 0 where x ≤ 0, else 1 (for NaN too)."""
    return TwoSlopes(0, 1, 1.0, lambda x: ~(x <= 0))


def leaky_slopes(slope: float) -> TwoSlopes | None:
    """Return the slopes of a leaky rectifier, `slope` where not x > 0; ``None`` where no byte can hold them."""
    ratio = Fraction(slope).limit_denominator(LARGEST_CODE)
    if not 0 < ratio <= 1 or abs(float(ratio) - slope) > 1e-15 * slope:
        return None
    return TwoSlopes(ratio.numerator, ratio.denominator, 1 / ratio.denominator, lambda x: x > 0)

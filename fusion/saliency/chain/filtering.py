"""Which operations of a program are convolutions, zeros around an image, or batch norms."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from fusion.saliency.chain.calls import Call
from fusion.saliency.chain.channels import same
from fusion.saliency.chain.layers import (
    Filter,
    batch_norm_factors,
    of_average,
    of_convolution,
    of_transposed,
    pair,
)
from fusion.saliency.chain.nodes import Convolution, NotUnderstoodError, Scale
from fusion.saliency.chain.values import Padded, Value, Whole

BATCH_NORMS: frozenset[Any] = frozenset({nn.BatchNorm2d, nn.SyncBatchNorm})
AVERAGES: frozenset[Any] = frozenset({nn.AvgPool2d, F.avg_pool2d})
PADDINGS: frozenset[Any] = frozenset({nn.ZeroPad2d, nn.ConstantPad2d, F.pad})

_CONVOLUTION = "input weight bias stride padding dilation groups"
_TRANSPOSED = "input weight bias stride padding output_padding groups dilation"
_AVERAGE = "input kernel_size stride padding ceil_mode count_include_pad divisor_override"
_BATCH_NORM = "input running_mean running_var weight bias training momentum eps"


def padding(call: Call) -> Value | None:
    """Return the value with zeros around it, ``None`` if the operation is something else."""
    if call.kind not in PADDINGS:
        return None
    if call.layer is None:
        given = {"mode": "constant", "value": 0, **call.bound("input pad mode value")}
    else:
        given = {"mode": "constant", "value": 0, "input": call.operand, "pad": call.layer.padding}
        given["value"] = getattr(call.layer, "value", 0)
    operand = given["input"]
    if given["mode"] != "constant" or given["value"] not in (0, None) or type(operand) is not Whole:
        raise NotUnderstoodError(f"{call.name} pads with something else than zeros")
    sides = tuple(given["pad"])
    if len(sides) > 4 or not all(type(side) is int and side >= 0 for side in sides):
        raise NotUnderstoodError(f"{call.name} does not put zeros around the image")
    left, right, top, bottom = [*sides, 0, 0, 0, 0][:4]
    if not any(sides):
        return same(call, operand.number, call.run)
    return Padded(operand.number, (top, left), (bottom, right))


def convolution(call: Call) -> Value | None:
    """Return the node of a convolution of stride 1, ``None`` if the operation is something else."""
    found = _filter(call)
    if found is None:
        return None
    operand, kernel = found
    if isinstance(operand, Padded):
        kernel = kernel.padded(operand.before, operand.after)
    elif type(operand) is not Whole:
        raise NotUnderstoodError(f"{call.name} does not filter an image")
    if call.sources != (operand.number,):
        raise NotUnderstoodError(f"{call.name} filters with what depends on the images")
    weight, dilation = kernel.centred()
    return Whole(call.add(Convolution(call.sources, len(weight), call.run, weight, dilation)))


def _filter(call: Call) -> tuple[Value, Filter] | None:
    layer = call.layer
    if call.kind in AVERAGES:
        return _average(call)
    if type(layer) is nn.Conv2d:
        kernel = of_convolution(layer.weight, layer.stride, layer.padding, layer.dilation, layer.groups)
        if layer.padding_mode != "zeros" and any((*kernel.before, *kernel.after)):
            raise NotUnderstoodError(f"a convolution pads with {layer.padding_mode!r}")
        return call.operand, kernel
    if type(layer) is nn.ConvTranspose2d:
        return call.operand, of_transposed(
            layer.weight, layer.stride, layer.padding, layer.output_padding, layer.groups, layer.dilation
        )
    if call.kind is F.conv2d:
        options = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, **call.bound(_CONVOLUTION)}
        weight = _constant_weight(call, options)
        return options["input"], of_convolution(
            weight, options["stride"], options["padding"], options["dilation"], options["groups"]
        )
    if call.kind is F.conv_transpose2d:
        options = {"stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "dilation": 1}
        options |= call.bound(_TRANSPOSED)
        weight = _constant_weight(call, options)
        return options["input"], of_transposed(
            weight,
            options["stride"],
            options["padding"],
            options["output_padding"],
            options["groups"],
            options["dilation"],
        )
    return None


def _constant_weight(call: Call, options: dict[str, Any]) -> Tensor:
    weight = options["weight"]
    if not isinstance(weight, Tensor):
        raise NotUnderstoodError(f"{call.name} filters with what depends on the images")
    return weight


def _average(call: Call) -> tuple[Value, Filter]:
    if call.layer is None:
        options = call.bound(_AVERAGE)
    else:
        options = {"input": call.operand}
        options |= {name: getattr(call.layer, name) for name in _AVERAGE.split()[1:]}
    size, around = options["kernel_size"], options.get("padding", 0)
    stride = options.get("stride")
    if pair(size if stride in (None, []) else stride) != (1, 1):
        raise NotUnderstoodError(f"{call.name} strides")
    counts_all = options.get("count_include_pad", True) or pair(around) == (0, 0)
    if not counts_all or options.get("divisor_override") is not None:
        raise NotUnderstoodError(f"{call.name} is another average at the border")
    operand = options["input"]
    if not isinstance(operand, Whole):
        raise NotUnderstoodError(f"{call.name} does not average an image")
    return operand, of_average(call.samples[operand.number].shape[1], size, around)


def batch_norm(call: Call) -> Value | None:
    """Return the node of a batch norm in evaluation mode, ``None`` if the operation is something else."""
    options: dict[str, Any] = {"weight": None, "training": False, "eps": 1e-5}
    if call.kind in BATCH_NORMS:
        options |= {name: getattr(call.layer, name) for name in ("running_var", "weight", "eps")}
        options["input"] = call.operand
    elif call.kind is F.batch_norm:
        options |= call.bound(_BATCH_NORM)
    else:
        return None
    operand = options["input"]
    if type(operand) is not Whole or call.sources != operand.numbers or not isinstance(options["eps"], float):
        raise NotUnderstoodError(f"{call.name} normalises with what depends on the images")
    variance = None if options["training"] else options["running_var"]
    factors = batch_norm_factors(variance, options["weight"], options["eps"])
    return Whole(call.add(Scale(call.sources, len(factors), call.run, factors)))

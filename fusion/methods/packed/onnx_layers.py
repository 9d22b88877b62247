"""ONNX's layers as functions of torch: convolutions, pooling, normalization, padding, resizing."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from fusion.methods.packed.onnx_calls import Call, integers, operator, scalar

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAXIMA = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_MEANS: dict[int, Any] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def _axes(tensor: Tensor) -> int:
    axes = tensor.dim() - 2
    if axes not in _CONVOLUTIONS:
        raise ValueError(f"a tensor of {tensor.dim()} sides where one of 3 to 5 is expected")
    return axes


def _pads(
    call: Call, tensor: Tensor, kernel: list[int], strides: list[int], dilations: list[int]
) -> list[int]:
    """Return pixels before each axis, then behind each."""
    axes, how = len(kernel), call.get("auto_pad", "NOTSET")
    if how == "NOTSET":
        return integers(call.get("pads")) or [0] * (2 * axes)
    if how == "VALID":
        return [0] * (2 * axes)
    if how not in ("SAME_UPPER", "SAME_LOWER"):
        raise ValueError(f"auto_pad {how[:20]!r} is not known")
    totals = []
    for axis in range(axes):
        side, reach = tensor.shape[2 + axis], dilations[axis] * (kernel[axis] - 1) + 1
        totals.append(max((-(-side // strides[axis]) - 1) * strides[axis] + reach - side, 0))
    less, more = [total // 2 for total in totals], [total - total // 2 for total in totals]
    return less + more if how == "SAME_UPPER" else more + less


def _padded(tensor: Tensor, pads: list[int], value: float = 0.0) -> tuple[Tensor, list[int]]:
    """Return a tensor padded where both sides differ, and what a layer pads on both."""
    axes = len(pads) // 2
    before, behind = pads[:axes], pads[axes:]
    if before == behind:
        return tensor, before
    return F.pad(tensor, _in_torch(pads), value=value), [0] * axes


def _in_torch(pads: list[Any]) -> list[Any]:
    """Return pads as torch wants them: pairs, the last axis first."""
    axes = len(pads) // 2
    return [side for axis in reversed(range(axes)) for side in (pads[axis], pads[axes + axis])]


@operator("Conv")
def convolution(call: Call, tensor: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolve."""
    axes = _axes(tensor)
    strides, dilations = _of_axes(call, "strides", axes), _of_axes(call, "dilations", axes)
    tensor, pads = _padded(tensor, _pads(call, tensor, list(weight.shape[2:]), strides, dilations))
    found: Tensor = _CONVOLUTIONS[axes](tensor, weight, bias, strides, pads, dilations, call.get("group", 1))
    return found


@operator("ConvTranspose")
def transposed_convolution(call: Call, tensor: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolve the other way round."""
    axes = _axes(tensor)
    if call.get("output_shape") or call.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise ValueError("a transposed convolution whose padding follows from its result's size is not read")
    strides, dilations = _of_axes(call, "strides", axes), _of_axes(call, "dilations", axes)
    more = integers(call.get("output_padding")) or [0] * axes
    pads = integers(call.get("pads")) or [0] * (2 * axes)
    same = pads[:axes] == pads[axes:]
    found: Tensor = _TRANSPOSED[axes](
        tensor, weight, bias, strides, pads[:axes] if same else 0, more, call.get("group", 1), dilations
    )
    return found if same else F.pad(found, [-side for side in _in_torch(pads)])


def _of_axes(call: Call, name: str, axes: int) -> list[int]:
    given = integers(call.get(name)) or [1] * axes
    if len(given) != axes or any(number < 1 for number in given):
        raise ValueError(f"its {name} do not fit")
    return given


@operator("MaxPool")
def max_pool(call: Call, tensor: Tensor) -> Tensor:
    """Take the largest of each window."""
    axes, kernel = _axes(tensor), integers(call.get("kernel_shape"))
    strides, dilations = _of_axes(call, "strides", axes), _of_axes(call, "dilations", axes)
    tensor, pads = _padded(tensor, _pads(call, tensor, kernel, strides, dilations), -math.inf)
    found: Tensor = _MAXIMA[axes](tensor, kernel, strides, pads, dilations, bool(call.get("ceil_mode", 0)))
    return found


@operator("AveragePool")
def mean_pool(call: Call, tensor: Tensor) -> Tensor:
    """Take the mean of each window, of what is padded too or not."""
    axes, kernel = _axes(tensor), integers(call.get("kernel_shape"))
    strides, dilations = _of_axes(call, "strides", axes), _of_axes(call, "dilations", axes)
    if any(number != 1 for number in dilations):
        raise ValueError("a mean of pixels apart (dilations) is not read")
    pads = _pads(call, tensor, kernel, strides, dilations)
    counted, up = bool(call.get("count_include_pad", 0)), bool(call.get("ceil_mode", 0))
    if pads[:axes] == pads[axes:]:
        found: Tensor = _MEANS[axes](tensor, kernel, strides, pads[:axes], up, counted)
        return found
    if up:
        raise ValueError("ceil_mode with different padding on both sides is not read")
    sums: Tensor = _MEANS[axes](F.pad(tensor, _in_torch(pads)), kernel, strides)
    if counted:
        return sums
    shares = _MEANS[axes](F.pad(torch.ones_like(tensor[:1, :1]), _in_torch(pads)), kernel, strides)
    return sums / shares


@operator("GlobalAveragePool")
def global_mean(call: Call, tensor: Tensor) -> Tensor:
    """Take each channel's mean."""
    return tensor.mean(dim=tuple(range(2, tensor.dim())), keepdim=True)


@operator("GlobalMaxPool")
def global_maximum(call: Call, tensor: Tensor) -> Tensor:
    """Take each channel's maximum."""
    return tensor.amax(dim=tuple(range(2, tensor.dim())), keepdim=True)


@operator("BatchNormalization")
def batch_normalization(
    call: Call, tensor: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    """Normalize each channel by numbers of the training."""
    if call.get("training_mode", 0):
        raise ValueError("it normalizes by the images at hand, as in training. Call .eval() before export")
    return F.batch_norm(tensor, mean, variance, scale, bias, False, 0.0, call.get("epsilon", 1e-5))


@operator("InstanceNormalization")
def instance_normalization(call: Call, tensor: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Normalize each channel of each image."""
    return F.instance_norm(tensor, weight=scale, bias=bias, eps=call.get("epsilon", 1e-5))


@operator("GroupNormalization", since=18)
def group_normalization(call: Call, tensor: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Normalize groups of channels; before opset 21 there is a scale for each group, then for each channel."""
    groups = call.get("num_groups", 1)
    if call.node.opset < 21:
        each = tensor.shape[1] // groups
        scale, bias = scale.repeat_interleave(each), bias.repeat_interleave(each)
    return F.group_norm(tensor, groups, scale, bias, call.get("epsilon", 1e-5))


@operator("LayerNormalization", since=17)
def layer_normalization(call: Call, tensor: Tensor, scale: Tensor, bias: Tensor | None = None) -> Tensor:
    """Normalize over the last axes."""
    return F.layer_norm(tensor, list(scale.shape), scale, bias, call.get("epsilon", 1e-5))


@operator("LpNormalization")
def lp_normalization(call: Call, tensor: Tensor) -> Tensor:
    """Divide by the norm along an axis."""
    axis = call.get("axis", -1)
    return tensor / torch.linalg.vector_norm(tensor, call.get("p", 2), dim=axis, keepdim=True)


_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


@operator("Pad", tensors=(0,))
def pad(call: Call, tensor: Tensor, pads: Any, value: Any = None, axes: Any = None) -> Tensor:
    """Pad, or cut where a number is below 0."""
    mode, sides = call.get("mode", "constant"), integers(pads)
    if mode not in _MODES:
        raise ValueError(f"padding by {mode[:20]!r} is not known")
    chosen = [axis % tensor.dim() for axis in integers(axes)] or list(range(tensor.dim()))
    before: list[Any] = [0] * tensor.dim()
    behind: list[Any] = [0] * tensor.dim()
    for axis, one, other in zip(chosen, sides[: len(chosen)], sides[len(chosen) :], strict=True):
        before[axis], behind[axis] = one, other
    if mode == "constant":
        return F.pad(tensor, _in_torch(before + behind), value=float(scalar(value, 0.0)))
    first = tensor.dim() - (3 if tensor.dim() == 5 else 2)
    if any((before[axis], behind[axis]) != (0, 0) for axis in range(first)):
        raise ValueError(f"padding by {mode} of other axes than rows and columns is not read")
    return F.pad(tensor, _in_torch(before[first:] + behind[first:]), mode=_MODES[mode])


@operator("Resize", tensors=(0,))
def resize(call: Call, tensor: Tensor, roi: Any = None, scales: Any = None, sizes: Any = None) -> Tensor:
    """Resize rows and columns: nearest, linear or cubic, as torch has them."""
    mode = call.get("mode", "nearest")
    how = call.get("coordinate_transformation_mode", "half_pixel")
    rows = _resized_axes(call, tensor)
    target, factors = None, None
    if sizes is not None and integers(sizes):
        target = _at(rows, integers(sizes), tensor, tensor.shape)
    elif scales is not None:
        factors = [float(number) for number in _at(rows, integers(scales), tensor, (1.0,) * tensor.dim())]
        target = [math.floor(side * factor) for side, factor in zip(tensor.shape[2:], factors, strict=True)]
    if target is None:
        raise ValueError("neither scales nor sizes are given")
    for name, usual in (("keep_aspect_ratio_policy", "stretch"), ("exclude_outside", 0), ("antialias", 0)):
        if call.get(name, usual) != usual:
            raise ValueError(f"resizing with {name} is not read")
    given = {"size": target} if factors is None else {"scale_factor": factors}
    found = _interpolated(call, tensor, mode, how, given)
    if tuple(found.shape[2:]) != tuple(target):
        raise ValueError("torch makes another size of these scales")
    return found


_CENTRES = ("half_pixel", "pytorch_half_pixel")


def _resized_axes(call: Call, tensor: Tensor) -> list[int]:
    return [axis % tensor.dim() for axis in integers(call.get("axes"))] or list(range(tensor.dim()))


def _at(axes: list[int], given: list[Any], tensor: Tensor, same: Any) -> list[Any]:
    """Return what is given for rows and columns; batch and channels keep their sizes."""
    whole = list(same)
    for axis, number in zip(axes, given, strict=True):
        if axis < 2 and number != whole[axis]:
            raise ValueError("resizing of batch or channels is not read")
        whole[axis] = number
    return whole[2:]


def _interpolated(call: Call, tensor: Tensor, mode: str, how: str, given: dict[str, Any]) -> Tensor:
    axes = _axes(tensor)
    if mode == "nearest":
        rounding = call.get("nearest_mode", "round_prefer_floor")
        kind = {("asymmetric", "floor"): "nearest", ("half_pixel", "round_prefer_ceil"): "nearest-exact"}.get(
            (how, rounding)
        )
        if how in _CENTRES and rounding.startswith("round_") and _whole(tensor, given):
            kind = "nearest"  # by whole factors each pixel is repeated, and none falls between two
        if kind is None:
            raise ValueError(f"the nearest pixel by {how} and {rounding} is not one that torch has")
        return F.interpolate(tensor, mode=kind, **given)
    names = {"linear": {1: "linear", 2: "bilinear", 3: "trilinear"}, "cubic": {2: "bicubic"}}
    kind = names.get(mode, {}).get(axes)
    if kind is None or how not in (*_CENTRES, "align_corners"):
        raise ValueError(f"resizing by {mode} and {how} is not read")
    if mode == "cubic" and abs(call.get("cubic_coeff_a", -0.75) + 0.75) > 1e-6:
        raise ValueError("cubic resizing has the coefficient -0.75 here")
    return F.interpolate(tensor, mode=kind, align_corners=how == "align_corners", **given)


def _whole(tensor: Tensor, given: dict[str, Any]) -> bool:
    if "scale_factor" in given:
        return all(float(factor).is_integer() for factor in given["scale_factor"])
    return all(target % side == 0 for target, side in zip(given["size"], tensor.shape[2:], strict=True))


@operator("DepthToSpace")
def depth_to_space(call: Call, tensor: Tensor) -> Tensor:
    """Put channels beside each other."""
    side = call.get("blocksize", 1)
    if call.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(tensor, side)
    batch, channels, height, width = tensor.shape
    parts = tensor.reshape(batch, side, side, channels // side**2, height, width)
    return parts.permute(0, 3, 4, 1, 5, 2).reshape(batch, channels // side**2, height * side, width * side)


@operator("SpaceToDepth")
def space_to_depth(call: Call, tensor: Tensor) -> Tensor:
    """Put pixels beside each other into channels."""
    side = call.get("blocksize", 1)
    batch, channels, height, width = tensor.shape
    parts = tensor.reshape(batch, channels, height // side, side, width // side, side)
    return parts.permute(0, 3, 5, 1, 2, 4).reshape(batch, channels * side**2, height // side, width // side)


@operator("GridSample", since=16)
def grid_sample(call: Call, tensor: Tensor, grid: Tensor) -> Tensor:
    """Take values at places."""
    mode = call.get("mode", "bilinear")
    kind = {"linear": "bilinear", "cubic": "bicubic"}.get(mode, mode)
    corners = bool(call.get("align_corners", 0))
    return F.grid_sample(tensor, grid, kind, call.get("padding_mode", "zeros"), corners)

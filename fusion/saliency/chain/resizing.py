"""The meaning of operations that change the size of an image: strides, poolings, resizing, shuffles.

All of them become two kinds of node that only give pixels another order, from a grid to a coarser or finer one
(`Gathered`, `Scattered`), and convolutions of stride 1 on the coarser grid: with the s² pixels of a square as channels,
a convolution that strides by s is one that does not, and so is its transpose, before its channels are scattered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from fusion.saliency.chain.graph import (
    Border,
    ChannelReduction,
    Convolution,
    Enlarged,
    Gathered,
    Largest,
    NotUnderstoodError,
    Scattered,
    TwoSlopes,
)
from fusion.saliency.chain.operations import (
    Image,
    Kernel,
    Meaning,
    Operation,
    Padded,
    average_kernel,
    kernel_of,
    pair,
    transposed_kernel,
)

_aten = torch.ops.aten

PROBED = 9
"""Pixels along the side of the image on which it is found what a resizing does."""


def resized(operation: Operation) -> Meaning:
    """Return what an operation makes that changes the size of an image by a whole factor; ``None`` if it is none."""
    kind, given = operation.kind, operation.given
    if kind is _aten.convolution and set(given["stride"]) != {1}:
        return _transposed(operation) if given["transposed"] else _strided(operation, *_filter(operation))
    if kind is _aten.avg_pool2d and _steps(operation) != (1, 1):
        return _strided(operation, *_average(operation))
    if kind is _aten.max_pool2d_with_indices:
        return [_maximum(operation), None]
    if kind in (_aten.pixel_shuffle, _aten.pixel_unshuffle):
        node = operation.image("does not shuffle an image")
        if kind is _aten.pixel_shuffle:
            return scattered(operation, node, given["upscale_factor"])
        return gathered(operation, node, given["downscale_factor"])
    return _interpolated(operation) if kind in _RESIZINGS else None


def gathered(operation: Operation, node: int, factor: int) -> Image:
    """Add the coarser grid of a node."""
    channels = operation.channels(node) * factor**2
    return operation.add(Gathered((node,), channels, lambda value: F.pixel_unshuffle(value, factor), factor))


def scattered(operation: Operation, node: int, factor: int) -> Image:
    """Add the finer grid of a node."""
    channels = operation.channels(node) // factor**2
    return operation.add(Scattered((node,), channels, lambda value: F.pixel_shuffle(value, factor), factor))


def _factor(operation: Operation, node: int, result: Tensor, down: bool) -> int:
    """Return by how much a result is smaller than a node, or larger; the same along both axes."""
    before, after = operation.samples[node].shape[2:], result.shape[2:]
    small, large = (after, before) if down else (before, after)
    factor = large[0] // small[0]
    if [side * factor for side in small] != list(large):
        operation.refuse("changes the image's size by no whole factor")
    return factor


def _steps(operation: Operation) -> tuple[int, int]:
    given = operation.given
    return pair(given["stride"] or given["kernel_size"])


def _operand(operation: Operation, operand: object) -> tuple[int, Padded | None]:
    """Return the node that is filtered, and what is around it."""
    if type(operand) is Image and operation.sources == operand.nodes:
        return operand.node, None
    if not isinstance(operand, Padded) or operation.sources != operand.nodes:
        operation.refuse("does not filter an image with constants")
    return operand.node, operand


def _filter(operation: Operation) -> tuple[object, Kernel]:
    given = operation.given
    weight = given["weight"]
    if not isinstance(weight, Tensor) or weight.ndim != 4:
        operation.refuse("does not filter an image with constants")
    return given["input"], kernel_of(weight, given["padding"], given["dilation"], given["groups"])


def _average(operation: Operation) -> tuple[object, Kernel]:
    given = operation.given
    counted = given["count_include_pad"] or pair(given["padding"]) == (0, 0)
    if not counted or given["divisor_override"] is not None or given["ceil_mode"]:
        operation.refuse("is another average at the border")
    if not isinstance(given["self"], Image):
        operation.refuse("does not average an image")
    channels = operation.channels(given["self"].node)
    return given["self"], average_kernel(channels, given["kernel_size"], given["padding"])


def _strided(operation: Operation, operand: object, kernel: Kernel) -> Image:
    """Add a convolution that strides."""
    node, padded = _operand(operation, operand)
    factor = _factor(operation, node, operation.result, down=True)
    if padded is not None and padded.border is not None:
        return _strided_at_border(operation, padded, kernel, factor)
    if padded is not None:
        kernel = kernel.padded(padded.before, padded.after)
    weight, dilation = _as_wide(kernel).centred()
    weight = _of_squares(weight, dilation, factor)
    squares = gathered(operation, node, factor).node
    return operation.add(
        Convolution(
            (squares,),
            len(weight),
            lambda value: operation.run(F.pixel_shuffle(value, factor)),
            weight,
            (1, 1),
        )
    )


def _strided_at_border(operation: Operation, padded: Padded, kernel: Kernel, factor: int) -> Image:
    """Add one that reads pixels of the image beyond it: of stride 1, of which every `factor`-th pixel is taken."""
    if any((*kernel.before, *kernel.after)):
        operation.refuse("puts zeros around what was padded with pixels of the image")
    weight, dilation = kernel.padded(padded.before, padded.after).centred()
    given = operation.given
    filters, bias, groups = given["weight"], given["bias"], given["groups"]

    def run(value: Tensor) -> Tensor:
        around = padded.made({padded.node: value})
        return F.conv2d(around, filters, bias, 1, 0, pair(given["dilation"]), groups)

    node = Convolution(operation.sources, len(weight), run, weight, dilation, padded.border)
    squares = gathered(operation, operation.add(node).node, factor).node
    taken = torch.zeros(1, factor**2, 1, 1, dtype=torch.float64)
    taken[0, 0] = 1
    matrix = _for_each(taken, len(weight))
    first = factor**2
    return operation.add(
        Convolution((squares,), len(weight), lambda value: value[:, ::first], matrix, (1, 1))
    )


def _transposed(operation: Operation) -> Image:
    """Add the transpose of a convolution that strides."""
    given = operation.given
    node, padded = _operand(operation, given["input"])
    weight = given["weight"]
    if padded is not None or not isinstance(weight, Tensor) or weight.ndim != 4:
        operation.refuse("does not filter an image with constants")
    factor = _factor(operation, node, operation.result, down=False)
    if pair(given["stride"]) != (factor, factor):
        operation.refuse("changes the image's size by no whole factor")
    kernel = transposed_kernel(weight, given["padding"], (0, 0), given["groups"], given["dilation"])
    found = _to_squares(*_as_wide(kernel).centred(), factor)
    squares = operation.add(
        Convolution(
            (node,),
            len(found),
            lambda value: F.pixel_unshuffle(operation.run(value), factor),
            found,
            (1, 1),
        )
    )
    return scattered(operation, squares.node, factor)


def _as_wide(kernel: Kernel) -> Kernel:
    """Return a kernel of stride 1 that looks as far, whatever a stride leaves out at the end."""
    after = [
        kernel.dilation[axis] * (kernel.weight.shape[2 + axis] - 1) - kernel.before[axis] for axis in (0, 1)
    ]
    return replace(kernel, after=(after[0], after[1]))


def _of_squares(weight: Tensor, dilation: tuple[int, int], factor: int) -> Tensor:
    """Return a convolution that strides as one of squares of pixels: (outputs, inputs · factor², rows, columns)."""
    outputs, inputs, *size = weight.shape
    far = [dilation[axis] * (size[axis] // 2) for axis in (0, 1)]
    reach = [-(-distance // factor) for distance in far]
    found = weight.new_zeros(outputs, inputs, factor, factor, 2 * reach[0] + 1, 2 * reach[1] + 1)
    for row in range(size[0]):
        down, in_row = divmod(row * dilation[0] - far[0], factor)
        for column in range(size[1]):
            right, in_column = divmod(column * dilation[1] - far[1], factor)
            place = (reach[0] + down, reach[1] + right)
            found[:, :, in_row, in_column, *place] += weight[:, :, row, column]
    return found.flatten(1, 3)


def _to_squares(weight: Tensor, dilation: tuple[int, int], factor: int) -> Tensor:
    """Return the transpose of one that strides, to squares of pixels: (outputs · factor², inputs, rows, columns)."""
    outputs, inputs, *size = weight.shape
    far = [dilation[axis] * (size[axis] // 2) for axis in (0, 1)]
    reach = [-(-(distance + factor - 1) // factor) for distance in far]
    found = weight.new_zeros(outputs, factor, factor, inputs, 2 * reach[0] + 1, 2 * reach[1] + 1)
    for row in range(size[0]):
        for column in range(size[1]):
            offsets = (row * dilation[0] - far[0], column * dilation[1] - far[1])
            # What lies between the pixels of the coarser image is zeros, which only these places in a square see past.
            in_row, in_column = (-offset % factor for offset in offsets)
            down, right = (
                reach[axis] + (offsets[axis] + inside) // factor
                for axis, inside in enumerate((in_row, in_column))
            )
            found[:, in_row, in_column, :, down, right] += weight[:, :, row, column]
    return found.flatten(0, 2)


def _for_each(weight: Tensor, channels: int) -> Tensor:
    """Return the convolution that does with each of some channels what one of one channel does."""
    return torch.einsum("oihw,cd->codihw", weight, torch.eye(channels).double()).flatten(2, 3).flatten(0, 1)


def _maximum(operation: Operation) -> Image:
    """Add a pooling by the maximum: the largest of the channels into which the pixels it looks at are gathered."""
    given = operation.given
    node = operation.image("does not pool an image")
    kernel, padding, apart = (pair(given[name]) for name in ("kernel_size", "padding", "dilation"))
    steps = _steps(operation)
    if len({*kernel}) > 1 or len({*steps}) > 1 or given["ceil_mode"]:
        operation.refuse("pools otherwise down than across")
    factor = _factor(operation, node, operation.result[0], down=True)
    channels, side = operation.channels(node), kernel[0]
    if (side, padding, apart) == (factor, (0, 0), (1, 1)):
        slopes = TwoSlopes(0, 1, 1.0, lambda pixels: _chosen(pixels, side))
        pooled = partial(F.max_pool2d, kernel_size=side)
        return operation.add(Largest((node,), channels, pooled, slopes, (True,), side))
    source = gathered(operation, node, factor).node if factor > 1 else node
    taps = torch.eye(side**2, dtype=torch.float64).reshape(side**2, 1, side, side)
    looked = _as_wide(kernel_of(taps, padding, apart, 1))
    weight = _for_each(_of_squares(*looked.centred(), factor), channels)
    run = _looked_at(side, factor, padding, looked.after, apart)
    source = operation.add(Convolution((source,), channels * side**2, run, weight, (1, 1))).node
    slopes = TwoSlopes(
        0, 1, 1.0, lambda values: F.pixel_unshuffle(_chosen(F.pixel_shuffle(values, side), side), side) > 0
    )
    return operation.add(
        ChannelReduction(
            (source,),
            channels,
            lambda value: F.max_pool2d(F.pixel_shuffle(value, side), side),
            slopes,
            (True,),
        )
    )


def _chosen(pixels: Tensor, side: int) -> Tensor:
    """Return 1 at the pixel of each square that its maximum is, the one that torch takes among equal ones, else 0."""
    _, places = F.max_pool2d(pixels, side, return_indices=True)
    return torch.zeros_like(pixels).flatten(-2).scatter_(-1, places.flatten(-2), 1).view_as(pixels)


def _looked_at(
    side: int, factor: int, before: tuple[int, int], after: tuple[int, int], apart: tuple[int, int]
) -> Callable[[Tensor], Tensor]:
    """Return how the pixels that each maximum looks at become channels, −∞ beyond the image."""

    def run(value: Tensor) -> Tensor:
        pixels = F.pixel_shuffle(value, factor) if factor > 1 else value
        height, width = value.shape[2:]
        # So many below and to the right that the last square is looked at as all others are.
        bottom, right = (far - factor + 1 for far in after)
        around = F.pad(pixels, (before[1], right, before[0], bottom), value=-torch.inf)
        return F.unfold(around, side, apart, 0, factor).unflatten(2, (height, width))

    return run


_RESIZINGS = (
    _aten.upsample_nearest2d, _aten._upsample_nearest_exact2d, _aten.upsample_bilinear2d, _aten.upsample_bicubic2d,
    _aten._adaptive_avg_pool2d,
)  # fmt: skip

_NEAREST = (_aten.upsample_nearest2d, _aten._upsample_nearest_exact2d)


def _interpolated(operation: Operation) -> Image:
    """Add a resizing by a whole factor, which does the same with each channel, and beyond the border repeats pixels."""
    node = operation.image("does not resize an image")
    if operation.given.get("align_corners"):
        operation.refuse("stretches corner to corner, by no whole factor")
    down = operation.result.shape[2] < operation.samples[node].shape[2]
    factor, channels = _factor(operation, node, operation.result, down), operation.channels(node)
    if factor == 1:
        return Image(node)
    if not down and operation.kind in _NEAREST:
        larger = partial(F.interpolate, scale_factor=float(factor))
        return operation.add(Enlarged((node,), channels, larger, factor))

    def sized(value: Tensor) -> Tensor:
        sides = [side // factor if down else side * factor for side in value.shape[2:]]
        if operation.kind is _aten._adaptive_avg_pool2d:
            return F.avg_pool2d(value, factor)
        rest = (False,) if "align_corners" in operation.given else ()
        result: Tensor = operation.op(value, sides, *rest, None, None)
        return result

    if down:
        node = gathered(operation, node, factor).node
        weight = _for_each(_weights_down(sized, factor), channels)
        return operation.add(
            Convolution(
                (node,), channels, lambda value: sized(F.pixel_shuffle(value, factor)), weight, (1, 1)
            )
        )
    weight, run = _weights_up(sized, factor), lambda value: F.pixel_unshuffle(sized(value), factor)
    reach = weight.shape[2] // 2
    border = Border("replicate", (reach, reach), (reach, reach)) if reach else None
    squares = Convolution((node,), channels * factor**2, run, _for_each(weight, channels), (1, 1), border)
    return scattered(operation, operation.add(squares).node, factor)


def _weights_up(sized: Callable[[Tensor], Tensor], factor: int) -> Tensor:
    """Return by which weights each pixel of a square sees those around it, (factor², 1, rows, columns)."""
    alone = torch.zeros(1, 1, PROBED, PROBED, dtype=torch.float64)
    alone[..., PROBED // 2, PROBED // 2] = 1
    seen = F.pixel_unshuffle(sized(alone), factor)[0]
    places = (seen != 0).any(0).nonzero() - PROBED // 2
    reach = int(places.abs().max())
    middle = slice(PROBED // 2 - reach, PROBED // 2 + reach + 1)
    # What a pixel at an offset gives is what is seen at the opposite one.
    return seen[:, None, middle, middle].flip(2, 3).clone()


def _weights_down(sized: Callable[[Tensor], Tensor], factor: int) -> Tensor:
    """Return by which weights the pixels of a square are seen, (1, factor², 1, 1)."""
    found = torch.zeros(1, factor**2, 1, 1, dtype=torch.float64)
    for place in range(factor**2):
        alone = torch.zeros(1, factor**2, PROBED, PROBED, dtype=torch.float64)
        alone[0, place, PROBED // 2, PROBED // 2] = 1
        seen = sized(F.pixel_shuffle(alone, factor))[0, 0]
        found[0, place] = seen[PROBED // 2, PROBED // 2]
        seen[PROBED // 2, PROBED // 2] = 0
        if (seen != 0).any():
            raise NotUnderstoodError("it makes an image smaller by more than the pixels in each place")
    return found

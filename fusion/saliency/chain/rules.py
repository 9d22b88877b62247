"""The meaning of torch's operations for a derivative: from a recorded program to the graph's nodes.

One rule after another is asked what an operation is: padding, convolution, batch norm, what moves or adds up the
channels of a pixel, what reduces them, and whatever torch itself marks as pointwise. Each adds nodes or raises
`NotUnderstoodError` with the reason that the log gives. To have another operation understood, add it to the rule for
its kind, or write one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from fusion.saliency.chain.graph import (
    ChannelReduction,
    Concatenation,
    Convolution,
    Graph,
    Input,
    Node,
    NotUnderstoodError,
    Pointwise,
    Scale,
    Sum,
    TwoSlopes,
    leaky_slopes,
    with_derivatives_known,
)
from fusion.saliency.chain.operations import (
    Flat,
    GraphBuilder,
    Image,
    Kernel,
    Meaning,
    Operation,
    Padded,
    Run,
    Stacked,
    Value,
    average_kernel,
    keeps_size,
    kernel_of,
    one_a_channel,
    pair,
    transposed_kernel,
)
from fusion.saliency.chain.resizing import resized
from fusion.saliency.chain.rewriting import grouped, narrowed
from fusion.saliency.chain.trace import Call, Program, leaves, record

_aten = torch.ops.aten


def _same(operation: Operation) -> Meaning:
    """Return the operand of what only copies it, or gives it its own shape."""
    operand = operation.operands[0]
    copies = operation.kind in (_aten.clone, _aten.alias)
    if not copies and operation.kind not in (
        _aten.view,
        _aten._unsafe_view,
        _aten.expand,
        _aten.slice,
        _aten._to_copy,
    ):
        return None
    before = operand.made(dict(enumerate(operation.samples)))
    result = operation.result
    if copies or (
        result.shape == before.shape and result.dtype == before.dtype and torch.equal(result, before)
    ):
        return operand
    return None


_MODES = {
    _aten.constant_pad_nd: "constant",
    _aten.reflection_pad2d: "reflect",
    _aten.replication_pad2d: "replicate",
}


def _padding(operation: Operation) -> Meaning:
    if operation.kind not in _MODES:
        return None
    node = operation.image("does not put pixels around an image")
    sides = tuple(operation.given.get("pad") or operation.given["padding"])
    if operation.given.get("value"):
        operation.refuse("pads with something else than zeros")
    if len(sides) > 4 or not all(type(side) is int and side >= 0 for side in sides):
        operation.refuse("does not put pixels around the image")
    left, right, top, bottom = [*sides, 0, 0, 0, 0][:4]
    padded = Padded(node, (top, left), (bottom, right), _MODES[operation.kind])
    return padded if any(sides) else Image(node)


def _convolution(operation: Operation) -> Meaning:
    if operation.kind is _aten.convolution:
        operand, kernel = operation.given["input"], _kernel(operation)
    elif operation.kind is _aten.avg_pool2d:
        operand, kernel = operation.given["self"], _average(operation)
    else:
        return None
    border = None
    if isinstance(operand, Padded):
        border = operand.border
        if border is not None and any((*kernel.before, *kernel.after)):
            operation.refuse("puts zeros around what was padded with pixels of the image")
        kernel = kernel.padded(operand.before, operand.after)
    elif type(operand) is not Image:
        operation.refuse("does not filter an image")
    if operation.sources != operand.nodes:
        operation.refuse("filters with what depends on the images")
    weight, dilation = kernel.centred()
    return operation.add(Convolution(operation.sources, len(weight), operation.run, weight, dilation, border))


def _kernel(operation: Operation) -> Kernel:
    given = operation.given
    weight = given["weight"]
    if not isinstance(weight, Tensor):
        raise NotUnderstoodError(f"{operation.name} filters with what depends on the images")
    if weight.ndim != 4 or set(given["stride"]) != {1}:
        raise NotUnderstoodError(f"{operation.name} strides, or has not two dimensions")
    padding, dilation, groups = given["padding"], given["dilation"], given["groups"]
    if given["transposed"]:
        return transposed_kernel(weight, padding, given["output_padding"], groups, dilation)
    return kernel_of(weight, padding, dilation, groups)


def _average(operation: Operation) -> Kernel:
    given = operation.given
    if not isinstance(given["self"], Image):
        raise NotUnderstoodError(f"{operation.name} does not average an image")
    if set(given["stride"] or given["kernel_size"]) != {1}:
        raise NotUnderstoodError(f"{operation.name} strides")
    if (not given["count_include_pad"] and pair(given["padding"]) != (0, 0)) or given[
        "divisor_override"
    ] is not None:
        raise NotUnderstoodError(f"{operation.name} is another average at the border")
    return average_kernel(operation.channels(given["self"].node), given["kernel_size"], given["padding"])


_BATCH_NORMS = (_aten.native_batch_norm, _aten.cudnn_batch_norm, _aten.miopen_batch_norm)


def _batch_norm(operation: Operation) -> Meaning:
    if operation.kind not in _BATCH_NORMS:
        return None
    given = operation.given
    variance, weight = given["running_var"], given["weight"]
    if given["training"] or variance is None:
        operation.refuse("takes the image's own statistics")
    node = operation.image("normalises with what depends on the images")
    factors = (variance.cpu().double() + given.get("eps", given.get("epsilon"))).rsqrt()
    if weight is not None:
        factors = factors * weight.cpu().double()
    scale = Scale((node,), len(factors), operation.part(0), factors)
    return [operation.add(scale), *[None] * (len(operation.result) - 1)]


def _joined(operation: Operation) -> Meaning:
    if operation.kind not in (_aten.cat, _aten.stack):
        return None
    tensors = operation.given["tensors"]
    if not all(type(tensor) is Image for tensor in tensors):
        operation.refuse("puts together what are not all images")
    sources, dimension = tuple(tensor.node for tensor in tensors), operation.given["dim"]
    channels = [operation.channels(source) for source in sources]
    if operation.kind is _aten.stack:
        if len(set(channels)) != 1:
            operation.refuse("stacks values of unlike shape")
        return Stacked(sources, dimension % 5)
    if dimension % 4 != 1:
        operation.refuse("does not join channels")
    return operation.add(Concatenation(sources, sum(channels), lambda *values: torch.cat(values, dim=1)))


_TAKING = (_aten.slice, _aten.select, _aten.split, _aten.split_with_sizes, _aten.unbind, _aten.index_select)
"""Operations that take channels, with the dimension by name."""


def _channels_taken(operation: Operation) -> Meaning:
    """Return the channels that an operation takes or repeats."""
    if operation.kind in (_aten.select, _aten.unbind) and isinstance(operation.operands[0], Stacked):
        return _member(operation, operation.operands[0])
    if operation.kind in _TAKING:
        node = operation.image("takes a part of something else than an image")
        if operation.given["dim"] % 4 != 1:
            operation.refuse("takes a part of the image")
    elif operation.kind is _aten.index:
        node = operation.image("does not say which channels it takes")
        indices = operation.given["indices"]
        if (
            len(indices) != 2
            or indices[0] is not None
            or indices[1].dtype == torch.bool
            or indices[1].ndim != 1
        ):
            operation.refuse("takes a part of the image")
    elif operation.kind in (_aten.expand, _aten.repeat):
        node = operation.image("repeats more than channels")
        if not keeps_size(operation.result, operation.samples[node]):
            operation.refuse("repeats more than channels")
        if operation.kind is _aten.expand:
            # Not by the operation itself, to which the size of the noise was given.
            count = operation.result.shape[1]
            return _channel_map(operation, node, lambda value: value.expand(-1, count, -1, -1))
    else:
        return None
    flat = operation.kind in (_aten.select, _aten.unbind)
    if isinstance(operation.result, Tensor):
        return _shaped(_channel_map(operation, node, operation.part(None, flat)), flat)
    parts = range(len(operation.result))
    return [_shaped(_channel_map(operation, node, operation.part(part, flat)), flat) for part in parts]


def _member(operation: Operation, stack: Stacked) -> Meaning:
    if operation.given["dim"] % 5 != stack.dimension:
        operation.refuse("takes a part of stacked images")
    members: list[Value | None] = [Image(node) for node in stack.nodes]
    return members if operation.kind is _aten.unbind else members[operation.given["index"]]


def _shaped(image: Image, flat: bool) -> Image:
    return Flat(image.node) if flat else image


def _channel_map(operation: Operation, source: int, run: Callable[[Tensor], Tensor]) -> Image:
    """Add a convolution of one pixel: every pixel is linear in the channels of the same pixel of a source.

    Its weights are what `run`, (1, outputs, rows, columns) of (1, channels, rows, columns), makes of each channel
    alone. None is needed where it is the source itself.
    """
    sample = operation.samples[source]
    columns = []
    for channel in range(sample.shape[1]):
        alone = torch.zeros(sample.shape, dtype=torch.float64, device=sample.device)
        alone[:, channel] = 1
        made = run(alone)
        if not keeps_size(made, sample) or not torch.equal(made, made[..., :1, :1].expand_as(made)):
            operation.refuse("does more than to take or add channels")
        columns.append(made[0, :, 0, 0].double().cpu())
    matrix = torch.stack(columns, dim=1)
    if matrix.shape[0] == matrix.shape[1] and torch.equal(matrix, torch.eye(len(matrix)).double()):
        return Image(source)
    return operation.add(Convolution((source,), len(matrix), run, matrix[:, :, None, None], (1, 1)))


def _unflattened(operation: Operation) -> Meaning:
    """Return an image without channels with its channel again."""
    if operation.kind is not _aten.unsqueeze:
        return None
    operand = operation.given["self"]
    if not isinstance(operand, Flat) or operation.given["dim"] % 4 != 1:
        operation.refuse("makes a dimension that images do not have")
    return Image(operand.node)


_REDUCTIONS = (
    _aten.amax, _aten.amin, _aten.argmax, _aten.argmin, _aten.linalg_vector_norm, _aten.logsumexp, _aten.max,
    _aten.mean, _aten.median, _aten.min, _aten.norm, _aten.prod, _aten.std, _aten.sum, _aten.var,
)  # fmt: skip


def _reduced(operation: Operation) -> Meaning:
    """Return a sum, maximum or the like of the channels of a pixel, or of what is stacked."""
    given = operation.given
    if operation.kind not in _REDUCTIONS or given.get("dim") is None:
        return None
    dimensions = given["dim"] if isinstance(given["dim"], list) else [given["dim"]]
    operand, kept = operation.operands[0], bool(given["keepdim"])
    results = operation.result
    parts = range(len(results)) if isinstance(results, tuple) else [None]
    if isinstance(operand, Stacked) and not kept and [dim % 5 for dim in dimensions] == [operand.dimension]:
        found: list[Value | None] = [_of_stack(operation, operand, part) for part in parts]
    elif type(operand) is Image and [dim % 4 for dim in dimensions] == [1]:
        found = [_shaped(_of_channels(operation, operand.node, part, kept), not kept) for part in parts]
    else:
        operation.refuse("makes one number of more than the channels of a pixel")
    return found if isinstance(results, tuple) else found[0]


def _of_stack(operation: Operation, stack: Stacked, part: int | None) -> Image:
    count, channels = len(stack.nodes), operation.channels(stack.nodes[0])
    if operation.kind in (_aten.sum, _aten.mean) and len(operation.sources) == count:
        total = operation.add(Sum(stack.nodes, channels, _total, (1.0,) * count))
        if operation.kind is _aten.sum:
            return total
        factors = torch.full((channels,), 1 / count, dtype=torch.float64)
        return operation.add(Scale(total.nodes, channels, lambda value: value / count, factors))
    return operation.add_local(Pointwise, operation.sources, channels, operation.part(part))


def _total(*values: Tensor) -> Tensor:
    return sum(values[1:], start=values[0])


def _of_channels(operation: Operation, source: int, part: int | None, kept: bool) -> Image:
    run = operation.part(part, flat=not kept)
    if operation.kind in (_aten.sum, _aten.mean):
        return _channel_map(operation, source, run)
    return operation.add_local(_across(operation, source), (source,), 1, run)


def _across(operation: Operation, source: int) -> type[Pointwise] | type[ChannelReduction]:
    return ChannelReduction if operation.channels(source) > 1 else Pointwise


def _softmax(operation: Operation) -> Meaning:
    """Return a softmax over channels or a stack.

    Over channels each result depends on all of them. It becomes what it is made of: an exponential, the sum over
    channels, a division. The exponential is of the difference to the largest, which the derivative may take for a
    constant, for adding one changes nothing.
    """
    if operation.kind is not _aten._softmax:
        return None
    operand, dimension = operation.operands[0], operation.given["dim"]
    if isinstance(operand, Stacked) and dimension % 5 == operand.dimension:
        channels = operation.channels(operand.nodes[0])
        members = [
            operation.add_local(
                Pointwise, operation.sources, channels, _selected(operation.run, operand.dimension, place)
            ).node
            for place in range(len(operand.nodes))
        ]
        return Stacked(tuple(members), operand.dimension)
    if type(operand) is not Image or dimension % 4 != 1:
        operation.refuse("is no softmax over channels")
    return _softmax_of_channels(operation, operand.nodes[0])


def _selected(run: Run, dimension: int, place: int) -> Run:
    return lambda *values: run(*values).select(dimension, place)


def _softmax_of_channels(operation: Operation, source: int) -> Image:
    channels = operation.channels(source)
    largest = operation.add_local(
        _across(operation, source), (source,), 1, lambda value: value.detach().amax(dim=1, keepdim=True)
    )
    raised = operation.add_local(
        Pointwise, (source, largest.node), channels, lambda value, most: torch.exp(value - most)
    )
    ones = torch.ones(1, channels, 1, 1, dtype=torch.float64)
    total = operation.add(
        Convolution(raised.nodes, 1, lambda value: value.sum(dim=1, keepdim=True), ones, (1, 1))
    )
    return operation.add_local(
        Pointwise, (raised.node, total.node), channels, lambda part, whole: part / whole
    )


_ALSO_POINTWISE = (
    _aten.detach, _aten._to_copy, _aten.rsub, _aten.zeros_like, _aten.ones_like, _aten.full_like, _aten.empty_like,
    _aten.hardswish, _aten._prelu_kernel, _aten.log_sigmoid_forward,
)  # fmt: skip
"""Beside what torch marks as pointwise."""


def _elementwise(operation: Operation) -> Meaning:
    """Return what works on each pixel and channel by itself."""
    if torch.Tag.pointwise not in operation.op.tags and operation.kind not in _ALSO_POINTWISE:
        return None
    constants = [leaf for leaf in leaves(list(operation.given.values())) if isinstance(leaf, Tensor)]
    if not all(type(operand) is Image for operand in operation.operands) or any(
        side > 1 for constant in constants for side in constant.shape[-2:]
    ):
        operation.refuse("works on something else than images")
    several = not isinstance(operation.result, Tensor)
    result = operation.result[0] if several else operation.result
    if not all(keeps_size(result, operation.samples[source]) for source in operation.sources):
        operation.refuse("does not keep the image's size")
    if result.is_complex() or any(operation.samples[source].is_complex() for source in operation.sources):
        operation.refuse("has complex numbers")
    channels = result.shape[1]
    if any(operation.channels(source) not in (1, channels) for source in operation.sources):
        operation.refuse("changes the number of channels")
    node = _linear(operation, channels)
    if node is None:
        slopes = (True,) * len(operation.sources)
        run = operation.part(0 if several else None)
        node = Pointwise(operation.sources, channels, run, _two_slopes(operation), slopes)
        node = with_derivatives_known(node, [operation.samples[source] for source in operation.sources])
    found = operation.add(node)
    return [found, *[None] * (len(operation.result) - 1)] if several else found


def _linear(operation: Operation, channels: int) -> Node | None:
    """Return a node whose derivative is the same everywhere, or None."""
    kind, given, sources = operation.kind, operation.given, operation.sources
    samples = [operation.samples[source] for source in sources]
    if any(sample.shape[1] != channels or not sample.is_floating_point() for sample in samples):
        return None
    first, second, common = given["self"], given.get("other"), (channels, operation.run)
    if kind is _aten.neg:
        return Sum(sources, *common, (-1.0,))
    if kind in (_aten.add, _aten.sub, _aten.rsub) and given["alpha"] == 1:
        signs = (-1.0, 1.0) if kind is _aten.rsub else (1.0, 1.0 if kind is _aten.add else -1.0)
        signed = [
            (value.node, sign)
            for value, sign in zip((first, second), signs, strict=True)
            if isinstance(value, Image)
        ]
        if tuple(node for node, _ in signed) == sources:  # but for x + x
            return Sum(sources, *common, tuple(sign for _, sign in signed))
        return None
    factors = one_a_channel(second if isinstance(first, Image) else first, channels)
    if factors is not None and kind is _aten.mul:
        return Scale(sources, *common, factors)
    if (
        factors is not None
        and kind is _aten.div
        and isinstance(first, Image)
        and not given.get("rounding_mode")
    ):
        return Scale(sources, *common, 1 / factors)
    return None


def _two_slopes(operation: Operation) -> TwoSlopes | None:
    """Return how the derivative of a rectifier is kept; of a plain one it is 0 where x ≤ 0, else 1 (for NaN too)."""
    if operation.kind is _aten.relu:
        return TwoSlopes(0, 1, 1.0, lambda x: ~(x <= 0))
    slope = operation.given.get("negative_slope")
    return leaky_slopes(slope) if operation.kind is _aten.leaky_relu and isinstance(slope, float) else None


_RULES: Sequence[Callable[[Operation], Meaning]] = (
    _same, _padding, resized, _convolution, _batch_norm, _joined, _channels_taken, _unflattened, _reduced, _softmax,
    _elementwise,
)  # fmt: skip


def graph_of(
    network: nn.Module, without: frozenset[str] = frozenset(), shape: tuple[int, int] | None = None
) -> Graph:
    """Write a network down as nodes, connected pointwise operations as one.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2), in evaluation mode.
    without : set of str
        Which of ``"narrowed"`` and ``"grouped"`` (`fusion.saliency.chain.rewriting`) to leave out.
    shape : tuple of int, optional
        (H, W) of images on which a network that strides is read, see `record`.

    Raises
    ------
    NotUnderstoodError
        If there is anything in it of which no chain can be made, or its program depends on the images' values.
    """
    builder = GraphBuilder()
    graph, samples = _read(record(network, shape), builder), builder.samples
    if "narrowed" not in without:
        graph, samples = narrowed(graph, samples)
    return graph if "grouped" in without else grouped(graph, samples)


@torch.no_grad()
def _read(program: Program, builder: GraphBuilder) -> Graph:
    """Return a program as nodes, one or more for each operation of which the result is made."""
    for number in (0, 1):
        image = program.samples[number]
        builder.values[number] = builder.add(Input((), 1, lambda image=image: image))
    for call in _needed(program):
        operation = Operation(call, builder)
        meaning = next((found for rule in _RULES if (found := rule(operation)) is not None), None)
        if meaning is None:
            raise NotUnderstoodError(f"it uses {call.name}, of which no chain is known")
        several = meaning if isinstance(meaning, list) else [meaning]
        for number, value in zip(call.outputs, several, strict=True):
            builder.values[number] = _detached(builder, value) if call.detached else value
    output = builder.values[program.output]
    if type(output) is not Image or builder.nodes[output.node].channels != 1:
        raise NotUnderstoodError("it does not make one image of two")
    return Graph(tuple(builder.nodes), output.node)


def _needed(program: Program) -> list[Call]:
    needed, calls = {program.output}, []
    for call in reversed(program.calls):
        if needed & set(call.outputs):
            needed |= set(call.inputs)
            calls.append(call)
    return calls[::-1]


def _detached(builder: GraphBuilder, value: Value | None) -> Value | None:
    if value is None:
        return None
    if type(value) is not Image:
        raise NotUnderstoodError("gradients are switched off for something else than an image")
    channels = builder.nodes[value.node].channels
    return builder.add(Pointwise(value.nodes, channels, torch.detach, None, (False,)))

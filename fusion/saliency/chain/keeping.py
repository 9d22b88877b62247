"""What a chain multiplies by: computed by a forward pass over a part of the image, kept in few bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from fusion.saliency.chain.nodes import Convolution, Local, Network, Reach
from fusion.saliency.chain.plan import INSIDE, Kept
from fusion.saliency.chain.reaches import plus, reaches, wider

Cut = Callable[[Reach], tuple[slice, slice]]
"""Rows and columns, in the crop, of the part for which a map of this reach is wanted."""

STRIP_ROWS = 16
"""Rows that pointwise operations are differentiated for at a time: autograd keeps every value between them."""


def margin(network: Network, kept: Sequence[Kept]) -> Reach:
    """Return how much of the image around a part must be read for all maps of the part to be exact."""
    seen = reaches(network).seen
    widest: Reach = (0, 0)
    for item in kept:
        if item.node != INSIDE:
            widest = wider(widest, plus(item.reach, seen[item.node])) or widest
    return widest


def map_dtype(network: Network, item: Kept, dtype: torch.dtype) -> torch.dtype:
    """Return the type of a map's numbers: bytes for rectifiers, else that of the computation."""
    if item.node == INSIDE:
        return torch.uint8
    node = network.nodes[item.node]
    return torch.uint8 if isinstance(node, Local) and node.slopes is not None else dtype


@torch.no_grad()
def kept_values(
    network: Network, kept: Sequence[Kept], images: Tensor, cut: Cut
) -> Iterator[tuple[int, Tensor]]:
    """Run a network forward and yield what is kept of it.

    Parameters
    ----------
    network : Network
        What to run.
    kept : sequence of Kept
        Which maps.
    images : torch.Tensor
        (1, 2, h, w), a crop of both images.
    cut : callable
        Which part of the crop each map is wanted for.

    Yields
    ------
    tuple
        The map's position in `kept`, and its values, (rows, columns, channels).
    """
    wanted: defaultdict[int, list[int]] = defaultdict(list)
    for position, item in enumerate(kept):
        wanted[item.node].append(position)
    for position in wanted.pop(INSIDE, []):
        rows, columns = cut(kept[position].reach)
        yield position, images.new_ones((rows.stop - rows.start, columns.stop - columns.start, 1))
    last = max(wanted, default=-1)
    values: dict[int, Tensor] = {0: images[:, :1], 1: images[:, 1:]}
    final_use = {source: number for number, node in enumerate(network.nodes) for source in node.sources}
    for number, node in enumerate(network.nodes[: last + 1]):
        if number >= 2:
            sources = [values[source] for source in node.sources]
            if isinstance(node, Local) and number in wanted:
                yield from _local_maps(node, sources, [(p, kept[p]) for p in wanted[number]], cut)
            if number < last:
                result = node.run(*sources)
                if isinstance(node, Convolution) and node.channels > 1:
                    # From the first layer on, so that the others find the order that they like.
                    result = result.contiguous(memory_format=torch.channels_last)
                values[number] = result
        for source in node.sources:
            if final_use[source] == number:
                values.pop(source, None)


def _local_maps(
    node: Local, sources: Sequence[Tensor], items: Sequence[tuple[int, Kept]], cut: Cut
) -> Iterator[tuple[int, Tensor]]:
    if node.slopes is not None:
        for position, item in items:
            rows, columns = cut(item.reach)
            part = sources[0][0, :, rows, columns]
            on = node.slopes.is_on(part).to(torch.uint8)
            codes = (
                on
                if (node.slopes.off, node.slopes.on) == (0, 1)
                else on.mul_(node.slopes.on - node.slopes.off).add_(node.slopes.off)
            )
            yield position, codes.permute(1, 2, 0)
        return
    widest: Reach = (0, 0)
    for _, item in items:
        widest = wider(widest, item.reach) or widest
    outer_rows, outer_columns = cut(widest)
    cuts = {position: cut(item.reach) for position, item in items}
    found: dict[int, Tensor] = {}
    for top in range(outer_rows.start, outer_rows.stop, STRIP_ROWS):
        strip = slice(top, min(top + STRIP_ROWS, outer_rows.stop))
        partials = node.partial_derivatives([source[:, :, strip, outer_columns] for source in sources])
        for position, item in items:
            partial = partials[item.position]
            if partial is None:
                raise RuntimeError("A pointwise operation has lost its derivative")
            rows, columns = cuts[position]
            if position not in found:
                shape = (rows.stop - rows.start, columns.stop - columns.start, partial.shape[1])
                found[position] = partial.new_empty(shape)
            common = slice(max(rows.start, strip.start), min(rows.stop, strip.stop))
            if common.start < common.stop:
                inner = partial[
                    0,
                    :,
                    common.start - top : common.stop - top,
                    columns.start - outer_columns.start : columns.stop - outer_columns.start,
                ]
                found[position][common.start - rows.start : common.stop - rows.start] = inner.permute(1, 2, 0)
    yield from found.items()

"""Lets convolutions take no more of a concatenation than they use.

Many networks join both images, hand the result on, and take it apart again: what is taken is one of the images, and
the other has no influence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from fusion.saliency.chain.nodes import Convolution, Joined, Network, Node
from fusion.saliency.chain.reaches import Target, targets


def narrowed(network: Network, samples: Sequence[Tensor]) -> tuple[Network, list[Tensor]]:
    """Take the parts of concatenations that have no weight in a convolution from its sources.

    Parameters
    ----------
    network : Network
        One node for each operation.
    samples : sequence of Tensor
        A value of each node.

    Returns
    -------
    Network
        The same, perhaps with other concatenations, and without convolutions that only take a part as it is.
    list of Tensor
        Its samples.
    """
    nodes: list[Node] = []
    values: list[Tensor] = []
    numbers: dict[int, int] = {}

    def add(node: Node, sample: Tensor) -> int:
        nodes.append(node)
        values.append(sample)
        return len(nodes) - 1

    for number, node in enumerate(network.nodes):
        parts = _parts(network, node)
        used = [part for part in parts if _columns(node, part).any()]
        if not used or len(used) == len(parts):
            node = replace(node, sources=tuple(numbers[source] for source in node.sources))
            numbers[number] = add(node, samples[number])
            continue
        assert isinstance(node, Convolution)
        sources = tuple(numbers[part.node] for part in used)
        weight = torch.cat([_columns(node, part) for part in used], dim=1)
        if len(used) == 1 and _is_identity(weight):
            numbers[number] = sources[0]
            continue
        if len(sources) > 1:
            joined = Joined(sources, weight.shape[1], _join)
            sources = (add(joined, _join(*(values[source] for source in sources))),)
        node = replace(node, sources=sources, weight=weight, run=_among_zeros(node.run, parts, used))
        numbers[number] = add(node, samples[number])
    return Network(tuple(nodes), numbers[network.output]), values


def _parts(network: Network, node: Node) -> list[Target]:
    """Return what a convolution's source is joined of, nothing for other nodes."""
    if isinstance(node, Convolution) and isinstance(network.nodes[node.sources[0]], Joined):
        return targets(network, node.sources[0])
    return []


def _columns(node: Node, part: Target) -> Tensor:
    assert isinstance(node, Convolution)
    return node.weight[:, part.start : part.stop]


def _is_identity(weight: Tensor) -> bool:
    outputs, inputs, *kernel = weight.shape
    return (
        kernel == [1, 1]
        and outputs == inputs
        and torch.equal(weight[:, :, 0, 0], torch.eye(outputs).double())
    )


def _join(*values: Tensor) -> Tensor:
    return torch.cat(values, dim=1)


def _among_zeros(
    run: Callable[..., Tensor], parts: Sequence[Target], used: Sequence[Target]
) -> Callable[[Tensor], Tensor]:
    """Return a convolution as a function of the used parts, the others filled up with zeros."""

    def filled(value: Tensor) -> Tensor:
        pieces, start = [], 0
        for part in parts:
            channels = part.stop - part.start
            if part in used:
                pieces.append(value[:, start : start + channels])
                start += channels
            else:
                pieces.append(value.new_zeros(1, 1, 1, 1).expand(len(value), channels, *value.shape[2:]))
        return run(_join(*pieces))

    return filled

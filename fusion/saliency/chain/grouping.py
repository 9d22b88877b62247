"""Puts connected pointwise operations together, so that one derivative is kept for all of them.

FunFuseAn's rule, max(h1, h2) / (h1 + h2) with its guarded sum, is six operations; together they have two
derivatives to keep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import Tensor

from fusion.saliency.chain.nodes import Network, Node, Pointwise, Scale, Sum, with_derivatives_known


def grouped(network: Network, samples: Sequence[Tensor]) -> Network:
    """Replace groups of pointwise nodes, of which only one is used outside the group, by one node each.

    Parameters
    ----------
    network : Network
        One node for each operation.
    samples : sequence of Tensor
        A value of each node, to see which derivatives there are.
    """
    nodes, output = network.nodes, network.output
    users = _users(network)
    taken: set[int] = set()
    replaced: dict[int, Node] = {}
    for number in reversed(range(len(nodes))):
        if number in taken or not isinstance(nodes[number], Pointwise):
            continue
        members = _group(nodes, users, number, output)
        if len(members) > 1:
            taken |= members - {number}
            replaced[number] = _as_one(nodes, sorted(members), samples)
    kept = [number for number in _needed(nodes, replaced, output) if number not in taken]
    renumbered = {number: position for position, number in enumerate(kept)}
    return Network(
        tuple(_renumbered(replaced.get(number, nodes[number]), renumbered) for number in kept),
        renumbered[output],
    )


def _users(network: Network) -> list[set[int]]:
    users: list[set[int]] = [set() for _ in network.nodes]
    for number, node in enumerate(network.nodes):
        for source in node.sources:
            users[source].add(number)
    return users


def _outer_sources(nodes: Sequence[Node], members: set[int]) -> set[int]:
    return {source for member in members for source in nodes[member].sources} - members


def _group(nodes: Sequence[Node], users: Sequence[set[int]], last: int, output: int) -> set[int]:
    """Return a node and all elementwise ones before it that are used for nothing else.

    Only those with as many channels: a group runs on sources broadcast to the channels of its result, on which a
    batch norm of one channel cannot be run. What has fewer channels also costs less by itself.
    """
    members = {last}
    growing = True
    while growing:
        found = {
            source
            for source in _outer_sources(nodes, members)
            if isinstance(nodes[source], Pointwise | Scale | Sum)
            and nodes[source].channels == nodes[last].channels
            and users[source] <= members
            and source != output
        }
        growing = bool(found)
        members |= found
    # A sum or batch norm where the group begins costs nothing by itself; inside it might cost a derivative more.
    shrinking = True
    while shrinking:
        shrinking = False
        for member in sorted(members - {last}):
            node = nodes[member]
            if isinstance(node, Pointwise) or members & set(node.sources):
                continue
            without = members - {member}
            if len(_outer_sources(nodes, without)) <= len(_outer_sources(nodes, members)):
                members, shrinking = without, True
                break
    return members


def _as_one(nodes: Sequence[Node], members: Sequence[int], samples: Sequence[Tensor]) -> Pointwise:
    sources = tuple(sorted(_outer_sources(nodes, set(members))))
    node = Pointwise(
        sources, nodes[members[-1]].channels, _in_turn(nodes, members, sources), None, (True,) * len(sources)
    )
    return with_derivatives_known(node, [samples[source] for source in sources])


def _in_turn(
    nodes: Sequence[Node], members: Sequence[int], sources: tuple[int, ...]
) -> Callable[..., Tensor]:
    def run(*values: Tensor) -> Tensor:
        known = dict(zip(sources, values, strict=True))
        for member in members:
            known[member] = nodes[member].run(*(known[source] for source in nodes[member].sources))
        return known[members[-1]]

    return run


def _needed(nodes: Sequence[Node], replaced: dict[int, Node], output: int) -> list[int]:
    """Return the inputs and all nodes that the output is made of, in order."""
    needed, waiting = {0, 1}, [output]
    while waiting:
        number = waiting.pop()
        if number not in needed or number == output:
            needed.add(number)
            waiting += [
                source for source in replaced.get(number, nodes[number]).sources if source not in needed
            ]
    return sorted(needed)


def _renumbered(node: Node, numbers: dict[int, int]) -> Node:
    return replace(node, sources=tuple(numbers[source] for source in node.sources))

"""How far from the principal pixel each value of a network matters."""

from __future__ import annotations

from dataclasses import dataclass

from fusion.saliency.chain.nodes import Convolution, Joined, Network, Node, Reach


@dataclass(frozen=True)
class Target:
    """What a convolution's transpose adds to: a node, and which of the convolution's input channels it is."""

    node: int
    start: int
    stop: int


@dataclass(frozen=True)
class Reaches:
    """For each node, its reach in pixels, or ``None`` where no derivative passes.

    Attributes
    ----------
    from_output : tuple
        How far from the principal pixel its values influence the fused pixel.
    to_inputs : tuple
        How far it sees.
    seen : tuple
        How far it sees in the forward pass, where more may pass than derivatives.
    """

    from_output: tuple[Reach | None, ...]
    to_inputs: tuple[Reach | None, ...]
    seen: tuple[Reach, ...]


def wider(first: Reach | None, second: Reach | None) -> Reach | None:
    """Return the larger reach on each axis."""
    if first is None or second is None:
        return second if first is None else first
    return max(first[0], second[0]), max(first[1], second[1])


def narrower(first: Reach, second: Reach) -> Reach:
    """Return the smaller reach on each axis."""
    return min(first[0], second[0]), min(first[1], second[1])


def plus(first: Reach, second: Reach) -> Reach:
    """Return the sum of two reaches."""
    return first[0] + second[0], first[1] + second[1]


def minus(first: Reach, second: Reach) -> Reach:
    """Return how much farther the first reaches."""
    return first[0] - second[0], first[1] - second[1]


def step_of(node: Node) -> Reach:
    """Return how much farther a node sees than its sources."""
    return node.reach if isinstance(node, Convolution) else (0, 0)


def reaches(network: Network) -> Reaches:
    """Find the reach of every node of a network."""
    nodes = network.nodes
    to_inputs: list[Reach | None] = []
    seen: list[Reach] = []
    for number, node in enumerate(nodes):
        known: Reach | None = (0, 0) if number < 2 else None
        farthest: Reach = (0, 0)
        for position, source in enumerate(node.sources):
            farthest = wider(farthest, seen[source]) or farthest
            if node.passes_gradient(position):
                known = wider(known, to_inputs[source])
        to_inputs.append(None if known is None else plus(known, step_of(node)))
        seen.append(plus(farthest, step_of(node)))
    from_output: list[Reach | None] = [None] * len(nodes)
    from_output[network.output] = (0, 0)
    for number in reversed(range(len(nodes))):
        reached = from_output[number]
        if reached is None:
            continue
        for position, source in enumerate(nodes[number].sources):
            if nodes[number].passes_gradient(position):
                from_output[source] = wider(from_output[source], plus(reached, step_of(nodes[number])))
    return Reaches(tuple(from_output), tuple(to_inputs), tuple(seen))


def sights(network: Network) -> tuple[Reach, Reach]:
    """Return how far a fused pixel sees in each image, by values that decide without a derivative too."""
    found: list[Reach | None] = [None] * len(network.nodes)
    found[network.output] = (0, 0)
    for number in reversed(range(len(network.nodes))):
        reached = found[number]
        if reached is None:
            continue
        for source in network.nodes[number].sources:
            found[source] = wider(found[source], plus(reached, step_of(network.nodes[number])))
    return found[0] or (0, 0), found[1] or (0, 0)


def targets(network: Network, source: int) -> list[Target]:
    """Return what a convolution's input is concatenated of, and of what that is, down to single nodes."""
    found: list[Target] = []
    start = 0
    waiting = [source]
    while waiting:
        number = waiting.pop()
        node = network.nodes[number]
        if isinstance(node, Joined):
            waiting += reversed(node.sources)
        else:
            found.append(Target(number, start, start + node.channels))
            start += node.channels
    return found

"""The graph that a network becomes: nodes as far as a derivative is concerned, and how far each of them sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

import torch
from torch import Tensor

Reach = tuple[int, int]
"""Pixels up and down, pixels left and right, of the node's own grid; where networks stride, from a square on."""


class NotUnderstoodError(Exception):
    """The network has something of which no chain can be made; its message says what."""


@dataclass(frozen=True, eq=False)
class Node:
    """One value of the network's forward pass, (B, channels, H, W).

    Attributes
    ----------
    sources : tuple of int
        The numbers of the nodes that it is computed from.
    channels : int
        Its channels.
    run : callable
        Computes it from the values of its sources.
    """

    sources: tuple[int, ...]
    channels: int
    run: Callable[..., Tensor]

    def passes_gradient(self, position: int) -> bool:
        """Tell whether a derivative reaches the source at this position."""
        return True


@dataclass(frozen=True, eq=False)
class Input(Node):
    """One of both images."""


@dataclass(frozen=True)
class Border:
    """Pixels that a convolution reads beyond the image where that is not zeros: pixels of the image again.

    Attributes
    ----------
    mode : str
        ``"reflect"`` or ``"replicate"``, as torch has it.
    before, after : tuple of int
        How many rows and columns at the top and left, and at the bottom and right.
    """

    mode: str
    before: Reach
    after: Reach

    @property
    def least(self) -> int:
        """Pixels along each side of the smallest image that has so many to reflect."""
        return max(*self.before, *self.after) + 1 if self.mode == "reflect" else 1

    @property
    def width(self) -> Reach:
        """Reach beyond the image, down or up, and right or left."""
        return max(self.before[0], self.after[0]), max(self.before[1], self.after[1])

    def offsets(self, places: range, size: int, axis: int) -> list[int]:
        """Return how far each row (axis 0) or column (axis 1) is from the one of the image that is read there.

        Parameters
        ----------
        places : range
            Rows or columns, counted from where the image begins.
        size : int
            The image's rows or columns.
        axis : int
            0 or 1.

        Returns
        -------
        list of int
            0 in the image, and where nothing is read.
        """
        twice = 2 if self.mode == "reflect" else 1
        first, last = -self.before[axis], size - 1 + self.after[axis]
        return [
            0
            if place < first or place > last or 0 <= place < size
            else twice * (-place if place < 0 else size - 1 - place)
            for place in places
        ]


@dataclass(frozen=True, eq=False)
class Convolution(Node):
    """A convolution of stride 1 whose padding keeps the image's size.

    Attributes
    ----------
    border : Border or None
        What it is padded with; ``None``: zeros.
    weight : torch.Tensor
        (channels, channels of the source, rows, columns) float64, groups written out as zeros.
    dilation : tuple of int
        Pixels from one tap to the next, down and right.
    """

    weight: Tensor
    dilation: tuple[int, int]
    border: Border | None = None

    @property
    def reach(self) -> Reach:
        """The pixels that it looks away."""
        rows, columns = self.weight.shape[2:]
        return self.dilation[0] * (rows // 2), self.dilation[1] * (columns // 2)


@dataclass(frozen=True, eq=False)
class Scale(Node):
    """A multiplication by constants, one a channel; what is added does not matter to the derivative.

    Attributes
    ----------
    factors : torch.Tensor
        (channels,) float64.
    """

    factors: Tensor


@dataclass(frozen=True, eq=False)
class Sum(Node):
    """A sum of values of equal shape, some perhaps subtracted.

    Attributes
    ----------
    signs : tuple of float
        1 or −1 for each source.
    """

    signs: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Concatenation(Node):
    """A concatenation along channels."""


@dataclass(frozen=True, eq=False)
class Gathered(Node):
    """A coarser grid: pixels of squares of `factor` × `factor` as channels, as `pixel_unshuffle` has them."""

    factor: int


@dataclass(frozen=True, eq=False)
class Scattered(Node):
    """A finer grid: channels as the pixels of squares of `factor` × `factor`, as `pixel_shuffle` does."""

    factor: int


@dataclass(frozen=True, eq=False)
class Enlarged(Node):
    """A finer grid: each pixel again in all places of a square of `factor` × `factor`."""

    factor: int


@dataclass(frozen=True)
class TwoSlopes:
    """The derivative of a rectifier as it is kept in a byte: it is `factor` times one of two small integers.

    Attributes
    ----------
    off, on : int
        The integers, 0 to 255. Only what is outside the image and a rectifier of slope 0 have 0.
    factor : float
        What both are multiplied by.
    is_on : callable
        Which values have the second slope, exactly as autograd has it, NaN included.
    """

    off: int
    on: int
    factor: float
    is_on: Callable[[Tensor], Tensor]


LARGEST_CODE = 255


def leaky_slopes(slope: float) -> TwoSlopes | None:
    """Return the slopes of a leaky rectifier, `slope` where not x > 0; ``None`` where no byte can hold them."""
    ratio = Fraction(slope).limit_denominator(LARGEST_CODE)
    if not 0 < ratio <= 1 or abs(float(ratio) - slope) > 1e-15 * slope:
        return None
    return TwoSlopes(ratio.numerator, ratio.denominator, 1 / ratio.denominator, lambda x: x > 0)


@dataclass(frozen=True, eq=False)
class Local(Node):
    """Anything computed pixel by pixel whose derivative is kept as one number a channel.

    Attributes
    ----------
    slopes : TwoSlopes or None
        How its derivative is kept, if it is a rectifier; ``None``: as floating-point numbers.
    differentiable : tuple of bool
        Whether it has a derivative with respect to each source at all.
    """

    slopes: TwoSlopes | None
    differentiable: tuple[bool, ...]

    def passes_gradient(self, position: int) -> bool:
        """Tell whether a derivative reaches the source at this position."""
        return self.differentiable[position]

    def leaf(self, source: Tensor) -> Tensor:
        """Return a source as what the result is to be differentiated with respect to."""
        return source.detach().clone()

    def partial_derivatives(self, sources: Sequence[Tensor]) -> list[Tensor | None]:
        """Differentiate by autograd, so that kinks and ties have autograd's derivative.

        Returns
        -------
        list of Tensor or None
            One for each source, of the shape of its leaf; ``None`` where nothing depends on it.
        """
        with torch.enable_grad():
            # A gradient given to `grad` would load a computer algebra system: 50 MB.
            leaves = [self.leaf(source).requires_grad_(source.is_floating_point()) for source in sources]
            result = self.run(*leaves)
            wanted = [leaf for leaf in leaves if leaf.requires_grad]
            if not result.requires_grad or not wanted:
                return [None] * len(sources)
            found = iter(torch.autograd.grad(result.sum(), wanted, allow_unused=True))
            return [next(found) if leaf.requires_grad else None for leaf in leaves]


@dataclass(frozen=True, eq=False)
class Pointwise(Local):
    """Anything computed pixel by pixel and channel by channel, perhaps several operations together."""

    def leaf(self, source: Tensor) -> Tensor:
        """Return a source with as many channels as the result, each of which has a derivative of its own."""
        return source.detach().expand(-1, self.channels, -1, -1).clone()


@dataclass(frozen=True, eq=False)
class ChannelReduction(Local):
    """One channel made of all channels of a source, as their maximum is: one derivative for each of them."""


@dataclass(frozen=True, eq=False)
class Largest(Local):
    """A coarser grid: the largest pixel of each square of `factor` × `factor`; the derivative is on the finer one."""

    factor: int


def with_derivatives_known(node: LocalNode, samples: Sequence[Tensor]) -> LocalNode:
    """Say of which of its sources a node has a derivative, which autograd tells."""
    found = node.partial_derivatives(samples)
    return replace(node, differentiable=tuple(partial is not None for partial in found))


LocalNode = TypeVar("LocalNode", bound=Local)

Linear = Scale | Sum
"""Elementwise nodes whose derivative is the same for every pair of images."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A network as nodes, sources before what is computed from them.

    Attributes
    ----------
    nodes : tuple of Node
        Nodes 0 and 1 are the two images.
    output : int
        Which one is the fused image.
    """

    nodes: tuple[Node, ...]
    output: int

    @property
    def regridded(self) -> bool:
        """True where it has images of several sizes."""
        return any(isinstance(node, Coarser | Finer) for node in self.nodes)


@dataclass(frozen=True)
class Target:
    """An addend of a convolution's transpose: a node, and which of the convolution's input channels it is."""

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
    """

    from_output: tuple[Reach | None, ...]
    to_inputs: tuple[Reach | None, ...]


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


Coarser = Gathered | Largest
Finer = Scattered | Enlarged


def in_sources(node: Node, reach: Reach) -> Reach:
    """Return how far its sources are seen by what sees so far of a node."""
    if isinstance(node, Coarser):
        return reach[0] * node.factor, reach[1] * node.factor
    if isinstance(node, Finer):
        return -(-reach[0] // node.factor), -(-reach[1] // node.factor)
    return plus(reach, step_of(node))


def from_sources(node: Node, reach: Reach) -> Reach:
    """Return how far a node sees whose sources see so far."""
    if isinstance(node, Coarser):
        return -(-reach[0] // node.factor), -(-reach[1] // node.factor)
    if isinstance(node, Finer):
        return reach[0] * node.factor, reach[1] * node.factor
    return plus(reach, step_of(node))


def reaches(graph: Graph) -> Reaches:
    """Find the reach of every node of a network."""
    to_inputs: list[Reach | None] = []
    for number, node in enumerate(graph.nodes):
        known: Reach | None = (0, 0) if number < 2 else None
        for position, source in enumerate(node.sources):
            if node.passes_gradient(position):
                known = wider(known, to_inputs[source])
        to_inputs.append(None if known is None else from_sources(node, known))
    from_output = needed_reaches(graph, [(graph.output, (0, 0))], derivatives=True)
    return Reaches(tuple(from_output), tuple(to_inputs))


def needed_reaches(
    graph: Graph, wanted: Iterable[tuple[int, Reach]] | None = None, derivatives: bool = False
) -> list[Reach | None]:
    """Return how far from a fused pixel each node is needed; ``None`` where not at all.

    Parameters
    ----------
    graph : Graph
        The network.
    wanted : iterable of (node, reach), optional
        What is needed to begin with; the fused pixel itself unless given.
    derivatives : bool
        Whether for the derivative, which fewer pass than values do.
    """
    found: list[Reach | None] = [None] * len(graph.nodes)
    for number, reach in [(graph.output, (0, 0))] if wanted is None else wanted:
        found[number] = wider(found[number], reach)
    for number in reversed(range(len(graph.nodes))):
        reached, node = found[number], graph.nodes[number]
        if reached is None:
            continue
        for position, source in enumerate(node.sources):
            if not derivatives or node.passes_gradient(position):
                found[source] = wider(found[source], in_sources(node, reached))
    return found


def blocks(graph: Graph) -> tuple[int, list[int]]:
    """Return the side of the smallest squares that a network treats all alike, in pixels, and that on each grid.

    Returns
    -------
    int
        Pixels of the image: the smallest number that all strides divide, 1 for a network that does not stride.
    list of int
        For each node, how many of its own pixels along a side such a square is.

    Raises
    ------
    NotUnderstoodError
        If the fused image has another grid than the inputs, or grids meet that are not the same.
    """
    sizes: list[Fraction] = []
    for node in graph.nodes:
        size = {sizes[source] for source in node.sources} or {Fraction(1)}
        if len(size) > 1:
            raise NotUnderstoodError("images of unlike size meet")
        (own,) = size
        if isinstance(node, Coarser):
            own *= node.factor
        elif isinstance(node, Finer):
            own /= node.factor
        sizes.append(own)
    if sizes[graph.output] != 1:
        raise NotUnderstoodError("the fused image is not as large as the inputs")
    stride = math.lcm(*(size.numerator for size in sizes))
    return stride, [int(stride / size) for size in sizes]


def sights(graph: Graph) -> tuple[Reach, Reach]:
    """Return how far a fused pixel sees in each image, by values that decide without a derivative too."""
    found = needed_reaches(graph)
    return found[0] or (0, 0), found[1] or (0, 0)


def least_side(graph: Graph) -> int:
    """Return how many pixels an image must have along each side for the network to run: what it mirrors, and one."""
    mirrored = [node.border.least for node in graph.nodes if isinstance(node, Convolution) and node.border]
    return max(mirrored, default=1)


def targets(graph: Graph, source: int) -> list[Target]:
    """Return what a convolution's input is concatenated of, and of what that is, down to single nodes."""
    found: list[Target] = []
    start = 0
    waiting = [source]
    while waiting:
        number = waiting.pop()
        node = graph.nodes[number]
        if isinstance(node, Concatenation):
            waiting += reversed(node.sources)
        else:
            found.append(Target(number, start, start + node.channels))
            start += node.channels
    return found

"""From a graph to a list of steps that go backward from the fused pixel, by how wide each window must be."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from fusion.saliency.chain.graph import (
    Border,
    Concatenation,
    Convolution,
    Enlarged,
    Gathered,
    Graph,
    Input,
    Largest,
    Local,
    NotUnderstoodError,
    Reach,
    Scale,
    Scattered,
    Sum,
    Target,
    blocks,
    in_sources,
    minus,
    narrower,
    plus,
    reaches,
    targets,
    wider,
)
from fusion.saliency.chain.grid_steps import Gather, RepeatChannels, Scatter, Spread, SumSquares
from fusion.saliency.chain.steps import (
    Combine,
    Fold,
    Multiply,
    Rescale,
    Step,
    Take,
    Widen,
)
from fusion.saliency.chain.transposing import TransposedSpec, transposed_step


@dataclass(frozen=True)
class Contribution:
    """A contribution to the derivative with respect to one value."""

    slot: int
    reach: Reach
    own: bool
    """True if its memory may be written to."""
    clipped: bool
    """True if it is 0 outside the image."""
    factors: Tensor | None = None
    """Numbers that it has yet to be multiplied by, float64, one a channel."""


def times(factors: Tensor | None, by: Tensor | float, channels: int) -> Tensor:
    """Multiply what is yet to be multiplied by, where ``None`` is 1."""
    return (torch.ones(channels, dtype=torch.float64) if factors is None else factors) * by


INSIDE = -1
"""Instead of a node's number: the map that is 1 inside the image and 0 outside."""
BORDER = -2
"""The same: no map, but which pixels of the image are read beyond it; see `Fold`."""


@dataclass(frozen=True)
class MapSpec:
    """One map of the forward pass that a chain multiplies by.

    Attributes
    ----------
    node : int
        Which pointwise node's derivative, or `INSIDE`, or `BORDER`.
    position : int
        With respect to which of its sources.
    reach : tuple of int
        How far from the principal pixel it is needed.
    channels : int
        Its channels.
    border : Border or None
        Of `BORDER`.
    block, stride : int
        So many pixels of the node's grid lie along the side of so many pixels of the image.
    """

    node: int
    position: int
    reach: Reach
    channels: int
    border: Border | None = None
    block: int = 1
    stride: int = 1

    def cells(self, pixels: int) -> int:
        """Return how many pixels of the node's grid so many pixels of the image are along a side, rounded up."""
        return -(-pixels * self.block // self.stride)


@dataclass(frozen=True)
class BackwardPlan:
    """Steps for a principal pixel, or many at once.

    Attributes
    ----------
    steps : tuple of Step
        In order; slot 0 holds ones for the fused pixels when they begin.
    slots : int
        How many slots they use.
    results : tuple
        Slot and reach of the derivative with respect to each image, ``None`` where it is 0.
    maps : tuple of MapSpec
        The maps that they multiply by.
    multiplications : int
        Multiplications in convolutions, a pixel.
    widest : int
        Numbers in the largest slot, a pixel.
    stride : int
        Pixels along the side of the squares on whose grid windows lie, see `fusion.saliency.chain.graph.blocks`.
    """

    steps: tuple[Step, ...]
    slots: int
    results: tuple[tuple[int, Reach] | None, tuple[int, Reach] | None]
    maps: tuple[MapSpec, ...]
    multiplications: int
    widest: int
    stride: int = 1

    @cached_property
    def releases(self) -> tuple[tuple[int, ...], ...]:
        """For each step, the slots that nothing needs any more when it is done."""
        last = {slot: number for number, step in enumerate(self.steps) for slot in step.used}
        results = {result[0] for result in self.results if result is not None}
        released: list[list[int]] = [[] for _ in self.steps]
        for slot, number in last.items():
            if slot not in results:
                released[number].append(slot)
        return tuple(map(tuple, released))


def plan(graph: Graph, dtype: torch.dtype, device: torch.device, diagonal: bool) -> BackwardPlan:
    """Make the plan of a network's derivative.

    Parameters
    ----------
    graph : Graph
        What to differentiate.
    dtype, device
        Of the weights that the steps hold.
    diagonal : bool
        Whether only dy(i)/dx(i) is wanted: then whatever cannot return to the pixel any more is dropped.
    """
    return _Planner(graph, dtype, device, diagonal).plan()


class _Planner:
    def __init__(self, graph: Graph, dtype: torch.dtype, device: torch.device, diagonal: bool) -> None:
        self._graph = graph
        self._dtype, self._device = dtype, device
        found = reaches(graph)
        self._stride, self._blocks = blocks(graph)
        self._limits: list[Reach | None] = [
            None if out is None or back is None else narrower(out, back) if diagonal else out
            for out, back in zip(found.from_output, found.to_inputs, strict=True)
        ]
        self._steps: list[Step] = []
        self._slots = 1
        self._parts: defaultdict[int, list[Contribution]] = defaultdict(list)
        self._maps: list[MapSpec] = []
        self._multiplications = 0
        self._widest = 1
        self._expected = self._contributions()

    def plan(self) -> BackwardPlan:
        graph = self._graph
        self._parts[graph.output].append(Contribution(0, (0, 0), own=False, clipped=True))
        for number in reversed(range(len(graph.nodes))):
            if self._parts[number] and self._limits[number] is not None:
                self._backward(number, self._combined(number))
        results = [self._result(number) for number in (0, 1)]
        return BackwardPlan(
            tuple(self._steps),
            self._slots,
            (results[0], results[1]),
            tuple(self._maps),
            self._multiplications,
            self._widest,
            self._stride,
        )

    def _contributions(self) -> defaultdict[int, int]:
        """Count from how many places the derivative with respect to each value comes."""
        counts: defaultdict[int, int] = defaultdict(int)
        for number, node in enumerate(self._graph.nodes):
            if self._limits[number] is None:
                continue
            for position, source in enumerate(node.sources):
                if isinstance(node, Convolution):
                    for target in targets(self._graph, source):
                        counts[target.node] += 1
                elif node.passes_gradient(position):
                    counts[source] += 1
        return counts

    def _slot(self) -> int:
        self._slots += 1
        return self._slots - 1

    def _give(self, number: int, part: Contribution) -> None:
        """Add a contribution; what it has yet to be multiplied by can wait only where it is alone."""
        if self._limits[number] is None:
            return
        if part.factors is not None and (self._expected[number] > 1 or number < 2):
            part = self._rescaled(part)
        self._parts[number].append(part)

    def _rescaled(self, part: Contribution) -> Contribution:
        assert part.factors is not None
        slot = self._slot()
        factors = part.factors.to(device=self._device, dtype=self._dtype)
        self._steps.append(Rescale(part.slot, slot, factors))
        return Contribution(slot, part.reach, own=True, clipped=part.clipped)

    def _combined(self, number: int) -> Contribution:
        """Add up all contributions to a value."""
        parts = sorted(self._parts.pop(number), key=lambda part: (part.reach, part.own), reverse=True)
        if len(parts) == 1:
            return parts[0]
        reach = parts[0].reach
        for part in parts:
            reach = wider(reach, part.reach) or reach
        base, others = parts[0], parts[1:]
        if not base.own or base.reach != reach:
            slot = self._slot()
            self._steps.append(Widen(base.slot, slot, minus(reach, base.reach)))
            base = Contribution(slot, reach, own=True, clipped=base.clipped)
        self._steps.append(Combine(base.slot, [(part.slot, minus(reach, part.reach)) for part in others]))
        return Contribution(base.slot, reach, own=True, clipped=all(part.clipped for part in parts))

    def _result(self, number: int) -> tuple[int, Reach] | None:
        parts = self._parts.get(number)
        if not parts:
            return None
        part = self._combined(number)
        return part.slot, part.reach

    def _backward(self, number: int, part: Contribution) -> None:
        node = self._graph.nodes[number]
        if isinstance(node, Input):
            self._parts[number] = [part]
        elif isinstance(node, Convolution):
            self._transpose(number, node, part)
        elif isinstance(node, Gathered | Scattered | Enlarged | Largest):
            self._regrid(number, node, part)
        elif isinstance(node, Scale):
            factors = times(part.factors, node.factors, node.channels)
            self._give(node.sources[0], Contribution(part.slot, part.reach, part.own, part.clipped, factors))
        elif isinstance(node, Sum):
            owner = self._owner(node) if part.own else None
            for source, sign in zip(node.sources, node.signs, strict=True):
                own = source == owner
                signed = part.factors if sign > 0 else times(part.factors, sign, node.channels)
                self._give(source, Contribution(part.slot, part.reach, own, part.clipped, signed))
        elif isinstance(node, Concatenation):
            self._split(node, part)
        elif isinstance(node, Local):
            self._multiply(number, node, part)
        else:
            raise NotUnderstoodError(f"there is no derivative of a {type(node).__name__}")

    def _owner(self, node: Sum) -> int | None:
        """Return which source of a sum may write to the memory that all of them get.

        The one whose turn comes last, if the others have read it by then and do not pass it on.
        """
        last, *others = sorted(source for source in node.sources if self._limits[source] is not None)
        readers = (Convolution, Local)
        return last if all(isinstance(self._graph.nodes[other], readers) for other in others) else None

    def _split(self, node: Concatenation, part: Contribution) -> None:
        start = 0
        for source in node.sources:
            stop = start + self._graph.nodes[source].channels
            limit = self._limits[source]
            if limit is not None:
                reach, slot = narrower(part.reach, limit), self._slot()
                self._steps.append(Take(part.slot, slot, start, stop, minus(part.reach, reach)))
                factors = None if part.factors is None else part.factors[start:stop]
                self._give(source, Contribution(slot, reach, part.own, part.clipped, factors))
            start = stop

    def _map(
        self, at: int, node: int, position: int, reach: Reach, channels: int = 1, border: Border | None = None
    ) -> int:
        """Return the number of a new map on the grid of the node `at`."""
        block = self._blocks[at]
        self._maps.append(MapSpec(node, position, reach, channels, border, block, self._stride))
        return len(self._maps) - 1

    def _regrid(
        self, number: int, node: Gathered | Scattered | Enlarged | Largest, part: Contribution
    ) -> None:
        """Go back from a coarser grid to a finer one, or from a finer to a coarser."""
        (source,) = node.sources
        limit = self._limits[source]
        if limit is None:
            return
        if part.factors is not None and isinstance(node, Gathered | Scattered):
            part = self._rescaled(part)
        slot, reach = self._slot(), in_sources(node, part.reach)
        near, common = narrower(reach, limit), (part.slot, slot, node.factor)
        whole = (near[0] * node.factor, near[1] * node.factor)
        # What is only given another order may lie in the same memory.
        own, clipped = part.own, part.clipped
        if isinstance(node, Gathered):
            self._steps.append(Scatter(*common, minus(reach, near)))
        elif isinstance(node, Largest):
            map_number = self._map(source, number, 0, reach, node.channels)
            self._steps.append(Spread(*common, map_number, self._blocks[source]))
            near, own, clipped = reach, True, True
        elif isinstance(node, Scattered):
            self._steps.append(Gather(*common, minus(whole, part.reach)))
        else:
            self._steps.append(SumSquares(*common, minus(whole, part.reach)))
            own = True
        self._hold(source, near, self._graph.nodes[source].channels)
        self._give(source, Contribution(slot, near, own, clipped, part.factors))

    def _repeated(self, part: Contribution, times_each: int) -> Contribution:
        """Repeat each channel."""
        slot = self._slot()
        self._steps.append(RepeatChannels(part.slot, slot, times_each))
        factors = None if part.factors is None else part.factors.repeat_interleave(times_each)
        return Contribution(slot, part.reach, own=True, clipped=part.clipped, factors=factors)

    def _multiply(self, number: int, node: Local, part: Contribution) -> None:
        positions = [
            position
            for position, source in enumerate(node.sources)
            if node.differentiable[position] and self._limits[source] is not None
        ]
        for position in positions:
            source = node.sources[position]
            limit = self._limits[source]
            assert limit is not None
            reach, slot = narrower(part.reach, limit), self._slot()
            channels = self._graph.nodes[source].channels
            if node.channels > 1 and channels > node.channels:
                part = self._repeated(part, channels // node.channels)
            fewer, more = channels < node.channels, channels > node.channels == 1
            map_number = self._map(number, number, position, reach, max(channels, node.channels))
            factors = part.factors
            if fewer and factors is not None:
                part, factors = self._rescaled(part), None
            if more:
                factors = None if factors is None else factors.expand(channels)
                self._hold(number, reach, channels)
            own = part.own and len(positions) == 1 and not more
            inset = minus(part.reach, reach)
            self._steps.append(Multiply(part.slot, slot, map_number, inset, own, fewer, self._blocks[number]))
            if node.slopes is not None and node.slopes.factor != 1:
                factors = times(factors, node.slopes.factor, node.channels)
            self._give(source, Contribution(slot, reach, own=True, clipped=True, factors=factors))

    def _hold(self, number: int, reach: Reach, channels: int) -> None:
        block = self._blocks[number]
        self._widest = max(self._widest, (2 * reach[0] + block) * (2 * reach[1] + block) * channels)

    def _transpose(self, number: int, node: Convolution, part: Contribution) -> None:
        # A kernel of one pixel carries nothing across the border.
        stays, block = node.reach == (0, 0), self._blocks[number]
        if not (part.clipped or stays):
            slot, map_number = self._slot(), self._map(number, INSIDE, 0, part.reach)
            self._steps.append(Multiply(part.slot, slot, map_number, (0, 0), part.own, block=block))
            part = Contribution(slot, part.reach, own=True, clipped=True, factors=part.factors)
        weight = node.weight
        if part.factors is not None:
            weight = weight * part.factors[:, None, None, None]
        groups: list[tuple[Reach, list[Target]]] = []
        for target in targets(self._graph, node.sources[0]):
            limit = self._limits[target.node]
            if limit is None:
                continue
            reach = plus(part.reach, node.reach)
            if node.border is None:
                reach = narrower(reach, limit)
            else:  # what is read beyond the image lies up to twice as far away as the pixel itself
                reach = narrower(reach, plus(limit, plus(node.border.width, node.border.width)))
            if groups and groups[-1][0] == reach and groups[-1][1][-1].stop == target.start:
                groups[-1][1].append(target)
            else:
                groups.append((reach, [target]))
        for reach, members in groups:
            first, last = members[0].start, members[-1].stop
            slot = self._slot()
            wanted = TransposedSpec(
                part.slot, slot, part.reach, reach, weight[:, first:last], node.dilation, block
            )
            step, multiplications = transposed_step(wanted, self._dtype, self._device)
            self._steps.append(step)
            self._multiplications += multiplications
            self._hold(number, reach, last - first)
            if node.border is not None:
                map_number = self._map(number, BORDER, 0, reach, border=node.border)
                self._steps.append(Fold(slot, slot, map_number, block))
            clipped = node.border is not None or (stays and part.clipped)
            for target in members:
                limit = self._limits[target.node]
                assert limit is not None
                near = narrower(reach, limit)
                own_slot = slot
                if len(members) > 1 or near != reach:
                    own_slot = self._slot()
                    channels = (target.start - first, target.stop - first)
                    self._steps.append(Take(slot, own_slot, *channels, minus(reach, near)))
                self._give(target.node, Contribution(own_slot, near, own=True, clipped=clipped))

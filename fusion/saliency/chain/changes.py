"""Fused pixel as a function of what is added to an image: forward passes of little more than changes and is seen.

A fused pixel sees of each node a window that shrinks towards the output, and a change of an input spreads in a window
that grows from it. Only where both overlap anything has to be computed again; around it, and in branches of the other
image, the values of the unchanged images stand.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fusion.saliency.chain.graph import (
    Convolution,
    Graph,
    Reach,
    narrower,
    needed_reaches,
    plus,
    step_of,
    wider,
)
from fusion.saliency.window import Box, Pixel

_EVERYWHERE: Reach = (2**31, 2**31)
_Values = tuple[Tensor, Box]
"""Values (B, channels, rows, columns) of a node, and which rows and columns of the crop they are."""


class ChangedPixel:
    """A fused pixel, y(i) as a function of a number that is added to one pixel or to all of an image.

    Parameters
    ----------
    graph : Graph
        The network, of the precision of `images`.
    images : torch.Tensor
        (2, h, w), a crop of both images that has all that the pixel sees, clipped at the image's own border only.
    pixel : tuple of int
        (row, column) in the crop.
    """

    def __init__(self, graph: Graph, images: Tensor, pixel: Pixel) -> None:
        self._graph, self._pixel = graph, pixel
        self._shape = (images.shape[1], images.shape[2])
        self._needed = needed_reaches(graph)
        self._unchanged: dict[int, _Values] = {}
        for index in (0, 1):
            box = self._box(self._needed[index] or (0, 0))
            self._unchanged[index] = images[None, index : index + 1, box.rows(), box.columns()], box
        everywhere: list[Reach | None] = [_EVERYWHERE] * len(graph.nodes)
        self._value = self._run(self._unchanged, everywhere, 1)

    def unchanged(self) -> Tensor:
        """Return y(i) of the images as they are, (1,)."""
        return self._value

    def changed(self, index: int, added: Tensor, alone: bool) -> Tensor:
        """Return y(i) after a change.

        Parameters
        ----------
        index : int
            Which image is changed, 0 or 1.
        added : torch.Tensor
            (B,), what is added to it, of the images' precision; results are not clipped.
        alone : bool
            Whether it is added to pixel i alone, not to all pixels that i sees.

        Returns
        -------
        torch.Tensor
            (B,).
        """
        image, box = self._unchanged[index]
        inner = self._box((0, 0)) if alone else box
        values = {index: (_cut(image, box, inner) + added[:, None, None, None], inner)}
        spreads = self._spreads(index, (0, 0) if alone else _EVERYWHERE)
        return self._run(values, spreads, len(added)).expand(len(added))

    def _spreads(self, index: int, first: Reach) -> list[Reach | None]:
        """Return how far from the pixel each node changes with an image that changes so far; ``None``: not at all."""
        spreads: list[Reach | None] = [None, None]
        spreads[index] = first
        for node in self._graph.nodes[2:]:
            farthest: Reach | None = None
            for source in node.sources:
                farthest = wider(farthest, spreads[source])
            spreads.append(None if farthest is None else plus(farthest, step_of(node)))
        return spreads

    @torch.no_grad()
    def _run(self, values: dict[int, _Values], spreads: list[Reach | None], count: int) -> Tensor:
        """Compute all nodes as far as they are seen and changed; return the fused pixel, (B,) or (1,)."""
        for number, node in enumerate(self._graph.nodes):
            seen, spread = self._needed[number], spreads[number]
            if number < 2 or seen is None or spread is None:
                continue
            box = self._box(narrower(seen, spread))
            around = self._box(plus(narrower(seen, spread), step_of(node)))
            result = node.run(*(self._around(source, around, values, count) for source in node.sources))
            if isinstance(node, Convolution) and node.channels > 1:
                result = result.contiguous(memory_format=torch.channels_last)
            values[number] = _cut(result, around, box), box
        output = self._graph.output
        return (values.get(output) or self._unchanged[output])[0][:, 0, 0, 0]

    def _around(self, source: int, box: Box, values: dict[int, _Values], count: int) -> Tensor:
        """Return a source's values in a box, (count, channels, …): those that changed, laid over the unchanged."""
        if source not in values:
            return _cut(*self._unchanged[source], box).expand(count, -1, -1, -1)
        changed, inner = values[source]
        common = Box(
            max(inner.top, box.top),
            max(inner.left, box.left),
            min(inner.bottom, box.bottom),
            min(inner.right, box.right),
        )
        if common == box:
            return _cut(changed, inner, box)
        result = _cut(*self._unchanged[source], box).repeat(count, 1, 1, 1)
        _cut(result, box, common).copy_(_cut(changed, inner, common))
        return result

    def _box(self, reach: Reach) -> Box:
        (row, column), (height, width) = self._pixel, self._shape
        return Box(
            max(row - reach[0], 0),
            max(column - reach[1], 0),
            min(row + reach[0] + 1, height),
            min(column + reach[1] + 1, width),
        )


def _cut(values: Tensor, box: Box, part: Box) -> Tensor:
    """Return a part of values that stand in a box, a view."""
    return values[
        :, :, part.top - box.top : part.bottom - box.top, part.left - box.left : part.right - box.left
    ]

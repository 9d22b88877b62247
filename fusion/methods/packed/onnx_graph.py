"""The program of an ONNX file: each node a call of a function of torch, from a table and nowhere else."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fusion.errors import PackedMethodError
from fusion.methods.packed import onnx_layers, onnx_pointwise, onnx_shapes
from fusion.methods.packed.graph import Name, OfImages, Program, ProgramNetwork, Step, names_in, with_ends
from fusion.methods.packed.onnx_calls import TABLE, Runner, numbers_of
from fusion.methods.packed.onnx_file import SMALL, Node, OnnxGraph, read_onnx
from fusion.methods.packed.size_rules import SIDES, SizeRules

OPERATOR_FILES = (onnx_layers, onnx_pointwise, onnx_shapes)
"""Whoever imports this has the table full."""
MOST_SAID = 80
"""Letters of a name in a file that are told."""
_MULTIPLE = re.compile(r"(\d{1,4})\s*\*\s*([A-Za-z_]\w*)|([A-Za-z_]\w*)\s*\*\s*(\d{1,4})")


class OnnxNetwork(ProgramNetwork):
    """A network from an ONNX file.

    Parameters
    ----------
    graph : OnnxGraph
        From `read_onnx`.
    path : Path
        The file, for messages.

    Raises
    ------
    PackedMethodError
        With the operator and the node that cannot be read, or what does not hang together.
    """

    def __init__(self, graph: OnnxGraph, path: Path) -> None:
        try:
            program = _Maker(graph, path).program()
        except (ValueError, TypeError, AttributeError, RuntimeError, OverflowError) as error:
            raise PackedMethodError(f"{path}: this is no ONNX file, or it is damaged ({error}).") from error
        super().__init__(program)


def facts_of(path: Path) -> dict[str, Any]:
    """Return what an ONNX file says of what it takes and returns, as plain values; weights are not read.

    Returns
    -------
    dict
        ``images``: name and sides of each input; ``outputs``: names; ``channels`` that each gray image is given as,
        ``fixed`` height and width, ``multiple`` of sides and ``single`` pairs, as far as the file says so; ``nodes``.

    Raises
    ------
    PackedMethodError
        If it cannot be read.
    """
    graph = read_onnx(path, numbers=False)
    network = OnnxNetwork(graph, path)
    sides = [size for sizes in network.rules.sizes.values() for size in sizes]
    across = sides[1]
    joined = 2 if len(network.images) == 1 else 1
    least = zip(network.rules.example(1, 1)[2:], sides[2:4], strict=True)
    return {
        "images": [[name[:MOST_SAID], list(graph.images[name])] for name in network.images],
        "outputs": [name[:MOST_SAID] for name in graph.outputs],
        "channels": max(across // joined, 1) if isinstance(across, int) else 1,
        "fixed": network.rules.fixed(),
        "multiple": math.lcm(*(side for side, said in least if isinstance(said, str))),
        "single": network.rules.batch() == 1,
        "nodes": len(graph.nodes),
    }


class _Maker:
    def __init__(self, graph: OnnxGraph, path: Path) -> None:
        self._graph, self._path = graph, path
        self._weights: dict[str, Tensor] = {}
        self._numbers: dict[str, Any] = {}
        self._known: set[str] = set()
        self._of_sizes: set[str] = set()

    def _refused(self, why: str) -> PackedMethodError:
        return PackedMethodError(f"{self._path}: the ONNX file {why}.")

    def program(self) -> Program:
        for name, tensor in self._graph.tensors.items():
            self._add_constant(name, tensor)
        images = self._images()
        steps: list[Step] = []
        for node in self._graph.nodes:
            if node.kind == "Constant":
                self._add_constant(self._made(node)[0], self._constant(node))
            else:
                steps.append(self._step(node))
        outputs = tuple(Name(name) for name in self._graph.outputs)
        for output in outputs:
            if output.name not in self._known or output.name in self._of_sizes:
                raise self._refused(f"returns {output.name[:80]!r}, which nothing in it makes of images")
        if not outputs:
            raise self._refused("returns nothing")
        used = {name for step in steps for name in names_in((step.args, step.kwargs))}
        weights = {name: tensor for name, tensor in self._weights.items() if name in used}
        return Program(self._rules(images), tuple(with_ends(steps, outputs)), tuple(images), outputs, weights)

    def _images(self) -> dict[str, tuple[int | str, ...]]:
        images = self._graph.images
        if len(images) not in (1, 2):
            raise self._refused(f"takes {len(images)} tensors where a fusion network takes two images")
        for name, sides in images.items():
            if len(sides) not in (0, len(SIDES)):
                raise self._refused(
                    f"takes {name[:80]!r} of {len(sides)} sides; images have batch, channels, height, width"
                )
            self._add(name)
        return images

    def _rules(self, images: dict[str, tuple[int | str, ...]]) -> SizeRules:
        symbols: dict[str, str] = {}
        sizes = {
            name: tuple(_side(side, index, symbols) for index, side in enumerate(sides or ("",) * len(SIDES)))
            for name, sides in images.items()
        }
        return SizeRules(sizes, {}, ())

    def _add(self, name: str) -> None:
        if not name or name in self._known:
            raise self._refused(f"makes {name[:80]!r} twice")
        self._known.add(name)

    def _add_constant(self, name: str, tensor: Tensor) -> None:
        self._add(name)
        small = tensor.numel() <= SMALL and tensor.device.type != "meta"
        if small:
            self._numbers[name] = numbers_of(tensor)
        if not small or tensor.is_floating_point():
            self._weights[name] = tensor

    def _constant(self, node: Node) -> Tensor:
        for key, kind in _CONSTANTS.items():
            if key in node.attributes:
                value = node.attributes[key]
                return value if isinstance(value, Tensor) else torch.tensor(value, dtype=kind)
        raise self._refused(f"has a constant of a kind that is not read (node {node.name!r})")

    def _made(self, node: Node) -> tuple[str, ...]:
        outputs = node.outputs if node.kind != "Dropout" else node.outputs[:1]
        if not outputs or (len(outputs) > 1 and node.kind != "Split" and any(outputs[1:])):
            raise self._refused(f"asks for results of {node.kind} that are not made (node {node.name!r})")
        return outputs if node.kind == "Split" else outputs[:1]

    def _step(self, node: Node) -> Step:
        found = TABLE.get(node.kind)
        if found is None:
            raise self._refused(
                f"calls {node.kind} (node {node.name!r}), which is not on the list of operators that are read. Write "
                "that part of the network with others, or pack it from Python"
            )
        if found.since > node.opset:
            raise self._refused(
                f"calls {node.kind} (node {node.name!r}), which opset {node.opset} does not have"
            )
        for name in node.inputs:
            if name and name not in self._known:
                raise self._refused(f"uses {name[:80]!r} before anything makes it (node {node.name!r})")
        of_sizes = self._is_of_sizes(node)
        run = found.numbers if of_sizes else found.run
        if run is None:
            raise self._refused(f"calls {node.kind} of sizes (node {node.name!r}), which is not read")
        tensors = () if of_sizes else found.tensors
        made = self._made(node)
        arguments = tuple(self._argument(index, name, tensors) for index, name in enumerate(node.inputs))
        for name in made:
            self._add(name)
            if of_sizes or node.kind in ("Shape", "Size"):
                self._of_sizes.add(name)
        results = (made,) if node.kind == "Split" else made
        own = {"dtype": OfImages("dtype"), "device": OfImages("device")}
        return Step(Runner(node, run, tensors), arguments, own, results)

    def _is_of_sizes(self, node: Node) -> bool:
        """Tell whether a node works out sizes: of sizes and constants only."""
        given = [name for name in node.inputs if name]
        known = TABLE[node.kind]
        if known.numbers is None or not all(
            name in self._of_sizes or name in self._numbers for name in given
        ):
            return False
        if node.kind == "ConstantOfShape":
            value = node.attributes.get("value")
            return value is not None and not value.is_floating_point()
        return any(name in self._of_sizes for name in given) or not any(
            name in self._weights for name in given
        )

    def _argument(self, index: int, name: str, tensors: Iterable[int] | None) -> Any:
        if not name:
            return None
        as_numbers = name in self._numbers and (
            name not in self._weights or (tensors is not None and index not in tensors)
        )
        return self._numbers[name] if as_numbers else Name(name)


_CONSTANTS = {
    "value": None,
    "value_float": torch.float32,
    "value_floats": torch.float32,
    "value_int": torch.int64,
    "value_ints": torch.int64,
}
"""Attributes of a constant, with the type of its numbers."""


def _side(side: int | str, index: int, symbols: dict[str, str]) -> int | str:
    """Return a side of an image as `SizeRules` has it: a number, a symbol, or a multiple of one."""
    if isinstance(side, int):
        return side
    found = _MULTIPLE.fullmatch(side)
    factor = int(found[1] or found[4]) if found else 1
    name = (found[2] or found[3]) if found else side
    # What is called alike in several places is one number there; without a name each may be its own.
    symbol = symbols.setdefault(name or f"?{index}", f"s{len(symbols)}")
    return f"Mul(Integer({factor}), Symbol('{symbol}'))" if factor > 1 else f"Symbol('{symbol}')"

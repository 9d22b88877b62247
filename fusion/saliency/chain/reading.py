"""Reads a network's program while it is traced, operation by operation, with noise for the images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from fusion.saliency.chain.calls import SAMPLE_SHAPE, Call, attribute, call_of, same_memory
from fusion.saliency.chain.grouping import grouped
from fusion.saliency.chain.narrowing import narrowed
from fusion.saliency.chain.nodes import Input, Network, Node, NotUnderstoodError, Pointwise
from fusion.saliency.chain.recognising import value_of
from fusion.saliency.chain.values import Constant, Several, Value, Whole


@dataclass(frozen=True)
class _Writing:
    """Something written over a value: which memory, and the nodes that there were before and after."""

    memory: int
    before: int
    after: int


class Reader:
    """Makes nodes of a program's operations.

    Parameters
    ----------
    root : torch.nn.Module
        In which the program's layers and parameters are found by name.

    Attributes
    ----------
    names : dict
        What each operation has become.
    samples : list of Tensor
        A value of each node.
    """

    def __init__(self, root: nn.Module) -> None:
        self.names: dict[fx.Node, Value] = {}
        self.samples: list[Tensor] = []
        self._root = root
        self._nodes: list[Node] = []
        self._memory: list[int] = []
        self._writings: list[_Writing] = []
        self._output: Value | None = None

    @torch.no_grad()
    def read(self, item: fx.Node, constant: bool) -> None:
        """Go on by one operation.

        Parameters
        ----------
        item : torch.fx.Node
            The operation.
        constant : bool
            Whether the program takes its result as a constant, as it does where gradients are switched off.

        Raises
        ------
        NotUnderstoodError
            If it is nothing that a chain can go through.
        """
        if item.op == "placeholder":
            self.names[item] = Whole(self._input())
        elif item.op == "output":
            result = item.args[0]
            self._output = self.names[result] if isinstance(result, fx.Node) else None
        elif item.op == "get_attr":
            self.names[item] = Constant(attribute(self._root, str(item.target)))
        else:
            value = self._value(call_of(self._root, item, self.names, self.samples, self._add))
            self.names[item] = self._detached(value) if constant else value

    def network(self) -> Network:
        """Return the whole program as nodes, connected pointwise operations as one.

        Raises
        ------
        NotUnderstoodError
            If it does not make one image of two, or uses what it has written over.
        """
        output = self._output
        inputs = [number for number, node in enumerate(self._nodes) if isinstance(node, Input)]
        if type(output) is not Whole or inputs != [0, 1] or self._nodes[output.number].channels != 1:
            raise NotUnderstoodError("it does not make one image of two")
        for writing in self._writings:
            later = [source for node in self._nodes[writing.after :] for source in node.sources]
            if any(
                number < writing.before and self._memory[number] == writing.memory
                for number in (*later, output.number)
            ):
                raise NotUnderstoodError("it uses what it has written over")
        return grouped(*narrowed(Network(tuple(self._nodes), output.number), self.samples))

    def _input(self) -> int:
        number = len(self._nodes)
        noise = torch.rand(1, 1, *SAMPLE_SHAPE, generator=torch.Generator().manual_seed(number))
        weights = [value for value in self._root.state_dict().values() if value.is_floating_point()]
        return self._append(Input((), 1, lambda: noise), noise.to(weights[0]) if weights else noise)

    def _add(self, node: Node) -> int:
        try:
            sample = node.run(*(self.samples[source] for source in node.sources))
        except Exception as error:  # the network's own
            raise NotUnderstoodError(f"one of its layers cannot be run by itself: {error}") from error
        return self._append(node, sample)

    def _append(self, node: Node, sample: Tensor) -> int:
        shared = [source for source in node.sources if same_memory(self.samples[source], sample)]
        self._memory.append(self._memory[shared[0]] if shared else len(self._nodes))
        self._nodes.append(node)
        self.samples.append(sample)
        return len(self._nodes) - 1

    def _value(self, call: Call) -> Value:
        if not call.sources:
            if call.knows_sizes:
                raise NotUnderstoodError(f"{call.name} depends on the image's size")
            return Constant(call.result)
        before = len(self._nodes)
        value = value_of(call)
        if call.writes:
            self._written_over(call, value, before)
        return value

    def _written_over(self, call: Call, value: Value, before: int) -> None:
        """Let the result stand for its operand from now on."""
        operand = call.args[0] if call.args else None
        if type(operand) is not Whole or type(value) is not Whole or self._memory[operand.number] < 2:
            raise NotUnderstoodError(
                f"{call.name} writes to an image or to something else than a node's value"
            )
        if operand == value:
            return
        memory = self._memory[operand.number]
        self._memory[value.number] = memory
        self._writings.append(_Writing(memory, before, len(self._nodes)))
        self.names |= {item: _replaced(name, operand, value) for item, name in self.names.items()}

    def _detached(self, value: Value) -> Value:
        """Return a value through which no derivative passes."""
        if isinstance(value, Several):
            return Several(tuple(self._detached(part) for part in value.parts))
        if type(value) is Constant:
            return value
        if type(value) is not Whole:
            raise NotUnderstoodError("gradients are switched off for something else than a node's value")
        channels = self._nodes[value.number].channels
        return Whole(self._add(Pointwise(value.numbers, channels, torch.detach, None, (False,))))


def _replaced(name: Value, old: Whole, new: Whole) -> Value:
    if isinstance(name, Several):
        return Several(tuple(_replaced(part, old, new) for part in name.parts))
    return new if name == old else name

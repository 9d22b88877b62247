"""From a network's program, as `torch.fx` writes it down, to nodes."""

from __future__ import annotations

import torch
from torch import Tensor, fx, nn

from fusion.saliency.chain.calls import Constant, as_function, attribute, writes_to_its_operand
from fusion.saliency.chain.grouping import grouped
from fusion.saliency.chain.nodes import Input, Network, Node, NotUnderstoodError
from fusion.saliency.chain.operations import UNCHANGING_METHODS, UNCHANGING_MODULES
from fusion.saliency.chain.recognising import Operation, node_of

SAMPLE_SHAPE = (9, 11)
"""Height and width of the noise that is sent through the network to see the shapes of its values."""


def traced(network: nn.Module) -> Network:
    """Write a network down as nodes, connected pointwise operations as one.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2), in evaluation mode.

    Raises
    ------
    NotUnderstoodError
        If there is anything in it that is no convolution of stride 1 which keeps the image's size, no batch
        norm in evaluation mode, no concatenation of channels and not pointwise.
    """
    try:
        graph = fx.Tracer().trace(network)
    except Exception as error:
        raise NotUnderstoodError(f"its program cannot be traced: {error}") from error
    reader = _Reader(network)
    return grouped(reader.read(graph), reader.samples)


class _Reader:
    """Goes through a traced program once, operation by operation, with noise for the images."""

    def __init__(self, network: nn.Module) -> None:
        self.samples: list[Tensor] = []
        self._network = network
        self._nodes: list[Node] = []
        self._names: dict[fx.Node, int | Constant] = {}
        self._overwritten: list[int] = []

    @torch.no_grad()
    def read(self, graph: fx.Graph) -> Network:
        output: int | Constant | None = None
        for item in graph.nodes:
            if item.op == "placeholder":
                self._names[item] = self._input()
            elif item.op == "output":
                output = self._names[item.args[0]] if isinstance(item.args[0], fx.Node) else None
            else:
                self._names[item] = self._value(item)
        inputs = [number for number, node in enumerate(self._nodes) if isinstance(node, Input)]
        if not isinstance(output, int) or inputs != [0, 1] or self._nodes[output].channels != 1:
            raise NotUnderstoodError("it does not make one image of two")
        for number in self._overwritten:
            users = sum(node.sources.count(number) for node in self._nodes)
            if users != 1 or number in (0, 1, output):
                raise NotUnderstoodError("it writes to a value that it uses again")
        return Network(tuple(self._nodes), output)

    def _input(self) -> int:
        number = len(self._nodes)
        noise = torch.rand(1, 1, *SAMPLE_SHAPE, generator=torch.Generator().manual_seed(number))
        weights = [value for value in self._network.state_dict().values() if value.is_floating_point()]
        return self._add(Input((), 1, lambda: noise), noise.to(weights[0]) if weights else noise)

    def _add(self, node: Node, sample: Tensor) -> int:
        self._nodes.append(node)
        self.samples.append(sample)
        return len(self._nodes) - 1

    def _value(self, item: fx.Node) -> int | Constant:
        """Return the number of the node that an operation has become, or its value if that is constant."""
        if item.op == "get_attr":
            return Constant(attribute(self._network, str(item.target)))
        layer = attribute(self._network, str(item.target)) if item.op == "call_module" else None
        operands = [self._names[operand] for operand in item.all_input_nodes]
        sources = tuple(dict.fromkeys(operand for operand in operands if isinstance(operand, int)))
        if sources and (
            (type(layer) in UNCHANGING_MODULES and layer is not None and not layer.training)
            or (item.op == "call_method" and item.target in UNCHANGING_METHODS)
        ):
            return sources[0]
        run = as_function(self._network, item, self._names, sources)
        samples = [self.samples[source] for source in sources]
        try:
            result = run(*samples)
        except Exception as error:
            raise NotUnderstoodError(f"{item.name} cannot be run by itself: {error}") from error
        if not sources:
            return Constant(result)
        if not isinstance(result, Tensor) or result.ndim != 4 or result.shape[2:] != SAMPLE_SHAPE:
            raise NotUnderstoodError(f"{item.name} does not keep the image's size")
        if writes_to_its_operand(self._network, item):
            self._overwritten.append(sources[0])
        channels = result.shape[1]
        operation = Operation(item, layer, self._names, sources, samples, channels, run)
        return self._add(node_of(operation), result)

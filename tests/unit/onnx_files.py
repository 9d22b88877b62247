"""ONNX files made in tests: graphs of a few nodes by hand, and networks exported as users do."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

SIDES: tuple[int | str, ...] = ("b", 1, "h", "w")


def node(kind: str, inputs: str, outputs: str = "y", **attributes: Any) -> onnx.NodeProto:
    """Return a node; ``_`` among the inputs is one left out."""
    names = ["" if name == "_" else name for name in inputs.split()]
    return helper.make_node(kind, names, outputs.split(), name=f"{kind} of {outputs}", **attributes)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    constants: dict[str, NDArray[Any]] | None = None,
    opset: int = 18,
    channels: int = 1,
    inputs: Sequence[str] = ("x1", "x2"),
) -> onnx.ModelProto:
    """Return a model of two images whose result is ``y``."""
    sides = (*SIDES[:1], channels, *SIDES[2:])
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, sides) for name in inputs],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def average() -> onnx.ModelProto:
    """Return a model of the mean of two images."""
    return model_of(
        [node("Add", "x1 x2", "s"), node("Mul", "s half")], {"half": np.array(0.5, dtype=np.float32)}
    )


def exported(network: nn.Module, opset: int = 17, sides: tuple[int, int] = (24, 32)) -> bytes:
    """Return a network of two images as torch exports it."""
    images = torch.rand(2, 1, *sides), torch.rand(2, 1, *sides)
    free = {0: "b", 2: "h", 3: "w"}
    file = io.BytesIO()
    with warnings.catch_warnings():  # the exporter that needs no other package warns that it is the older one
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            images,
            file,  # type: ignore[arg-type] # this exporter writes to files that are open too
            dynamo=False,
            input_names=["x1", "x2"],
            dynamic_axes={"x1": free, "x2": free},
            opset_version=opset,
        )
    return file.getvalue()


def write_onnx(folder: Path, model: bytes | onnx.ModelProto, description: str = 'title = "Mine"\n') -> Path:
    """Write a folder with a method."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{folder.name}.toml").write_text(description, encoding="utf-8")
    content = model if isinstance(model, bytes) else model.SerializeToString()
    (folder / f"{folder.name}.onnx").write_bytes(content)
    return folder

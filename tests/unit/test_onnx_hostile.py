"""ONNX files that strangers made: each is refused in a sentence, and no file but its own is looked at."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from fusion.errors import PackedMethodError
from fusion.methods.packed.folders import PackedMethod
from fusion.methods.packed.onnx_file import read_onnx
from fusion.methods.packed.onnx_graph import OnnxNetwork
from tests.unit.onnx_files import average, model_of, node, write_onnx


def changed(change: Callable[[onnx.ModelProto], object]) -> bytes:
    model = average()
    change(model)
    content: bytes = model.SerializeToString()
    return content


def weight(**values: Any) -> bytes:
    """Return the file with its only weight changed."""

    def change(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        for key, value in values.items():
            if key == "dims":
                del tensor.dims[:]
                tensor.dims.extend(value)
            else:
                setattr(tensor, key, value)

    return changed(change)


def beside(location: str, **more: str) -> bytes:
    def change(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **more}.items():
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value

    return changed(change)


def calling(kind: str, **attributes: Any) -> bytes:
    content: bytes = model_of([node("Add", "x1 x2", "s"), node(kind, "s", **attributes)]).SerializeToString()
    return content


def a_branch() -> bytes:
    inner = helper.make_graph([], "inner", [], [])
    content: bytes = model_of([node("If", "x1", then_branch=inner, else_branch=inner)]).SerializeToString()
    return content


def a_circle() -> bytes:
    content: bytes = model_of(
        [node("Add", "x1 b", "a"), node("Add", "a x2", "b"), node("Relu", "b")]
    ).SerializeToString()
    return content


def field(number: int, content: bytes) -> bytes:
    """Return a field of bytes as protobuf writes it."""
    length, parts = len(content), bytearray([number << 3 | 2])
    while length > 127:
        parts.append(length & 127 | 128)
        length >>= 7
    return bytes([*parts, length]) + content


OPSET = field(8, b"\x10\x12")
"""The field that says opset 18."""


def a_function(model: onnx.ModelProto) -> None:
    model.functions.add().name = "inner"


def sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


def twice(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(model.graph.initializer[0])


def third_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("x3", TensorProto.FLOAT, None))


def a_list(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = 1


def sizes(text: str) -> bytes:
    """Return a file whose image has a side of such a name."""

    def change(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = text

    return changed(change)


def of_many_sizes() -> bytes:
    nodes = [node("Shape", "x1", "s"), node("Tile", "s t", "u"), node("Expand", "x1 u")]
    content: bytes = model_of(nodes, {"t": np.array([2**40])}).SerializeToString()
    return content


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "an empty file": (lambda: b"", "no graph"),
    "no ONNX file": (lambda: b"PK\x03\x04 and nothing else", "no ONNX file"),
    "noise": (lambda: bytes(np.random.default_rng(0).integers(0, 256, 4096, dtype=np.uint8)), "no ONNX file"),
    "cut short": (lambda: average().SerializeToString()[:90], "ends before its end"),
    "a graph that is longer than the file": (lambda: b"\x3a\xff\xff\xff\xff\x07", "ends before its end"),
    "a number without end": (lambda: b"\x08" + b"\xff" * 40, "without end"),
    "a file of messages in messages": (
        lambda: OPSET + field(7, field(1, field(5, field(6, b"\x0a" * 2000)))), "within its graph"),
    "of an opset of old": (lambda: model_of([node("Add", "x1 x2")], opset=7).SerializeToString(), "opset 7; 11 to 23"),
    "of no opset": (lambda: changed(lambda model: model.ClearField("opset_import")), "opset 0"),
    "a branch": (a_branch, "graph within its graph"),
    "a circle": (a_circle, "uses 'b' before anything makes it"),
    "a function": (lambda: changed(a_function), "functions of its own"),
    "for training": (lambda: changed(lambda model: model.training_info.add()), "one for training"),
    "another domain": (lambda: calling("Relu", domain="com.evil"), r"Relu of the domain 'com\.evil'"),
    "an unknown operator": (lambda: calling("LSTM"), r"calls LSTM \(node 'LSTM of y'\)"),
    "a random operator": (lambda: calling("RandomUniformLike"), "calls RandomUniformLike"),
    "an operator of Python's": (lambda: calling("__import__"), "calls __import__"),
    "a value made twice": (
        lambda: model_of([node("Add", "x1 x2"), node("Relu", "y")]).SerializeToString(), "makes 'y' twice"),
    "a weight over an image": (lambda: weight(name="s"), "makes 's' twice"),
    "two weights of a name": (lambda: changed(twice), "two tensors called 'half'"),
    "a result from nowhere": (lambda: changed(lambda model: model.graph.output[0].ClearField("name")), "returns ''"),
    "no result": (lambda: changed(lambda model: model.graph.ClearField("output")), "returns nothing"),
    "a result of no image": (
        lambda: model_of([node("Shape", "x1")]).SerializeToString(), "which nothing in it makes of images"),
    "three images": (lambda: changed(third_input), "takes 3 tensors"),
    "a list of images": (lambda: changed(a_list), "no tensor"),
    "fewer bytes than the shape": (lambda: weight(dims=[4000, 4000]), "its shape"),
    "more bytes than the shape": (lambda: weight(raw_data=b"\0" * 64), "has 64 bytes of 'half'"),
    "a claim of gigabytes": (lambda: weight(dims=[2**20, 2**20]), "tensors of more than"),
    "a side below 0": (lambda: weight(dims=[-1]), "no plain tensor has"),
    "a side without end": (lambda: weight(dims=[2**62]), "no plain tensor has"),
    "sides without end": (lambda: weight(dims=[1] * 4000), "no plain tensor has"),
    "weights of texts": (lambda: weight(data_type=8), "no plain tensor has"),
    "weights of an unknown type": (lambda: weight(data_type=77), "no plain tensor has"),
    "weights that are not numbers": (lambda: weight(raw_data=struct.pack("<f", float("nan"))), "NaN"),
    "sparse weights": (lambda: changed(sparse), "sparse weights"),
    "weights of a file above": (lambda: beside("../secret.data"), r"in '\.\./secret\.data'"),
    "weights of a file of the system": (lambda: beside("/etc/passwd"), "in '/etc/passwd'"),
    "weights of a link": (lambda: beside("link.data"), r"in 'link\.data'"),
    "weights of a file of another kind": (lambda: beside("own.toml"), r"in 'own\.toml'"),
    "weights of no file": (lambda: beside("none.data"), r"in 'none\.data'"),
    "weights behind a file's end": (lambda: beside("small.data", offset="2"), "which has not so many"),
    "weights before a file's begin": (lambda: beside("small.data", offset="-8"), "which has not so many"),
    "weights of no offset": (lambda: beside("small.data", offset="x"), "damaged"),
    "sizes that are a program": (lambda: sizes("__import__('os').system('touch canary')"), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    make, words = HOSTILE[name]
    path = tmp_path / "own" / "own.onnx"
    path.parent.mkdir()
    (tmp_path / "secret.data").write_bytes(b"\0" * 64)
    (path.parent / "small.data").write_bytes(b"\0\0\0\0")
    (path.parent / "link.data").symlink_to(tmp_path / "secret.data")
    (path.parent / "own.toml").write_text("", encoding="utf-8")
    path.write_bytes(make())
    before = {file.name for file in tmp_path.rglob("*")}
    if not words:  # a name and nothing else: it is taken as such
        OnnxNetwork(read_onnx(path), path)(torch.rand(1, 1, 4, 4), torch.rand(1, 1, 4, 4))
    else:
        with pytest.raises(PackedMethodError, match=words):
            OnnxNetwork(read_onnx(path), path)
        assert PackedMethod(path.parent).problem() != ""
    assert {file.name for file in tmp_path.rglob("*")} == before


def test_every_file_cut_short_or_changed_is_refused_or_read(tmp_path: Path) -> None:
    """Nothing but a sentence comes of any of them."""
    whole = average().SerializeToString()
    path = tmp_path / "own.onnx"
    random = np.random.default_rng(0)
    told = []
    for trial in range(300):
        content = bytearray(whole[: random.integers(0, len(whole))] if trial % 2 else whole)
        for _ in range(1 + trial % 3):
            if content:
                content[random.integers(0, len(content))] = random.integers(0, 256)
        path.write_bytes(content)
        try:
            OnnxNetwork(read_onnx(path), path)
        except PackedMethodError as error:
            told.append(str(error))
    assert len(told) > 150 and all(words.startswith(f"{path}: ") for words in told)


def test_parts_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.methods.packed.onnx_file.MOST_FIELDS", 1000)
    path = tmp_path / "own.onnx"
    path.write_bytes(b"\x08\x01" * 2000)
    with pytest.raises(PackedMethodError, match="more than 1,000 parts"):
        read_onnx(path)
    path.write_bytes(OPSET + field(7, field(1, field(5, field(8, b"\x01" * 2000)))))
    with pytest.raises(PackedMethodError, match="more than 1,000 parts"):
        read_onnx(path)


def test_a_graph_of_too_many_nodes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.methods.packed.onnx_file.MOST_NODES", 1)
    path = tmp_path / "own.onnx"
    path.write_bytes(average().SerializeToString())
    with pytest.raises(PackedMethodError, match="2 nodes; up to 1 are read"):
        read_onnx(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (of_many_sizes, "more than 4,096 numbers of sizes"),
        (lambda: calling("LeakyRelu", alpha=b"x"), "its alpha is no float"),
        (lambda: calling("Pad", mode="evil"), "Pad"),
        (lambda: calling("MaxPool", kernel_shape=[0, 0]), "MaxPool"),
        (lambda: calling("Cast", to=8), "a type of numbers that is not read"),
        (lambda: calling("Concat", axis=99), "Concat"),
    ],
)
def test_what_shows_when_it_runs_is_told_with_operator_and_node(
    tmp_path: Path, make: Callable[[], bytes], words: str
) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(make())
    network = OnnxNetwork(read_onnx(path), path)
    with pytest.raises(ValueError, match=words):
        network(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8))


def test_a_folder_with_two_networks_is_refused_with_their_names(tmp_path: Path) -> None:
    folder = write_onnx(tmp_path / "own", average())
    (folder / "own.pt2").write_bytes(b"")
    assert r"there are own.onnx, own.pt2" in PackedMethod(folder).problem()

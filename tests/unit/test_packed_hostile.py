"""Files that strangers made: each is refused in a sentence, and nothing in it is run."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fusion.errors import FuseVisError, PackedMethodError
from fusion.methods.packed.archive import read_archive
from fusion.methods.packed.expressions import NotIntegerArithmetic, parsed, value_of
from fusion.methods.packed.folders import PackedMethod
from fusion.methods.packed.graph import GraphNetwork
from tests.unit.packed_folders import (
    PROGRAM,
    WEIGHTS,
    archive_of,
    changed,
    entries_of,
    tiny_archive,
    with_entries,
    with_program,
    write_method,
)


class Canary:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def graph(program: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = program["graph_module"]["graph"]
    return found


def node(program: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in graph(program)["nodes"] if name in one["target"])


def set_target(target: str) -> bytes:
    return with_program(lambda program: node(program, "relu").update(target=target))


def set_expression(text: str) -> bytes:
    def change(program: dict[str, Any]) -> None:
        graph(program)["tensor_values"]["x1"]["sizes"][2] = {"as_expr": {"expr_str": text, "hint": None}}

    return with_program(change)


def set_argument(argument: Any) -> bytes:
    return with_program(lambda program: node(program, "relu")["inputs"][0].update(arg=argument))


def set_weight(**values: Any) -> bytes:
    return changed(WEIGHTS, lambda read: read["config"]["first.weight"].update(values))


def set_layout(**values: Any) -> bytes:
    return changed(WEIGHTS, lambda read: read["config"]["first.weight"]["tensor_meta"].update(values))


def pickled_sample(thing: object) -> bytes:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(thing, protocol=2))
    return archive_of(entries_of(tiny_archive()) | {"data/sample_inputs/model.pt": inner.getvalue()})


def a_subgraph() -> dict[str, Any]:
    return {"as_graph": {"name": "inner", "graph": {}}}


def mutation(program: dict[str, Any]) -> None:
    outputs = program["graph_module"]["signature"]["output_specs"]
    outputs.insert(0, {"buffer_mutation": {"arg": {"name": "relu"}, "buffer_name": "norm.running_mean"}})


def object_input(program: dict[str, Any]) -> None:
    inputs = program["graph_module"]["signature"]["input_specs"]
    inputs.insert(0, {"custom_obj": {"arg": {"name": "o", "class_fqn": "os.system"}, "custom_obj_name": "o"}})


def writing(program: dict[str, Any]) -> None:
    relu = node(program, "relu")
    relu["target"] = "torch.ops.aten.relu_.default"
    relu["inputs"][0]["arg"] = {"as_tensor": {"name": "p_first_weight"}}


def nan_weights() -> bytes:
    entries = entries_of(tiny_archive())
    place = "data/weights/weight_0"
    entries[place] = struct.pack("<f", float("nan")) + entries[place][4:]
    return archive_of(entries)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "no archive": (lambda: b"PK\x03\x04 and nothing else", "no archive"),
    "an empty file": (lambda: b"", "no archive"),
    "a pickle": (lambda: pickle.dumps({"weights": 1}), "no archive"),
    "an archive cut short": (lambda: tiny_archive()[:3000], "no archive"),
    "a compressed archive": (
        lambda: archive_of(entries_of(tiny_archive()), zipfile.ZIP_DEFLATED),
        "compressed",
    ),
    "a bomb": (
        lambda: archive_of({"models/model.json": b" " * 10**7}, zipfile.ZIP_DEFLATED),
        "compressed",
    ),
    "a library": (lambda: with_entries(data__aotinductor__model__so=b"\x7fELF"), "no place"),
    "a way out": (
        lambda: archive_of(entries_of(tiny_archive()) | {"../../etc/passwd": b"x"}),
        "no place",
    ),
    "a program of Python": (lambda: with_entries(**{"code.py": b"import os"}), "no place"),
    "two programs": (lambda: with_entries(**{"models__other.json": b"{}"}), "2 programs"),
    "a program that is not JSON": (lambda: with_entries(**{"models__model.json": b"{"}), "not JSON"),
    "a program that is a list": (lambda: with_entries(**{"models__model.json": b"[]"}), "not an object"),
    "a program without end of depth": (
        lambda: with_entries(**{"models__model.json": b"[" * 200_000}),
        "not JSON",
    ),
    "an empty program": (lambda: with_entries(**{"models__model.json": b"{}"}), "not written as"),
    "a program of another version": (
        lambda: with_program(lambda program: program["schema_version"].update(major=99)),
        "version 99",
    ),
    "pickled weights": (lambda: set_weight(use_pickle=True), "pickled weights"),
    "weights of another file": (lambda: set_weight(path_name="../../models/model.json"), "lacks the numbers"),
    "weights larger than their file": (
        lambda: set_layout(sizes=[{"as_int": 4000}] * 2, strides=[{"as_int": 4000}, {"as_int": 1}]),
        "fewer numbers",
    ),
    "weights that fill memory from one number": (
        lambda: set_layout(sizes=[{"as_int": 2**20}] * 2, strides=[{"as_int": 0}] * 2),
        "more than",
    ),
    "weights before their file": (lambda: set_layout(storage_offset={"as_int": -64}), "no plain tensor has"),
    "weights of an unknown type": (lambda: set_layout(dtype=77), "no plain tensor has"),
    "sparse weights": (lambda: set_layout(layout=1), "no plain tensor has"),
    "weights that are not numbers": (nan_weights, "NaN"),
    "an operation that loads a library": (lambda: set_target("torch.ops.load_library"), "not on the list"),
    "an operation of the system": (lambda: set_target("os.system"), "not on the list"),
    "an attribute of an operation": (
        lambda: set_target("torch.ops.aten.relu.__class__"),
        "not on the list",
    ),
    "an operation that reads files": (lambda: set_target("torch.ops.aten.from_file.default"), "not on the list"),
    "memory that nobody has filled": (
        lambda: set_target("torch.ops.aten.empty.memory_format"),
        "not on the list",
    ),
    "random numbers": (lambda: set_target("torch.ops.aten.rand_like.default"), "not on the list"),
    "an operation that writes elsewhere": (lambda: set_target("torch.ops.aten.relu.out"), "not on the list"),
    "gradients switched off": (
        lambda: set_target("torch.ops.higher_order.wrap_with_set_grad_enabled"),
        r"torch\.no_grad",
    ),
    "a graph as an argument": (lambda: set_argument(a_subgraph()), "kind that is not admitted"),
    "an operator as an argument": (
        lambda: set_argument({"as_operator": "os.system"}),
        "kind that is not admitted",
    ),
    "a value from nowhere": (lambda: set_argument({"as_tensor": {"name": "ghost"}}), "before anything"),
    "an object as an input": (lambda: with_program(object_input), "neither an image nor a weight"),
    "a network that changes": (lambda: with_program(mutation), "changes what it keeps"),
    "a network that writes to its weights": (lambda: with_program(writing), "writes to its weights"),
    "an expression that imports": (
        lambda: set_expression("__import__('os').system('touch canary')"),
        "not integer arithmetic",
    ),
    "an expression with an attribute": (lambda: set_expression("Integer(4).__class__"), "not integer arithmetic"),
    "an expression of decimals": (lambda: set_expression("Mul(Float('0.5'), Symbol('s1'))"), "not integer arithmetic"),
    "an expression without end": (lambda: set_expression("(" * 3000 + "1" + ")" * 3000), "not integer arithmetic"),
    "an expression in the guards": (
        lambda: with_program(lambda program: program.update(guards_code=["exec('1')"])),
        "not integer arithmetic",
    ),
    "an expression in the ranges": (
        lambda: with_program(lambda program: program["range_constraints"].update({"open('x')": {}})),
        "not integer arithmetic",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    make, words = HOSTILE[name]
    path = tmp_path / "own.pt2"
    path.write_bytes(make())
    with pytest.raises(PackedMethodError, match=words):
        GraphNetwork(read_archive(path), path)
    assert list(tmp_path.iterdir()) == [path]


def test_pickled_sample_inputs_are_refused_and_never_unpickled(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    path = tmp_path / "own.pt2"
    path.write_bytes(pickled_sample(Canary(canary)))
    with pytest.raises(PackedMethodError, match="pickled sample inputs"):
        read_archive(path)
    assert not canary.exists()


def test_constants_that_are_pickled_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.pt2"
    config = {"config": {"c": {"path_name": "tensor_0", "is_param": False, "use_pickle": True}}}
    entries = entries_of(tiny_archive())
    entries["data/constants/model_constants_config.json"] = json.dumps(config).encode()
    path.write_bytes(archive_of(entries | {"data/constants/tensor_0": pickle.dumps(Canary(tmp_path / "c"))}))
    with pytest.raises(PackedMethodError, match="pickled constants"):
        read_archive(path)


def test_a_program_of_too_many_steps_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.methods.packed.graph.MOST_STEPS", 3)
    path = tmp_path / "own.pt2"
    path.write_bytes(tiny_archive())
    with pytest.raises(PackedMethodError, match="up to 3 are read"):
        GraphNetwork(read_archive(path), path)


def test_an_archive_as_torch_writes_it_is_read_and_gives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "own.pt2"
    path.write_bytes(tiny_archive())
    ours = GraphNetwork(read_archive(path), path)
    images = torch.rand(3, 1, 17, 23), torch.rand(3, 1, 17, 23)
    with torch.no_grad():
        assert torch.equal(ours(*images), torch.export.load(path).module()(*images))


TOML: dict[str, tuple[str | bytes, str]] = {
    "no TOML": ("title = ", "not a TOML file"),
    "bytes": (b"\xff\xfe\x00", "not a TOML file"),
    "too long": ("#" * 70_000, "65,536"),
    "an unknown key": ("titel = 'x'", "did you mean title"),
    "an unknown key of a table": ("[inputs]\nrnage = [0, 1]", r"no key inputs\.rnage; did you mean range"),
    "a table that is a number": ("inputs = 3", r"\[inputs\] is a table"),
    "a title that is a number": ("title = 3", "title is a text"),
    "a title of control characters": ('title = "a\\u0007"', "title is a text"),
    "a range upside down": ("[inputs]\nrange = [255, 0]", "that of black first"),
    "a range without end": ("[inputs]\nrange = [0, inf]", "that of black first"),
    "channels without end": ("[inputs]\nchannels = 10000000", "whole number"),
    "an order of three": ("[inputs]\norder = ['x1', 'x2', 'x3']", r"\['x1', 'x2'\]"),
    "a mean without std": ("[inputs]\nmean = [0.5]", "mean and std"),
    "a std of nothing": ("[inputs]\nmean = [0.5]\nstd = [0.0]", "std is above 0"),
    "both kinds of size": ("[sizes]\nmultiple = 8\nfixed = [8, 8]", "exclude each other"),
    "a batch of two": ("[sizes]\nbatch = 2", r"sizes\.batch"),
    "a place before the first": ("[output]\nindex = -1", r"output\.index"),
}


@pytest.mark.parametrize("name", TOML)
def test_a_wrong_description_is_refused_with_its_key(tmp_path: Path, name: str) -> None:
    text, words = TOML[name]
    path = tmp_path / "own.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (tmp_path / "own.pt2").write_bytes(b"")
    with pytest.raises(FuseVisError, match=words):
        PackedMethod(tmp_path).description()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Mul(Integer(4), Symbol('s1', positive=True, integer=True))", 20),
        ("FloorDiv(Add(Symbol('s1'), Integer(-1)), Integer(2))", 2),
        ("4*(s1 // 2) - -s1 % 3", 7),
        ("L['x'].size()[2] <= 2 + 2*(((-1) + L['x'].size()[2]) // 2)", True),
        ("L['x'].size()[2] % 4 == 1 and not s1 == 4", True),
    ],
)  # fmt: skip
def test_arithmetic_on_sizes_is_worked_out(text: str, value: int) -> None:
    assert value_of(parsed(text), {"s1": 5, "x:2": 9}) == value


@pytest.mark.parametrize(
    "text", ["9**9**9", "Pow(Symbol('s'), Integer(400))", "s << 3", "s / 2", "f(s)", "lambda: 1"]
)
def test_what_is_no_arithmetic_on_sizes_is_not_worked_out(text: str) -> None:
    with pytest.raises(NotIntegerArithmetic):
        value_of(parsed(text), {"s": 2**40})


def test_a_bad_folder_says_what_is_wrong_without_reading_weights(tmp_path: Path) -> None:
    good = PackedMethod(write_method(tmp_path / "good"))
    assert good.problem() == ""
    bad = PackedMethod(write_method(tmp_path / "bad", b"nothing"))
    assert "no archive" in bad.problem()
    write_method(bad.path)
    assert bad.problem() == ""


def test_the_program_is_found_under_its_usual_name() -> None:
    assert {PROGRAM, WEIGHTS} <= set(entries_of(tiny_archive()))
